"""git config, read in one process. Writing is the repository's own file only, never `--global`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.repo import Repo
from git_mlops.git.run import git

OURS = r"^mlops\."
"""The keys that are this project's, for `read`."""
PLACED = r"^includeif\.gitdir"
"""Those that make settings depend on where the git directory is."""


class Setting(NamedTuple):
    """A value and where git found it (`local`, `global`, `worktree`, `command`, `system`)."""

    value: str
    scope: str


def read(repo: Repo, pattern: str) -> dict[str, Setting]:
    """Every key that matches git's regular expression, in git's lower case; the last value wins."""
    output = repo.git(*question(pattern), ok=(0, 1))
    found: dict[str, Setting] = {}
    records = output.decode("utf-8", "surrogateescape").split("\0")
    for scope, pair in zip(records[::2], records[1::2], strict=False):
        key, _, value = pair.partition("\n")
        found[key] = Setting(value, scope)
    return found


def question(pattern: str) -> tuple[str, ...]:
    """What `read` asks git."""
    return "config", "--show-scope", "-z", "--get-regexp", pattern


def write(repo: Repo, values: Mapping[str, str | None]) -> None:
    """Set keys in the repository's own config (None: unset all of a key)."""
    for key, value in values.items():
        if value is None:
            repo.git("config", "--local", "--unset-all", key, ok=(0, 5))
        else:
            repo.git("config", "--local", "--replace-all", key, value)


def read_all(repo: Repo, key: str, *options: str) -> list[Setting]:
    """Every value of one key, the one in force last."""
    output = repo.git("config", "--show-scope", "-z", *options, "--get-all", key, ok=(0, 1))
    records = output.decode("utf-8", "surrogateescape").split("\0")
    return [Setting(value, scope) for scope, value in zip(records[0:-1:2], records[1:-1:2], strict=False)]


def include(file: Path, name: str) -> bool:
    """Make git's config `file` include `name` beside it, after everything else; whether it was news."""
    old = file.read_bytes() if file.exists() else b""
    if any(_at(old, block) is not None for block in _blocks(name)):
        return False
    section, joined = _blocks(name)
    _replace(file, old, old + (section if old.endswith(b"\n") or not old else joined))
    return True


def exclude(file: Path, name: str) -> bool:
    """Undo `include`, leaving every other byte as it is; whether there was anything to undo."""
    if not file.exists():
        return False
    old = file.read_bytes()
    for block in _blocks(name):
        at = _at(old, block)
        if at is not None:
            _replace(file, old, old[:at] + old[at + len(block) :])
            return True
    # somebody added to our section: git itself takes one line out of it
    git("config", "--file", str(file), "--unset-all", "include.path", f"^{name}$", cwd=file.parent, ok=(0, 5))
    return file.read_bytes() != old


def _blocks(name: str) -> tuple[bytes, bytes]:
    """Our section, and how it is written after a last line without an end."""
    section = f"[include]\n\tpath = {name}"
    return f"{section}\n".encode(), f"\n{section} ; the line above had no end\n".encode()


def _at(content: bytes, block: bytes) -> int | None:
    """Where the block stands as a whole section: what follows must be another section or the end."""
    at = content.find(block)
    while at >= 0:
        follows = content[at + len(block) :]
        starts = at == 0 or b"\n" in (content[at - 1 : at], block[:1])
        if starts and (not follows or follows.startswith(b"[")):
            return at
        at = content.find(block, at + 1)
    return None


def _replace(file: Path, old: bytes, new: bytes) -> None:
    """Under git's own lock, as `git config` writes it."""
    target = file.resolve()
    lock = target.with_name(f"{target.name}.lock")
    try:
        handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError as error:
        hint = f"is another git command running? else remove `{lock}`"
        raise MlopsError(f"cannot lock {target}", hint=hint, exit_code=CANNOT_EVALUATE) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(new)
        if (target.read_bytes() if target.exists() else b"") != old:
            raise MlopsError(f"{target} was changed meanwhile", hint="run the command again", exit_code=3)
        if target.exists():
            lock.chmod(target.stat().st_mode & 0o7777)
        lock.replace(target)
    finally:
        lock.unlink(missing_ok=True)
