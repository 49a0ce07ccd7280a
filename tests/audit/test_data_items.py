"""Section `data`: each rule with evidence that is there, is not, has expired, or is faked."""

from types import ModuleType

import pytest

from git_mlops.audit.facts import Change
from git_mlops.audit.pipelines import Pipelines


def test_data_1_is_whole_where_ci_checks_and_every_table_satisfies_its_schema(hand: ModuleType) -> None:
    facts = hand.make(hand.CI, tables=[hand.table()])
    assert hand.points(facts, "data-1") == 1


def test_data_1_is_half_without_ci(hand: ModuleType) -> None:
    assert hand.points(hand.make(tables=[hand.table()]), "data-1") == 0.5


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": None},  # no verdict, or one of other data or another schema
        {"outcome": "fail"},
        {"problem": "it checks nothing"},
        {"problem": "it does not exist"},
        {"schema": None},
    ],
)
def test_data_1_is_nothing_without_a_verdict_or_a_schema_that_checks(
    hand: ModuleType, values: dict[str, object]
) -> None:
    assert hand.points(hand.make(hand.CI, tables=[hand.table(**values)]), "data-1") == 0


def test_data_1_is_half_where_a_table_is_left_out(hand: ModuleType) -> None:
    facts = hand.make(hand.CI, tables=[hand.table(), hand.table("data/b.csv", schema=None)])
    assert hand.points(facts, "data-1") == 0.5
    made = hand.make(hand.CI, tables=[hand.table(), hand.table("data/b.csv", schema=None, raw=False)])
    assert hand.points(made, "data-1") == 1


def test_data_1_is_half_where_the_rule_is_off(hand: ModuleType) -> None:
    facts = hand.make(hand.CI, settings="checks: {schema: off}\n", tables=[hand.table()])
    assert hand.points(facts, "data-1") == 0.5
    text = hand.WORKFLOW.replace("git mlops check", "git mlops check --skip schema")
    facts = hand.make({".github/workflows/ci.yml": text}, tables=[hand.table()])
    assert hand.points(facts, "data-1") == 0.5


def test_data_1_falls_when_ci_ran_last_long_ago(hand: ModuleType) -> None:
    facts = hand.make(hand.CI, tables=[hand.table()], now=hand.NOW + 181 * hand.DAY)
    assert hand.points(facts, "data-1") == 0.5


def test_data_1_says_why_ci_does_not_count(hand: ModuleType) -> None:
    text = hand.WORKFLOW.replace("[push, pull_request]", "workflow_dispatch")
    facts = hand.make({".github/workflows/ci.yml": text}, tables=[hand.table()])
    assert "not counted: nothing triggers it: no push, pull request or schedule" in hand.said(facts, "data-1")


_ABLATION = "from features import made\ndef test_ablation():\n    assert made(1)\n"


def test_data_1_counts_tests_of_data_half(hand: ModuleType) -> None:
    text = "import great_expectations as ge\ndef test_it():\n    assert ge.read_csv('a').validate().success\n"
    assert hand.points(hand.make({**hand.CI, "tests/test_a.py": text}), "data-1") == 0.5
    fake = text.replace("assert ge.read_csv('a').validate().success", "assert ge")
    assert (
        hand.points(
            hand.make({**hand.CI, "tests/test_a.py": fake.replace("assert ge", "assert True")}), "data-1"
        )
        == 0
    )


def test_tests_count_where_pytest_looks(hand: ModuleType) -> None:
    files = {**hand.CODE, **hand.CI, "tests/test_a.py": _TEST}
    assert hand.points(hand.make({**files, "pytest.ini": "[pytest]\ntestpaths = tests\n"}), "data-7") == 1
    assert hand.points(hand.make({**files, "pytest.ini": "[pytest]\ntestpaths = other\n"}), "data-7") == 0.5


