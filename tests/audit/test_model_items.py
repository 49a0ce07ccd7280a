"""Section `model`: each rule with evidence that is there, is not, has expired, or is faked."""

from types import ModuleType

from git_mlops.audit.facts import Change, Observation

PROD = "models: {stages: {prod: {approvals: 1}}}\n"


def _approved(hand: ModuleType, who: str = "bob@example.com", *, tag: bool = True) -> object:
    approval = hand.event("approve/churn@v1.0.0#prod#0123456789", age=3, who=who)
    said = {"approvals": [{"who": who, "tag": approval.tag, "oid": approval.oid}]}
    events = [(hand.event("churn@v1.0.0", age=5), {}), (hand.event("churn#prod#1", age=2), said)]
    return hand.shared_of(events, approvals=[approval] if tag else [])


def test_model_1_is_whole_where_somebody_else_had_to_approve(hand: ModuleType) -> None:
    assert hand.points(hand.make(settings=PROD, shared=_approved(hand)), "model-1") == 1
    assert hand.points(hand.make(shared=_approved(hand)), "model-1") == 0.5
    assert hand.points(hand.make(settings=PROD), "model-1") == 0


def test_model_1_is_nothing_for_approvals_by_oneself_or_without_a_tag(hand: ModuleType) -> None:
    assert hand.points(hand.make(settings=PROD, shared=_approved(hand, "ada@example.com")), "model-1") == 0
    assert hand.points(hand.make(settings=PROD, shared=_approved(hand, tag=False)), "model-1") == 0


def test_model_1_expires_after_a_year(hand: ModuleType) -> None:
    assert (
        hand.points(
            hand.make(settings=PROD, shared=_approved(hand), now=hand.NOW + 366 * hand.DAY), "model-1"
        )
        == 0
    )


def test_model_1_counts_a_review_of_the_models_code_by_somebody_else(hand: ModuleType) -> None:
    change = Change(
        "a" * 40,
        hand.NOW - hand.DAY,
        "ada@example.com",
        "ada@example.com",
        1,
        ("Bob <bob@example.com>",),
        ("src/model.py",),
    )
    shared = hand.shared_of()
    assert hand.points(hand.make(shared=shared._replace(history=(change,))), "model-1") == 0.5
    own = change._replace(reviewers=("Ada <ada@example.com>",))
    assert hand.points(hand.make(shared=shared._replace(history=(own,))), "model-1") == 0
    other = change._replace(paths=("README.md",))
    assert hand.points(hand.make(shared=shared._replace(history=(other,))), "model-1") == 0


def test_model_1_counts_owners_of_code_that_are_named(hand: ModuleType) -> None:
    assert hand.points(hand.make({"CODEOWNERS": "* @ada\n"}), "model-1") == 0.5
    assert hand.points(hand.make({"CODEOWNERS": "# nobody\n"}), "model-1") == 0


def _observation(hand: ModuleType, version: str = "v1.0.0", age: float = 1, **metrics: float) -> Observation:
    time = hand.NOW - int(age * hand.DAY)
    kinds = frozenset({"drift", "quality"})
    return Observation("refs/mlops/monitor/churn", "c" * 40, "churn", version, time, kinds, metrics)


def test_model_2_wants_the_same_metric_offline_and_online_of_two_versions(hand: ModuleType) -> None:
    offline = {"metrics": {"auc": 0.9}}
    events = [
        (hand.event("churn@v1.0.0", age=9), offline),
        (hand.event("churn@v1.1.0", age=8, commit="e" * 40), offline),
    ]
    both = [_observation(hand, auc=0.8), _observation(hand, "v1.1.0", auc=0.9)]
    assert hand.points(hand.make(shared=hand.shared_of(events, observed=both)), "model-2") == 1
    assert hand.points(hand.make(shared=hand.shared_of(events, observed=both[:1])), "model-2") == 0.5
    assert (
        hand.points(
            hand.make(shared=hand.shared_of(events, observed=[_observation(hand, f1=0.8)])), "model-2"
        )
        == 0
    )
    assert hand.points(hand.make(shared=hand.shared_of(observed=both)), "model-2") == 0
    late = hand.make(shared=hand.shared_of(events, observed=both), now=hand.NOW + 180 * hand.DAY)
    assert hand.points(late, "model-2") == 0


def _runs(hand: ModuleType, param: str, values: list[object], key: str = "1") -> list[object]:
    record = {"key": {"code": key, "data": "2", "params": "3"}}
    return [hand.experiment(f"{key}{param}{v}", {"auc": 0.9}, {param: v}, record=record) for v in values]


def test_model_3_wants_runs_that_differ_in_hyperparameters_alone(hand: ModuleType) -> None:
    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=_runs(hand, "depth", [1, 2, 3]))), "model-3") == 0.5
    )
    assert hand.points(hand.make(shared=hand.shared_of(runs=_runs(hand, "depth", [1, 2]))), "model-3") == 0
    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=_runs(hand, "train.seed", [1, 2, 3]))), "model-3")
        == 0
    )
    mixed = [*_runs(hand, "depth", [1, 2]), *_runs(hand, "depth", [3], key="9")]
    assert hand.points(hand.make(shared=hand.shared_of(runs=mixed)), "model-3") == 0


