"""An applied experiment that is committed: the commit gets its key as the trailer `Mlops-Run`.

The trailer travels through clone, fork, mirror and rebase, where the experiment's ref does not. The hook
(commit-msg) is there only while an applied experiment waits for its commit: every commit pays for a hook.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops import ui
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import apply as applying
from git_mlops.experiments import read
from git_mlops.experiments.apply import Applied
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.settings import Settings
from git_mlops.git.objects import replace_file
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo, discover, head
from git_mlops.hooks import follow_data, install

_FORMAT = 1
_SCISSORS = "------------------------ >8 ------------------------"


class Pending(NamedTuple):
    """An experiment in the workspace that no commit has yet."""

    commit: str
    """The experiment's."""
    key: str
    head: str | None
    """HEAD when it was applied."""


def apply(repo: Repo, name: str, settings: Settings, data: DataSettings) -> Applied:
    """Apply an experiment, and wait for the commit that lands it."""
    done = applying.apply(repo, name, settings, data)
    follow_data.bring(repo, tell=False)
    if done.key and install.armed(repo):
        _write(repo, Pending(done.commit, done.key, head(repo)))
        install.wait_for_landing(repo)
    return done


def run(_name: str, arguments: Sequence[str]) -> int:
    """The hook commit-msg: the trailer, when what is committed is what the experiment changed.

    Waiting ends with the commit that landed it, or with the first that did not, when another follows.
    """
    repo = discover()
    pending = _read(repo)
    tip = head(repo)
    if pending is None or (tip != pending.head and tip and pending.key in _keys(repo, tip)):
        _forget(repo)
        return 0
    own, lacking = _lacking(repo, pending)
    if own and not lacking:
        _mark(repo, Path(arguments[0]), pending.key)
    elif tip != pending.head or lacking == own:
        _forget(repo)  # also where nothing of it is left: it was taken back
    else:
        ui.note(f"no trailer `Mlops-Run`: not as the applied experiment has them: {_listed(lacking)}")
    return 0


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _keys(repo: Repo, commit: str) -> list[str]:
    """The keys of the runs that a commit lands."""
    found = repo.text(
        "log", "-1", "--no-show-signature", "--format=%(trailers:key=Mlops-Run,valueonly)", commit
    )
    return found.split()


def _lacking(repo: Repo, pending: Pending) -> tuple[list[str], list[str]]:
    """The files that the experiment changed, and those not so in the index; none if nobody can tell."""
    with reader(repo) as objects:
        known = read.commits(objects, [pending.commit])
        baseline = next((c.parents[0] for c in known.values() if c.parents), None)
        here = baseline is not None and baseline in read.commits(objects, [baseline])
    if not here or baseline is None:
        return [], []
    options = ("-r", "-z", "--name-only", "--no-renames")
    own = set(repo.paths("diff-tree", *options, baseline, pending.commit))
    own = {path for path in own if not path.startswith(RUN)}
    differing = repo.paths("diff-index", "--cached", "-z", "--name-only", "--no-renames", pending.commit)
    return sorted(own), sorted(own.intersection(differing))


def _mark(repo: Repo, file: Path, key: str) -> None:
    """Add the trailer; an empty message stays empty, by which the user calls the commit off."""
    said = file.read_text(encoding="utf-8", errors="surrogateescape").partition(_SCISSORS)[0]
    text = repo.text("stripspace", "--strip-comments", stdin=said.encode("utf-8", "surrogateescape"))
    if text.strip():
        options = ("--in-place", "--if-exists", "addIfDifferent", "--if-missing", "add")
        repo.git("interpret-trailers", *options, "--trailer", f"Mlops-Run: {key}", str(file.absolute()))


def _file(repo: Repo) -> Path:
    return repo.private_here / install.WAITING


def _write(repo: Repo, pending: Pending) -> None:
    repo.private_here.mkdir(parents=True, exist_ok=True)
    replace_file(_file(repo), json.dumps({"version": _FORMAT, **pending._asdict()}).encode())


def _read(repo: Repo) -> Pending | None:
    try:
        state = json.loads(_file(repo).read_bytes())
        return Pending(str(state["commit"]), str(state["key"]), state["head"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _forget(repo: Repo) -> None:
    _file(repo).unlink(missing_ok=True)
    install.wait_for_landing(repo)
