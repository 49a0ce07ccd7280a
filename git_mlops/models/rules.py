"""What a stage asks of a version: each rule says what is missing, and the command that helps."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from git_mlops.experiments.diff import compared
from git_mlops.experiments.message import short
from git_mlops.experiments.settings import Metric
from git_mlops.findings import Finding
from git_mlops.git import signatures
from git_mlops.git.repo import Repo
from git_mlops.lineage import taints
from git_mlops.models import approve
from git_mlops.models.approve import Approved
from git_mlops.models.context import Context
from git_mlops.models.settings import Stage, seconds, stages_of
from git_mlops.registry import read
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact

RULE = "promotion"
NO_RULE = {"rule": False}
"""Of findings that no rule of mlops.yaml asks for: what was given before the rules is not above them."""


class Verdict(NamedTuple):
    """What the rules of a stage come to."""

    findings: tuple[Finding, ...] = ()
    """What is missing; nothing: it may have the stage."""
    checked: tuple[str, ...] = ()
    """What was asked and holds, for people."""
    approvals: tuple[Approved, ...] = ()
    """Those that counted."""


class Moment(NamedTuple):
    """When the stage is, or was, given, and by whom."""

    time: float
    promoter: str
    """E-mail address."""
    holder: str | None
    """The version that held the stage before."""


class _Case(NamedTuple):
    """One question: may this version have this stage?"""

    repo: Repo
    found: Artifact
    version: Version
    stage: str
    rules: Stage
    context: Context
    moment: Moment

    @property
    def label(self) -> str:
        return f"{self.version.name}@{self.version.version}"

    def missing(self, message: str, hint: str | None = None) -> Finding:
        return Finding(RULE, "error", message, hint=hint)


_Said = Finding | str
"""A finding, or what was checked and holds."""


def judge(
    repo: Repo, found: Artifact, version: Version, stage: str, context: Context, then: Moment | None = None
) -> Verdict:
    """Ask every rule.

    Args:
        then: when the stage was given; None: now, by this user.
    """
    rules = stages_of(context.models, version.name).get(stage, Stage())
    case = _Case(repo, found, version, stage, rules, context, then or _now(repo, found, stage))
    said: list[_Said] = [one for rule in _RULES for one in rule(case)]
    counted, more = _approvals(case)
    said += more
    findings = [one for one in said if isinstance(one, Finding)]
    if found.deprecated:
        hint = f"`git mlops model history {found.name}` says by whom; a new version makes it usable again"
        one = case.missing(f"the model `{found.name}` is deprecated", hint)
        findings.insert(0, one._replace(data=NO_RULE))
    reach = taints.reach(repo, f"model:{version.name}@{version.version}")
    said += [
        f"its run said what it read, and not the tainted `{one.label}` of its tree" for one in reach.beside
    ]
    for taint in reach.under:
        hint = f"`git mlops lineage {case.label}` shows how; `git mlops taint --list` says by whom"
        one = case.missing(f"it came from `{taint.label}`: {taint.words[-1].why}", hint)
        findings.insert(0, one._replace(data=NO_RULE))
    return Verdict(tuple(findings), tuple(one for one in said if isinstance(one, str)), counted)


def _now(repo: Repo, found: Artifact, stage: str) -> Moment:
    event = found.stages.get(stage)
    # an event that was made this very second is dated later: see registry.write
    return Moment(
        max(time.time(), found.last_time + 1), approve.email(repo), event.version if event else None
    )


def _after(case: _Case) -> Iterator[_Said]:
    version, before = case.version.version, case.moment.time
    own = [e for e in case.found.events if e.kind == "assign" and e.version == version and e.time < before]
    for stage in case.rules.after:
        tags = [event for event in own if event.stage == stage]
        hint = f"`git mlops model promote {case.label} {stage}`"
        if not tags:
            yield case.missing(f"it has not held the stage `{stage}`", hint)
        elif case.rules.signed and not any(_good(case, event.oid) for event in tags):
            yield case.missing(f"that it has held the stage `{stage}` is signed by nobody trusted", hint)
        else:
            yield f"has held `{stage}`"


def _good(case: _Case, oid: str) -> bool:
    return signatures.of_tag(case.repo, oid, case.context.trust()).good


def _bounds(case: _Case) -> Iterator[_Said]:
    for name, bound in case.rules.metrics.items():
        value = _number(case.version, name)
        wanted = " and ".join(
            [*([f">= {short(bound.min)}"] if bound.min is not None else []),
             *([f"<= {short(bound.max)}"] if bound.max is not None else [])]
        )  # fmt: skip
        if value is None:
            yield case.missing(f"its metric `{name}` is not recorded; it must be {wanted}", _REGISTER)
        elif (bound.min is not None and not value >= bound.min) or (
            bound.max is not None and not value <= bound.max
        ):
            yield case.missing(f"its metric `{name}` is {short(value)}; it must be {wanted}")
        else:
            yield f"{name} = {short(value)} is {wanted}"


_REGISTER = "register the experiment that measured it: `git mlops model register NAME EXPERIMENT`"


def _no_worse(case: _Case) -> Iterator[_Said]:
    held = case.found.find(case.moment.holder) if case.moment.holder else None
    if not case.rules.no_worse or held is None or held.version == case.version.version:
        return
    holder = read.version_of(case.repo, case.found, held)
    for name in case.rules.no_worse:
        yield _compared(case, holder, name)


def _compared(case: _Case, holder: Version, name: str) -> _Said:
    declared = case.context.experiments.metrics
    value, theirs, where = _both(case.version, holder, name)
    if name not in declared:
        hint = f"in mlops.yaml: `experiments: {{metrics: {{{name}: {{direction: max}}}}}}`"
        return case.missing(f"is more of `{name}` better, or less?", hint)
    if value is None:
        return case.missing(f"its metric `{name}` is not recorded", _REGISTER)
    if theirs is None:
        return f"{name}: {holder.version} has no value to compare with"
    change = compared(name, theirs, value, {name: Metric(*declared[name])})
    shown = f"{short(value)}, that of {holder.version} {short(theirs)}{where}"
    if change.better is False:
        return case.missing(f"its metric `{name}` is worse than that of the version that holds it: {shown}")
    return f"{name} is no worse: {shown}"


def _both(version: Version, holder: Version, name: str) -> tuple[float | None, float | None, str]:
    """What `git mlops retrain` measured of the two on the same data; else what each recorded for itself."""
    said = version.facts.get("measured")
    against = said.get("against") if isinstance(said, Mapping) else None
    if (
        isinstance(said, Mapping)
        and isinstance(against, Mapping)
        and against.get("registration") == holder.oid
    ):
        values = _value(said.get("metrics"), name), _value(against.get("metrics"), name)
        if None not in values:
            return (*values, " (measured on the same data)")
    return _number(version, name), _number(holder, name), ""


def _number(version: Version, name: str) -> float | None:
    return _value(version.facts.get("metrics"), name)


def _value(metrics: object, name: str) -> float | None:
    value = metrics.get(name) if isinstance(metrics, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _age(case: _Case) -> Iterator[_Said]:
    if case.rules.max_age is None:
        return
    days = (case.moment.time - case.version.time) / 86400
    if days * 86400 > seconds(case.rules.max_age):
        hint = f"`git mlops model register {case.version.name}` one that was trained since"
        yield case.missing(
            f"it was registered {days:.0f} days ago; at most {case.rules.max_age} are allowed", hint
        )
    else:
        yield f"registered within {case.rules.max_age}"


def _signed(case: _Case) -> Iterator[_Said]:
    if not case.rules.signed:
        return
    signature = signatures.of_tag(case.repo, case.version.oid, case.context.trust())
    if signature.good:
        yield f"signed by {signature.who}"
    else:
        hint = "sign with `git config user.signingKey KEY`, and register it again"
        yield case.missing(f"its registration has no good signature: {signature.problem}", hint)


def _approvals(case: _Case) -> tuple[tuple[Approved, ...], list[_Said]]:
    wanted = case.rules.approvals
    if wanted <= 0:
        return (), []
    expire = case.rules.approvals_expire
    earliest = None if expire is None else case.moment.time - seconds(expire)
    asked = approve.Asked(case.stage, case.moment.promoter, earliest)
    who = approve.counted(case.repo, case.version, asked, case.context.trust())
    if len(who.good) >= wanted:
        return who.good, [f"approved by {', '.join(one.who for one in who.good)}"]
    passed = f" ({'; '.join(who.passed_over)})" if who.passed_over else ""
    message = f"{len(who.good)} of {wanted} approvals by other people{passed}"
    return who.good, [
        case.missing(message, f"somebody else: `git mlops model approve {case.label} {case.stage}`")
    ]


_RULES: tuple[Callable[[_Case], Iterator[_Said]], ...] = (_after, _bounds, _no_worse, _age, _signed)