def test_model_3_is_whole_where_ci_searches(hand: ModuleType) -> None:
    text = hand.WORKFLOW.replace("python -m pytest -q", "git mlops sweep run")
    shared = hand.shared_of(runs=_runs(hand, "depth", [1, 2, 3]))
    assert hand.points(hand.make({".github/workflows/ci.yml": text}, shared=shared), "model-3") == 1
    assert hand.points(hand.make({".github/workflows/ci.yml": text}), "model-3") == 0


def test_model_3_expires(hand: ModuleType) -> None:
    shared = hand.shared_of(runs=_runs(hand, "depth", [1, 2, 3]))
    assert hand.points(hand.make(shared=shared, now=hand.NOW + 180 * hand.DAY), "model-3") == 0


def test_model_4_wants_the_same_run_on_other_data(hand: ModuleType) -> None:
    def run(name: str, data: str, params: str = "3") -> object:
        return hand.experiment(
            name, {"auc": 0.9}, record={"key": {"code": "1", "data": data, "params": params}}
        )

    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=[run("a", "1"), run("b", "2")])), "model-4") == 0.5
    )
    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=[run("a", "1"), run("b", "2", "4")])), "model-4")
        == 0
    )
    assert hand.points(hand.make(shared=hand.shared_of(runs=[run("a", "1"), run("b", "1")])), "model-4") == 0
    late = hand.make(
        shared=hand.shared_of(runs=[run("a", "1"), run("b", "2")]), now=hand.NOW + 180 * hand.DAY
    )
    assert hand.points(late, "model-4") == 0


_BASELINE = "from model import fit\ndef test_better():\n    baseline = 0.5\n    assert fit(1) > baseline\n"


def test_model_5_wants_a_simpler_model_beside_it(hand: ModuleType) -> None:
    files = {**hand.CODE, "tests/test_a.py": _BASELINE}
    assert hand.points(hand.make({**files, **hand.CI}), "model-5") == 1
    assert hand.points(hand.make(files), "model-5") == 0.5
    fake = {**hand.CODE, **hand.CI, "tests/test_a.py": _BASELINE.replace("fit(1) > baseline", "True")}
    assert hand.points(hand.make(fake), "model-5") == 0


def test_model_5_counts_a_run_of_a_simpler_model(hand: ModuleType) -> None:
    runs = [hand.experiment("baseline", {"auc": 0.7})]
    assert hand.points(hand.make(shared=hand.shared_of(runs=runs)), "model-5") == 0.5
    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=[hand.experiment("baseline", {})])), "model-5") == 0
    )
    kinds = [
        hand.experiment("a", {"auc": 0.7}, {"kind": "linear"}),
        hand.experiment("b", {"auc": 0.8}, {"kind": "forest"}),
    ]
    assert hand.points(hand.make(shared=hand.shared_of(runs=kinds)), "model-5") == 0.5
    assert hand.points(hand.make(shared=hand.shared_of(runs=kinds[:1])), "model-5") == 0
    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=kinds), now=hand.NOW + 180 * hand.DAY), "model-5")
        == 0
    )


_GATE = "gates: {slices.*.auc: {min: 0.7}}\n"


def test_model_6_wants_gates_of_slices_that_are_measured(hand: ModuleType) -> None:
    shared = hand.shared_of(runs=[hand.experiment("a", {"slices.small.auc": 0.8})])
    assert hand.points(hand.make(hand.CI, settings=_GATE, shared=shared), "model-6") == 1
    assert hand.points(hand.make(settings=_GATE, shared=shared), "model-6") == 0.5
    assert hand.points(hand.make(hand.CI, settings=_GATE), "model-6") == 0
    assert (
        hand.points(
            hand.make(
                hand.CI, settings=_GATE, shared=hand.shared_of(runs=[hand.experiment("a", {"auc": 1})])
            ),
            "model-6",
        )
        == 0
    )
    holds_nothing = "gates: {slices.*.auc: {}}\n"
    assert hand.points(hand.make(hand.CI, settings=holds_nothing, shared=shared), "model-6") == 0.5
    off = f"{_GATE}checks: {{gates: off}}\n"
    assert hand.points(hand.make(hand.CI, settings=off, shared=shared), "model-6") == 0.5


def test_model_7_wants_slices_that_are_people(hand: ModuleType) -> None:
    people = hand.shared_of(runs=[hand.experiment("a", {"slices.women.auc": 0.8})])
    assert hand.points(hand.make(hand.CI, settings=_GATE, shared=people), "model-7") == 1
    assert hand.points(hand.make(shared=people), "model-7") == 0.5
    things = hand.shared_of(runs=[hand.experiment("a", {"slices.storage.auc": 0.8})])
    assert hand.points(hand.make(hand.CI, settings=_GATE, shared=things), "model-7") == 0
    assert hand.points(hand.make(shared=people, now=hand.NOW + 180 * hand.DAY), "model-7") == 0


def test_model_7_counts_tests_of_fairness(hand: ModuleType) -> None:
    text = "from model import fit\ndef test_fairness():\n    assert fit(1) == fit(2)\n"
    assert hand.points(hand.make({**hand.CODE, **hand.CI, "tests/test_a.py": text}), "model-7") == 1
    assert (
        hand.points(
            hand.make({**hand.CODE, **hand.CI, "tests/test_a.py": text.replace("fit(1) == fit(2)", "True")}),
            "model-7",
        )
        == 0
    )
