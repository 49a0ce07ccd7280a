"""An experiment written: run files into the tree, a commit, one ref move. Plumbing only."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import yaml

from git_mlops.errors import MlopsError
from git_mlops.experiments import message, names, tracked, values
from git_mlops.experiments.inputs import Dirty
from git_mlops.experiments.layout import RUN, covers
from git_mlops.experiments.message import Message, Status
from git_mlops.experiments.names import ExperimentRef
from git_mlops.experiments.record import Record, format_record
from git_mlops.experiments.snapshot import Large, with_files
from git_mlops.experiments.subject import Subject
from git_mlops.git import objects, refs
from git_mlops.git.refs import Move, Ref, RefMovedError
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError


class Request(NamedTuple):
    """What the user asks for when recording."""

    name: str | None = None
    message: str = ""
    force: bool = False
    """Replace an experiment of this name."""
    late: bool = False
    """The work is done: when the name was taken meanwhile, take one like it."""


class Recorded(NamedTuple):
    """What was written."""

    ref: str
    name: str
    baseline: str
    commit: str
    key: str
    status: Status
    metrics: dict[str, object]
    params: dict[str, object]
    dirty: tuple[Dirty, ...]
    left_out: tuple[Large, ...]
    replaced: str | None
    """Where the experiment that had this name is kept."""
    notes: tuple[str, ...]


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """As record.json has it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def commit(repo: Repo, baseline: str, subject: Subject, record: Record, text: str) -> str:
    """The commit object of an experiment; no ref moves.

    Raises:
        MlopsError: git does not know who the user is.
    """
    old = record.metrics_not_written or []
    found = {path: names_ for path, names_ in subject.contents.values.metrics.items() if path not in old}
    flat = values.labelled(found)
    tree = with_files(repo, subject.root, subject.inner, run_files(subject, record))
    status: Status = next(s for s in message.STATUSES if s == record.status)
    title = message.title(record.name or "run", flat)
    said = message.format_message(
        Message(title, text, subject.key.run, status, message.VERSION, bool(old), bool(subject.dirty))
    )
    return commit_tree(repo, tree, baseline, said)


def commit_tree(repo: Repo, tree: str, baseline: str, said: str) -> str:
    """A commit object on a baseline.

    Raises:
        MlopsError: git does not know who the user is.
    """
    try:
        return objects.commit_tree(repo, tree, [baseline], said)
    except GitError as error:
        raise _unknown(error) from error


def check_person(repo: Repo) -> None:
    """Before a run begins, not when it ends.

    Raises:
        MlopsError: git does not know who the user is.
    """
    try:
        repo.git("var", "GIT_COMMITTER_IDENT")
    except GitError as error:
        raise _unknown(error) from error


def _unknown(error: GitError) -> MlopsError:
    if "tell me who you are" in error.stderr or "empty ident name" in error.stderr:
        return MlopsError(
            "git does not know who you are",
            hint="`git config user.name NAME` and `git config user.email ADDRESS`",
        )
    return error


def run_files(subject: Subject, record: Record) -> dict[str, bytes]:
    """The files of `.mlops/run/`, by name."""
    facts = record._replace(
        data=[datum._asdict() for datum in subject.data],
        data_dirty=[one.path for one in subject.dirty] or None,
        left_out=[large._asdict() for large in subject.snapshot.left_out] or None,
        changed_while_running=list(subject.snapshot.changed) or None,
        seeds=values.seeds(subject.contents.values.params) or None,
        key={"run": subject.key.run, **subject.key._asdict()},
        environment=subject.key.environment,
        python=subject.environment.interpreter,
    )
    files = {"record.json": format_record(facts), "environment.lock": subject.environment.lock}
    files |= {name: content for name, content in subject.loose.items() if content}
    pipeline = declaration(subject)
    return {**files, **({"dvc.yaml": pipeline} if pipeline else {})}


def declaration(subject: Subject) -> bytes | None:
    """`.mlops/run/dvc.yaml`: names what no dvc.yaml of the project declares, so that DVC reads it."""
    declared, found = subject.contents.declared, subject.contents.values
    known = {path for path, _keys in declared.params} | {"params.yaml"}  # DVC reads this one by itself
    missing: dict[str, list[object]] = {
        "metrics": [f"../../{p}" for p in found.metrics if not covers((*declared.metrics, RUN[:-1]), p)],
        "params": [f"../../{p}" for p in found.params if not covers((*known, RUN[:-1]), p)],
    }
    for kind, name in (("metrics", "metrics.json"), ("params", "params.yaml")):
        missing[kind] += [name] if name in subject.loose else []
    said = {kind: sorted(paths, key=str) for kind, paths in missing.items() if paths}
    if any(name.startswith("plots/") for name in subject.loose):
        said["plots"] = [tracked.PLOTS]
    return yaml.safe_dump(said, allow_unicode=True).encode() if said else None