def test_data_2_wants_a_test_in_ci_or_runs_with_other_features(hand: ModuleType) -> None:
    files = {**hand.CODE, "tests/test_a.py": _ABLATION}
    assert hand.points(hand.make({**files, **hand.CI}), "data-2") == 1
    assert hand.points(hand.make(files), "data-2") == 0.5
    assert hand.points(hand.make(hand.CODE), "data-2") == 0
    fake = {**hand.CODE, **hand.CI, "tests/test_a.py": _ABLATION.replace("made(1)", "True")}
    assert hand.points(hand.make(fake), "data-2") == 0


def test_data_2_counts_runs_with_and_without_features_for_half_a_year(hand: ModuleType) -> None:
    runs = [
        hand.experiment("a", {"auc": 0.9}, {"features": "all"}),
        hand.experiment("b", {"auc": 0.8}, {"features": "few"}),
    ]
    assert hand.points(hand.make(shared=hand.shared_of(runs=runs)), "data-2") == 0.5
    assert (
        hand.points(hand.make(shared=hand.shared_of(runs=runs), now=hand.NOW + 180 * hand.DAY), "data-2") == 0
    )
    assert hand.points(hand.make(shared=hand.shared_of(runs=runs[:1])), "data-2") == 0
    without = [
        one._replace()
        for one in (hand.experiment("a", {}, {"features": 1}), hand.experiment("b", {}, {"features": 2}))
    ]
    assert hand.points(hand.make(shared=hand.shared_of(runs=without)), "data-2") == 0


def test_data_3_wants_features_that_are_timed(hand: ModuleType) -> None:
    text = (
        "from time import perf_counter\nfrom features import made\ndef test_cost():\n"
        "    a = perf_counter()\n    made(1)\n    assert perf_counter() - a < 1\n"
    )
    files = {**hand.CODE, **hand.CI, "tests/test_a.py": text}
    assert hand.points(hand.make(files), "data-3") == 1
    assert (
        hand.points(hand.make({**files, "tests/test_a.py": text.replace("made(1)", "pass")}), "data-3") == 0
    )


def test_data_4_wants_schemas_or_rules_that_refuse_columns(hand: ModuleType) -> None:
    assert hand.points(hand.make(hand.CI, tables=[hand.table(strict=True)]), "data-4") == 1
    assert hand.points(hand.make(tables=[hand.table(strict=True)]), "data-4") == 0.5
    assert hand.points(hand.make(hand.CI, tables=[hand.table()]), "data-4") == 0
    assert hand.points(hand.make(hand.CI, tables=[hand.table(strict=True, outcome=None)]), "data-4") == 0
    rule = "data: {pii: {'data/*.csv': [email]}}\n"
    assert hand.points(hand.make(hand.CI, settings=rule, tables=[hand.table()]), "data-4") == 1
    assert hand.points(hand.make(hand.CI, settings=rule), "data-4") == 0
    assert (
        hand.points(
            hand.make(hand.CI, settings=f"{rule}checks: {{pii: off}}\n", tables=[hand.table()]), "data-4"
        )
        == 0.5
    )


def test_data_5_wants_scans_that_are_errors_in_ci(hand: ModuleType) -> None:
    strict = "data: {pii_scan: error}\n"
    assert hand.points(hand.make(hand.CI, settings=strict, tables=[hand.table()]), "data-5") == 1
    assert hand.points(hand.make(hand.CI, tables=[hand.table()]), "data-5") == 0.5
    assert hand.points(hand.make(settings=strict, tables=[hand.table()]), "data-5") == 0.5
    assert hand.points(hand.make(hand.CI, settings=strict, tables=[hand.table(scanned=False)]), "data-5") == 0
    assert (
        hand.points(hand.make(hand.CI, settings="data: {pii_scan: off}\n", tables=[hand.table()]), "data-5")
        == 0
    )
    assert hand.points(hand.make(hand.CI, settings=strict), "data-5") == 0


def test_data_5_counts_owners_of_data_that_is_there(hand: ModuleType) -> None:
    owners = "data: {owners: {'data/*.csv': [ada@example.com]}}\n"
    assert hand.points(hand.make(settings=owners, tables=[hand.table(scanned=False)]), "data-5") == 0.5
    assert hand.points(hand.make(settings=owners), "data-5") == 0


