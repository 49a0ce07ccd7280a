"""Section `monitor`: each rule with evidence that is there, is not, has expired, or is faked."""

import json
from types import ModuleType

import pytest

from git_mlops.audit import observed
from git_mlops.audit.facts import Observation

_SCHEDULED = {
    ".github/workflows/watch.yml": "on: {schedule: [{cron: '0 5 * * *'}]}\n"
    "jobs: {a: {steps: [{run: git mlops monitor churn}]}}\n"
}
_WATCHED = {"monitor-2": "schema", "monitor-3": "skew", "monitor-4": "staleness", "monitor-5": "numeric",
            "monitor-6": "performance", "monitor-7": "quality"}  # fmt: skip


_BOUNDS = "monitor: {ages: {model: 90d}, latency: 100}\n"


def _seen(hand: ModuleType, kind: str, age: float = 1) -> Observation:
    time = hand.NOW - int(age * hand.DAY)
    return Observation("refs/mlops/monitor/churn", "c" * 40, "churn", "v1.0.0", time, frozenset({kind}), {})


@pytest.mark.parametrize(("item", "kind"), _WATCHED.items())
def test_what_is_watched_on_a_schedule_is_whole_and_by_hand_half(
    hand: ModuleType, item: str, kind: str
) -> None:
    shared = hand.shared_of(observed=[_seen(hand, kind)])
    assert hand.points(hand.make(_SCHEDULED, settings=_BOUNDS, shared=shared), item) == 1
    assert hand.points(hand.make(shared=shared), item) == 0.5
    assert hand.points(hand.make(_SCHEDULED), item) == 0
    assert (
        hand.points(hand.make(_SCHEDULED, shared=hand.shared_of(observed=[_seen(hand, "other")])), item) == 0
    )


@pytest.mark.parametrize(("item", "kind"), _WATCHED.items())
def test_watching_that_stopped_is_half_and_then_nothing(hand: ModuleType, item: str, kind: str) -> None:
    shared = hand.shared_of(observed=[_seen(hand, kind)])
    assert hand.points(hand.make(_SCHEDULED, shared=shared, now=hand.NOW + 30 * hand.DAY), item) == 0.5
    assert hand.points(hand.make(_SCHEDULED, shared=shared, now=hand.NOW + 180 * hand.DAY), item) == 0


def test_watching_on_three_days_of_a_month_goes_on_by_itself(hand: ModuleType) -> None:
    days = [_seen(hand, "quality", age) for age in (1, 2, 3)]
    assert hand.points(hand.make(shared=hand.shared_of(observed=days)), "monitor-7") == 1
    once = [_seen(hand, "quality", 1)] * 3
    assert hand.points(hand.make(shared=hand.shared_of(observed=once)), "monitor-7") == 0.5


def test_what_is_watched_without_a_bound_is_half(hand: ModuleType) -> None:
    for item, kind in (("monitor-4", "staleness"), ("monitor-6", "performance")):
        shared = hand.shared_of(observed=[_seen(hand, kind)])
        assert hand.points(hand.make(_SCHEDULED, shared=shared), item) == 0.5


def test_an_observation_of_tomorrow_is_none(hand: ModuleType) -> None:
    shared = hand.shared_of(observed=[_seen(hand, "quality", age=-1)])
    assert hand.points(hand.make(shared=shared), "monitor-7") == 0


_BOT = "version: 2\nupdates:\n- {package-ecosystem: pip, directory: /, schedule: {interval: weekly}}\n"


def test_monitor_1_wants_somebody_who_tells(hand: ModuleType) -> None:
    assert hand.points(hand.make({".github/dependabot.yml": _BOT}), "monitor-1") == 1
    for fake in (
        "",
        "version: 2\nupdates: []\n",
        _BOT.replace("pip", "docker"),
        _BOT.replace("schedule", "x"),
        "a: [",
    ):
        assert hand.points(hand.make({".github/dependabot.yml": fake}), "monitor-1") == 0
    assert hand.points(hand.make({"renovate.json": "{}"}), "monitor-1") == 1
    assert hand.points(hand.make({"renovate.json": '{"enabled": false}'}), "monitor-1") == 0
    audited = {".github/workflows/ci.yml": hand.WORKFLOW.replace("python -m pytest -q", "pip-audit")}
    assert hand.points(hand.make(audited), "monitor-1") == 1


def test_monitor_1_counts_a_lock_half(hand: ModuleType) -> None:
    assert hand.points(hand.make({"requirements.lock": "numpy==2.1.0\n"}), "monitor-1") == 0.5
    assert hand.points(hand.make({"requirements.lock": "numpy\n"}), "monitor-1") == 0
    assert hand.points(hand.make({"requirements.lock": "# nothing\n"}), "monitor-1") == 0


