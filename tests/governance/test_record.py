"""The record for an auditor: who did what, what is signed by whom, what is wrong."""

from collections.abc import Callable

import pytest

from git_mlops.data import purges
from git_mlops.data.purges import Object, Proof, Purge, Word
from git_mlops.git.repo import Repo
from git_mlops.git.trust import Trust
from git_mlops.governance import log, record, record_document
from git_mlops.governance.dossier import How
from git_mlops.governance.record import Record
from git_mlops.governance.settings import Settings
from git_mlops.lineage import taints
from git_mlops.models import approve
from git_mlops.models.settings import Settings as ModelSettings
from git_mlops.models.settings import Stage
from git_mlops.reports import document_html, document_text
from tests.conftest import Run
from tests.experiments.conftest import commit
from tests.governance.conftest import Sick
from tests.models.conftest import CONTEXT, DATA, Persona, keys, listed, persona, promoted, registered

__all__ = ["keys", "listed", "persona"]
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
STAGES = ModelSettings({"prod": Stage(approvals=1)})
HOW = How(Settings(require=("licence",)), {}, lambda _path: ())
LIST = Callable[..., Trust]


def made(repo: Repo, trust: Trust | None = None, models: ModelSettings = ModelSettings()) -> Record:  # noqa: B008  # frozen
    return record.gather(repo, CONTEXT._replace(models=models, trust=lambda: trust), HOW, 1_800_000_000)


def text(one: Record, repo: Repo) -> str:
    return document_text.render(record_document.document(one, repo))


@pytest.fixture
def promoted_by_two(project: Repo, persona: Persona, listed: LIST) -> tuple[Repo, Trust]:
    """Eve registers, Bob approves, Eve promotes, each with their signature."""
    trust = listed("eve", "bob")
    persona("eve")
    registered(project)
    persona("bob")
    context = CONTEXT._replace(models=STAGES, trust=lambda: trust)
    approve.approve(project, "m@v0.1.0", "prod", "looked at it", context)
    persona("eve")
    promoted(project, "m@v0.1.0", "prod", STAGES, trust)
    return project, trust


def test_an_empty_repository_has_a_record(repo: Repo) -> None:
    one = made(repo)
    whole = record_document.document(one, repo)
    assert (whole.outcome, one.log, one.held) == ("none", (), ())
    assert "nothing was ever withdrawn" in text(one, repo)


def test_a_stage_has_who_gave_it_who_approved_and_what_was_asked(
    promoted_by_two: tuple[Repo, Trust],
) -> None:
    repo, trust = promoted_by_two
    one = made(repo, trust, STAGES)
    (held,) = one.held
    lines = [line for line in text(one, repo).splitlines() if line.startswith("  m v0.1.0  prod")]
    assert (held.good, one.wrong) == (True, ())
    assert ["Eve <eve@example.com>" in line and "bob@example.com" in line for line in lines] == [True]
    assert {entry.what for entry in one.log if entry.good} == {
        "gave m v0.1.0 the stage prod",
        "approved m v0.1.0 for prod: looked at it",
        "registered m v0.1.0",
    }


def test_a_signature_of_nobody_trusted_is_no_good_one(
    promoted_by_two: tuple[Repo, Trust], listed: LIST
) -> None:
    repo, _trust = promoted_by_two
    one = made(repo, listed("ada"), STAGES)
    assert (one.held[0].good, len(one.wrong) > 0) == (False, True)
    assert record_document.document(one, repo).outcome == "fail"


def test_where_a_version_comes_from_is_marked_where_it_is_tainted(project: Repo) -> None:
    registered(project)
    promoted(project, "m@v0.1.0", "prod", ModelSettings())
    taints.say(project, f"object:md5:{DATA}", "data/a.csv", "217 withdrew", tainted=True)
    one = made(project)
    whole = record_document.document(one, project)
    assert "stages with a tainted version: 1" in whole.verdict
    assert "object data/a.csv `2222222222` (tainted)" in text(one, project)


def test_the_log_has_what_changed_data_and_rules(project: Repo) -> None:
    commit(project, {"mlops.yaml": "version: 1\n"}, "loosen the rules")
    commit(project, {"README.md": "x"}, "words")
    entries = [(entry.what, entry.signed) for entry in made(project).log]
    assert entries[0] == ("loosen the rules (`mlops.yaml`)", "no")
    assert not any(what == "words" for what, _signed in entries)


def test_more_signatures_than_are_judged_are_said_so(
    promoted_by_two: tuple[Repo, Trust], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, trust = promoted_by_two
    monkeypatch.setattr(log, "MOST_VERIFIED", 1)
    signed = [entry.signed for entry in made(repo, trust, STAGES).log if entry.signed != "no"]
    assert sorted(signed)[1:] == ["signed, not judged here"] * 2


def test_a_withdrawal_without_a_whole_proof_is_wrong(repo: Repo) -> None:
    word = Word(
        purged=True,
        why="<script>alert(1)</script>",
        who="Ada <ada@example.com>",
        time="2026-01-01T00:00:00+00:00",
    )
    one = Object("md5", "1" * 32, "data/a.csv", 5)
    bad = Proof("remote s3", "s3://b", word.time, word.who, 1, 0, (), "no answer")
    purge = Purge(purges.name("data/a.csv", word, [one]), "data/a.csv", (word,), (one,), proof=(bad,))
    purges.write(repo, purge, "purge: data/a.csv")
    found = made(repo)
    page = document_html.render(record_document.document(found, repo))
    assert "withdrawals without a whole proof: 1" in page
    assert "<script>" not in page
    assert "not proved: remote s3" in text(found, repo)
    good = bad._replace(problem="", time="2026-01-02T00:00:00+00:00")
    purges.write(repo, purge._replace(proof=(bad, good)), "proof: data/a.csv")
    assert "withdrawals without" not in text(made(repo), repo)


def test_secrets_of_a_remote_are_not_shown(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "https://ada:hunter2@example.org/r.git")
    assert ("hunter2" in text(made(repo), repo), "https://example.org/r.git" in text(made(repo), repo)) == (
        False,
        True,
    )


def test_the_command_writes_one_page(sick: Sick, mlops: Run) -> None:
    done = mlops("audit", "--export", "record.html", cwd=sick.root)
    page = (sick.root / "record.html").read_text(encoding="utf-8")
    assert (done.stdout, done.stderr) == ("", "written: record.html\n")
    assert page.startswith("<!doctype html>")
    for words in ("Data sheet: data/patients.csv", "Maturity: Monitoring", "Log: "):
        assert words in page
    assert "<script" not in page
    assert 'src="http' not in page
    piped = mlops("audit", "--export", "-", cwd=sick.root)
    assert (piped.stdout[:15], piped.stderr) == ("<!doctype html>", "")
