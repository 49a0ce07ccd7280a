"""`exp run`: a command or the pipeline of dvc.yaml, run in place and recorded, whatever its end."""

import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from git_mlops import env, processes
from git_mlops.data import dvc
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import FINDINGS, INTERRUPTED, OK, MlopsError
from git_mlops.experiments import (
    artifacts,
    environment,
    journal,
    names,
    read,
    reads,
    recording,
    recovery,
    sealing,
    snapshot,
    subject,
    tracked,
    values,
    worktree,
)
from git_mlops.experiments.environment import Environment
from git_mlops.experiments.journal import Journal
from git_mlops.experiments.message import Status
from git_mlops.experiments.names import ExperimentRef
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record
from git_mlops.experiments.recording import Maker, Recorded, Request
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.subject import Subject, Task
from git_mlops.experiments.tracked import Tracked
from git_mlops.experiments.tree import Contents
from git_mlops.git.refs import Move
from git_mlops.git.repo import Repo, resolve


class Origin(NamedTuple):
    """Where a run comes from, when that is not the user's workspace as it is."""

    run_id: str | None = None
    """Names the journal and the log; default: one is made up."""
    claims: tuple[Move, ...] = ()
    """Moved in the transaction in which the run begins: of two that claim the same, one begins."""
    extra: Mapping[str, object] = {}  # the default of a frozen tuple, never changed
    """More keys of record.json."""
    prepared: bool = False
    """The parameter files say already what the overrides ask for."""
    again: bool = False
    """Run although a result is recorded."""
    passing: bool = False
    """The worktree goes away after the run: what only it would have is kept."""


class Plan(NamedTuple):
    """What to run. Without a command: the pipeline."""

    command: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    """`key=value` or `file:key=value`, written into the parameter files first."""
    directory: str | None = None
    """Where the command runs, relative to the top; default: where the user stands."""
    anew: bool = False
    """Run every stage of the pipeline, also those that are up to date."""
    origin: Origin = Origin()


class Ended(NamedTuple):
    """How the run ended, and what was recorded."""

    recorded: Recorded
    problem: str | None
    """What went wrong, for people."""
    old_metrics: tuple[str, ...] = ()
    """Metrics files that the run did not write."""

    @property
    def exit_code(self) -> int:
        """0 finished, 1 failed, 130 interrupted."""
        return {"finished": OK, "failed": FINDINGS}.get(self.recorded.status, INTERRUPTED)


class Known(NamedTuple):
    """Nothing was run: the same code, data, parameters, environment and command have a result."""

    experiment: Experiment


class _Outcome(NamedTuple):
    status: Status
    problem: str | None
    facts: processes.Outcome


class _Setup(NamedTuple):
    repo: Repo
    baseline: str
    plan: Plan
    task: Task
    request: Request
    settings: Settings
    data: DataSettings


def run(  # the settings of two features
    repo: Repo,
    plan: Plan,
    request: Request,
    settings: Settings,
    data: DataSettings,
    *,
    started: Callable[[Subject], None],
) -> Ended | Known:
    """Run and record.

    The code is taken when the run starts: what is edited while it goes on is not recorded as what ran.
    Metrics, plots, pointers and other results are taken at its end.

    Args:
        started: called with what is about to run, so that stale data can be said before, not after.

    Raises:
        MlopsError: nothing to run, no commit yet, a bad override, a name that cannot be used.
    """
    baseline = resolve(repo, "HEAD")
    check_runnable(repo, plan)
    recovery.recover(repo)
    name, _existing = recording.choose(repo, request)
    if plan.overrides and not plan.origin.prepared:
        dvc.set_params(repo, plan.overrides)
    task = _task(repo, plan)
    setup = _Setup(repo, baseline, plan, task, request._replace(name=name, late=True), settings, data)
    first = subject.study(repo, snapshot.take(repo, data), task, settings)
    _refuse_outdated(plan, first)
    known = None if request.force or plan.origin.again else read.finished(repo, first.key.run, settings)
    if known is not None:
        return Known(known)
    started(first)
    return _recorded(setup, first)


class Attempt(NamedTuple):
    """A run that was not recorded."""

    status: Status
    problem: str | None
    metrics: dict[str, object]
    """Those that it wrote."""
    environment: Environment
    wall: float
    """Seconds."""


