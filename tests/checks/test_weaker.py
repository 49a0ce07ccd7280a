"""What a change does to the rules it is judged by."""

import pytest

from git_mlops.checks import scope, weaker
from git_mlops.checks.settings import Levels
from git_mlops.hooks.check import checked
from tests.checks.conftest import Project

RULES = """data:
  owners: {t.csv: [bea@example.com]}
  size_limit: 1MiB
schemas: {data/*.csv: schemas/t.yaml}
tables: {t.csv: {rows: {min: 5}, unique: [id]}}
checks: {pii: error, labels: note}
"""


@pytest.fixture
def topic(project: Project) -> Project:
    project.settings(RULES)
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "rules")
    project.git("switch", "-q", "-c", "topic")
    return project


def said(project: Project, text: str) -> list[str]:
    project.settings(text)
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "change")
    findings = checked(scope.commits(project.repo, "main...HEAD"))
    return [finding.message for finding in findings if finding.rule == "weaker-rules"]


def test_the_same_rules_and_more_are_no_news(topic: Project) -> None:
    assert said(topic, RULES + "folders: {images: {files: {min: 3}}}\n") == []


def test_rules_that_are_gone_or_others_are_told(topic: Project) -> None:
    weaker_rules = """data:
  size_limit: 9MiB
  pii_allow: {t.csv: [email]}
tables: {t.csv: {rows: {min: 1}}}
checks: {pii: note, schema: off}
"""
    assert said(topic, weaker_rules) == [
        "`checks.pii` is note; the target branch has error, which holds here",
        "`checks.schema` is off; the target branch has its own level, which holds here",
        "`data.owners.t.csv` is gone; the target branch has `bea@example.com`",
        "`data.pii_allow: t.csv` is new, and lets something through",
        "`data.size_limit` is `9437184`; the target branch has `1048576`",
        "`schemas.data/*.csv` is gone; the target branch has `schemas/t.yaml`",
        "`tables.t.csv.rows.min` is `1`; the target branch has `5`",
        "`tables.t.csv.unique` is gone; the target branch has `id`",
    ]


def test_a_config_that_is_deleted_tells_everything(topic: Project) -> None:
    topic.git("rm", "-q", "mlops.yaml")
    topic.git("commit", "-q", "-m", "no rules")
    findings = checked(scope.commits(topic.repo, "main...HEAD"))
    assert sum(finding.rule == "weaker-rules" for finding in findings) == 4


@pytest.mark.parametrize(
    ("own", "target", "found"),
    [
        ({"a": "off"}, {}, {}),
        ({"a": "error"}, {}, {"a": "error"}),
        ({"a": "off"}, {"a": "warning"}, {"a": "warning"}),
        ({"a": "error"}, {"a": "warning"}, {"a": "error"}),
        ({}, {"a": "off"}, {"a": "off"}),
        ({"a": "note"}, {"a": "off"}, {"a": "note"}),
        ({"a": "off"}, None, {"a": "off"}),
    ],
)
def test_levels_are_not_lowered_by_the_change_that_they_judge(
    own: Levels, target: Levels | None, found: Levels
) -> None:
    assert weaker.stricter(own, target) == found


def test_a_rule_that_is_turned_off_still_judges_the_change_that_turns_it_off(topic: Project) -> None:
    topic.settings(RULES.replace("checks: {", "checks: {data-in-git: off, large-file: off, "))
    topic.write("big.bin", b"x" * (2 * 1024 * 1024))
    topic.git("add", "-A")
    topic.git("commit", "-q", "-m", "big")
    findings = checked(scope.commits(topic.repo, "main...HEAD"))
    assert any(f.rule == "large-file" and f.level == "error" for f in findings)


def test_a_target_whose_rules_cannot_be_read_is_told_and_the_changes_own_owners_hold(
    project: Project,
) -> None:
    project.settings("data: {owners: 7}\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "broken")
    project.git("switch", "-q", "-c", "topic")
    project.write("t.csv", b"id\n1\n")
    found = said(project, "data: {owners: {t.csv: [bea@example.com]}}\n")
    assert found == ["the target branch's mlops.yaml is wrong: owners, gates and levels are the change's own"]
    findings = checked(scope.commits(project.repo, "main...HEAD"))
    assert [one.path for one in findings if one.rule == "reviewed"] == ["t.csv"]
