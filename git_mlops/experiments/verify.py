"""`exp verify` and `exp repeat`: a recorded run made again from what was recorded, and its metrics compared.

It runs in a worktree of its own that holds the recorded tree and data. The verdict is kept as a commit under
`refs/mlops/verified/<experiment>`: its tree has `verdict.json`, its first parent is the verdict before it.
"""

import json
import math
import platform
import shutil
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from git_mlops import env, jsonable
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK, MlopsError
from git_mlops.experiments import environment, inputs, read, rebuild, recording, worktree
from git_mlops.experiments import run as running
from git_mlops.experiments.environment import Environment
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record
from git_mlops.experiments.run import Attempt, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import objects, refs
from git_mlops.git.objects import Entry
from git_mlops.git.reader import reader
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo, head

PREFIX = "refs/mlops/verified/"
_FILE = "verdict.json"
Outcome = Literal["reproduced", "differs", "not comparable"]
EXIT_CODES: dict[Outcome, int] = {"reproduced": OK, "differs": FINDINGS, "not comparable": CANNOT_EVALUATE}


class Compared(NamedTuple):
    """One metric, then and now."""

    name: str
    old: object
    new: object
    tolerance: float
    same: bool


class Verdict(NamedTuple):
    """What came of it."""

    name: str
    commit: str
    """The experiment's."""
    outcome: Outcome
    reason: str | None = None
    """Why it differs or cannot be compared, where metrics do not say it."""
    hint: str | None = None
    metrics: tuple[Compared, ...] = ()
    packages: tuple[str, ...] = ()
    """Packages of the environment that are not as recorded."""

    @property
    def exit_code(self) -> int:
        """0 reproduced, 1 differs, 3 not comparable."""
        return EXIT_CODES[self.outcome]


class Want(NamedTuple):
    """How to verify."""

    rebuild: bool = False
    """Make the recorded environment anew in a virtual environment; its packages are downloaded."""
    metrics: tuple[str, ...] = ()
    """Those to compare; default: all."""


