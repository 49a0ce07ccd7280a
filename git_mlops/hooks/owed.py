"""Data that commits were pushed without, for lack of a DVC remote: a later push uploads it.

A line of JSON each, private to the clone. pre-push in sh looks whether the file is there.
"""

import json
from collections.abc import Collection
from pathlib import Path

from git_mlops.data.pointers import Out
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo


def read(repo: Repo) -> list[Out]:
    """What was not uploaded. A line that cannot be read is left out: the file may be deleted at any time."""
    try:
        lines = _file(repo).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        return []
    found: dict[Out, None] = {}
    for line in lines:
        try:
            path, algorithm, hash_, *more = json.loads(line)
        except (ValueError, TypeError):
            continue
        if all(isinstance(part, str) for part in (path, algorithm, hash_)):
            found[Out(path, algorithm, hash_, sensitive=more == ["sensitive"])] = None
    return list(found)


def add(repo: Repo, outs: Collection[Out]) -> None:
    """Remember what a push leaves behind."""
    if outs:
        _write(repo, [*read(repo), *outs])


def settle(repo: Repo, outs: Collection[Out]) -> None:
    """What came to the remote is owed no more."""
    known = read(repo)
    done = {out[:3] for out in outs}
    left = [out for out in known if out[:3] not in done]
    if len(left) < len(known):
        _write(repo, left)


def _write(repo: Repo, outs: Collection[Out]) -> None:
    file = _file(repo)
    if not outs:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(exist_ok=True)
    lines = dict.fromkeys(json.dumps([*out[:3], *(["sensitive"] if out.sensitive else [])]) for out in outs)
    replace_file(file, "".join(f"{line}\n" for line in lines).encode())


def _file(repo: Repo) -> Path:
    return repo.private / "owed"
