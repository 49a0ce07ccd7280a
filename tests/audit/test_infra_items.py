"""Section `infra`: each rule with evidence that is there, is not, has expired, or is faked."""

from collections.abc import Mapping
from types import ModuleType

from git_mlops.audit.facts import Verified

_TEST = "from model import fit\ndef test_it():\n    assert fit(1) == 2\n"


def _verified(run: object, outcome: str = "reproduced", age: int = 1, *, hand: ModuleType) -> Verified:
    oid = run.experiment.commit.oid  # type: ignore[attr-defined]  # a run
    return Verified(f"refs/mlops/verified/{oid}", oid, outcome, hand.NOW - age * hand.DAY)


def test_infra_1_is_half_for_a_run_that_was_reproduced_by_hand(hand: ModuleType) -> None:
    run = hand.experiment("a", {"auc": 1})
    shared = hand.shared_of(runs=[run], verified=[_verified(run, hand=hand)])
    assert hand.points(hand.make(shared=shared), "infra-1") == 0.5
    assert hand.points(hand.make(shared=shared, now=hand.NOW + 180 * hand.DAY), "infra-1") == 0
    differs = hand.shared_of(runs=[run], verified=[_verified(run, "differs", hand=hand)])
    assert hand.points(hand.make(shared=differs), "infra-1") == 0
    assert hand.said(hand.make(shared=differs), "infra-1") == ["a was made again: differs"]


def test_infra_1_is_whole_where_ci_makes_runs_again(hand: ModuleType) -> None:
    text = hand.WORKFLOW.replace("python -m pytest -q", "git mlops exp verify @{last}")
    ci = {".github/workflows/ci.yml": text}
    run = hand.experiment("a", {"auc": 1})
    shared = hand.shared_of(runs=[run], verified=[_verified(run, hand=hand)])
    assert hand.points(hand.make(ci, shared=shared), "infra-1") == 1
    assert hand.points(hand.make(ci, shared=hand.shared_of(runs=[run])), "infra-1") == 0


def test_infra_1_counts_a_record_that_names_everything(hand: ModuleType) -> None:
    def shared(**other: object) -> object:
        return hand.shared_of(runs=[hand.experiment("a", {"auc": 1}, record={**hand.WHOLE, **other})])

    assert hand.points(hand.make(shared=shared()), "infra-1") == 0.5
    for lacking in ({"seeds": None}, {"environment": None}, {"key": None}, {"data_dirty": ["data/a.csv"]}):
        assert hand.points(hand.make(shared=shared(**lacking)), "infra-1") == 0


def test_infra_2_wants_tests_of_the_model_in_ci(hand: ModuleType) -> None:
    files = {**hand.CODE, "tests/test_a.py": _TEST}
    assert hand.points(hand.make({**files, **hand.CI}), "infra-2") == 1
    assert hand.points(hand.make(files), "infra-2") == 0.5
    assert hand.points(hand.make({**hand.CODE, **hand.CI}), "infra-2") == 0
    for fake in ("", "def test_it():\n    assert True\n", _TEST.replace("fit(1) == 2", "True")):
        assert hand.points(hand.make({**hand.CODE, **hand.CI, "tests/test_a.py": fake}), "infra-2") == 0
    late = hand.make({**files, **hand.CI}, now=hand.NOW + 180 * hand.DAY)
    assert hand.points(late, "infra-2") == 0


def test_infra_3_wants_the_pipeline_as_a_whole(hand: ModuleType) -> None:
    ci = {".github/workflows/ci.yml": hand.WORKFLOW.replace("python -m pytest -q", "dvc repro")}
    assert hand.points(hand.make(ci), "infra-3") == 1
    shared = hand.shared_of(runs=[hand.experiment("a", {"auc": 1}, record=hand.WHOLE)])
    assert hand.points(hand.make(shared=shared), "infra-3") == 0.5
    assert hand.points(hand.make(shared=shared, now=hand.NOW + 180 * hand.DAY), "infra-3") == 0
    script = hand.shared_of(runs=[hand.experiment("a", {"auc": 1}, record={**hand.WHOLE, "how": "command"})])
    assert hand.points(hand.make(shared=script), "infra-3") == 0