class _CannotError(Exception):
    """Not comparable: why, and what would help."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


class _Task(NamedTuple):
    """What is run again."""

    experiment: Experiment
    plan: Plan
    record: Record | None
    environment: bytes | None
    """environment.lock."""


def verify(repo: Repo, ref: Ref, settings: Settings, data: DataSettings, want: Want) -> Verdict:
    """Run an experiment again and compare; the verdict is recorded, unless nothing could be run."""
    experiment = read.load(repo, [ref], settings)[0]
    try:
        task = _task(repo, experiment)
        attempt = _again(repo, task, settings, data, rebuilt=want.rebuild)
    except _CannotError as problem:
        return Verdict(experiment.name, ref.oid, "not comparable", str(problem), problem.hint)
    packages = _packages(task, attempt.environment)
    verdict = _judged(repo, task, attempt, settings, want)._replace(packages=packages)
    if verdict.outcome == "differs" and packages:
        verdict = verdict._replace(
            outcome="not comparable",
            reason=f"the result differs, and so does the environment: {_listed(packages)}",
            hint=f"`git mlops exp verify --env {experiment.name}` rebuilds the recorded one",
        )
    _remember(repo, ref.oid, verdict.outcome, {"kind": "verify", **_plain(verdict)})
    return verdict


def _task(repo: Repo, experiment: Experiment) -> _Task:
    record = read.record(repo, experiment)
    if experiment.status != "finished":
        raise _CannotError(f"the run is {experiment.status}")
    with reader(repo) as answers:
        names = [f"{experiment.commit.tree}:{path}" for path in ("dvc.yaml", f"{RUN}environment.lock")]
        found = answers.read(names)
    pipeline, lock = (found[name].content if name in found else None for name in names)
    if record is not None and record.command:
        plan = Plan(tuple(record.command), directory=record.directory or "", anew=True)
    elif pipeline is not None and (record is None or record.how == "pipeline"):
        plan = Plan(anew=True)
    else:
        raise _CannotError(
            "nothing was run: it is a record of a workspace", "`git mlops exp run` records a run"
        )
    if not experiment.metrics:
        raise _CannotError("it recorded no metrics")
    if record is not None and record.data_dirty:
        raise _CannotError(f"the data it used was never added: {_listed(record.data_dirty)}")
    return _Task(experiment, plan, record, lock)


def _again(repo: Repo, task: _Task, settings: Settings, data: DataSettings, *, rebuilt: bool) -> Attempt:
    """One run in a worktree of the recorded tree."""
    tip = task.experiment.baseline if _here(repo, task.experiment.baseline) else head(repo)
    assert tip
    with worktree.of(repo, task.experiment.commit.tree, head=tip) as place:
        _without_run(place)
        worktree.bring(place)
        _have_data(place, task.experiment)
        plan = task.plan
        if rebuilt:
            plan = _in_rebuilt(repo, task)
        return running.attempt(place, plan, settings, data)


def _here(repo: Repo, commit: str) -> bool:
    with reader(repo) as answers:
        return commit in read.commits(answers, [commit])


def _without_run(place: Repo) -> None:
    """What the recorder added is no part of the project, and would be taken for results."""
    place.git("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", RUN[:-1])
    shutil.rmtree(place.root / RUN, ignore_errors=True)


def _have_data(place: Repo, experiment: Experiment) -> None:
    with reader(place) as answers:
        trees = Trees(answers)
        data = inputs.data(inputs.files(trees, experiment.commit.tree))
    missing = [one.path for one in data if not (place.root / one.path).exists()]
    if missing:
        hint = f"`git mlops exp pull {experiment.name}` brings it, if a DVC remote has it"
        raise _CannotError(f"its data is not on this machine: {_listed(missing)}", hint)


def _in_rebuilt(repo: Repo, task: _Task) -> Plan:
    if task.environment is None:
        raise _CannotError("it recorded no environment")
    wanted = task.record.python if task.record else None
    folder = rebuild.environment(repo, task.environment, wanted)
    env.change({"PATH": f"{folder / 'bin'}:{env.get('PATH') or ''}", "VIRTUAL_ENV": str(folder)})
    return task.plan._replace(command=rebuild.translated(task.plan.command, folder))


def _packages(task: _Task, now: Environment) -> tuple[str, ...]:
    if task.environment is None:
        return ()
    then = environment.parse_lock(task.environment)
    here = environment.parse_lock(now.lock)
    changed = sorted(name for name in {*then, *here} if then.get(name) != here.get(name))
    said = [f"{name} {then.get(name, '-')} → {here.get(name, '-')}" for name in changed]
    python = task.record.python if task.record else None
    return tuple(([f"{python} → {now.interpreter}"] if python not in (None, now.interpreter) else []) + said)


def _judged(repo: Repo, task: _Task, attempt: Attempt, settings: Settings, want: Want) -> Verdict:
    experiment = task.experiment
    if attempt.status != "finished":
        return Verdict(
            experiment.name, experiment.commit.oid, "differs", f"it {attempt.status} now: {attempt.problem}"
        )
    old, new = experiment.metrics, attempt.metrics
    names = [name for name in dict.fromkeys((*old, *new)) if not want.metrics or name in want.metrics]
    unknown = sorted(set(want.metrics) - set(names))
    if unknown:
        raise MlopsError(
            f"`{experiment.name}` has no metric `{unknown[0]}`", hint=f"there are: {', '.join(old)}"
        )
    noise = spread(repo, experiment)
    metrics = tuple(_compared(name, old.get(name), new.get(name), settings, noise) for name in names)
    same = all(one.same for one in metrics)
    return Verdict(
        experiment.name, experiment.commit.oid, "reproduced" if same else "differs", metrics=metrics
    )


def _compared(
    name: str, old: object, new: object, settings: Settings, spread: Mapping[str, float]
) -> Compared:
    declared = settings.metrics.get(name) or settings.metrics.get(name.rpartition(":")[2])
    tolerance = declared.tolerance if declared and declared.tolerance else spread.get(name, 0.0)
    if _number(old) and _number(new):
        a, b = float(old), float(new)  # type: ignore[arg-type]  # both are numbers
        same = a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= tolerance
    else:
        same = old == new
    return Compared(name, old, new, tolerance, same)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Noise(NamedTuple):
    """One metric over repeats."""

    name: str
    recorded: float
    mean: float
    std: float
    """Of the repeats; 0 where there is one, not a number (like the other three) where one of them is none."""
    least: float
    most: float


class Repeated(NamedTuple):
    """What `exp repeat` measured."""

    name: str
    runs: int
    failed: int
    noise: tuple[Noise, ...]


def repeat(repo: Repo, ref: Ref, settings: Settings, data: DataSettings, times: int) -> Repeated:
    """Run an experiment several times; what its metrics spread over is the tolerance of later verifications.

    Raises:
        MlopsError: it cannot be run again (exit code 3), or every run failed (1).
    """
    experiment = read.load(repo, [ref], settings)[0]
    try:
        task = _task(repo, experiment)
        attempts = [_again(repo, task, settings, data, rebuilt=False) for _ in range(times)]
    except _CannotError as problem:
        raise MlopsError(
            f"`{experiment.name}`: {problem}", hint=problem.hint, exit_code=CANNOT_EVALUATE
        ) from None
    good = [attempt for attempt in attempts if attempt.status == "finished"]
    if not good:
        raise MlopsError(f"every run failed: {attempts[0].problem}", exit_code=FINDINGS)
    names = [name for name, value in experiment.metrics.items() if _number(value)]
    noise = [_noise(name, experiment.metrics[name], [a.metrics.get(name) for a in good]) for name in names]
    done = Repeated(experiment.name, len(good), times - len(good), tuple(one for one in noise if one))
    said = {"kind": "repeat", "runs": len(good), "noise": [one._asdict() for one in done.noise]}
    _remember(repo, ref.oid, f"repeated {len(good)} times", said)
    return done


def _noise(name: str, recorded: object, values: Sequence[object]) -> Noise | None:
    found = [float(value) for value in values if _number(value)]  # type: ignore[arg-type]  # they are numbers
    if not found:
        return None
    if not all(map(math.isfinite, found)):
        nan = math.nan
        return Noise(name, float(recorded), nan, nan, nan, nan)  # type: ignore[arg-type]  # it is one
    std = statistics.stdev(found) if len(found) > 1 else 0.0
    return Noise(name, float(recorded), statistics.fmean(found), std, min(found), max(found))  # type: ignore[arg-type]  # it is one


def spread(repo: Repo, experiment: Experiment) -> dict[str, float]:
    """Metric → how far apart the results of the same run lay, from the last repeat."""
    said = next((v for v in verdicts(repo, experiment.commit.oid) if v.get("kind") == "repeat"), None)
    found = {}
    for one in said.get("noise", []) if said else []:
        try:
            sides = [float(one[side]) for side in ("least", "most", "recorded")]
            if all(map(math.isfinite, sides)):
                found[str(one["name"])] = max(sides) - min(sides)
        except (KeyError, TypeError, ValueError):
            continue
    return found


def verdicts(repo: Repo, commit: str, most: int = 20) -> list[dict[str, Any]]:
    """What verifications and repeats of an experiment came to, the newest first."""
    tip = refs.read(repo, PREFIX + commit)
    if tip is None:
        return []
    chain = repo.text("rev-list", "--first-parent", f"--max-count={most}", tip).split()
    contents = objects.read_blobs(repo, [f"{oid}:{_FILE}" for oid in chain])
    found = []
    for oid in chain:
        try:
            value = json.loads(contents[f"{oid}:{_FILE}"])
        except (KeyError, ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _plain(verdict: Verdict) -> dict[str, object]:
    metrics = [one._asdict() for one in verdict.metrics]
    return {**verdict._asdict(), "metrics": metrics, "packages": list(verdict.packages)}


def plain(verdict: Verdict) -> object:
    """For `--json`."""
    return jsonable.finite(_plain(verdict))


def _remember(repo: Repo, commit: str, what: str, said: Mapping[str, object]) -> None:
    facts = {
        "version": 1,
        "time": recording.stamp(recording.now()),
        "host": platform.node(),
        **said,
    }
    text = json.dumps(jsonable.finite(facts), indent=1, ensure_ascii=False) + "\n"
    (blob,) = objects.write_blobs(repo, [text.encode("utf-8", "backslashreplace")])
    lines, tree = objects.tree_text(repo, [Entry("100644", blob, _FILE)])
    objects.write_trees(repo, [lines])
    old = refs.read(repo, PREFIX + commit)
    new = objects.commit_tree(
        repo, tree, [*([old] if old else []), commit], f"verify: {what}\n\nMlops-Version: 1\n"
    )
    refs.move(repo, [Move(PREFIX + commit, new, old)], f"mlops exp verify: {what}")


def _listed(items: Sequence[object]) -> str:
    return ", ".join(str(item) for item in items[:5]) + (
        f" and {len(items) - 5} more" if len(items) > 5 else ""
    )