def attempt(repo: Repo, plan: Plan, settings: Settings, data: DataSettings) -> Attempt:
    """Run without recording anything: in a worktree made for it, since the run changes files."""
    check_runnable(repo, plan)
    setup = _Setup(repo, resolve(repo, "HEAD"), plan, _task(repo, plan), Request(), settings, data)
    first = subject.study(repo, snapshot.take(repo, data), setup.task, settings)
    run_id = secrets.token_hex(8)
    folder = tracked.folder(repo, run_id)
    folder.parent.mkdir(parents=True)
    try:
        before = _written(repo, first)
        outcome = _execute(setup, run_id)
        end = _end(setup, first, outcome, before, run_id)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)
    metrics = values.labelled(end.last.contents.values.metrics)
    return Attempt(outcome.status, outcome.problem, metrics, first.environment, outcome.facts.wall)


def _task(repo: Repo, plan: Plan) -> Task:
    if not plan.command:
        return Task()
    return Task(plan.command, repo.prefix if plan.directory is None else plan.directory)


def check_runnable(repo: Repo, plan: Plan) -> None:
    """Whether there is anything to run.

    Raises:
        MlopsError: there is not.
    """
    if plan.command:
        return
    if not (repo.root / "dvc.yaml").exists():
        raise MlopsError(
            "nothing to run: no command was given, and there is no dvc.yaml at the top",
            hint="`git mlops exp run -- python train.py`, or `git mlops exp save` to record the workspace",
        )
    if not dvc.initialised(repo):
        raise MlopsError("the pipeline needs DVC, which is not set up here", hint="`git mlops init`")


def _refuse_outdated(plan: Plan, first: Subject) -> None:
    """DVC adds what differs before it runs a pipeline: outdated data would undo a colleague's pointer."""
    old = next((one for one in first.dirty if (one.outdated or one.purged) and one.input), None)
    if old and old.purged and not plan.command:
        raise MlopsError(
            f"`{old.path}` is without what was purged: the pipeline would make that a new version of it",
            hint=f"`{old.mend}` makes it one",
        )
    if old and not plan.command:
        raise MlopsError(
            f"`{old.path}` is the data of an earlier pointer still: the pipeline would put that one back",
            hint=f"`{old.mend}` brings the new data",
        )


def _recorded(setup: _Setup, first: Subject) -> Ended:
    record, entry = _begin(setup, first)
    before = _written(setup.repo, first)
    outcome = _execute(setup, entry.id)
    with _undisturbed():
        last, old, facts = _end(setup, first, outcome, before, entry.id)
        ended = _ended(record, outcome)._replace(metrics_not_written=list(old) or None)
        said: dict[str, object] = {sealing.FACTS: dict(facts)} if facts else {}
        said |= reads.of_command(setup.repo, last.snapshot.tree, last.data, facts, setup.task.directory or "")
        ended = ended._replace(extra={**ended.extra, **_changed(setup.repo, first, last), **said})
        maker = Maker(setup.repo, setup.baseline, last, ended, setup.request.message)
        done = Move(journal.holder(entry.id), None, entry.commit)
        written = recording.publish(setup.repo, setup.baseline, maker, setup.request, [done])
        journal.end(setup.repo, entry)
    return Ended(recording.recorded(last, outcome.status, written), outcome.problem, old)


def _changed(repo: Repo, first: Subject, last: Subject) -> dict[str, list[str]]:
    """What the run made, changed or deleted: without it, the tree is what the run started from."""
    trees = (first.snapshot.tree, last.snapshot.tree)
    paths = repo.paths("diff-tree", "-r", "-z", "--no-renames", "--name-only", *trees)
    return {"written": paths} if paths else {}


class _End(NamedTuple):
    last: Subject
    old: tuple[str, ...]
    """Metrics files that the run did not write."""
    facts: Mapping[str, object]
    """What MLflow's interface was told."""


def _end(setup: _Setup, first: Subject, outcome: _Outcome, before: dict[str, int], run_id: str) -> _End:
    """What is there when the run has ended, without what is older than it."""
    kept = worktree.keep(setup.repo, setup.data) if setup.plan.origin.passing else []
    last = _study_end(setup, first, outcome)
    old = _not_written(setup, outcome, before, _written(setup.repo, last))
    last = last._replace(contents=_without(last.contents, old))
    found = tracked.collect(tracked.folder(setup.repo, run_id))
    return _End(_with_tracked(setup, last, found, kept), old, found.facts)


def _with_tracked(setup: _Setup, last: Subject, found: Tracked, said: Sequence[str]) -> Subject:
    limit = setup.data.size_limit
    logged, notes = artifacts.files(setup.repo, found.artifacts, limit)
    models, more_notes = artifacts.with_models(setup.repo, found.models, limit, found.facts)
    more = found._replace(notes=(*found.notes, *notes, *more_notes, *said))
    whole = subject.with_tracked(last, more)
    return whole._replace(loose={**whole.loose, **logged, **models})


