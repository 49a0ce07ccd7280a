"""What the shims decide by, without Python: plain lines under the worktree's private directory.

`triage` says which paths may concern us and which data to look at; its time is when that data was last known
to be what the pointers say. `followed` holds the state of the pointers that the data was brought to last.
Both can be deleted at any time: the next hook starts Python and writes them anew.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from git_mlops.config import Config
from git_mlops.data import pointers
from git_mlops.data.pointers import Out, PointerError
from git_mlops.git import objects
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

_FORMAT = "git-mlops triage 1"
_POINTERS = ("*.dvc", "dvc.lock", "*/dvc.lock")
_MOST_IN_FOLDER = 200
"""The shim looks at so many files of a directory one by one; in a larger one it sees them come and go."""


def write(repo: Repo, config: Config, *, settled: float | None) -> None:
    """Renew `triage`.

    Args:
        settled: when the data was seen to be what the pointers say; None: it is not, so every commit asks.
    """
    lines = [_FORMAT, *_lines(repo, config)]
    if any("\n" in line for line in lines):
        lines = ["a path holds a line break: every commit asks"]
    file = _write(repo, "triage", "\n".join(lines) + "\n")
    os.utime(file, (settled or 0, settled or 0))


def forget(repo: Repo) -> None:
    """The next commit starts Python."""
    (repo.private_here / "triage").unlink(missing_ok=True)


def followed(repo: Repo, *, since: float) -> None:
    """Note that the data follows the pointers as they were at the time `since`."""
    listed = repo.git("ls-files", "-s", "--", *_POINTERS)
    file = _write(repo, "followed", objects.blob_id(repo, listed) + "\n")
    os.utime(file, (since, since))


def _write(repo: Repo, name: str, text: str) -> Path:
    repo.private_here.mkdir(exist_ok=True)
    file = repo.private_here / name
    replace_file(file, text.encode("utf-8", "surrogateescape"))
    return file


def _lines(repo: Repo, config: Config) -> Iterator[str]:
    yield f"limit {int(config.data.size_limit)}"
    named = (*config.data.track, *config.schemas.keys(), *config.schemas.values())
    yield from (
        f"path {each}" for each in dict.fromkeys(p for pattern in named for p in shell_patterns(pattern))
    )
    paths = [entry.path for entry in objects.index_entries(repo, *_POINTERS)]
    yield from (f"pointer {path}" for path in paths)
    for out in _outs(repo, paths):
        yield f"{_kind(repo.root / out.path)} {out.path}"


def _kind(path: Path) -> str:
    if not path.is_dir():
        return "output"
    with os.scandir(path) as entries:
        few = sum(1 for _ in zip(entries, range(_MOST_IN_FOLDER + 1), strict=False)) <= _MOST_IN_FOLDER
    return "folder" if few else "output"


def _outs(repo: Repo, paths: Iterable[str]) -> Iterator[Out]:
    for path in paths:
        content = _on_disk(repo, path)
        pipeline = (
            _on_disk(repo, path.removesuffix("dvc.lock") + "dvc.yaml") if path.endswith("dvc.lock") else None
        )
        try:
            yield from pointers.parse(path, content or b"", pipeline).outs
        except PointerError:
            continue  # said by the rule pointer-valid when it is committed


def _on_disk(repo: Repo, path: str) -> bytes | None:
    try:
        return (repo.root / path).read_bytes()
    except OSError:
        return None


def shell_patterns(pattern: str) -> list[str]:
    """Patterns for the shell's `case` that match at least what ours does (there `*` matches a slash, too).

    Whatever could mean something else to a shell, or looks different where git quotes a path, becomes `*`.
    """
    text = pattern.removeprefix("./")
    below = text.endswith("/")
    anchored = "/" in text.strip("/") or text.startswith("/")
    text = re.sub(r"[^A-Za-z0-9/._*-]+", "*", text.strip("/")).replace("**/", "*").replace("**", "*")
    text += "/*" if below else ""
    return [text] if anchored or text.startswith("*") else [text, f"*/{text}"]
