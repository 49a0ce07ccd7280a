"""Labels that changed are shown, and data that has owners was looked at by one of them."""

import subprocess

import pytest

from git_mlops.checks import scope
from git_mlops.findings import Finding
from git_mlops.hooks.check import checked
from tests.checks.conftest import Project, said

OLD, NEW = b"id,y,x\n1,cat,5\n2,dog,6\n", b"id,y,x\n1,cat,5\n2,cat,6\n"
OWNED = """data:
  keys: {t.csv: [id]}
  labels: {t.csv: y}
  owners: {t.csv: [Bea@example.com, cy@example.com]}
"""
HINT = "a commit with the trailer `Reviewed-by: NAME <ADDRESS>`, of bea@example.com or cy@example.com"


def commit(project: Project, message: str, who: str = "ada@example.com") -> None:
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "--author", f"X <{who}>", "-m", message)


@pytest.fixture
def topic(project: Project) -> Project:
    """`main` has the old table and the settings; `topic` is checked out."""
    project.settings(OWNED)
    project.data("t.csv", OLD)
    commit(project, "old")
    project.git("switch", "-q", "-c", "topic")
    return project


def found(project: Project, rule: str) -> list[Finding]:
    findings = checked(scope.commits(project.repo, "main...HEAD"))
    return [finding for finding in findings if finding.rule == rule]


def test_changed_labels_are_a_note(topic: Project) -> None:
    topic.data("t.csv", NEW)
    commit(topic, "new")
    (note,) = found(topic, "labels")
    assert (note.level, note.path) == ("note", "t.csv")
    assert note.message == "`y` is another in 1 of 2 rows; kappa 0.000 (dog → cat: 1)"
    assert note.data["confusion"] == [
        {"old": "cat", "new": "cat", "rows": 1}, {"old": "dog", "new": "cat", "rows": 1}
    ]  # fmt: skip


def test_owners_are_asked_and_the_author_is_no_reviewer(topic: Project) -> None:
    topic.data("t.csv", NEW)
    commit(topic, "new\n\nReviewed-by: Ada <ada@example.com>")
    assert [(f.level, f.path, f.message, f.hint) for f in found(topic, "reviewed")] == [
        ("error", "t.csv.dvc", "`t.csv` changed, and none of its owners has reviewed it", HINT)
    ]
    commit(topic, "looks good\n\nReviewed-by: Bea B. <bea@example.com>")
    assert found(topic, "reviewed") == []


def test_a_review_from_before_the_last_change_counts_for_nothing(topic: Project) -> None:
    topic.data("t.csv", NEW)
    commit(topic, "new\n\nReviewed-by: Bea <bea@example.com>")
    topic.data("t.csv", NEW + b"3,owl,7\n")
    commit(topic, "newer")
    assert len(found(topic, "reviewed")) == 1


def test_an_owner_who_changed_it_needs_another_one(topic: Project) -> None:
    topic.data("t.csv", NEW)
    commit(topic, "new\n\nReviewed-by: Bea <bea@example.com>", who="Bea@example.com")
    (finding,) = found(topic, "reviewed")
    assert finding.hint == "a commit with the trailer `Reviewed-by: NAME <ADDRESS>`, of cy@example.com"
    topic.git("commit", "-q", "--allow-empty", "-m", "ok\n\nReviewed-by: Cy <cy@example.com>")
    assert found(topic, "reviewed") == []


def test_a_change_cannot_name_its_own_owners(topic: Project) -> None:
    topic.settings("data:\n  owners: {t.csv: [ada@example.com]}\n")
    topic.data("t.csv", NEW)
    commit(topic, "new", who="eve@example.com")
    topic.git("commit", "-q", "--allow-empty", "-m", "ok\n\nReviewed-by: Ada <ada@example.com>")
    assert [f.message for f in found(topic, "reviewed")] == [
        "`t.csv` changed, and none of its owners has reviewed it"
    ]


def test_owners_of_a_column_are_asked_when_it_changes(project: Project) -> None:
    project.settings("data:\n  owners: {t.csv: {y: [bea@example.com], x: [cy@example.com]}}\n")
    project.data("t.csv", OLD)
    commit(project, "old")
    project.git("switch", "-q", "-c", "topic")
    project.data("t.csv", NEW)
    commit(project, "new")
    assert [f.message for f in found(project, "reviewed")] == [
        "column `y` of `t.csv` changed, and none of its owners has reviewed it"
    ]


def test_what_only_a_merge_brings_is_asked_for_too(topic: Project) -> None:
    topic.git("switch", "-q", "-c", "side")
    commit(topic, "nothing")
    topic.git("switch", "-q", "topic")
    commit(topic, "nothing else")
    topic.git("merge", "-q", "--no-ff", "--no-commit", "side")
    topic.data("t.csv", NEW)
    commit(topic, "merge", who="bea@example.com")
    (finding,) = found(topic, "reviewed")
    assert finding.data["may"] == ["cy@example.com"]


def test_what_does_not_change_needs_nobody(topic: Project) -> None:
    topic.write("other.txt", b"x")
    commit(topic, "other")
    assert (found(topic, "reviewed"), found(topic, "labels")) == ([], [])


def test_without_a_key_labels_are_not_compared(project: Project) -> None:
    project.settings("data:\n  labels: {t.csv: y}\n")
    project.data("t.csv", OLD)
    commit(project, "old")
    project.git("switch", "-q", "-c", "topic")
    project.data("t.csv", NEW)
    commit(project, "new")
    assert said(found(project, "labels")) == [
        ("note", "t.csv", "changes of `y` are not compared: rows are matched by key, and none is declared")
    ]
    subprocess.run(["rm", "-r", project.root / ".dvc" / "cache"], check=True)
    project.settings(OWNED)
    commit(project, "key")
    messages = [f.message for f in found(project, "labels")]
    assert messages == ["changes of `y` are not compared: not both versions are on this machine"]
