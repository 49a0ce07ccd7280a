"""Levels, principles and drawings follow from the same evidence."""

from types import ModuleType

from git_mlops.audit import badge, show
from git_mlops.audit.document import document
from git_mlops.reports import document_html, document_markdown

_CI = """\
on: {push: {branches: [main]}, schedule: [{cron: "0 5 * * 1"}]}
jobs:
  test:
    steps:
      - run: |
          git mlops check
          pytest
          git mlops exp run
"""
_SETTINGS = "gates: {auc: {min: 0.7}}\n"
_TEST = "from model import fit\ndef test_it():\n    assert fit(1) == 2\n"


def _mature(hand: ModuleType) -> object:
    """Everything that Google's first level asks for."""
    run = hand.experiment("a", {"auc": 0.9}, record=hand.WHOLE)
    shared = hand.shared_of([(hand.event("churn@v1.0.0"), {})], runs=[run])
    files = {
        **hand.CODE, "tests/test_a.py": _TEST, ".github/workflows/ci.yml": _CI,
        "dvc.yaml": "stages: {a: {cmd: x}}\n",
    }  # fmt: skip
    return hand.make(files, settings=_SETTINGS, tables=[hand.table()], shared=shared)


def test_nothing_is_level_0(hand: ModuleType) -> None:
    found = hand.of(hand.make())
    assert {name: one.level for name, one in found.levels.items()} == {"google": 0, "microsoft": 0}
    assert all(one.by for level in found.levels.values() for one in level.criteria)


def test_ci_that_tests_and_checks_is_microsofts_level_1(hand: ModuleType) -> None:
    facts = hand.make({**hand.CODE, **hand.CI, "tests/test_a.py": _TEST})
    assert hand.of(facts).levels["microsoft"].level == 1


def test_a_pipeline_that_is_triggered_and_validated_is_googles_level_1(hand: ModuleType) -> None:
    found = hand.of(_mature(hand))
    assert [one.title for one in found.levels["google"].criteria if not one.met] == [
        "models are deployed by CI",
        "what is served is monitored",
    ]
    assert (found.levels["google"].level, found.levels["microsoft"].level) == (1, 2)


def test_a_level_is_not_reached_past_one_that_lacks_something(hand: ModuleType) -> None:
    facts = _mature(hand)
    without = facts._replace(state=facts.state._replace(settings=hand.make().state.settings))  # type: ignore[attr-defined]
    found = hand.of(without).levels["google"]
    assert (found.level, next(one.title for one in found.criteria if not one.met)) == (
        0, "models are validated automatically",
    )  # fmt: skip


def test_principles_are_a_table_of_six_by_three(hand: ModuleType) -> None:
    found = hand.of(_mature(hand)).principles
    assert len({(one.principle, one.subject) for one in found}) == 18
    points = {(one.principle, one.subject): one.points for one in found}
    assert points["versioning", "data"] == points["testing", "code"] == points["automation", "model"] == 1
    assert points["monitoring", "model"] == 0.5
    assert all((one.points > 0) == (one.evidence is not None) for one in found)


def test_every_form_says_every_item(hand: ModuleType) -> None:
    found = hand.of(_mature(hand))
    text = "\n".join(show.text(found))
    whole = document(found)
    html, markdown = document_html.render(whole), document_markdown.render(whole)
    for one in found.items:
        assert one.id in text
        assert one.id in html
        assert one.id in markdown


def test_the_badge_has_the_score_and_a_colour_for_each(hand: ModuleType) -> None:
    drawings = {badge.svg(half / 2) for half in range(15)}
    assert len(drawings) == 15
    assert b"3.5 / 7" in badge.svg(3.5)


def test_each_score_has_a_meaning() -> None:
    assert [show.reading(score)[:9] for score in (0, 0.5, 1, 1.5, 2.5, 4, 7)] == [
        "more of a", "not total", "not total", "a first p", "reasonabl", "strong au", "exception",
    ]  # fmt: skip