def test_infra_3_counts_tests_from_data_to_predictions(hand: ModuleType) -> None:
    head = "from features import made\nfrom model import fit\nfrom measure import measured\n"
    text = f"{head}def test_it():\n    assert measured(fit(made(1))) > 0.5\n"
    files = {**hand.CODE, "src/measure.py": "", **hand.CI}
    assert hand.points(hand.make({**files, "tests/test_a.py": text}), "infra-3") == 1
    assert hand.points(hand.make({**files, "tests/test_a.py": _TEST}), "infra-3") == 0


def test_infra_4_wants_gates_of_what_is_measured(hand: ModuleType) -> None:
    shared = hand.shared_of(runs=[hand.experiment("a", {"auc": 0.8})])
    gate = "gates: {auc: {min: 0.7}}\n"
    assert hand.points(hand.make(hand.CI, settings=gate, shared=shared), "infra-4") == 1
    assert hand.points(hand.make(settings=gate, shared=shared), "infra-4") == 0.5
    assert hand.points(hand.make(hand.CI, settings=gate), "infra-4") == 0
    assert hand.points(hand.make(hand.CI, settings="gates: {auc: {}}\n", shared=shared), "infra-4") == 0
    assert hand.points(hand.make(hand.CI, settings="gates: {f1: {min: 1}}\n", shared=shared), "infra-4") == 0


def _released(hand: ModuleType, said: Mapping[str, object], made: Mapping[str, object] = {}) -> object:
    return hand.shared_of(
        [(hand.event("churn@v1.0.0", age=5), made), (hand.event("churn#prod#2", age=2), said)]
    )


def test_infra_4_counts_the_rules_of_a_stage(hand: ModuleType) -> None:
    passed = _released(hand, {"gate": {"outcome": "pass", "checked": ["auc 0.9 >= 0.8"]}})
    rules = "models: {stages: {prod: {metrics: {auc: {min: 0.8}}}}}\n"
    assert hand.points(hand.make(settings=rules, shared=passed), "infra-4") == 1
    assert hand.points(hand.make(shared=passed), "infra-4") == 0.5
    nothing = _released(hand, {"gate": {"outcome": "pass", "checked": []}})
    assert hand.points(hand.make(settings=rules, shared=nothing), "infra-4") == 0
    assert (
        hand.points(hand.make(settings=rules, shared=passed, now=hand.NOW + 366 * hand.DAY), "infra-4") == 0
    )


def test_infra_5_wants_a_release_that_is_traced_to_a_run_that_is_here(hand: ModuleType) -> None:
    run = hand.experiment("a", {"auc": 1}, record=hand.WHOLE)
    made = {
        "experiment": {"commit": run.experiment.commit.oid},
        "data": [{"path": "a"}],
        "environment": {"lock": "e"},
    }
    shared = _released(hand, {}, made)._replace(runs=(run,))  # type: ignore[attr-defined]  # what is shared
    assert hand.points(hand.make(shared=shared), "infra-5") == 1
    assert hand.points(hand.make(shared=shared._replace(runs=())), "infra-5") == 0
    dirty = _released(hand, {}, {**made, "data_dirty": ["a"]})._replace(runs=(run,))  # type: ignore[attr-defined]
    assert hand.points(hand.make(shared=dirty), "infra-5") == 0.5
    assert "churn v1.0.0 in prod cannot be traced: no clean data" in hand.said(
        hand.make(shared=dirty), "infra-5"
    )


def _canaried(hand: ModuleType, before: str, age: int = 3) -> object:
    return hand.shared_of([
        (hand.event("churn@v1.0.0", age=5), {}), (hand.event(f"churn#{before}#2", age=age), {}),
        (hand.event("churn#prod#3", age=2), {}),
    ])  # fmt: skip


