"""Section `model` of the ML Test Score: seven questions about how the model is developed."""

import re
from collections.abc import Iterator

from git_mlops.audit import common
from git_mlops.audit.evidence import AUTOMATED, MANUAL, Criterion, Evidence, Found, Points, some
from git_mlops.audit.facts import Facts, Run
from git_mlops.audit.suites import MODELS, code, is_of
from git_mlops.models.settings import stages_of

_BASELINE = re.compile(r"baseline|(?:^|_)dummy|(?:^|_)naive|majority|guess|trivial|simpler|simple_model")
_BASELINE_VALUE = re.compile(
    r"baseline|dummy|naive|majority|simple|linear|logistic|ridge|constant|mean$|median$"
)
_SLICE = re.compile(r"(?:^|[.:])slices?\.")
_SLICING = re.compile(r"slices|_slice(?:_|$)|(?:^|_)slice_|subgroup|per_group|by_group|cohort")
_PEOPLE = (
    r"sex|gender|women|woman|men|female|male|age|aged|old|older|young|younger|race|ethnic\w*|religio\w*|disab\w*|"
    r"national\w*|migrant\w*|language|dialect|skin\w*|income|black|white|asian|hispanic"
)
_INCLUSION = re.compile(rf"slices?\.(?:.*[^a-z])?(?:{_PEOPLE})(?:[^a-z]|$)", re.IGNORECASE)
_FAIR = re.compile(r"fairness|fairlearn|aif360|demographic_parity|equalized_odds|disparate_impact")
_TUNING = (("optuna",), ("git", "mlops", "sweep"), ("git", "mlops", "exp", "queue"), ("dvc", "queue"))
_SWEPT = 3
"""Runs with different values below which nothing was tuned."""


def reviewed(facts: Facts) -> Found:
    """Somebody else approved what is used, or reviewed the code of the model."""
    pieces = [*_approved(facts), *_reviewed(facts)]
    owners = next((p for p in facts.state.texts if p.rpartition("/")[2] == "CODEOWNERS"), None)
    if owners and any(
        line.strip() and not line.startswith("#") for line in facts.state.texts[owners].splitlines()
    ):
        pieces.append(Evidence("owners of the code are named for review", owners, MANUAL))
    stages = facts.state.settings.models.stages
    if not any(stage.approvals for stage in stages.values()):
        next_ = "set `models.stages.prod.approvals: 1` in mlops.yaml"
    else:
        next_ = f"`git mlops model approve {next(iter(facts.shared.models), 'NAME')}`"
    return Found(tuple(pieces), next_)


def _approved(facts: Facts) -> Iterator[Evidence]:
    tags = {one.oid: one for one in facts.shared.approvals}
    for one in common.held(facts):
        said = one.facts.get("approvals")
        wanted = stages_of(facts.state.settings.models, one.model).get(one.event.stage or "")
        made = common.registration(facts, one)
        good = [
            tags[str(each.get("oid"))]
            for each in (said if isinstance(said, list) else [])
            if isinstance(each, dict) and str(each.get("oid")) in tags
        ]
        others = [tag for tag in good if made is None or tag.email != made.event.email]
        if others:
            points: Points = AUTOMATED if wanted and wanted.approvals > 0 else MANUAL
            rule = "as mlops.yaml demands" if points == AUTOMATED else "though nothing demands it"
            text = f"{one.model} {one.event.version} was approved by {some(t.email for t in others)}, {rule}"
            yield Evidence(text, others[0].tag, points, facts.until(others[0].time, 365))


def _reviewed(facts: Facts) -> Iterator[Evidence]:
    for one in facts.shared.history:
        of_model = [p for p in one.paths if p.endswith(".py") and code([p]) and is_of(p, MODELS)]
        others = [who for who in one.reviewers if one.author.lower() not in who.lower()]
        if of_model and others:
            said = f"{of_model[0]} was reviewed by {some(others)}"
            yield Evidence(said, one.oid[:12], MANUAL, facts.until(one.time))
            return


def correlated(facts: Facts) -> Found:
    """The same metric, offline in the tag and online by monitoring, of more than one version."""
    pairs: dict[str, set[str]] = {}
    newest = next((one for one in facts.shared.observed if one.metrics), None)
    for seen in facts.shared.observed:
        offline = _offline(facts, seen.model, seen.version)
        for name in seen.metrics:
            if name in offline and seen.version:
                pairs.setdefault(name, set()).add(seen.version)
    pieces = []
    for name, versions in pairs.items():
        if newest is not None:
            several = len(versions) > 1
            said = f"`{name}` is known offline and online of {some(sorted(versions))}"
            until = facts.until(newest.time)
            pieces.append(Evidence(said, newest.ref, AUTOMATED if several else MANUAL, until))
    return Found(tuple(pieces), common.monitor(facts))


def _offline(facts: Facts, model: str, version: str | None) -> set[str]:
    for one in facts.shared.events:
        if one.event.kind == "register" and (one.model, one.event.version) == (model, version):
            metrics = one.facts.get("metrics")
            return set(metrics) if isinstance(metrics, dict) else set()
    return set()


