"""The result of a change against its gates, and the gates of the target branch."""

import pytest

from git_mlops.checks import gating, scope
from git_mlops.checks.settings import Gate
from git_mlops.experiments.parts import Parts
from git_mlops.experiments.results import Result
from git_mlops.experiments.settings import Metric
from git_mlops.findings import Finding, exit_code
from git_mlops.hooks.check import checked
from tests.checks.conftest import Project

HERE = Parts("code", "data", "params")
GATED = """experiments:
  code: [train.py]
  metrics: {auc: {direction: max, tolerance: 0.005}}
gates:
  auc: {min: 0.8, regression: 0.01}
"""


def result(*place: str, spread: float = 0.0, **metrics: object) -> Result:
    """A result of some code; of the base's where none is named."""
    parts = place[0] if place else "code"
    return Result("c", Parts(parts, "data", "params"), metrics, {}, spread={"auc": spread} if spread else {})


@pytest.mark.parametrize(
    ("gate", "old", "new", "outcome", "reason"),
    [
        (Gate(min=0.8), None, 0.8, "pass", "within its bounds"),
        (Gate(min=0.8), 0.9, 0.79, "fail", "is 0.79, below the floor 0.8"),
        (Gate(max=0.2), None, 0.3, "fail", "is 0.3, above the ceiling 0.2"),
        (Gate(regression=0.01), 0.9, 0.89, "pass", "0.9 → 0.89"),
        (Gate(regression=0.01), 0.9, 0.88, "fail", "0.9 → 0.88 is worse by 0.02, allowed are 0.01"),
        (Gate(regression=0.01), 0.8, 0.9, "pass", "0.8 → 0.9"),
        (Gate(regression_percent=10.0), 0.9, 0.82, "pass", "0.9 → 0.82"),
        (
            Gate(regression=0.5, regression_percent=1.0), 0.9, 0.8, "fail",
            "0.9 → 0.8 is worse by 0.1, allowed are 0.009",
        ),
        (Gate(regression=0.01), None, 0.9, "unknown", "the merge base has no result to compare with"),
        (Gate(min=0.8), 0.9, None, "unknown", "the merge base has it, this change does not"),
        (Gate(min=0.8), 0.9, float("nan"), "fail", "is nan, no finite number"),
        (Gate(min=0.8), 0.9, "high", "fail", "is high, no finite number"),
    ],
)  # fmt: skip
def test_one_metric_under_one_gate(
    gate: Gate, old: float | None, new: object, outcome: str, reason: str
) -> None:
    base = result() if old is None else result(auc=old)
    head = result("new") if new is None else result("new", auc=new)
    (one,) = gating.judge({"auc": gate}, base, head, {"auc": Metric()})
    assert (one.outcome, one.reason) == (outcome, reason)


def test_less_is_better_where_it_is_declared() -> None:
    gates, declared = {"loss": Gate(regression=0.01)}, {"loss": Metric("min")}
    judged = [
        next(gating.judge(gates, result(loss=0.2), result("new", loss=loss), declared)).outcome
        for loss in (0.1, 0.205, 0.3)
    ]
    assert judged == ["pass", "pass", "fail"]


def test_what_repeats_spread_over_is_no_regression() -> None:
    gates = {"auc": Gate(regression=0.01)}
    judged = [
        next(gating.judge(gates, result(auc=0.9, spread=spread), result("n", auc=0.87), {"auc": Metric()}))
        for spread in (0.0, 0.03)
    ]
    assert [(one.outcome, one.noise) for one in judged] == [("fail", 0.0), ("pass", 0.03)]


def test_a_direction_is_never_guessed() -> None:
    (one,) = gating.judge({"x": Gate(regression=1.0)}, result(x=1), result("new", x=2), {})
    assert (one.outcome, one.reason) == (
        "unknown",
        "nobody declared whether more is better: `experiments.metrics`",
    )


def test_a_pattern_names_slices_and_their_direction_is_that_of_the_last_word() -> None:
    head = result("new")._replace(metrics={"slices.a.auc": 0.9, "slices.b.auc": 0.7, "slices.b.n": 3})
    base = result()._replace(metrics={"slices.a.auc": 0.9, "slices.b.auc": 0.7, "slices.c.auc": 0.7})
    gates = {"slices.*.auc": Gate(min=0.8, regression=0.0)}
    judged = [(one.metric, one.outcome) for one in gating.judge(gates, base, head, {"auc": Metric()})]
    assert judged == [("slices.a.auc", "pass"), ("slices.b.auc", "fail"), ("slices.c.auc", "unknown")]


