"""What is registered: an experiment, or any commit, and the experiment that it landed."""

from collections.abc import Mapping
from typing import NamedTuple

from git_mlops.errors import NotFoundError
from git_mlops.experiments import read, select
from git_mlops.experiments.read import Commit, Experiment
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
    made: Mapping[str, str] | None = None
    """Name, commit and baseline of the experiment."""

    @property
    def recorded(self) -> str | None:
        """The tree that has what the run recorded of itself."""
        if self.experiment is not None:
            return self.experiment.commit.tree
        return self.tree if self.record is not None else None


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
    made = {"name": one.name, "commit": one.commit.oid, "baseline": one.baseline}
    return Subject(one.commit.oid, one.commit.tree, one.commit.message.key, one, read.record(repo, one), made)


def _of_commit(repo: Repo, oid: str, settings: Settings) -> Subject:
    """A branch's commit: where it landed an experiment, the record of that is the record of this."""
    with reader(repo) as objects:
        commit = read.commits(objects, [oid])[oid]
    key = commit.message.key
    refs = [ref for ref in read.matching(repo, key) if ref.oid != oid] if key else []
    if commit.message.version is not None and (own := read.record_of(repo, commit)) is not None:
        return Subject(oid, commit.tree, key, record=own, made=_alone(commit, own))
    if len(refs) != 1:
        return Subject(oid, commit.tree, key)
    return _of_experiment(repo, refs[0], settings)._replace(commit=oid, tree=commit.tree, key=key)


def _alone(commit: Commit, record: Record) -> dict[str, str]:
    """An experiment that no ref names (yet): of a run that goes on, what it has logged until then."""
    return {"name": record.name or commit.oid[:7], "commit": commit.oid, "baseline": commit.parents[0]}