def tuned(facts: Facts) -> Found:
    """Runs that differ in hyperparameters alone."""
    groups: dict[str, list[Run]] = {}
    for run in facts.shared.runs:
        key = run.record.key if run.record else None
        if key and run.experiment.metrics:
            groups.setdefault(f"{key.get('code')} {key.get('data')}", []).append(run)
    pieces = []
    for runs in groups.values():
        names = {p for run in runs for p in run.experiment.params if not common.is_seed(p)}
        varying = sorted(n for n in names if len({str(r.experiment.params.get(n)) for r in runs}) > 1)
        tried = {tuple(str(r.experiment.params.get(n)) for n in varying) for r in runs}
        if varying and len(tried) >= _SWEPT:
            newest = max(runs, key=lambda run: run.experiment.time).experiment
            said = f"{len(tried)} runs of the same code and data differ in {some(varying)}"
            pieces.append(Evidence(said, newest.ref, MANUAL, facts.until(newest.time)))
    command = next(iter(facts.state.ci.running(*_TUNING)), None)
    if command and pieces:
        pieces.insert(0, facts.automated("hyperparameters are searched", command))
    return Found(
        tuple(pieces[:3]),
        "`git mlops exp run -S PARAM=VALUE`" if not pieces else common.declare("model-3"),
    )


def staleness(facts: Facts) -> Found:
    """The same code and parameters on older and newer data; or decay that monitoring measured."""
    groups: dict[str, list[Run]] = {}
    for run in facts.shared.runs:
        key = run.record.key if run.record else None
        if key and run.experiment.metrics:
            groups.setdefault(f"{key.get('code')} {key.get('params')}", []).append(run)
    pieces = []
    for runs in groups.values():
        data = {str(run.record.key.get("data")) for run in runs if run.record and run.record.key}
        if len(data) > 1:
            newest = max(runs, key=lambda run: run.experiment.time).experiment
            said = f"the same code and parameters were measured on {len(data)} states of the data"
            pieces.append(Evidence(said, newest.ref, MANUAL, facts.until(newest.time)))
    return Found(
        (*common.watched(facts, ("quality", "staleness"), "decay is measured"), *pieces),
        common.monitor(facts),
    )


def simpler(facts: Facts) -> Found:
    """A simpler model beside it: in tests, in a metric, or as an experiment of its own."""
    tests = facts.state.suites.saying(_BASELINE, MODELS)
    pieces = facts.tested(tests, "compared with a simpler model")
    pieces += common.gates(facts, _BASELINE, "better than a simpler model")
    for run in facts.shared.runs:
        one = run.experiment
        named = _BASELINE.search(one.name) or _BASELINE.search(one.commit.message.text.lower())
        values = [
            p for p, v in one.params.items() if isinstance(v, str) and _BASELINE_VALUE.search(v.lower())
        ]
        metric = next((m for m in one.metrics if _BASELINE.search(m.lower())), None)
        if one.metrics and (named or metric or (values and _differs(facts, values))):
            said = f"{one.name} measured a simpler model"
            pieces.append(Evidence(said, one.ref, MANUAL, facts.until(one.time)))
            break
    return Found(
        tuple(pieces),
        "`git mlops exp run --name baseline -S PARAM=VALUE`" if not pieces else common.ci(facts),
    )


def _differs(facts: Facts, params: list[str]) -> bool:
    """Whether there is another model to compare with."""
    return any(
        len({str(run.experiment.params.get(name)) for run in facts.shared.runs if run.experiment.metrics}) > 1
        for name in params
    )


def sliced(facts: Facts) -> Found:
    """Metrics of parts of the data, behind gates or tests."""
    tests = facts.state.suites.saying(_SLICING, MODELS)
    pieces = common.gates(facts, _SLICE, "every slice is measured")
    pieces += facts.tested(tests, "slices are tested")
    pieces += _measured(facts, _SLICE, "slices")
    has = any("slice" in pattern for pattern in facts.state.settings.gates)
    next_ = (
        common.ci(facts)
        if pieces
        else common.RUN
        if has
        else "add a gate `slices.*.METRIC: {min: …}` to mlops.yaml"
    )
    return Found(tuple(pieces), next_)


def inclusion(facts: Facts) -> Found:
    """Slices that are groups of people, or tests of fairness."""
    tests = facts.state.suites.saying(_FAIR, MODELS)
    pieces = common.gates(facts, _INCLUSION, "groups of people are measured apart")
    pieces += facts.tested(tests, "fairness is tested")
    pieces += _measured(facts, _INCLUSION, "groups of people")
    return Found(tuple(pieces), common.ci(facts) if pieces else common.declare("model-7"))


def _measured(facts: Facts, wanted: re.Pattern[str], what: str) -> list[Evidence]:
    run = common.measured(facts)
    names = [name for name in common.metric_names(facts) if wanted.search(name)]
    if run is None or not names:
        return []
    one = run.experiment
    return [Evidence(f"{one.name} measured {what}: {some(names)}", one.ref, MANUAL, facts.until(one.time))]


ITEMS: dict[str, Criterion] = {
    "model-1": Criterion("Model specs are reviewed and submitted", reviewed),
    "model-2": Criterion("Offline and online metrics correlate", correlated),
    "model-3": Criterion("All hyperparameters have been tuned", tuned, "let CI run a search for them"),
    "model-4": Criterion("The impact of model staleness is known", staleness),
    "model-5": Criterion("A simpler model is not better", simpler),
    "model-6": Criterion("Model quality is sufficient on important slices", sliced),
    "model-7": Criterion(
        "The model is tested for considerations of inclusion",
        inclusion,
        "add a gate of slices that are groups of people, as `slices.*.METRIC`, to mlops.yaml",
    ),
}
