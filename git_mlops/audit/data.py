"""Section `data` of the ML Test Score: seven questions about features and data."""

import re
from collections.abc import Iterator

from git_mlops.audit import common
from git_mlops.audit.evidence import AUTOMATED, MANUAL, Criterion, Evidence, Found, some
from git_mlops.audit.facts import Facts, Table
from git_mlops.audit.suites import FEATURES, MODELS, Test, code, is_of

_MEASURING = re.compile(r"^(?:perf_counter|timeit|benchmark|tracemalloc|process_time|latency)$")
_ABLATION = re.compile(r"(?:^|_)ablat|permutation_importance|feature_importance|(?:^|_)shap(?:_values)?$")
_FEATURE_PARAM = re.compile(r"(?:^|[.:_])(?:features?|columns?|drop|ablat\w*|use)(?:[._]|$)", re.IGNORECASE)


def schema(facts: Facts) -> Found:
    """Bound schemas that check something, verdicts on exactly these data, and the check in CI."""
    bound = [one for one in facts.state.tables if one.schema]
    free = [one.path for one in facts.state.tables if not one.schema and one.raw]
    pieces = [_schema(one) for one in bound]
    command = facts.checking("schema")
    good = [one for one in pieces if one.points]
    if command and good and len(good) == len(bound) and not free:
        said = f"every change of {some(one.path for one in bound)} is checked against its schema"
        pieces.insert(0, facts.automated(said, command))
    pieces += [
        one._replace(points=min(one.points, MANUAL))  # of which data, nobody can tell
        for one in facts.tested(facts.state.suites.of_data, "data is held to expectations")
    ]
    pieces += [Evidence(f"{path} has no schema", path) for path in free[:3]]
    missing = next((one for one in bound if one.outcome != "pass" or one.problem), None)
    if missing is not None:
        next_ = f"`git mlops schema infer {missing.path}`" if missing.problem else "`git mlops check`"
    elif free or not bound:
        next_ = f"`git mlops schema infer {free[0] if free else 'PATH'} --bind`"
    else:
        next_ = common.ci(facts)
    return Found((*pieces, *common.doubts(facts, command)), next_)


def _schema(one: Table) -> Evidence:
    said = f"{one.path} is bound to {one.schema}"
    if one.problem:
        return Evidence(f"{said}, but {one.problem}", str(one.schema))
    if one.outcome is None:
        return Evidence(f"{said}; no verdict on this data under this schema", one.pointer)
    if one.outcome != "pass":
        return Evidence(f"{said}, and does not satisfy it", one.pointer)
    return Evidence(f"{said}, and satisfies it", one.pointer, MANUAL)


def beneficial(facts: Facts) -> Found:
    """Experiments with and without features, or tests of what each is worth."""
    tests = [t for t in facts.state.suites.saying(_ABLATION) if _of_project(t)]
    pieces = facts.tested(tests, "what features are worth is tested")
    pieces += common.varied(facts, _FEATURE_PARAM, "runs with other features were compared")
    return Found(tuple(pieces), common.declare("data-2"))


def _of_project(test: Test) -> bool:
    return any(is_of(path, FEATURES) or is_of(path, MODELS) for path in test.modules)


def cost(facts: Facts) -> Found:
    """Tests that measure the cost of feature code; experiments tell it for whole runs only."""
    tests = facts.state.suites.saying(_MEASURING, FEATURES)
    pieces = facts.tested(tests, "the cost of features is measured")
    walls = [r for r in facts.shared.runs if r.record and r.record.wall is not None]
    pieces += [
        one._replace(what=f"{one.what}, with their time and memory")
        for one in common.varied(facts, _FEATURE_PARAM, "runs with other features were compared", walls)
    ]
    return Found(tuple(pieces), common.declare("data-3"))


def requirements(facts: Facts) -> Found:
    """What may be a feature is a rule: schemas that refuse other columns, columns that must not be there."""
    pieces = list(_ruled(facts))
    next_ = (
        common.ci(facts)
        if pieces
        else "set `strict: true` in the schema of your data, then `git mlops check`"
    )
    return Found((*pieces, *common.doubts(facts, facts.checking("schema"))), next_)


def _ruled(facts: Facts) -> Iterator[Evidence]:
    by_schema = facts.checking("schema")
    for one in facts.state.tables:
        if one.strict and one.outcome == "pass":
            said = f"{one.path} may have no column that {one.schema} does not name"
            yield facts.automated(said, by_schema) if by_schema else Evidence(said, str(one.schema), MANUAL)
    for pattern, columns in facts.state.settings.data.pii.items():
        there = common.matching(facts, pattern)
        command = facts.checking("pii")
        said = f"{some(columns)} must not be in {pattern}"
        if not there:
            yield Evidence(f"{said}, but there is no such data", "mlops.yaml")
        elif columns:
            yield facts.automated(said, command) if command else Evidence(said, "mlops.yaml", MANUAL)


