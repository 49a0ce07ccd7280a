"""A retraining: worktree, new data, run, branch, comparison; promotion is for people."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import read, results, worktree
from git_mlops.experiments import run as running
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.recording import Request as Recording
from git_mlops.experiments.results import Result
from git_mlops.experiments.run import Ended, Known, Origin
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo
from git_mlops.models import objects
from git_mlops.retrain import evaluate, land, measured, newdata
from git_mlops.retrain.compare import Sides
from git_mlops.retrain.land import Landed, Said
from git_mlops.retrain.plan import Plan
from git_mlops.serve import place as placing

Tell = Callable[[str], None]


class Trained(NamedTuple):
    """The challenger, and both results."""

    experiment: Experiment
    landed: Landed
    sides: Sides
    how: tuple[str, ...]
    """How the two were measured, for people."""
    model: str
    """The path of the challenger."""


def train(plan: Plan, tell: Tell) -> Trained:
    """Make the challenger and measure it.

    Whatever happens, the worktree goes; what was recorded and committed before stays.

    Raises:
        MlopsError: data is missing, or the pipeline does not finish (3).
    """
    base = plan.base.commit
    with worktree.of(plan.repo, base, head=base) as place:
        newdata.bring(
            plan.repo, place, plan.request.data, pull=plan.request.pull, remote=plan.config.data.remote
        )
        newdata.put(place, plan.request.data, plan.config.data)
        tell(f"runs the pipeline on {plan.base.shown} ({base[:12]})")
        one = _run(place, plan)
        tell(f"recorded {one.name}")
        landed = land.land(
            plan.repo, base, one.commit.oid, _said(plan, one), plan.tip, plan.config.experiments
        )
        path = _model(plan, one.commit.tree)
        sides, how = _measured(place, plan, one, landed, path, tell)
    return Trained(one, landed, sides, how, path)


def _run(place: Repo, plan: Plan) -> Experiment:
    """The run, or the same one of an earlier retraining from here."""
    origin = Origin(passing=True, extra={"retrain": facts(plan)})
    result = _once(place, plan, origin)
    if isinstance(result, Known):
        one = result.experiment
        record = read.record(place, one)
        if one.baseline == plan.base.commit and record is not None and "retrain" in record.extra:
            place.git("read-tree", "--reset", "-u", one.commit.oid)
            worktree.bring(place)
            return one
        # somebody else's run of the same: its tree may hold what else was in their workspace
        result = _once(place, plan, origin._replace(again=True))
    assert isinstance(result, Ended)
    done = result.recorded
    if done.status == "interrupted":
        raise KeyboardInterrupt
    if done.status != "finished":
        raise MlopsError(
            f"there is no challenger: the pipeline {done.status}: {result.problem}",
            hint=f"`git mlops exp show {done.name}`",
            exit_code=CANNOT_EVALUATE,
        )
    return read.load(place, [Ref(done.ref, done.commit)], plan.config.experiments)[0]


def _once(place: Repo, plan: Plan, origin: Origin) -> Ended | Known:
    request = Recording(message=f"retrain {plan.model}: {plan.request.cause.text}")
    settings = plan.config
    return running.run(
        place,
        running.Plan(origin=origin),
        request,
        settings.experiments,
        settings.data,
        started=lambda _: None,
    )


def facts(plan: Plan) -> dict[str, object]:
    """Why, and against whom: for the records of experiment and version."""
    cause = plan.request.cause
    said: dict[str, object] = {
        "kind": cause.kind,
        "text": cause.text,
        "findings": list(cause.findings),
        "source": cause.source,
        "run": cause.run,
    }
    return {
        "model": plan.model,
        "champion": plan.champion.version,
        "stage": plan.stage,
        "because": {name: value for name, value in said.items() if value},
        "data": [one.path for one in plan.request.data],
    }


def _said(plan: Plan, one: Experiment) -> Said:
    cause = plan.request.cause
    title = f"retrain: {plan.model} ({cause.text})"
    words = [f"The champion is {plan.champion.name} {plan.champion.version} ({plan.stage})."]
    words += [f"- {text}" for text in cause.findings[:10]]
    return Said(title[:100], "\n".join(words), one.commit.message.key or "", cause.kind)


def _model(plan: Plan, root: str) -> str:
    """Where the challenger is: where the champion was, if the pipeline still makes that."""
    said = plan.champion.facts.get("object")
    before = said.get("path") if isinstance(said, Mapping) else None
    with reader(plan.repo) as git:
        found = objects.pointers(Trees(git), root)
        return objects.chosen(plan.model, None, before if isinstance(before, str) else None, found)


# -- measuring ----------------------------------------------------------------------------------------------


def _measured(
    place: Repo, plan: Plan, one: Experiment, landed: Landed, path: str, tell: Tell
) -> tuple[Sides, tuple[str, ...]]:
    challenger = results.of(plan.repo, landed.commit, plan.config.experiments)
    challenger = challenger._replace(metrics=one.metrics, params=one.params, experiment=one, failed=None)
    champion = _recorded(plan)
    if plan.config.retrain.evaluate is None:
        return _as_recorded(plan, one, champion, challenger, path)
    try:
        return _anew(place, plan, Sides(champion, challenger, None), path, tell)
    except MlopsError as error:
        return Sides(champion, challenger, str(error)), (str(error),)


def _recorded(plan: Plan) -> Result:
    """What the tag says of the champion; its noise as far as runs of it are here."""
    found = results.of(plan.repo, plan.champion.commit, plan.config.experiments)
    said = plan.champion.facts.get("metrics")
    return found._replace(metrics=said) if isinstance(said, Mapping) else found


def _as_recorded(
    plan: Plan, one: Experiment, champion: Result, challenger: Result, path: str
) -> tuple[Sides, tuple[str, ...]]:
    held_back = plan.config.retrain.held_back
    with reader(plan.repo) as git:
        trees = Trees(git)
        root = plan.repo.text("rev-parse", f"{plan.champion.commit}^{{tree}}")
        old = measured.ground(trees, root, held_back, path)
        new = measured.ground(trees, one.commit.tree, held_back, path)
    problem = measured.difference(old, new)
    if problem is not None:
        how = [problem, "`retrain: {evaluate: COMMAND}` in mlops.yaml would measure both on the data of now"]
        return Sides(champion, challenger, problem), tuple(how)
    shown = land.names([*new.data])
    how = [f"recorded metrics of both, measured on the same data: {shown}"]
    if code := measured.other_code(old, new):
        how.append(f"the code that measures is not the same: {land.names(code)}")
    return Sides(champion, challenger, None), tuple(how)


def _anew(place: Repo, plan: Plan, sides: Sides, path: str, tell: Tell) -> tuple[Sides, tuple[str, ...]]:
    """Both by one command; what the command cannot say of either is no part of the comparison."""
    settings = plan.config.retrain
    own = place.root / path
    if not own.exists():
        raise MlopsError(f"the pipeline made no `{path}`", exit_code=CANNOT_EVALUATE)
    file = placing.bring(plan.repo, plan.champion).path
    more = (settings, plan.config.experiments, plan.config.data)
    tell(f"measures the champion: {plan.champion.name} {plan.champion.version}")
    old = evaluate.measure(place, f"the champion {plan.champion.version}", file, *more)
    tell("measures the challenger")
    new = evaluate.measure(place, "the challenger", own, *more)
    champion = sides.champion._replace(metrics=old, spread={})
    challenger = sides.challenger._replace(metrics=new)
    return Sides(champion, challenger, None), (
        f"both were measured by `{settings.evaluate}`, on the data of now",
    )