def _change(hand: ModuleType, age: float, *paths: str) -> Change:
    return Change(
        "a" * 40, hand.NOW - int(age * hand.DAY), "ada@example.com", "ada@example.com", 1, (), paths
    )


def test_data_6_measures_how_soon_a_feature_is_registered(hand: ModuleType) -> None:
    change = _change(hand, 10, "src/features.py")
    registered = hand.shared_of([(hand.event("churn@v1.0.0", age=3), {})])._replace(history=(change,))
    assert hand.points(hand.make(shared=registered), "data-6") == 1
    ran = hand.shared_of(runs=[hand.experiment("a", {"auc": 1}, age=3)])._replace(history=(change,))
    assert hand.points(hand.make(shared=ran), "data-6") == 0.5
    slow = registered._replace(history=(_change(hand, 100, "src/features.py"),))
    assert hand.points(hand.make(shared=slow), "data-6") == 0.5
    other = registered._replace(
        history=(_change(hand, 10, "src/model.py"), _change(hand, 10, "tests/test_features.py"))
    )
    assert hand.points(hand.make(shared=other), "data-6") == 0
    first = registered._replace(history=(change._replace(parents=0),))
    assert hand.points(hand.make(shared=first), "data-6") == 0
    assert hand.points(hand.make(shared=registered, now=hand.NOW + 175 * hand.DAY), "data-6") == 0


_TEST = "from features import made\ndef test_it():\n    assert made(1) == 2\n"


def test_data_7_is_whole_where_ci_tests_every_module_of_features(hand: ModuleType) -> None:
    files = {**hand.CODE, "tests/test_a.py": _TEST}
    assert hand.points(hand.make({**files, **hand.CI}), "data-7") == 1
    assert hand.points(hand.make({**files, **hand.CI, "src/encode.py": ""}), "data-7") == 0.5
    assert hand.points(hand.make(files), "data-7") == 0.5


@pytest.mark.parametrize(
    "text", ["", "def test_it():\n    assert True\n", _TEST.replace("made(1) == 2", "True")]
)
def test_data_7_is_nothing_for_tests_that_show_nothing(hand: ModuleType, text: str) -> None:
    facts = hand.make({**hand.CODE, **hand.CI, "tests/test_a.py": text})
    assert hand.points(facts, "data-7") == 0
    assert [what for what in hand.said(facts, "data-7") if what.startswith("not counted:")]


@pytest.mark.parametrize("command", ["true", "pytest --collect-only", "pytest docs", "echo pytest",
                                     "pytest || true", "pytest --ignore=tests"])  # fmt: skip
def test_data_7_is_half_where_ci_does_not_really_run_the_tests(hand: ModuleType, command: str) -> None:
    text = hand.WORKFLOW.replace("python -m pytest -q", command)
    facts = hand.make(
        {**hand.CODE, "tests/test_a.py": _TEST, "docs/a.md": "", ".github/workflows/ci.yml": text}
    )
    # `docs` is no path of the test, and without a slash it could be the value of an option
    assert hand.points(facts, "data-7") == (1 if command == "pytest docs" else 0.5)


def test_nothing_is_read_out_of_nothing(hand: ModuleType) -> None:
    assert [one.points for one in hand.of(hand.make()).items] == [0] * 28
    assert all(one.next for one in hand.of(hand.make()).items)


def test_what_is_declared_counts_half_and_expires(hand: ModuleType) -> None:
    text = "version: 1\ndeclared:\n- {item: data-3, who: ada, when: 2026-11-21, path: docs/a.md}\n"
    files = {"docs/readiness.yaml": text, "docs/a.md": "x"}
    now = 1_795_300_000  # two days later
    assert hand.points(hand.make(files, now=now), "data-3") == 0.5
    assert hand.points(hand.make(files, now=now + 180 * hand.DAY), "data-3") == 0
    assert Pipelines() == hand.make(files).state.ci
