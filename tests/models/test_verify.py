"""A version is what its tag says, signed by whom we trust."""

from collections.abc import Callable

import pytest

from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.git.trust import Trust
from git_mlops.lineage import taints
from git_mlops.models import approve, promote, verify
from git_mlops.models.settings import Settings, Stage
from git_mlops.registry import read
from tests.models.conftest import CONTEXT, DATA, Persona, promoted, registered, trained

Listed = Callable[..., Trust]


def found(repo: Repo, trust: Trust | None = None) -> list[tuple[str, str]]:
    done = verify.verify(repo, "m", CONTEXT._replace(trust=lambda: trust))
    return [(one.level, one.message) for one in done.findings]


def forged(repo: Repo, old: str, new: str) -> None:
    """The registration with other facts, made with git alone."""
    oid = read.resolve(repo, "m").oid
    content = repo.git("cat-file", "tag", oid)
    assert old.encode() in content
    made = repo.text(
        "hash-object", "-t", "tag", "-w", "--stdin", stdin=content.replace(old.encode(), new.encode())
    )
    repo.git("update-ref", "refs/tags/m@v0.1.0", made)


def test_a_signed_version_is_verified_with_its_stages(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    persona("ada")
    registered(project)
    persona("bob")
    promote.promote(project, promote.Request("m", "prod"), CONTEXT)
    done = verify.verify(project, "m", CONTEXT._replace(trust=lambda: listed("ada", "bob")))
    assert (done.findings, done.signers) == (
        (), (("m@v0.1.0", "ada@example.com"), ("m#prod#1", "bob@example.com"))
    )  # fmt: skip
    levels = [level for level, message in found(project, listed("ada")) if "m#prod#1" in message]
    assert levels == ["error"]


def test_what_is_not_signed_is_a_warning(project: Repo) -> None:
    registered(project)
    assert found(project) == [("warning", "the tag `m@v0.1.0`: it is not signed")]


def test_a_tag_that_was_changed_is_not_believed(project: Repo, persona: Persona, listed: Listed) -> None:
    persona("ada")
    registered(project)
    forged(project, DATA, "9" * 32)
    assert found(project, listed("ada")) == [
        ("error", "the tag `m@v0.1.0`: git does not find its signature valid"),
        ("error", f"data: the tag says {'9' * 32}, the tree {DATA}"),
    ]


def test_each_fact_is_held_against_the_tree(project: Repo) -> None:
    registered(project)
    for old, new, message in (
        ('"auc": 0.9', '"auc": 0.99', "the tag says auc = 0.99, the tree 0.9"),
        (
            '"model_version": "v0.1.0"',
            '"model_version": "v9.9.9"',
            "the tag `m@v0.1.0` says that its model_version is",
        ),
        ('"hash": "1111', '"hash": "2111', "the tag says that the model is 2111"),
        ('"blob": "', '"blob": "0', "schema: the tag says 0"),
    ):
        forged(project, old, new)
        assert any(level == "error" and said.startswith(message) for level, said in found(project)), message
        forged(project, new, old)
    assert found(project) == [("warning", "the tag `m@v0.1.0`: it is not signed")]


def test_a_tag_without_facts_cannot_be_evaluated(project: Repo) -> None:
    project.git("tag", "-a", "-m", "by gto", "m@v1.0.0")
    assert ("unknown", "the tag `m@v1.0.0` does not say what the model is") in found(project)


def test_a_finding_names_the_file(project: Repo) -> None:
    registered(project)
    forged(project, DATA, "9" * 32)
    done = verify.verify(project, "m", CONTEXT)
    assert done.findings[-1] == Finding(
        "model-verified", "error", f"data: the tag says {'9' * 32}, the tree {DATA}", "data/a.csv"
    )


def test_a_stage_that_was_given_past_the_rules_is_found(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    staged = Stage(after=("staging",), approvals=1, approvals_expire="1h", max_age="1d", no_worse=("auc",))
    settings = Settings(stages={"staging": Stage(), "prod": staged})
    context = CONTEXT._replace(models=settings, trust=lambda: listed("ada", "bob"))
    persona("ada")
    version = registered(project)
    project.git("tag", "-s", "-m", "by hand", "m#prod#1", f"m@{version}^{{}}")
    said = [one.message for one in verify.verify(project, "m", context).findings]
    assert said == [
        "the stage `prod`: it has not held the stage `staging`",
        "the stage `prod`: 0 of 1 approvals by other people",
    ]
    project.git("tag", "-d", "m#prod#1")
    promote.promote(project, promote.Request("m", "staging"), context)
    persona("bob")
    approve.approve(project, "m", "prod", "", context)
    persona("ada")
    assert promote.promote(project, promote.Request("m", "prod"), context).made
    persona("bob")  # whoever looks is not who promoted
    assert verify.verify(project, "m#prod", context).findings == ()
    trained(project, 0.95, "3" * 32)
    persona("ada")
    promoted(project, f"m@{registered(project)}", "prod", Settings())
    assert promote.rollback(project, "m", "prod").version.version == version
    assert verify.verify(project, "m#prod", context).findings == ()


def test_a_stage_that_the_rules_name_stands_and_no_other(project: Repo) -> None:
    first = registered(project)
    promoted(project, f"m@{first}", "prod", Settings())
    trained(project, 0.95, "3" * 32)
    promoted(project, f"m@{registered(project)}", "prod", Settings())
    old, new = (project.text("rev-parse", f"refs/tags/m#prod#{number}") for number in (1, 2))

    def said(*stands: str) -> list[tuple[str, str]]:
        asked = Settings({"prod": Stage(approvals=1, signed=True, stands=stands)})
        done = verify.verify(project, "m#prod", CONTEXT._replace(models=asked, trust=lambda: None))
        return [(one.level, one.message) for one in done.findings if "approvals" in one.message]

    lacks = "0 of 1 approvals by other people"
    error = [("error", f"the stage `prod`: {lacks}")]
    warning = [("warning", f"the stage `prod` stands, as mlops.yaml says; by its rules: {lacks}")]
    assert (said(), said(old), said(new)) == (error, error, warning)
    promote.rollback(project, "m", "prod")
    assert (said(), said(new), said(old)) == (error, error, warning)


def test_a_stage_that_stands_is_not_above_taints_and_dates_prove_nothing(
    project: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(project)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
    project.git("tag", "-a", "-m", "by hand", "m#prod#1", "m@v0.1.0^{}")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    oid = project.text("rev-parse", "refs/tags/m#prod#1")
    taints.say(project, f"object:md5:{DATA}", "data/a.csv", "wrong", tainted=True)

    def levels(*stands: str) -> list[tuple[str, str]]:
        asked = Settings({"prod": Stage(approvals=1, signed=True, stands=stands)})
        done = verify.verify(project, "m@v0.1.0", CONTEXT._replace(models=asked, trust=lambda: None))
        return [(one.level, one.message.partition(":")[2].strip()) for one in done.findings]

    unsigned = "it is not signed"
    assert ("error", "0 of 1 approvals by other people") in levels()
    assert ("error", unsigned) in levels()
    assert ("error", "it came from `data/a.csv`: wrong") in levels(oid)
    assert {level for level, message in levels(oid) if "wrong" not in message} == {"warning"}