def test_monitor_2_counts_the_contract_of_what_is_released(hand: ModuleType) -> None:
    def shared(made: dict[str, object]) -> object:
        return hand.shared_of(
            [(hand.event("churn@v1.0.0", age=5), made), (hand.event("churn#prod#2", age=2), {})]
        )

    assert hand.points(hand.make(shared=shared({"contract": {"hash": "a"}})), "monitor-2") == 0.5
    assert hand.points(hand.make(shared=shared({})), "monitor-2") == 0
    registered = hand.shared_of([(hand.event("churn@v1.0.0", age=5), {"contract": {"hash": "a"}})])
    assert hand.points(hand.make(shared=registered), "monitor-2") == 0


def test_monitor_3_counts_tests_through_the_server_half(hand: ModuleType) -> None:
    text = (
        "from serve import answers\nfrom model import fit\ndef test_it():\n    assert answers(1) == fit(1)\n"
    )
    files = {**hand.CODE, **hand.CI, "src/serve.py": ""}
    assert hand.points(hand.make({**files, "tests/test_a.py": text}), "monitor-3") == 0.5
    assert (
        hand.points(hand.make({**files, "tests/test_a.py": text.replace("== fit(1)", "")}), "monitor-3") == 0
    )


def test_monitor_4_counts_a_rule_on_age_half(hand: ModuleType) -> None:
    shared = hand.shared_of(
        [(hand.event("churn@v1.0.0", age=5), {}), (hand.event("churn#prod#2", age=2), {})]
    )
    rule = "models: {stages: {prod: {max_age: 30d}}}\n"
    assert hand.points(hand.make(settings=rule, shared=shared), "monitor-4") == 0.5
    assert hand.points(hand.make(settings=rule), "monitor-4") == 0


def test_monitor_5_counts_tests_and_gates_half(hand: ModuleType) -> None:
    text = "import numpy as np\nfrom model import fit\ndef test_it():\n    assert np.isfinite(fit(1)).all()\n"
    assert hand.points(hand.make({**hand.CODE, **hand.CI, "tests/test_a.py": text}), "monitor-5") == 0.5
    shared = hand.shared_of(runs=[hand.experiment("a", {"auc": 0.8})])
    assert (
        hand.points(hand.make(hand.CI, settings="gates: {auc: {min: 0.7}}\n", shared=shared), "monitor-5")
        == 0.5
    )
    assert hand.points(hand.make(hand.CI, settings="gates: {auc: {}}\n", shared=shared), "monitor-5") == 0


def test_monitor_6_counts_gates_of_speed_and_what_runs_recorded(hand: ModuleType) -> None:
    shared = hand.shared_of(runs=[hand.experiment("a", {"latency_ms": 8})])
    assert (
        hand.points(
            hand.make(hand.CI, settings="gates: {latency_ms: {max: 9}}\n", shared=shared), "monitor-6"
        )
        == 1
    )
    timed = [hand.experiment(name, {"auc": 1}, record=hand.WHOLE) for name in ("a", "b")]
    assert hand.points(hand.make(shared=hand.shared_of(runs=timed)), "monitor-6") == 0.5
    assert hand.points(hand.make(shared=hand.shared_of(runs=timed[:1])), "monitor-6") == 0


# -- the record ----------------------------------------------------------------------------------------------

_RECORD: dict[str, object] = {
    "version": 1, "name": "churn", "model_version": "v1.0.0", "time": "2026-11-20T05:00:00+00:00",
    "columns": {"age": {"alarm": False, "infinite": 0}}, "numbers": {"model_age_seconds": 5, "p95_ms": 9.0},
    "quality": {"metrics": {"auc": [0.9, 0.01]}},
}  # fmt: skip


def _parsed(**other: object) -> Observation | None:
    return observed.parsed("c" * 40, json.dumps({**_RECORD, **other}).encode(), ("churn",))


def test_a_record_says_what_was_looked_at() -> None:
    one = _parsed()
    assert one is not None
    assert one.kinds == {"drift", "skew", "schema", "numeric", "quality", "staleness", "performance"}
    assert (one.version, one.metrics, one.ref) == ("v1.0.0", {"auc": 0.9}, "refs/mlops/monitor/churn")


def test_a_record_of_no_model_or_of_another_version_is_none() -> None:
    assert _parsed(name="other") is None
    assert _parsed(model_version=None) is None
    assert _parsed(version=2) is None
    assert _parsed(time="soon") is None
    assert observed.parsed("c" * 40, b"{", ("churn",)) is None


def test_a_record_of_too_few_rows_says_nothing_of_them() -> None:
    one = _parsed(findings=[{"rule": "drift", "level": "unknown"}], numbers={}, quality=None)
    assert one is not None
    assert one.kinds == frozenset()


def test_a_record_that_looked_at_nothing_says_nothing() -> None:
    one = _parsed(columns={}, numbers={}, quality=None)
    assert one is not None
    assert one.kinds == frozenset()