def test_metrics_files_of_before_are_no_result_of_another_content() -> None:
    (one,) = gating.judge({"auc": Gate(min=0.8)}, result(auc=0.9), result("new", auc=0.9), {})
    assert one.outcome == "unknown"
    assert "the metrics files are the old ones" in one.reason


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        (Gate(min=0.8), Gate(min=0.7), ["min 0.8 → 0.7"]),
        (Gate(min=0.8), Gate(), ["min 0.8 → none"]),
        (Gate(max=0.2), Gate(max=0.3), ["max 0.2 → 0.3"]),
        (Gate(min=1.0, regression=0.1), Gate(min=1.0, regression=0.2), ["regression 0.1 → 0.2"]),
        (Gate(min=0.8), None, ["removed"]),
        (Gate(min=0.8), Gate(min=0.9), []),
        (Gate(), Gate(min=0.9), []),
    ],
)  # fmt: skip
def test_a_weaker_gate_is_told(old: Gate, new: Gate | None, how: list[str]) -> None:
    after = {} if new is None else {"auc": new}
    assert [said for _pattern, said in gating.loosened({"auc": old}, after)] == how


# -- in a repository ----------------------------------------------------------------------------------------


def commit(project: Project, message: str) -> None:
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture
def topic(project: Project) -> Project:
    """`main` has gates and a result of 0.9 in a metrics file; `topic` is checked out."""
    project.settings(GATED)
    project.write("dvc.yaml", b"metrics: [metrics.json]\n")
    project.write("train.py", b"1\n")
    project.write("metrics.json", b'{"auc": 0.9}\n')
    commit(project, "old")
    project.git("switch", "-q", "-c", "topic")
    return project


def found(project: Project) -> list[Finding]:
    findings = checked(scope.commits(project.repo, "main...HEAD"))
    return [finding for finding in findings if finding.rule == "gates"]


def said(project: Project) -> list[tuple[str, str]]:
    return [(finding.level, finding.message) for finding in found(project)]


def changed(project: Project, auc: float, code: bytes = b"2\n") -> None:
    project.write("train.py", code)
    project.write("metrics.json", f'{{"auc": {auc}}}\n'.encode())
    commit(project, "change")


def test_a_change_that_costs_no_more_than_its_budget_and_noise_passes(topic: Project) -> None:
    changed(topic, 0.886)
    assert said(topic) == []


def test_a_change_that_costs_more_is_an_error(topic: Project) -> None:
    changed(topic, 0.88)
    assert said(topic) == [("error", "`auc` 0.9 → 0.88 is worse by 0.02, allowed are 0.015")]


def test_a_change_of_code_without_a_result_cannot_be_judged(topic: Project) -> None:
    changed(topic, 0.9)
    (one,) = found(topic)
    assert one.level == "unknown"
    assert exit_code([one]) == 3
    assert one.hint == "`git mlops exp run` records a result, `git mlops exp push` shares it"


def test_a_change_of_documents_has_the_result_of_before(topic: Project) -> None:
    topic.write("notes.md", b"words\n")
    commit(topic, "docs")
    assert said(topic) == []


def test_a_gate_cannot_be_loosened_by_the_change_that_fails_it(topic: Project) -> None:
    topic.settings(GATED.replace("min: 0.8, regression: 0.01", "min: 0.5"))
    changed(topic, 0.7)
    assert said(topic) == [
        ("error", "`auc` is 0.7, below the floor 0.8 (the target branch's gate)"),
        ("warning", "the gate of `auc` is weaker than the target branch's: min 0.8 → 0.5"),
        ("warning", "the gate of `auc` is weaker than the target branch's: regression 0.01 → none"),
    ]


def test_a_level_does_not_make_an_unknown_result_pass(topic: Project) -> None:
    topic.settings(GATED + "checks: {gates: note}\n")
    changed(topic, 0.9)
    assert [finding.level for finding in found(topic)] == ["unknown"]
