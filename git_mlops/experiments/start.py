"""What a run in a worktree of its own starts from: a tree, the commit under it, and what to run there."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import dvc, places
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import inputs, snapshot
from git_mlops.experiments.inputs import Dirty
from git_mlops.experiments.run import Plan, check_runnable
from git_mlops.experiments.snapshot import Large
from git_mlops.git.repo import Repo, resolve


class Start(NamedTuple):
    """Nothing refers to the tree yet."""

    tree: str
    baseline: str
    plan: Plan
    dirty: tuple[Dirty, ...] = ()
    """Data of the workspace that is not what its pointer says: the worktree has what the pointer says."""
    left_out: tuple[Large, ...] = ()
    """Untracked files too large for git: the worktree does not have them."""


def workspace(repo: Repo, plan: Plan, data: DataSettings) -> Start:
    """The user's workspace as it is now.

    Raises:
        MlopsError: no commit yet, or nothing to run.
    """
    baseline = resolve(repo, "HEAD")
    check_runnable(repo, plan)
    _refuse_ignored(repo, plan)
    taken = snapshot.take(repo, data)
    dirty = inputs.dirty(repo) if dvc.initialised(repo) else []
    return Start(taken.tree, baseline, plan._replace(directory=repo.prefix), tuple(dirty), taken.left_out)


def _refuse_ignored(repo: Repo, plan: Plan) -> None:
    """A program in the project that git ignores, as in a virtual environment: the worktree has it not."""
    program = plan.command[0] if plan.command else ""
    file = repo.root / repo.prefix / program
    if "/" not in program or program.startswith("/") or not file.exists():
        return
    if repo.text("check-ignore", "--", str(file), ok=(0, 1, 128)):
        raise MlopsError(
            f"`{program}` is ignored by git: a worktree does not have it",
            hint=f"name it by its full path: `{file}`",
        )


def parameters(repo: Repo, overrides: Sequence[str]) -> dict[str, bytes]:
    """The parameter files of the workspace as the overrides make them; those of the workspace stay.

    Raises:
        MlopsError: no such file or parameter, or a value that cannot be read.
    """
    if not overrides:
        return {}
    named = dvc.parameter_files(overrides)
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        for path in named:
            if ".." in Path(path).parts or Path(path).is_absolute():
                raise MlopsError(f"the parameter file `{path}` is not in the repository")
            file, copy = places.inside(repo, path), Path(folder, path)
            if file.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
        dvc.set_params(repo._replace(root=Path(folder)), overrides)
        return {path: Path(folder, path).read_bytes() for path in named}
