"""Section `infra` of the ML Test Score: seven questions about how models come about and go out."""

import re
from collections.abc import Iterator

from git_mlops.audit import common
from git_mlops.audit.evidence import AUTOMATED, MANUAL, Criterion, Evidence, Found, Points, some
from git_mlops.audit.facts import Facts, Promoted
from git_mlops.audit.suites import FEATURES, MODELS, is_of
from git_mlops.models.settings import stages_of

_REPRODUCING = (("git", "mlops", "exp", "verify"), ("git-mlops", "exp", "verify"))
_PIPELINE = (
    ("dvc", "repro"),
    ("dvc", "exp", "run"),
    ("git", "mlops", "exp", "run"),
    ("git-mlops", "exp", "run"),
)
_EXPLAINING = re.compile(
    r"(?:^|_)explain|(?:^|_)debug|single_(?:row|example)|one_example|(?:^|_)(?:shap|lime)$"
)


def reproducible(facts: Facts) -> Found:
    """Runs that were made again with the same result."""
    command = next(iter(facts.state.ci.running(*_REPRODUCING)), None)
    pieces: list[Evidence] = []
    good = [one for one in facts.shared.verified if one.outcome == "reproduced"]
    names = {run.experiment.commit.oid: run.experiment.name for run in facts.shared.runs}
    for one in good[:1]:
        said = f"{names.get(one.experiment, one.experiment[:12])} was reproduced"
        pieces.append(Evidence(said, one.ref, MANUAL, facts.until(one.time)))
        if command:
            pieces.append(facts.automated("runs are made again", command))
    for bad in facts.shared.verified[:1]:
        if bad.outcome != "reproduced":
            said = f"{names.get(bad.experiment, bad.experiment[:12])} was made again: {bad.outcome}"
            pieces.append(Evidence(said, bad.ref))
    pieces += _pinned(facts)
    if not facts.shared.runs:
        next_ = common.RUN
    elif not good:
        next_ = f"`git mlops exp verify {facts.shared.runs[0].experiment.name}`"
    else:
        next_ = "let CI run `git mlops exp verify` on a schedule"
    return Found(tuple(pieces), next_)


def _pinned(facts: Facts) -> Iterator[Evidence]:
    """A run whose code, data, parameters, seeds and packages are all known could be made again."""
    for run in facts.shared.runs[:20]:
        record = run.record
        if record is None or not record.environment or record.data_dirty or not record.key:
            continue
        if record.seeds:
            one = run.experiment
            said = f"{one.name} recorded code, data, parameters, packages and seeds ({some(record.seeds)})"
            yield Evidence(said, one.ref, MANUAL, facts.until(one.time))
            return


def unit(facts: Facts) -> Found:
    """Tests that use the model's code."""
    tests = facts.state.suites.about(MODELS)
    pieces = facts.tested(tests, "the model is tested")
    next_ = common.ci(facts) if tests else "write a test of your model in `tests/`"
    return Found((*pieces, *common.empty(facts), *common.doubts(facts, pieces)), next_)


def integration(facts: Facts) -> Found:
    """The pipeline as a whole: run by CI, by tests that go from features to a model, or by hand."""
    pieces: list[Evidence] = []
    command = next(iter(facts.state.ci.running(*_PIPELINE)), None)
    if command:
        pieces.append(facts.automated("the pipeline is run", command))
    whole = [
        one
        for one in facts.state.suites.about(FEATURES)
        if any(is_of(path, MODELS) and not is_of(path, FEATURES) for path in one.modules)
        and len([path for path in one.modules if is_of(path, MODELS) or is_of(path, FEATURES)]) > 2
    ]
    pieces += facts.tested(whole, "from data to predictions")
    for run in facts.shared.runs:
        if run.record and run.record.how == "pipeline":
            one = run.experiment
            pieces.append(
                Evidence(f"{one.name} ran the whole pipeline", one.ref, MANUAL, facts.until(one.time))
            )
            break
    next_ = common.ci(facts) if whole else "let CI run `git mlops exp run`" if pieces else common.RUN
    return Found((*pieces, *common.doubts(facts, command)), next_)


def validated(facts: Facts) -> Found:
    """Gates before a merge, and rules before a stage."""
    pieces = common.gates(facts, None, "no change enters with worse metrics")
    for one in common.held(facts):
        stage = stages_of(facts.state.settings.models, one.model).get(one.event.stage or "")
        gate = one.facts.get("gate")
        passed = isinstance(gate, dict) and gate.get("outcome") == "pass"
        checked = gate.get("checked") if isinstance(gate, dict) else None
        rules = stage is not None and bool(stage.metrics or stage.no_worse)
        if passed and checked:
            points: Points = AUTOMATED if rules else MANUAL
            said = f"{one.model} {one.event.version} got {one.event.stage} after {some(map(str, checked))}"
            pieces.append(Evidence(said, one.event.tag, points, facts.until(one.event.time, 365)))
    if not facts.state.settings.gates:
        next_ = "add `gates:` to mlops.yaml"
    else:
        next_ = common.RUN if common.measured(facts) is None else common.ci(facts)
    return Found((*pieces, *common.doubts(facts, pieces)), next_)


