"""`git mlops clone`: a clone that has it all. A step that fails says the command that goes on."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from git_mlops import config, ui
from git_mlops.data import dvc, listing, purges, transfer
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import pulling
from git_mlops.experiments.pulling import What
from git_mlops.git import gitpython
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import follow_data, install
from git_mlops.tracking import share


class Cloned(NamedTuple):
    """What came over."""

    root: Path
    experiments: int
    files: int
    """Files and directories of data."""
    complete: bool


def clone(url: str, directory: str | None, options: dict[str, str]) -> Cloned:
    """Clone, arm, fetch experiments, pull data. A clone that was made is kept whatever happens after it."""
    target = Path(directory or _name(url))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise MlopsError(f"{target} exists and is not empty", hint=f"`git mlops clone {url} OTHER-DIRECTORY`")
    gitpython.clone(url, target, options, _progress())
    repo = discover(target)
    ui.note(f"cloned into {repo.root}")
    steps = Steps(repo)
    steps.run("arm", "`git mlops hooks install`", lambda: len(install.install(repo)))
    count = steps.run("fetch experiments", "`git mlops exp pull --all`", lambda: _experiments(repo))
    purges.hear(repo, "origin")
    files = steps.run("pull data", "`git mlops pull`", lambda: _data(repo))
    return Cloned(repo.root, count, files, complete=not steps.failed)


class Steps:
    """Steps after the clone: one that fails is told with the command that goes on, and the next is run."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.failed = False

    def run(self, name: str, mend: str, work: Callable[[], int]) -> int:
        """What `work` returns, or 0 when it fails."""
        try:
            return work()
        except MlopsError as error:
            self.failed = True
            where = shlex.quote(str(self.repo.root))
            ui.warn(f"could not {name}: {error}", hint=f"`cd {where}`, then {mend}")
            return 0


def _name(url: str) -> str:
    """The directory that `git clone` would choose."""
    return re.split(r"[/:]", url.rstrip("/").removesuffix("/.git"))[-1].removesuffix(".git") or "clone"


def _progress() -> Callable[[str, int, int], None]:
    lines: dict[str, Callable[[int, int], None]] = {}

    def draw(phase: str, done: int, total: int) -> None:
        lines.setdefault(phase, ui.progress(phase))(done, total)

    return draw


def _experiments(repo: Repo) -> int:
    """All of them, without their data: that comes with `exp pull` of the one that is wanted."""
    done = pulling.pull(repo, What(everything=True, data=False), None, None)
    share.pull(repo, done.remote)
    return len(done.new)


def _data(repo: Repo) -> int:
    """Download the data of the checked-out commit and put it in place; how many files and directories."""
    wanted = listing.kept(listing.in_workspace(repo)) if dvc.initialised(repo) else []
    remote = config.load(repo).config.data.remote or dvc.default_remote(repo)
    if wanted and remote is None:
        ui.warn("no DVC remote is configured: there is no data to get", hint="`dvc remote add -d NAME URL`")
        return 0
    done = transfer.pull(repo, wanted, remote=remote)
    follow_data.bring(repo, tell=False)
    if done.missing:
        names = follow_data.listed(sorted({out.path for out in done.missing}))
        raise MlopsError(f"the remote `{remote}` does not have it: {names}", exit_code=CANNOT_EVALUATE)
    gone = purges.of_outs(repo, wanted)
    follow_data.tell_purged(repo, gone.items())
    return len({out.path for out in wanted if out not in gone or gone[out].part_of(out)})