def publish(
    repo: Repo, baseline: str, make: Callable[[str], str], request: Request, also: Sequence[Move] = ()
) -> tuple[ExperimentRef, str, str | None]:
    """Choose the name, make the commit, move the ref; with `also` in the same transaction.

    Args:
        make: the commit for a name.

    Returns:
        The experiment, its commit, and where the one it replaced is kept.

    Raises:
        MlopsError: the name is no name, or taken.
    """
    for attempt in range(_ATTEMPTS):
        name, existing = choose(repo, request, attempt)
        ref = ExperimentRef(baseline, name)
        new = make(name)
        moves, kept = _moves(names.format_ref(ref), new, existing)
        try:
            refs.move(repo, [*moves, *also], f"mlops exp: {name}")
        except RefMovedError:
            continue
        return ref, new, kept
    raise MlopsError(f"no free name was found in {_ATTEMPTS} attempts", hint="name it yourself: `-n NAME`")


_ATTEMPTS = 20


class Maker:
    """Makes the commit for a name; again only when the name is another."""

    def __init__(self, repo: Repo, baseline: str, subject: Subject, record: Record, text: str) -> None:
        self._arguments = (repo, baseline, subject)
        self._record = record
        self._text = text
        self._made: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """The commit id."""
        if name not in self._made:
            self._made[name] = commit(*self._arguments, self._record._replace(name=name), self._text)
        return self._made[name]


def choose(repo: Repo, request: Request, attempt: int = 0) -> tuple[str, list[Ref]]:
    """A name that nothing has, or the one asked for and (when forced) the experiments that have it.

    Raises:
        MlopsError: the name asked for is no name, or taken.
    """
    if request.name is None:
        return _generated(repo, attempt), []
    if request.late and not request.force:
        candidates = [request.name, *(f"{request.name}-{number}" for number in range(2, 100))]
        used = {ref.name.rpartition("/")[2] for ref in named(repo, candidates)}
        return next((name for name in candidates if name not in used), _generated(repo, attempt)), []
    problem = names.problem(request.name)
    if problem:
        raise MlopsError(
            f"`{request.name}` cannot be an experiment's name: {problem}", hint="try `quiet-otter`"
        )
    found = named(repo, [request.name])
    foreign = [ref.name for ref in found if names.parse_ref(ref.name) is None]
    if foreign:
        raise MlopsError(
            f"`{request.name}` is taken by `{foreign[0]}`: DVC would apply that instead",
            hint="choose another name: `-n NAME`",
        )
    if found and not request.force:
        raise _taken(request.name, found)
    return request.name, found


def _generated(repo: Repo, attempt: int) -> str:
    chance = random.Random()  # noqa: S311  # a name, not a secret
    candidates = [names.generate(chance, attempt=attempt + number // 3) for number in range(8)]
    used = {ref.name.rpartition("/")[2] for ref in named(repo, candidates)}
    return next((name for name in candidates if name not in used), candidates[-1])


def named(repo: Repo, wanted: Sequence[str]) -> list[Ref]:
    """Everything that git or DVC could mean by one of the names."""
    places = ("refs/exps/*/*/{}", "refs/heads/{}", "refs/tags/{}", "refs/remotes/{}/HEAD", "refs/{}")
    found = refs.list_refs(repo, *(place.format(name) for name in wanted for place in places))
    exact = {place.format(name) for name in wanted for place in places[1:]}
    return [ref for ref in found if ref.name in exact or names.parse_ref(ref.name)]


def _taken(name: str, where: Sequence[Ref]) -> MlopsError:
    places = [place.baseline[:7] for ref in where if (place := names.parse_ref(ref.name))]
    there = f" (of commit {places[0]})" if places else ""
    return MlopsError(
        f"an experiment `{name}` exists already{there}",
        hint="choose another name, or replace it with `--force` (the old one is kept as a backup)",
    )


def _moves(ref: str, new: str, existing: Sequence[Ref]) -> tuple[list[Move], str | None]:
    """The new ref; what it replaces goes to a backup, wherever it stood."""
    time = now().strftime("%Y%m%dT%H%M%S.%f")
    backups = {old.name: names.backup(old.name, time) for old in existing}
    moves = [Move(backups[old.name], old.oid, None) for old in existing]
    moves += [Move(old.name, None, old.oid) for old in existing if old.name != ref]
    here = next((old.oid for old in existing if old.name == ref), None)
    return [Move(ref, new, here), *moves], next(iter(backups.values()), None)


def recorded(subject: Subject, status: Status, written: tuple[ExperimentRef, str, str | None]) -> Recorded:
    """What the user is told."""
    ref, oid, replaced = written
    found: Mapping[str, Mapping[str, object]] = subject.contents.values.metrics
    return Recorded(
        names.format_ref(ref),
        ref.name,
        ref.baseline,
        oid,
        subject.key.run,
        status,
        values.labelled(found),
        values.labelled(subject.contents.values.params),
        subject.dirty,
        subject.snapshot.left_out,
        replaced,
        subject.contents.values.notes,
    )
