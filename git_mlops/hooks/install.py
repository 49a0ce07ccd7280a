"""Install, show and remove the hooks, and register the drivers. Whatever was there keeps running.

The hook in place is renamed and run by ours (`<name>.before-mlops`); where `core.hooksPath` is set, a
directory of ours takes its place and runs the former one (see `place`). `remove` undoes it to the byte.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from git_mlops.git import config as git_config
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.hooks import place as places
from git_mlops.hooks import shims, wiring
from git_mlops.hooks.place import Place
from git_mlops.hooks.shims import BEFORE, LANDING, LEGACY, OURS, Shim

State = Literal["installed", "outdated", "missing", "foreign only"]


class Status(NamedTuple):
    """One hook of ours: whether git runs it, and what else runs with it."""

    hook: str
    state: State
    path: str
    """Where git looks for it."""
    keeps: str = ""
    """The hook of somebody else that runs with it."""


class Step(NamedTuple):
    """One file that was changed."""

    did: str
    """A verb: `installed`, `kept`, `removed`, …"""
    path: Path
    note: str = ""


def install(repo: Repo) -> list[Step]:
    """Put the hooks and drivers in place; what was done (nothing: all was in place)."""
    chosen = places.wanted(repo)
    done = [step for other in places.others(repo, chosen) for step in _withdraw(other)]
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for shim in _shims(repo, chosen):
        done += _put(chosen.folder, shim)
    return [*done, *(Step("changed", path) for path in wiring.connect(repo, chosen))]


def told(repo: Repo, steps: Iterable[Step]) -> list[str]:
    """The steps for people, those of one kind in one directory on one line."""
    found: dict[tuple[str, Path, str], list[str]] = {}
    for step in steps:
        found.setdefault((step.did, step.path.parent, step.note), []).append(step.path.name)
    return [
        f"{did} {', '.join(names)} in {_short(repo, where)}{note}"
        for (did, where, note), names in found.items()
    ]


def _short(repo: Repo, path: Path) -> Path:
    return path.relative_to(repo.root) if path.is_relative_to(repo.root) else path


def remove(repo: Repo) -> list[Step]:
    """Take everything of `install` away; what was done."""
    everywhere = places.everywhere(repo)
    done = [step for place in everywhere for step in _withdraw(place)]
    done += [Step("changed", path) for place in everywhere for path in wiring.disconnect(place)]
    for name in ("triage", "followed", "pending", WAITING):
        (repo.private_here / name).unlink(missing_ok=True)
    return done


def status(repo: Repo) -> list[Status]:
    """Every hook of ours as git would run it now."""
    folder, chosen = places.in_force(repo), places.wanted(repo)
    return [_status(repo, folder, chosen, name) for name in OURS]


def armed(repo: Repo) -> bool:
    """Whether git runs our hooks in this clone, and knows our drivers: cheap enough for every command."""
    known = git_config.read(repo, r"^(core\.hookspath|merge\.mlops\.driver)$")
    path = known.get("core.hookspath")
    folder = repo.root / path.value if path else repo.common_dir / "hooks"
    return "merge.mlops.driver" in known and all(_alive(folder, name) is not None for name in OURS)


def _shims(repo: Repo, chosen: Place) -> list[Shim]:
    waiting = _waiting(repo)
    if not chosen.former:
        return [Shim(name) for name in OURS] + ([Shim(LANDING, waiting=True)] if waiting else [])
    # pass-throughs for what is there now, and for what may come; some hooks change git by being there at all
    former = Path(repo.root, chosen.former)
    there = sorted(p.name for p in former.iterdir() if _runs(p)) if former.is_dir() else []
    names = [*shims.CLIENT, *(name for name in there if name in shims.SENSITIVE)]
    return [Shim(name, chosen.former, waiting) for name in names]


def wait_for_landing(repo: Repo) -> None:
    """Have the hook commit-msg while an applied experiment waits in any worktree, and no longer."""
    chosen = places.wanted(repo)
    waiting = _waiting(repo)
    if waiting or chosen.former:
        for _step in _put(chosen.folder, Shim(LANDING, chosen.former, waiting)):
            pass
    else:
        for _step in _withdraw_one(chosen.folder, LANDING):
            pass


def _waiting(repo: Repo) -> bool:
    """Whether any worktree has an applied experiment that no commit has landed."""
    found = (repo.private / WAITING, *repo.common_dir.glob(f"worktrees/*/mlops/{WAITING}"))
    return any(file.exists() for file in found)


WAITING = "applied"
"""The private file of a worktree that says so; the shim knows its name."""


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _put(folder: Path, shim: Shim) -> Iterator[Step]:
    """Write one hook; a foreign one in its place is kept under another name and never missing in between."""
    path, text = folder / shim.name, shims.render(shim)
    at = _alive(folder, shim.name)
    if at is not None:
        if shims.read(at) != text:
            replace_file(at, shims.encoded(text))
            yield Step("renewed", at)
        return
    fresh = _executable(folder / f".{shim.name}.mlops", text)
    try:
        if os.path.lexists(path):
            yield _keep(path)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    yield Step("installed", path)


def _executable(path: Path, text: str) -> Path:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777), "wb") as file:
        file.write(shims.encoded(text))
    return path


def _keep(path: Path) -> Step:
    """Set the foreign hook aside, where ours runs it first."""
    before = path.with_name(path.name + BEFORE)
    if os.path.lexists(before):
        # somebody put a newer hook over ours: that one counts, and nothing is lost
        before.replace(before.with_name(before.name + _OLDER))
    os.link(path, before, follow_symlinks=False)
    runs = "which runs first" if _runs(before) else "which does not run: it is not executable"
    return Step("kept", path, f" as {before.name}, {runs}")


_OLDER = ".old"


def _withdraw(place: Place) -> Iterator[Step]:
    """Take our hooks out of one directory, and put what they replaced back."""
    own = place.folder.name.startswith("mlops-hooks")
    every = (*OURS, LANDING)
    names = sorted(p.name for p in place.folder.iterdir()) if own and place.folder.is_dir() else every
    for name in names:
        yield from _withdraw_one(place.folder, name)
    if own and place.folder.is_dir():
        place.folder.rmdir()


def _withdraw_one(folder: Path, name: str) -> Iterator[Step]:
    path, before = folder / name, folder / (name + BEFORE)
    at = _alive(folder, name)
    if at is None:
        return
    if not os.path.lexists(before) or (at != path and shims.owner(before) == "framework"):
        at.unlink()
        before.unlink(missing_ok=True)
    else:
        before.replace(at)
    yield Step("put back" if os.path.lexists(at) else "removed", at)
    older = before.with_name(before.name + _OLDER)
    if os.path.lexists(older) and shims.read(older) == shims.read(at):
        older.unlink()
    elif os.path.lexists(older):
        yield Step("kept", older, ", which a newer hook of yours had replaced")


def _alive(folder: Path, name: str) -> Path | None:
    """Our hook, where git runs it: in its place, or behind pre-commit, which runs what it found first."""
    path, legacy = folder / name, folder / (name + LEGACY)
    whose = shims.owner(path)
    if whose == "ours":
        return path
    return legacy if whose == "framework" and shims.owner(legacy) == "ours" else None


def _status(repo: Repo, folder: Path, chosen: Place, name: str) -> Status:
    at = _alive(folder, name)
    if at is None:
        there = shims.owner(folder / name) != "none"
        return Status(name, "foreign only" if there else "missing", str(folder / name))
    same = shims.read(at) == shims.render(Shim(name, chosen.former)) and os.access(at, os.X_OK)
    keeps = [str(path) for path in _kept(repo, at, name, chosen) if _runs(path)]
    return Status(
        name, "installed" if same and folder == chosen.folder else "outdated", str(at), " ".join(keeps)
    )


def _kept(repo: Repo, at: Path, name: str, chosen: Place) -> Iterator[Path]:
    if at.name.endswith(LEGACY):
        yield at.with_name(name)
    yield Path(repo.root, chosen.former, name) if chosen.former else at.with_name(name + BEFORE)
