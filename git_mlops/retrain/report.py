"""The report of a retraining: why, champion against challenger, data, gates; a document as all are."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_mlops import jsonable
from git_mlops.checks import scope
from git_mlops.checks.gating import Judged
from git_mlops.data import diff as data_diff
from git_mlops.experiments import diff, history, read
from git_mlops.experiments.diff import ValueChange
from git_mlops.findings import Finding
from git_mlops.hooks.check import checked
from git_mlops.reports import html
from git_mlops.reports.document import Document, Section, Table
from git_mlops.retrain import compare, land
from git_mlops.retrain.compare import Rules, Verdict
from git_mlops.retrain.plan import Plan
from git_mlops.retrain.work import Trained
from git_mlops.review import plain as reviewed
from git_mlops.review import sections
from git_mlops.review.facts import Facts

_SKIPPED = frozenset({"gates", "data-pushed"})
"""The gates are asked here, against the champion; the data is pushed with the branch."""


class Report(NamedTuple):
    """What became of it."""

    plan: Plan
    trained: Trained
    facts: Facts
    verdict: Verdict


def make(plan: Plan, trained: Trained) -> Report:
    """Everything that the report can say."""
    sides, settings = trained.sides, plan.config
    judged = compare.judge(sides, Rules(settings.gates, plan.rules, settings.experiments.metrics))
    chosen = scope.commits(plan.repo, f"{plan.base.commit}...{trained.landed.commit}")
    findings = checked(chosen, skip=_SKIPPED)
    verdict = compare.verdict(sides, judged, findings, plan.shown_champion)
    return Report(plan, trained, _facts(plan, trained, judged, findings), verdict)


def _facts(plan: Plan, trained: Trained, judged: tuple[Judged, ...], findings: Sequence[Finding]) -> Facts:
    repo, one, sides = plan.repo, trained.experiment, trained.sides
    own = plan.config.experiments.metrics
    request = data_diff.Request(
        plan.champion.commit, trained.landed.commit, largest=plan.config.data.profile_limit
    )
    pairs = (
        (sides.champion.metrics, sides.challenger.metrics),
        (sides.champion.params, sides.challenger.params),
    )
    metrics, params = (
        tuple(diff.compared(name, old.get(name), new.get(name), own) for name in dict.fromkeys((*new, *old)))
        for old, new in pairs
    )
    if sides.problem is not None:
        metrics = tuple(ValueChange(c.name, c.old, c.new, None, None) for c in metrics)
    return Facts(
        title=f"retrain {plan.model}: {plan.request.cause.text}",
        head=trained.landed.commit,
        base=plan.champion.commit,
        findings=tuple(findings),
        old=sides.champion,
        new=sides.challenger,
        metrics=metrics,
        judged=judged,
        loosened=(),
        params=tuple(change for change in params if change.old != change.new),
        data=tuple(data_diff.difference(repo, request, plan.config.data)),
        commits=int(repo.text("rev-list", "--count", trained.landed.commit, f"^{plan.base.commit}")),
        record=read.record(repo, one),
        course=history.read(repo, [one]).get(one.ref),
        stale=False,
    )


def document(report: Report) -> Document:
    """For people."""
    whole = sections.document(report.facts, report.plan.config.schemas)
    found = (_why(report), *(_renamed(one, report) for one in whole.sections))
    outcome = html.OUTCOMES[report.verdict.exit_code]
    return Document(report.facts.title, outcome, report.verdict.text, found)


def _why(report: Report) -> Section:
    plan = report.plan
    cause = plan.request.cause
    rows = [
        ("cause", cause.text),
        ("champion", plan.shown_champion),
        ("challenger", f"{report.trained.landed.branch} ({report.trained.landed.commit[:12]})"),
        ("from", f"{plan.base.shown} ({plan.base.commit[:12]})"),
        *([("monitor", cause.source)] if cause.source else []),
    ]
    return Section("Why", (Table(("", ""), rows),), tuple(_notes(report)))


def _notes(report: Report) -> Iterator[str]:
    cause = report.plan.request.cause
    yield from cause.findings
    if cause.subject and cause.subject != report.plan.model:
        yield f"the findings are of `{cause.subject}`, not of `{report.plan.model}`"
    if left := report.trained.landed.left_out:
        yield f"files that the run left and that are no results are not on the branch: {land.names(left)}"


_HEADERS = {"base": "champion", "this change": "challenger"}
_FACTS = {"merge base": "champion's commit"}


def _renamed(section: Section, report: Report) -> Section:
    """In a retraining the two sides have names."""
    tables = tuple(
        table._replace(
            header=tuple(_HEADERS.get(name, name) for name in table.header),
            rows=[[_FACTS.get(str(row[0]), row[0]), *row[1:]] for row in table.rows],
        )
        for table in section.tables
    )
    notes = report.trained.how if section.title == "Metrics" else section.notes
    return section._replace(tables=tables, notes=notes)


def plain(report: Report) -> dict[str, object]:
    """For programs."""
    plan, trained = report.plan, report.trained
    cause = plan.request.cause
    found = jsonable.finite(
        {
            **reviewed.plain(report.facts),
            "exit_code": report.verdict.exit_code,
            "verdict": report.verdict.text,
            "model": plan.model,
            "because": {**cause._asdict(), "findings": list(cause.findings)},
            "champion": {
                "version": plan.champion.version,
                "stage": plan.stage,
                "commit": plan.champion.commit,
            },
            "challenger": {
                "branch": trained.landed.branch,
                "commit": trained.landed.commit,
                "experiment": trained.experiment.name,
                "path": trained.model,
            },
            "into": {"branch": plan.base.branch, "commit": plan.base.commit},
            "comparable": trained.sides.problem is None,
            "measured": list(trained.how),
            "left_out": list(trained.landed.left_out),
        }
    )
    assert isinstance(found, dict)
    return found
