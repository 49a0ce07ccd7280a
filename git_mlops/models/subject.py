"""What is registered: an experiment, or any commit, and the experiment that it landed."""

from typing import NamedTuple

from git_mlops.errors import NotFoundError
from git_mlops.experiments import read, select
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record
from git_mlops.experiments.settings import Settings
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo, resolve


class Subject(NamedTuple):
    """A commit, and what recorded it."""

    commit: str
    tree: str
    key: str | None
    """The content key: the experiment's, or of the trailer `Mlops-Run` of a commit that landed one."""
    experiment: Experiment | None = None
    """None where there is none, or where it is not in this clone."""
    record: Record | None = None


def find(repo: Repo, text: str | None, settings: Settings) -> Subject:
    """What a name means: an experiment, else a revision, else the beginning of an experiment's name.

    Raises:
        MlopsError: it is nothing, or several experiments.
    """
    if text is None:
        return _of_commit(repo, resolve(repo, "HEAD"), settings)
    (text,) = select.expanded(repo, [text], settings)  # `@{best:auc}`, which git would take for a date
    found = read.meant(repo, text)
    if isinstance(found, str):
        return _of_commit(repo, found, settings)
    return _of_experiment(repo, found, settings)


def _of_experiment(repo: Repo, ref: Ref, settings: Settings) -> Subject:
    found = read.load(repo, [ref], settings)
    if not found:
        raise NotFoundError(f"`{ref.name}` is no experiment")
    one = found[0]
    return Subject(one.commit.oid, one.commit.tree, one.commit.message.key, one, read.record(repo, one))


def _of_commit(repo: Repo, oid: str, settings: Settings) -> Subject:
    """A branch's commit: where it landed an experiment, the record of that is the record of this."""
    with reader(repo) as objects:
        commit = read.commits(objects, [oid])[oid]
    key = commit.message.key
    refs = [ref for ref in read.matching(repo, key) if ref.oid != oid] if key else []
    if len(refs) != 1:
        return Subject(oid, commit.tree, key)
    landed = _of_experiment(repo, refs[0], settings)
    return Subject(oid, commit.tree, key, landed.experiment, landed.record)