def privacy(facts: Facts) -> Found:
    """Personal data: refused or looked for before it enters, and who may change data."""
    settings, command = facts.state.settings.data, facts.checking("pii")
    scanned = [one for one in facts.state.tables if one.scanned and settings.pii_scan != "off"]
    pieces = [
        Evidence(f"{one.path} was scanned, nothing personal was found", one.pointer, MANUAL)
        for one in scanned
    ]
    named = [
        pattern for pattern, columns in settings.pii.items() if columns and common.matching(facts, pattern)
    ]
    strict = settings.pii_scan == "error" or bool(named)
    if strict and command and scanned and len(scanned) == len(facts.state.tables):
        pieces.insert(0, facts.automated("personal data in a change is an error", command))
    owned = [pattern for pattern, who in settings.owners.items() if who and common.matching(facts, pattern)]
    if owned:
        pieces.append(Evidence(f"{some(owned)} may be changed by its owners only", "mlops.yaml", MANUAL))
    if not scanned:
        next_ = "`git mlops check`" if facts.state.tables else "`git mlops add PATH`"
    else:
        next_ = "set `data.pii_scan: error` in mlops.yaml" if not strict else common.ci(facts)
    return Found((*pieces, *common.doubts(facts, command)), next_)


def quickly(facts: Facts) -> Found:
    """How long changes of features took to the next run, and to the next registered model."""
    changes = [one for one in facts.shared.history if any(map(_is_feature, one.paths)) and one.parents < 2]
    runs = sorted(run.experiment.time for run in facts.shared.runs)
    registered = sorted(e.event.time for e in facts.shared.events if e.event.kind == "register")
    pieces = []
    for times, points, what in ((registered, AUTOMATED, "registered model"), (runs, MANUAL, "recorded run")):
        # the first commit of a project brings all of its features: no feature was added there
        pairs = [(c, next((t for t in times if t >= c.time), None)) for c in changes if c.parents]
        done = [(change, time) for change, time in pairs if time is not None]
        waits = sorted(time - change.time for change, time in done)
        if not waits:
            continue
        days = waits[len(waits) // 2] / 86400
        said = f"a change of features was in a {what} after {days:.1f} days (median of {len(waits)})"
        newest = max(done, key=lambda one: one[0].time)[0]
        quick = days <= _QUICK
        until = facts.until(newest.time)
        pieces.append(Evidence(said, newest.oid[:12], points if quick else MANUAL, until))
    return Found(tuple(pieces), common.register(facts) if pieces else common.declare("data-6"))


_QUICK = 60
"""Days; Breck et al. ask for one or two months, at most."""


def _is_feature(path: str) -> bool:
    return path.endswith(".py") and bool(code([path])) and is_of(path, FEATURES)


def tested(facts: Facts) -> Found:
    """Tests of the code that makes features; whole points where CI runs them and no module is left out."""
    modules = [path for path in code(facts.state.paths) if is_of(path, FEATURES)]
    modules = [path for path in modules if not path.endswith("__init__.py")]
    tests = facts.state.suites.about(FEATURES)
    running = [one for one in tests if facts.testing(one.path)]
    covered = {path for one in running for path in one.modules}
    left = [path for path in modules if path not in covered]
    pieces = facts.tested(tests, "feature code is tested", MANUAL if left else AUTOMATED)
    pieces += (
        [Evidence(f"{path} is used by no test that CI runs", path) for path in left[:3]] if tests else []
    )
    next_ = (
        common.ci(facts)
        if tests and not running
        else f"write a test of `{left[0] if left else 'your features'}`"
    )
    return Found((*pieces, *common.empty(facts), *common.doubts(facts, running)), next_)


ITEMS: dict[str, Criterion] = {
    "data-1": Criterion("Feature expectations are captured in a schema", schema),
    "data-2": Criterion(
        "All features are beneficial",
        beneficial,
        "let CI run a test of what each feature is worth (ablation)",
    ),
    "data-3": Criterion(
        "No feature's cost is too much", cost, "let CI run a test that measures the time of your features"
    ),
    "data-4": Criterion("Features adhere to meta-level requirements", requirements),
    "data-5": Criterion("The data pipeline has appropriate privacy controls", privacy),
    "data-6": Criterion("New features can be added quickly", quickly, "`git mlops model register NAME`"),
    "data-7": Criterion("All input feature code is tested", tested),
}
