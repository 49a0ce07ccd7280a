"""The pure parts: causes, names of branches, what decides, settings."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from git_mlops import config
from git_mlops.checks.settings import Gate
from git_mlops.decode import DecodeError
from git_mlops.errors import MlopsError
from git_mlops.experiments.parts import Parts
from git_mlops.experiments.results import Result
from git_mlops.experiments.settings import Metric
from git_mlops.findings import Finding
from git_mlops.models.settings import Bound, Stage
from git_mlops.retrain import cause, compare, measured
from git_mlops.retrain.compare import Rules, Sides
from git_mlops.retrain.measured import Ground

DAY = datetime(2026, 11, 21, tzinfo=UTC)
AUC = {"auc": Metric("max", 0.01), "loss": Metric("min")}


@pytest.mark.parametrize(
    ("model", "because", "expected"),
    [
        ("churn", "drift", "retrain/churn-drift"),
        ("churn", "schedule", "retrain/churn-2026-11-21"),
        ("svc:churn", "decay", "retrain/svc=churn-decay"),
        ("churn", "the auditor asked; now", "retrain/churn-2026-11-21"),
    ],
)
def test_a_branch_is_called_by_its_cause_or_the_day(model: str, because: str, expected: str) -> None:
    assert cause.branch(model, cause.of(because, None), DAY) == expected


def test_findings_come_with_or_without_the_envelope(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    inner = {
        "name": "churn",
        "model_version": "v1.0.0",
        "findings": [{"message": "age  moved"}, {"rule": "no message"}, 3],
    }
    for value in (inner, {"mlops": 1, "kind": "monitor", "data": inner}):
        file.write_text(json.dumps(value))
        found = cause.of("drift", file)
        assert (found.findings, found.subject) == (("age moved",), "churn")


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        (["quality", "drift"], "drift"),
        (["range"], "drift"),
        (["quality"], "decay"),
        (["latency"], ""),
        ([], ""),
    ],
)
def test_what_was_found_is_the_reason(tmp_path: Path, rules: list[str], kind: str) -> None:
    file = tmp_path / "f.json"
    found = [{"rule": rule, "level": "error", "message": rule} for rule in rules]
    found += [{"rule": "drift", "level": "unknown", "message": "too few rows"}]
    file.write_text(json.dumps({"name": "m", "findings": found}))
    made = cause.of(None, file)
    assert (made.kind, made.findings) == (kind, tuple(rules))
    assert cause.of("decay", file).kind == "decay"


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is not JSON"), ("[1]", "not what the monitor"), ("{}", "no findings")]
)
def test_another_file_is_no_finding(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "f.json"
    file.write_text(text)
    with pytest.raises(MlopsError, match=said):
        cause.of("drift", file)


def result(**metrics: object) -> Result:
    return Result("c" * 40, Parts("a", "b", "c"), metrics, {})


def judged(old: Result, new: Result, problem: str | None = None, **rules: object) -> tuple[int, str]:
    sides = Sides(old, new, problem)
    known = Rules(rules.pop("gates", {}), rules.pop("stage", Stage()), rules.pop("metrics", AUC))  # type: ignore[arg-type]
    found = compare.judge(sides, known)
    return compare.verdict(sides, found, rules.pop("findings", ()), "m v1")  # type: ignore[arg-type]


def test_every_metric_with_a_direction_must_hold() -> None:
    old = result(auc=0.9, loss=0.3, rows=5, **{"slices.a.auc": 0.8})
    assert judged(old, result(auc=0.91, loss=0.3, rows=1, **{"slices.a.auc": 0.1}))[0] == 0
    assert judged(old, result(auc=0.895, loss=0.3))[0] == 0  # within its tolerance
    code, text = judged(old, result(auc=0.95, loss=0.31))
    assert (code, "`loss` 0.3 → 0.31 is worse by 0.01" in text) == (1, True)


def test_the_stage_may_name_fewer_and_a_gate_may_give_a_budget() -> None:
    old, new = result(auc=0.9, loss=0.3), result(auc=0.9, loss=0.4)
    assert judged(old, new, stage=Stage(no_worse=("auc",)))[0] == 0
    assert judged(old, new, gates={"loss": Gate(regression=0.2)})[0] == 0
    assert (
        judged(
            old, new, gates={"loss": Gate(regression=0.2)}, stage=Stage(metrics={"loss": Bound(max=0.35)})
        )[0]
        == 1
    )


def test_a_gate_makes_a_slice_count() -> None:
    old, new = result(auc=0.9, **{"slices.a.auc": 0.8}), result(auc=0.9, **{"slices.a.auc": 0.6})
    assert judged(old, new, gates={"slices.*.auc": Gate(regression=0.05)})[0] == 1


def test_what_cannot_be_compared_is_never_called_good() -> None:
    old, new = result(auc=0.9), result(auc=0.95)
    assert judged(old, new, "other data") == (3, "not comparable with m v1: other data")
    assert judged(old, new, "other data", gates={"auc": Gate(min=0.99)})[0] == 1
    assert judged(old, new, metrics={})[0] == 3
    assert judged(old, result())[0] == 3
    assert judged(old, result(auc=float("nan")))[0] == 1


def test_an_error_of_a_check_counts() -> None:
    old, new = result(auc=0.9), result(auc=0.95)
    assert judged(old, new, findings=(Finding("schema", "error", "nulls", "data/a.csv"),)) == (
        1, "the challenger is worse than m v1 or breaks a rule: data/a.csv: nulls",
    )  # fmt: skip
    assert judged(old, new, findings=(Finding("schema", "unknown", "not here"),))[0] == 3


def test_only_the_same_held_back_data_is_the_same() -> None:
    assert measured.difference(Ground({"t": "1"}), Ground({"t": "1"}, {"e.py": "2"})) is None
    assert "`t`" in (measured.difference(Ground({"t": "1"}), Ground({"t": "2"})) or "")
    assert "`u`" in (measured.difference(Ground({"t": "1"}), Ground({"t": "1", "u": "2"})) or "")
    assert "nobody knows" in (measured.difference(Ground({}), Ground({})) or "")


@pytest.mark.parametrize(
    ("command", "said"),
    [("python e.py", "does not say where the model goes"), ("python '{model}", "is no command")],
)
def test_a_command_that_cannot_be_one_is_refused(command: str, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        config.parse(f"version: 1\nretrain: {{evaluate: {json.dumps(command)}}}\n".encode())
