"""Section `monitor` of the ML Test Score: seven questions about what is served."""

import re

import yaml

from git_mlops.audit import common
from git_mlops.audit.evidence import AUTOMATED, MANUAL, Criterion, Evidence, Found, lowered
from git_mlops.audit.facts import LOCKS, Facts
from git_mlops.audit.suites import MODELS, SERVING
from git_mlops.models.settings import stages_of

_AUDITING = (
    ("pip-audit",),
    ("pip_audit",),
    ("safety", "check"),
    ("safety", "scan"),
    ("osv-scanner",),
    ("trivy",),
)
_FINITE = re.compile(r"^(?:isnan|isfinite|isinf|isna|assert_all_finite|nan_to_num)$")
_SPEED = re.compile(r"latency|throughput|seconds|duration|(?:^|[._:])time(?:$|[._])|memory", re.IGNORECASE)
_MEASURING = re.compile(r"^(?:perf_counter|timeit|benchmark|tracemalloc|process_time)$")
_BOTS = re.compile(r"(?:^|/)(?:\.?renovate(?:rc)?(?:\.json)?)$")
_PYTHON = ("pip", "uv", "poetry", "pipenv", "conda")


def dependencies(facts: Facts) -> Found:
    """Somebody is told of new versions and known vulnerabilities of what the model needs."""
    pieces = [*_bots(facts)]
    pieces += [
        facts.automated("packages are checked for known vulnerabilities", command)
        for command in facts.state.ci.running(*_AUDITING)
    ]
    pieces += common.watched(facts, ("dependencies",), "packages are watched")
    locks = [p for p in facts.state.paths if p.rpartition("/")[2] in LOCKS and _pins(facts, p)]
    pieces += [
        Evidence("every package has one version: a change of one is a commit", p, MANUAL) for p in locks[:1]
    ]
    return Found(tuple(pieces), "write `.github/dependabot.yml` with `package-ecosystem: pip`")


def _pins(facts: Facts, path: str) -> bool:
    """Whether a lock file locks anything."""
    text = facts.state.texts.get(path, "")
    if path.endswith("requirements.lock"):
        lines = [
            line for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", "-"))
        ]
        return bool(lines) and all("==" in line for line in lines if not line.startswith(" "))
    return "version" in text


def _bots(facts: Facts) -> list[Evidence]:
    found = []
    for path, text in facts.state.texts.items():
        if path in (".github/dependabot.yml", ".github/dependabot.yaml"):
            named = _ecosystems(text)
            good = [name for name in named if name in _PYTHON]
            said = "Dependabot tells of new versions" if good else "Dependabot watches no package of Python"
            found.append(Evidence(said, path, AUTOMATED if good else 0.0))
        elif _BOTS.search(path):
            off = re.search(r'"enabled"\s*:\s*false', text) is not None or not text.strip().startswith("{")
            said = "Renovate is off" if off else "Renovate tells of new versions"
            found.append(Evidence(said, path, 0.0 if off else AUTOMATED))
    return found


def _ecosystems(text: str) -> list[str]:
    try:
        value = yaml.safe_load(text) if len(text) < 100_000 else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return []
    updates = value.get("updates") if isinstance(value, dict) else None
    return [
        str(one.get("package-ecosystem"))
        for one in (updates if isinstance(updates, list) else [])
        if isinstance(one, dict) and one.get("schedule") and one.get("open-pull-requests-limit") != 0
    ]


def invariants(facts: Facts) -> Found:
    """Inputs of what is served are checked: by the contract of the version, and by monitoring."""
    pieces = common.watched(facts, ("schema", "invariants"), "inputs are checked against the schema")
    for one in common.held(facts):
        made = common.registration(facts, one)
        contract = made.facts.get("contract") if made else None
        if made and isinstance(contract, dict) and contract.get("hash"):
            said = f"{one.model} {one.event.version} refuses inputs that its contract does not allow"
            pieces.append(Evidence(said, made.event.tag, MANUAL, facts.until(one.event.time, 365)))
    next_ = common.monitor(facts) if common.held(facts) else common.promote(facts)
    return Found(tuple(pieces), next_)