def debuggable(facts: Facts) -> Found:
    """A prediction can be traced to a version, and that to its run, data, packages and single steps."""
    pieces: list[Evidence] = []
    runs = {run.experiment.commit.oid: run for run in facts.shared.runs}
    for one in common.held(facts):
        made = common.registration(facts, one)
        lacking = _untraced(made, set(runs)) if made else ["its registration"]
        said = f"{one.model} {one.event.version} in {one.event.stage}"
        if lacking:
            pieces.append(Evidence(f"{said} cannot be traced: no {some(lacking)}", one.event.tag))
        else:
            until = facts.until(one.event.time, 365)
            said = f"{said} is traced to its run, data and packages"
            pieces.append(
                Evidence(said, one.event.tag, AUTOMATED if facts.state.settings.serve.log else MANUAL, until)
            )
    tests = facts.state.suites.saying(_EXPLAINING, MODELS)
    pieces += facts.tested(tests, "single predictions are explained")
    for run in facts.shared.runs[:20]:
        if run.record and run.record.key and run.record.environment:
            each = run.experiment
            said = f"{each.name} can be had again with its code, data and packages (`git mlops exp apply`)"
            pieces.append(Evidence(said, each.ref, MANUAL, facts.until(each.time)))
            break
    if not facts.shared.runs:
        next_ = common.RUN
    elif common.held(facts):
        # what is there was registered from somewhere else
        name, newest = common.held(facts)[-1].model, facts.shared.runs[0].experiment.name
        next_ = f"`git mlops model register {name} {newest}`"
    else:
        next_ = common.promote(facts)
    return Found(tuple(pieces), next_)


def _untraced(one: Promoted, runs: set[str]) -> list[str]:
    said = one.facts
    experiment = said.get("experiment")
    known = isinstance(experiment, dict) and str(experiment.get("commit")) in runs
    missing = [key for key in ("data", "environment") if not said.get(key)]
    return [
        *([] if known else ["experiment that is here"]),
        *missing,
        *(["clean data"] if said.get("data_dirty") else []),
    ]


def canaried(facts: Facts) -> Found:
    """A stage between registration and production, and a rule that it is passed."""
    pieces: list[Evidence] = []
    for one in common.held(facts):
        earlier = [
            e
            for e in facts.shared.events
            if e.event.kind == "assign"
            and (e.model, e.event.version) == (one.model, one.event.version)
            and e.event.time < one.event.time
            and common.CANARY.search(e.event.stage or "")
        ]
        stage = stages_of(facts.state.settings.models, one.model).get(one.event.stage or "")
        demanded = stage is not None and any(common.CANARY.search(name) for name in stage.after)
        if earlier:
            said = f"{one.model} {one.event.version} was {earlier[-1].event.stage} before {one.event.stage}"
            rule = ", as mlops.yaml demands" if demanded else ""
            points: Points = AUTOMATED if demanded else MANUAL
            pieces.append(
                Evidence(said + rule, earlier[-1].event.tag, points, facts.until(one.event.time, 365))
            )
    if pieces:
        next_ = "set `models.stages.prod.after: [canary]` in mlops.yaml"
    else:
        next_ = common.promote(facts, "canary")
    return Found(tuple(pieces), next_)


def rolled_back(facts: Facts) -> Found:
    """A rollback that happened; whole points where CI deploys what a tag says, forth and back."""
    events = [one for one in facts.shared.events if is_rollback(one)]
    deploying = [one for one in facts.state.ci.commands if "tag" in one.when]
    pieces: list[Evidence] = []
    for one in events[-1:]:
        said = f"{one.model}: {one.event.stage} went back to {one.event.version}"
        until = facts.until(one.event.time, 365)
        pieces.append(Evidence(said, one.event.tag, MANUAL, until))
        if deploying and facts.state.settings.ci.deploy:
            said = f"{said}; CI deploys what the newest tag says"
            pieces.append(Evidence(said, deploying[0].path, AUTOMATED, until))
    name = next(iter(facts.shared.models), None)
    if not name or not common.deployments(facts):
        next_ = common.promote(facts)
    elif not pieces:
        next_ = f"`git mlops model rollback {name} prod`"
    else:
        next_ = "set `ci.deploy` in mlops.yaml, then `git mlops ci generate`"
    return Found(tuple(pieces), next_)


def is_rollback(one: Promoted) -> bool:
    """Whether an event gave a stage back."""
    return one.event.kind == "assign" and one.facts.get("rollback") is True


ITEMS: dict[str, Criterion] = {
    "infra-1": Criterion("Training is reproducible", reproducible),
    "infra-2": Criterion("Model specification code is unit tested", unit),
    "infra-3": Criterion("The full ML pipeline is integration tested", integration),
    "infra-4": Criterion("Model quality is validated before serving", validated),
    "infra-5": Criterion("The model can be debugged", debuggable),
    "infra-6": Criterion("Models are canaried before serving", canaried),
    "infra-7": Criterion("Models can be rolled back", rolled_back),
}