def _not_written(
    setup: _Setup, outcome: _Outcome, before: dict[str, int], after: dict[str, int]
) -> tuple[str, ...]:
    """Metrics files older than the run. A finished pipeline may leave what is up to date as it is."""
    if _may_be_older(setup, outcome):
        return ()
    return tuple(sorted(path for path, moment in after.items() if before.get(path) == moment))


def _may_be_older(setup: _Setup, outcome: _Outcome) -> bool:
    anew = setup.plan.anew or setup.request.force
    return outcome.status == "finished" and not setup.plan.command and not anew


def _without(contents: Contents, old: tuple[str, ...]) -> Contents:
    metrics = {path: names_ for path, names_ in contents.values.metrics.items() if path not in old}
    return contents._replace(values=contents.values._replace(metrics=metrics))


def _written(repo: Repo, found: Subject) -> dict[str, int]:
    """When the metrics files were written last, in nanoseconds."""
    files = ((path, repo.root / path) for path in found.contents.values.metrics)
    return {path: file.lstat().st_mtime_ns for path, file in files if file.is_file()}


def _begin(setup: _Setup, first: Subject) -> tuple[Record, Journal]:
    """The journal, and the record that every end adds to."""
    plan, name = setup.plan, setup.request.name or ""
    run_id = plan.origin.run_id or secrets.token_hex(8)
    start = recording.stamp(recording.now())
    record = Record(
        name=name,
        how="command" if plan.command else "pipeline",
        command=list(plan.command) or None,
        directory=setup.task.directory or None,
        overrides=list(plan.overrides) or None,
        status="interrupted",
        start=start,
        host=environment.host(),
        metrics_not_written=list(first.contents.values.metrics) or None,
        extra={"run_id": run_id, **plan.origin.extra},
    )
    held = recording.commit(setup.repo, setup.baseline, first, record, setup.request.message)
    ref = names.format_ref(ExperimentRef(setup.baseline, name))
    return record, journal.begin(setup.repo, run_id, ref, held, start, plan.origin.claims)


def _execute(setup: _Setup, run_id: str) -> _Outcome:
    task = setup.task
    told = {"MLOPS_RUN": run_id, tracked.VARIABLE: str(tracked.folder(setup.repo, run_id))}
    if env.get(sealing.URI) is None:
        told[sealing.URI] = sealing.uri(setup.repo)
    used = processes.measure()
    try:
        if task.command is None:
            env.change(told)
            dvc.reproduce(setup.repo, force=setup.plan.anew or setup.request.force)
            return _Outcome("finished", None, used(0))
        facts = processes.run(task.command, cwd=_directory(setup.repo, task), extra=told)
    except KeyboardInterrupt:
        return _Outcome("interrupted", "interrupted", used(-signal.SIGINT))
    except MlopsError as error:
        return _Outcome("failed", str(error), used(error.exit_code))
    if facts.status == 0:
        return _Outcome("finished", None, facts)
    return _Outcome(*_failure(task.command[0], facts.status), facts)


def _directory(repo: Repo, task: Task) -> Path:
    """Where the command runs. In a worktree of its own an empty directory is not there: git knows none."""
    folder = Path(repo.root, task.directory)
    if not folder.resolve().is_relative_to(repo.root.resolve()):
        raise MlopsError(f"`{task.directory}` is outside of the project")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _failure(program: str, status: int) -> tuple[Literal["failed", "interrupted"], str]:
    if status in (-signal.SIGINT, 128 + signal.SIGINT):
        return "interrupted", f"`{program}` was interrupted"
    if status < 0:
        return "failed", f"`{program}` was ended by {signal.Signals(-status).name}"
    return "failed", f"`{program}` failed with exit status {status}"


def _ended(record: Record, outcome: _Outcome) -> Record:
    facts = outcome.facts
    return record._replace(
        status=outcome.status,
        exit_status=facts.status if record.command else None,
        problem=outcome.problem,
        end=recording.stamp(recording.now()),
        wall=round(facts.wall, 3),
        cpu=round(facts.cpu, 3),
        peak_memory=facts.peak_memory,
    )


def _study_end(setup: _Setup, first: Subject, outcome: _Outcome) -> Subject:
    """The workspace at the end, with the code, the key and the environment of the start.

    A pipeline begins by adding the data that was changed: that is the data it used.
    """
    taken = snapshot.take(setup.repo, setup.data, keep=first.fixed)
    older = {} if _may_be_older(setup, outcome) else first.loose_times
    last = subject.study(setup.repo, taken, setup.task, setup.settings, known=first.environment, older=older)
    if setup.plan.command:
        return last._replace(key=first.key, data=first.data)
    return last._replace(key=first.key._replace(data=last.key.data))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Recording takes a moment: a second Ctrl-C in it must not cost the run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
