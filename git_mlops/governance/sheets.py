"""Data sheets in pointers: `meta: sheet:`, plain text by key, which DVC keeps as it stands."""

import difflib
import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from git_mlops.data import listing, pointers, profile
from git_mlops.data.pointers import PointerError
from git_mlops.errors import MlopsError
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.governance.fields import FIELDS, problems

Sheet = Mapping[str, str]
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LONGEST = 2000
"""Characters of a value."""


def read(path: str, content: bytes) -> dict[str, str]:
    """The sheet in a pointer; empty where there is none, or where the pointer cannot be read."""
    if b"\n  sheet:" not in content:
        return {}
    import yaml

    try:
        pointers.parse(path, content)  # refuses what must not be given to a loader
        value = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe
        said = value["meta"]["sheet"]
        return {str(key): _text(one) for key, one in said.items() if one is not None}
    except (PointerError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _text(value: object) -> str:
    """A date or number that somebody wrote without quotes, too; of lists the items."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def put(text: str, sheet: Sheet) -> str:
    """A pointer's text with this sheet instead of the one it has; what else `meta` has stays.

    Raises:
        ValueError: its `meta` is laid out in another way than DVC does.
    """
    before, meta, after = profile.cut(text)
    if meta and meta[0].strip() != "meta:":
        raise ValueError(meta[0].strip())
    kept = "".join(profile.without(meta[1:], "sheet"))
    ours = "".join(f"    {profile.scalar(key)}: {profile.scalar(sheet[key])}\n" for key in _ordered(sheet))
    block = f"  sheet:\n{ours}" if ours else ""
    gap = "\n" if before and not before.endswith("\n") else ""
    return before + gap + (f"meta:\n{block}{kept}" if block or kept else "") + after


def _ordered(sheet: Sheet) -> list[str]:
    return [*(key for key in FIELDS if key in sheet), *sorted(sheet.keys() - FIELDS.keys())]


def parsed(words: Iterable[str]) -> dict[str, str]:
    """`KEY=VALUE` as typed; an empty value takes a key away.

    Raises:
        MlopsError: it is none, or a value that means nothing.
    """
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        value = " ".join(value.split())
        if not equals or not _KEY.fullmatch(key) or len(value) > _LONGEST:
            raise MlopsError(f"`{word}` is no KEY=VALUE", hint=f"keys: {', '.join(FIELDS)}, or your own")
        close = difflib.get_close_matches(key, FIELDS, n=1, cutoff=0.8)
        if close and key not in FIELDS:
            raise MlopsError(f"`{key}` is no key of a data sheet", hint=f"did you mean `{close[0]}`?")
        found[key] = value
    for message, hint in problems({key: value for key, value in found.items() if value}):
        raise MlopsError(message, hint=hint)
    return found


def write(repo: Repo, names: Sequence[str], values: Mapping[str, str], sensitive: Sequence[str]) -> list[str]:
    """Change the sheets of pointers and stage them; returns the pointers that changed.

    Data that becomes sensitive is bound to the sensitive remote, as DVC has it (`remote:`), so that nobody's
    `dvc push` sends it elsewhere.

    Raises:
        MlopsError: a pointer is laid out in a way that cannot be changed safely.
    """
    changed = []
    for name in names:
        file = repo.root / name
        old = listing.on_disk(file) or b""
        new = _changed(name, old, values, sensitive)
        if new != old:
            replace_file(file, new)
            changed.append(name)
    if changed:
        stdin = "".join(f"{name}\0" for name in changed).encode("utf-8", "surrogateescape")
        repo.git("--literal-pathspecs", "add", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=stdin)
    return changed


def quoting(repo: Repo, names: Iterable[str]) -> list[str]:
    """Of pointers to sensitive data those whose profile has values of it: git has these, whoever reads it."""
    found = []
    for name in names:
        content = listing.on_disk(repo.root / name) or b""
        known = profile.read(name, content)
        if known and pointers.parse(name, content).outs[0].sensitive:
            found += [name] if any(_VALUES & set(column) for column in known.columns.values()) else []
    return found


_VALUES = frozenset(("min", "max", "top", "p05", "p50", "p95", "mean"))


def _changed(name: str, old: bytes, values: Mapping[str, str], sensitive: Sequence[str]) -> bytes:
    before = pointers.parse(name, old)
    sheet = {key: value for key, value in {**read(name, old), **values}.items() if value}
    text = old.decode("utf-8", "surrogateescape")
    try:
        new = put(text, sheet)
    except ValueError as error:
        message = f"`{name}`: `{error}` is laid out in another way than DVC writes it"
        raise MlopsError(
            message, hint=f"write `meta:` on a line of its own in {shlex.quote(name)}"
        ) from error
    if sheet.get("sensitivity") in pointers.SENSITIVE and sensitive:
        bound = {out.remote for out in before.outs}
        new = new if bound <= {*sensitive} else _bound(new, sensitive[0])
    raw = new.encode("utf-8", "surrogateescape")
    after = pointers.parse(name, raw)
    if [out[:3] for out in after.outs] != [out[:3] for out in before.outs] or read(name, raw) != sheet:
        raise MlopsError(f"`{name}` cannot be changed safely: it is laid out in an unusual way")
    return raw


def _bound(text: str, remote: str) -> str:
    """The output of a pointer as DVC writes it, bound to a remote."""
    without = re.sub(r"(?m)^  remote: .*\n", "", text)
    return re.sub(r"(?m)^(  path: .*\n)", rf"\1  remote: {remote}\n", without, count=1)


def pointers_of(repo: Repo, paths: Collection[str]) -> dict[str, str]:
    """Data → pointer, of the workspace's single-file pointers; all of them without paths.

    Raises:
        MlopsError: no pointer names a path, or a pipeline's lock does.
    """
    found = listing.in_workspace(repo)
    every = {out.path: pointer for out, pointer in found.items()}
    if not paths:
        return {path: pointer for path, pointer in sorted(every.items()) if pointer.endswith(".dvc")}
    chosen: dict[str, str] = {}
    for path in paths:
        inside = path.removesuffix(".dvc").rstrip("/")
        names = [one for one in every if one == inside or one.startswith(f"{inside}/")]
        if not names:
            raise MlopsError(f"no pointer names `{inside}`", hint=f"`git mlops add {shlex.quote(inside)}`")
        chosen |= {name: every[name] for name in names}
    return chosen


def of_pointers(repo: Repo, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Pointer → its sheet, in the workspace."""
    files = {name: listing.on_disk(Path(repo.root, name)) or b"" for name in dict.fromkeys(names)}
    return {name: read(name, content) for name, content in files.items()}