def test_infra_6_wants_a_canary_before_production(hand: ModuleType) -> None:
    rule = "models: {stages: {canary: {}, prod: {after: [canary]}}}\n"
    assert hand.points(hand.make(settings=rule, shared=_canaried(hand, "canary")), "infra-6") == 1
    assert hand.points(hand.make(shared=_canaried(hand, "canary")), "infra-6") == 0.5
    assert hand.points(hand.make(shared=_canaried(hand, "dev")), "infra-6") == 0
    assert hand.points(hand.make(shared=_canaried(hand, "canary", age=1)), "infra-6") == 0
    assert hand.points(hand.make(settings=rule), "infra-6") == 0
    assert (
        hand.points(hand.make(shared=_canaried(hand, "canary"), now=hand.NOW + 366 * hand.DAY), "infra-6")
        == 0
    )


def _rolled_back(hand: ModuleType, *, said: Mapping[str, object]) -> object:
    return hand.shared_of([
        (hand.event("churn@v1.0.0", age=9), {}), (hand.event("churn#prod#2", age=8), {}),
        (hand.event("churn@v1.1.0", age=7, commit="e" * 40), {}),
        (hand.event("churn#prod#4", age=6, commit="e" * 40), {}),
        (hand.event("churn#prod#5", age=5.5), said),
    ])  # fmt: skip


def test_infra_7_wants_a_rollback_and_ci_that_deploys_tags(hand: ModuleType) -> None:
    shared = _rolled_back(hand, said={"rollback": True})
    assert hand.points(hand.make(shared=shared), "infra-7") == 0.5
    assert hand.points(hand.make(shared=_rolled_back(hand, said={})), "infra-7") == 0
    assert hand.points(hand.make(shared=shared, now=hand.NOW + 366 * hand.DAY), "infra-7") == 0
    text = "on: {push: {tags: ['*#prod#*']}}\njobs: {a: {steps: [{run: ./deploy}]}}\n"
    ci = {".github/workflows/deploy.yml": text}
    assert (
        hand.points(hand.make(ci, settings="ci: {deploy: {prod: ./deploy}}\n", shared=shared), "infra-7") == 1
    )
    assert hand.points(hand.make(ci, settings="ci: {deploy: {prod: ./deploy}}\n"), "infra-7") == 0


def test_dora_is_counted_from_tags(hand: ModuleType) -> None:
    shared = _rolled_back(hand, said={"rollback": True})
    found = hand.of(hand.make(shared=shared)).dora
    assert (found.deployments, found.failures, found.failure_rate, found.restore_hours) == (2, 1, 0.5, 12.0)
    assert (found.first, found.last) == ("churn#prod#2", "churn#prod#4")


def test_dora_knows_how_long_a_commit_took(hand: ModuleType) -> None:
    events = [
        (hand.event("churn@v1.0.0", age=9), {"commit": "d" * 40}),
        (hand.event("churn#prod#2", age=8), {}),
    ]
    shared = hand.shared_of(events, times={"d" * 40: hand.NOW - 11 * hand.DAY})
    found = hand.of(hand.make(shared=shared)).dora
    assert (found.lead_days, found.failure_rate, found.restore_hours) == (3.0, 0.0, None)


def test_dora_of_nothing_is_nothing(hand: ModuleType) -> None:
    assert hand.of(hand.make()).dora.deployments == 0
    old = hand.make(shared=_rolled_back(hand, said={}), now=hand.NOW + 200 * hand.DAY)
    assert hand.of(old).dora.deployments == 0


def test_dora_counts_a_version_that_was_taken_back_as_a_failure(hand: ModuleType) -> None:
    events: list[object] = [(hand.event("churn@v1.0.0", age=9), {}), (hand.event("churn#prod#2", age=8), {}),
              (hand.event("churn@v1.0.0!#3", age=7), {})]  # fmt: skip
    found = hand.of(hand.make(shared=hand.shared_of(events))).dora
    assert (found.failures, found.restore_hours) == (1, None)
