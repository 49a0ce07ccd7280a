"""Which commit each side of a merge is: in a rebase ours and theirs are not what one expects."""

import re
from pathlib import Path
from typing import NamedTuple

from git_mlops import env
from git_mlops.git.repo import Repo, head


class Named(NamedTuple):
    """The sides, for people."""

    ours: str
    theirs: str


def named(repo: Repo) -> Named:
    """As far as git tells: while it merges, and later while its conflict waits."""
    onto = _rebase(repo)
    picked = _picked(repo)
    here = _branch(repo)
    tip = head(repo)
    ours = f"{_shown(repo, tip)}, which {here} is at" if tip else here
    if onto is not None:
        ours = f"{_shown(repo, tip)}, what you rebase onto" if tip else "what you rebase onto"
        theirs = f"{_shown(repo, onto)}, your own commit that is moved" if onto else "your own commit"
        return Named(ours, theirs)
    merged = _merged(repo)
    if merged:
        return Named(ours, merged)
    if picked:
        return Named(ours, f"{_shown(repo, picked)}, the commit that is picked")
    return Named(ours, "the commit that is brought in")


def _branch(repo: Repo) -> str:
    name = repo.text("symbolic-ref", "--short", "--quiet", "HEAD", ok=(0, 1))
    return f"your branch `{name}`" if name else "HEAD"


def _shown(repo: Repo, commit: str) -> str:
    """`1a2b3c4 "Its subject"`."""
    line = repo.text("log", "-1", "--no-show-signature", '--format=%h "%s"', commit, "--", ok=(0, 128))
    return line or commit[:10]


def _merged(repo: Repo) -> str:
    """The commit of `git merge`, with the name that was typed where git still has it."""
    typed = {name.removeprefix("GITHEAD_"): value for name, value in env.starting_with("GITHEAD_").items()}
    oid = next(iter(typed), None) or _word(repo.git_dir / "MERGE_HEAD")
    if not oid:
        return ""
    name = typed.get(oid, "")
    return (
        f"{_shown(repo, oid)}, from `{name}`" if name and not name.startswith(oid[:7]) else _shown(repo, oid)
    )


def _picked(repo: Repo) -> str:
    return _word(repo.git_dir / "CHERRY_PICK_HEAD")


def _rebase(repo: Repo) -> str | None:
    """None outside of a rebase; else the commit that is moved, empty where git does not tell."""
    for folder in ("rebase-merge", "rebase-apply"):
        place = repo.git_dir / folder
        if not place.is_dir():
            continue
        done = _read(place / "done").strip().splitlines()
        match = (
            re.match(r"(?:pick|p|edit|e|reword|r|squash|s|fixup|f)\s+(?:-[cC]\s+)?([0-9a-f]+)", done[-1])
            if done
            else None
        )
        return match[1] if match else _word(place / "original-commit")
    return None


def _word(file: Path) -> str:
    return (_read(file).split() or [""])[0]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