def skew(facts: Facts) -> Found:
    """Features in training and in serving are the same: replayed requests, or tests through both."""
    pieces = common.watched(facts, ("skew",), "requests are replayed through the features of training")
    tests = [
        one
        for one in facts.state.suites.about(SERVING)
        if any(SERVING.search(p.rpartition("/")[2].removesuffix(".py")) for p in one.modules)
        and len(one.modules) > 1
    ]
    pieces += [
        one._replace(points=MANUAL if one.points else one.points)
        for one in facts.tested(tests, "what is served is what was trained")
    ]
    return Found(tuple(pieces), common.monitor(facts))


def stale(facts: Facts) -> Found:
    """How old a model may be is a rule that something looks at."""
    pieces = common.watched(facts, ("staleness",), "the age of model and data is watched")
    ages = facts.state.settings.monitor.ages
    bounded = ages.model is not None or ages.data is not None
    if not bounded:
        pieces = lowered(pieces, "no bound is set")
    deploying = facts.state.ci.running(("git", "mlops", "model", "verify"))
    for one in common.held(facts):
        stage = stages_of(facts.state.settings.models, one.model).get(one.event.stage or "")
        if stage is not None and stage.max_age:
            said = f"{one.event.stage} is given to versions of {stage.max_age} at most"
            where = deploying[0].path if deploying else one.event.tag
            pieces.append(Evidence(said, where, MANUAL, facts.until(one.event.time, 365)))
    next_ = common.monitor(facts) if bounded or not pieces else "set `monitor.ages.model: 90d` in mlops.yaml"
    return Found(tuple(pieces), next_)


def stable(facts: Facts) -> Found:
    """NaN and infinities: watched, tested, and refused by gates."""
    pieces = common.watched(facts, ("numeric",), "NaN, infinities and saturation are watched")
    tests = facts.state.suites.saying(_FINITE, MODELS)
    pieces += [
        one._replace(points=MANUAL if one.points else one.points)
        for one in facts.tested(tests, "predictions are finite numbers")
    ]
    pieces += [
        one._replace(points=MANUAL)
        for one in common.gates(facts, None, "a metric that is no finite number is refused")
    ]
    return Found(tuple(pieces), common.monitor(facts))


def performance(facts: Facts) -> Found:
    """Speed and memory: watched, gated, or recorded with every run."""
    pieces = common.watched(facts, ("performance",), "latency and throughput are watched")
    bounded = facts.state.settings.monitor.latency is not None
    if not bounded:
        pieces = lowered(pieces, "no bound is set")
    watched = bool(pieces)
    pieces += common.gates(facts, _SPEED, "speed and memory are held")
    tests = facts.state.suites.saying(_MEASURING, MODELS)
    pieces += facts.tested(tests, "speed is tested")
    timed = [run for run in facts.shared.runs if run.record and run.record.wall and run.record.peak_memory]
    if len(timed) > 1:
        one = timed[0].experiment
        said = f"time and memory of {len(timed)} runs are recorded"
        pieces.append(Evidence(said, one.ref, MANUAL, facts.until(one.time)))
    next_ = "set `monitor.latency` in mlops.yaml" if watched and not bounded else common.monitor(facts)
    return Found(tuple(pieces), next_)


def quality(facts: Facts) -> Found:
    """Predictions against what came true; held-back data says nothing of what is served."""
    pieces = common.watched(facts, ("quality",), "predictions are compared with what came true")
    return Found(tuple(pieces), common.monitor(facts))


ITEMS: dict[str, Criterion] = {
    "monitor-1": Criterion("Dependency changes result in notification", dependencies),
    "monitor-2": Criterion("Data invariants hold for inputs", invariants),
    "monitor-3": Criterion("Training and serving are not skewed", skew),
    "monitor-4": Criterion("Models are not too stale", stale),
    "monitor-5": Criterion("Models are numerically stable", stable),
    "monitor-6": Criterion("Computing performance has not regressed", performance),
    "monitor-7": Criterion("Prediction quality has not regressed", quality),
}
