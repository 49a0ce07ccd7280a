"""`git mlops init`: the steps that turn a git repository into one that git-mlops looks after."""

from collections.abc import Iterator
from pathlib import Path

from git_mlops import config
from git_mlops.data import dvc
from git_mlops.errors import MlopsError
from git_mlops.git import attributes
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo, discover
from git_mlops.git.run import git
from git_mlops.hooks import install, triage

ATTRIBUTES = ("*.dvc diff=mlops merge=mlops", "dvc.lock merge=mlops")


def init(directory: Path | None) -> tuple[Repo, list[str]]:
    """Arm the repository of `directory` (default: the one the user stands in), made if there is none.

    Returns:
        the repository, and what was done, a line each; no line when all was in place.
    """
    if directory is None:
        repo = _here()
        return repo, arm(repo)
    started = list(_repository(directory))
    repo = discover(directory)
    return repo, [*started, *arm(repo)]


def _here() -> Repo:
    try:
        return discover()
    except MlopsError as error:
        if "not a git repository" in str(error):
            raise MlopsError(str(error), hint="`git mlops init .` makes one here") from error
        raise


def arm(repo: Repo) -> list[str]:
    """Every step for one worktree; each looks first whether it is done already."""
    done = [
        *_dvc(repo),
        *_configuration(repo),
        *_attributes(repo),
        *install.told(repo, install.install(repo)),
    ]
    triage.forget(repo)
    return done


def _repository(directory: Path) -> Iterator[str]:
    above = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    try:
        outer = discover(above)
    except MlopsError as error:
        if "not a git repository" not in str(error):
            raise
    else:
        if not directory.exists():
            hint = f"`git mlops init` arms {outer.root}; `git init {directory}` makes a repository inside it"
            raise MlopsError(f"{directory} would be inside the repository {outer.root}", hint=hint)
        return
    directory.mkdir(parents=True, exist_ok=True)
    git("init", "--quiet", cwd=directory)
    yield f"made a git repository in {directory}"


def _dvc(repo: Repo) -> Iterator[str]:
    if made := dvc.init(repo):
        yield f"initialised DVC and staged {', '.join(made)}"
    if dvc.prepare_worktree(repo):
        yield "this worktree shares DVC's cache with the others"


def _configuration(repo: Repo) -> Iterator[str]:
    file = repo.root / config.FILE
    if file.exists():
        config.load(repo)
        return
    replace_file(file, config.MINIMAL.encode())
    yield from _staged(repo, config.FILE, news="wrote")


def _attributes(repo: Repo) -> Iterator[str]:
    fresh = not (repo.root / attributes.FILE).exists()
    if not attributes.ensure(repo, ATTRIBUTES):
        return
    if fresh:
        yield from _staged(repo, attributes.FILE, news="wrote")
    else:
        yield f"added the data pointers' drivers to {attributes.FILE}, not staged: it was there before"


def _staged(repo: Repo, path: str, *, news: str) -> Iterator[str]:
    """Only what we made ourselves is staged for the user."""
    repo.git("add", "--", path)
    yield f"{news} and staged {path}"
