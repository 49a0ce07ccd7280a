"""The merge driver of pointers: what one side changed is taken; data that both changed is merged.

Tables are merged row by row, directories file by file. What is left to a person has conflict markers in the
pointer, and each conflicting cell a line in the file `PATH.conflicts`.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops import config, ui
from git_mlops.checks.large_file import human
from git_mlops.data.merging import Result, Texts, merge_data, outs_of
from git_mlops.data.pointer_text import Merged, encoded, merge, merge_lock
from git_mlops.data.settings import Settings
from git_mlops.errors import MlopsError
from git_mlops.git.repo import discover
from git_mlops.hooks import conflicts_file
from git_mlops.hooks.merge_sides import Named, named

_CONFLICT = 1
_OUTERMOST = 7
"""The size of markers; those of a merge of merge bases are longer, and no person sees its conflicts."""


class _Driver(NamedTuple):
    texts: Texts
    size: int
    path: str


def run(_name: str, arguments: Sequence[str]) -> int:
    """`%O %A %B %L %P`: base, ours (also the place of the result), theirs, marker size, path."""
    texts = Texts(*(_read(Path(name)) for name in arguments[:3]))
    driver = _Driver(texts, int(arguments[3]), arguments[4])
    merged = _merged(driver)
    Path(arguments[1]).write_bytes(encoded(merged.text))
    return _CONFLICT if merged.conflict else 0


def _merged(driver: _Driver) -> Merged:
    texts, size, path = driver
    if path.endswith("dvc.lock"):
        merged = merge_lock(*texts, size) or merge(*texts, size)
        if merged.conflict:
            ui.warn(f"`{path}`: both sides changed the data", hint=_advice_of_lock(path))
        return merged
    merged = merge(*texts, size)
    if not merged.conflict:
        return merged
    try:
        return _of_data(driver, merged)
    except Exception as error:  # noqa: BLE001  # whatever it is, the pointer keeps its markers and git goes on
        ui.warn(
            f"`{path}`: both sides changed the data, and it could not be merged: {error}", hint=_advice(path)
        )
        return merged


def _of_data(driver: _Driver, marked: Merged) -> Merged:
    repo, path = discover(), driver.path
    announce(path, driver.texts)
    result = merge_data(repo, path, driver.texts, _settings())
    if result.text is not None:
        if driver.size <= _OUTERMOST:
            conflicts_file.remove(repo, path)  # of an earlier try that was called off
            ui.note(f"merged `{path.removesuffix('.dvc')}`: {told(result)}")
        return Merged(result.text, conflict=False)
    if driver.size <= _OUTERMOST:
        file = conflicts_file.write(repo, path, result) if result.conflicts else None
        _tell(path, result, named(repo), file)
    return marked


_LONG = 32 * 1024 * 1024
"""Bytes of all sides together: their merge takes seconds."""


def announce(path: str, texts: Texts) -> None:
    """Say what will take a while."""
    outs = outs_of(path, texts)
    size = 0 if isinstance(outs, str) else sum(out.size or 0 for out in outs if out.hash)
    if size > _LONG:
        ui.note(f"merging `{path.removesuffix('.dvc')}`, {human(size)} of three versions")


def told(result: Result) -> str:
    """What theirs brought: `3 rows of theirs added, 1 changed (by `id`)`."""
    unit = "files" if result.key == ("file",) else "rows"
    by = f" (by {', '.join(f'`{name}`' for name in result.key)})" if result.key and unit == "rows" else ""
    columns = result.counts.columns()
    return f"{unit} of theirs: {result.counts}{by}" + (f"; columns of theirs: {columns}" if columns else "")


def _settings() -> Settings:
    """With a mlops.yaml that is wrong (it may be in conflict itself), those that are the default."""
    try:
        return config.load(discover()).config.data
    except MlopsError as error:
        ui.warn(f"merging without the settings of {config.FILE}: {error}")
        return Settings()


def _tell(path: str, result: Result, sides: Named, file: str | None) -> None:
    if result.conflicts:
        number = ui.count(len(result.conflicts), "conflict")
        message = f"`{path}`: both sides changed the data, {number}: see `{file}`"
    else:
        message = f"`{path}`: both sides changed the data, and it was not merged: {result.reason}"
    ui.warn(f"{message}\n  ours is {sides.ours}\n  theirs is {sides.theirs}", hint=_hint(path, result))


def _hint(path: str, result: Result) -> str:
    name = shlex.quote(path.removesuffix(".dvc"))
    if result.missing:
        return (
            f"`git mlops merge-file {name}` downloads it; before a merge, "
            f"`git mlops pull {name}` on each branch does"
        )
    if result.conflicts:
        return f"`git mlops merge-file {name}` shows them; with `--ours`, `--theirs` or `--edit` it ends them"
    return _advice(path)


def _advice(path: str) -> str:
    name = shlex.quote(path.removesuffix(".dvc"))
    return (
        f"`git mlops merge-file --ours {name}` or `--theirs` takes one side; or put the merged data in place "
        f"and `git mlops add {name}`"
    )


def _advice_of_lock(path: str) -> str:
    name = shlex.quote(path)
    return (
        f"take one side with `git checkout --ours {name}` or `git checkout --theirs {name}`, "
        "run `dvc repro`, then `git add` it"
    )


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")
