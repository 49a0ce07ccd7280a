"""Data sheets in pointers, the rules on them, and where sensitive data may go."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops import config
from git_mlops.checks import data_retention, data_sheet, scope, sensitive_remote
from git_mlops.checks.context import Context, Rule
from git_mlops.config import Config
from git_mlops.data import listing, pointers, transfer
from git_mlops.decode import DecodeError
from git_mlops.errors import MlopsError
from git_mlops.governance import access, dossier, sheets
from git_mlops.governance.settings import Settings
from git_mlops.hooks import owed
from git_mlops.reports import document_html, document_text
from tests.conftest import Run
from tests.governance.conftest import TABLE, Sick

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
POINTER = f"{TABLE}.dvc"
PROFILED = """outs:
- md5: 642619c4730264996a2b5600b21e609b
  size: 12
  hash: md5
  path: p.csv
meta:
  mlops:
    version: 1
    of: 642619c4730264996a2b5600b21e609b
    rows: 1
    columns:
      id: {type: int64, nulls: 0, distinct: 1}
"""


def said(sick: Sick, *words: str, sensitive: tuple[str, ...] = ()) -> None:
    sheets.write(sick.repo, [POINTER], sheets.parsed(words), sensitive)


def found(sick: Sick, rule: Rule, settings_: Settings = Settings()) -> list[tuple[str, str]]:  # noqa: B008  # frozen
    config_ = Config(governance=settings_)
    context = Context(scope.workspace(sick.repo), config_, lambda _content: iter(()))
    return [(one.level, one.message) for one in rule.check(context)]


def test_a_sheet_stands_beside_the_profile_and_both_are_read() -> None:
    text = sheets.put(PROFILED, {"licence": "CC-BY-4.0", "source": "a: b # c"})
    assert text == PROFILED.replace(
        "meta:\n", 'meta:\n  sheet:\n    source: "a: b # c"\n    licence: CC-BY-4.0\n'
    )
    assert sheets.read("p.csv.dvc", text.encode()) == {"licence": "CC-BY-4.0", "source": "a: b # c"}
    assert sheets.put(text, {}) == PROFILED


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
WORDS = ["licence", "=x", "Licence=x", "sensitivity=secret", "sensitivty=high", "a b=c"]


@given(st.dictionaries(KEYS, st.text(min_size=1, max_size=30)))
@settings(max_examples=40, deadline=None)
def test_whatever_is_said_is_read_back(sheet: dict[str, str]) -> None:
    text = sheets.put(PROFILED, sheet)
    assert sheets.read("p.csv.dvc", text.encode("utf-8", "surrogatepass")) == sheet
    assert pointers.parse("p.csv.dvc", text.encode("utf-8", "surrogatepass")).outs[0].hash.startswith("6426")


def test_dates_and_lists_that_people_wrote_are_text() -> None:
    text = PROFILED.replace("meta:\n", "meta:\n  sheet:\n    retention: 2027-01-31\n    purpose: [a, b]\n")
    assert sheets.read("p.csv.dvc", text.encode()) == {"retention": "2027-01-31", "purpose": "a, b"}


def test_what_is_set_is_staged_and_an_empty_value_takes_it_away(sick: Sick, run: Run) -> None:
    said(sick, "licence=MIT", "contact=Ada")
    said(sick, "contact=")
    staged = run("git", "diff", "--cached", "--name-only", cwd=sick.root).stdout.split()
    content = (sick.root / POINTER).read_bytes()
    assert (staged, sheets.read(POINTER, content)) == ([POINTER], {"licence": "MIT"})


@pytest.mark.parametrize(
    "word", ["licence", "=x", "Licence=x", "sensitivity=secret", "sensitivty=high", "a b=c"]
)
def test_a_word_that_says_nothing_is_refused(word: str) -> None:
    with pytest.raises(MlopsError):
        sheets.parsed([word])


def test_an_unusual_pointer_is_not_changed(sick: Sick) -> None:
    text = (sick.root / POINTER).read_text() + "meta: {sheet: {licence: MIT}}\n"
    sick.write(POINTER, text)
    with pytest.raises(MlopsError, match="laid out in another way"):
        said(sick, "contact=Ada")
    assert (sick.root / POINTER).read_text() == text


def test_the_sheet_survives_a_new_version_of_the_data(sick: Sick, mlops: Run) -> None:
    said(sick, "licence=MIT", "sensitivity=personal", sensitive=("store",))
    sick.commit("sheet")
    sick.write(TABLE, "id,age\n1,21\n")
    mlops("add", TABLE, "--meta", "contact=Ada", cwd=sick.root)
    content = (sick.root / POINTER).read_bytes()
    (out,) = pointers.parse(POINTER, content).outs
    assert sheets.read(POINTER, content) == {"licence": "MIT", "sensitivity": "personal", "contact": "Ada"}
    assert (out.remote, out.sensitive, out.size) == ("store", True, 12)


# -- rules --------------------------------------------------------------------------------------------------


def test_what_is_required_is_asked_for(sick: Sick) -> None:
    asked = Settings(require=("licence", "source"))
    said(sick, "source=the ward")
    assert found(sick, data_sheet, asked) == [
        ("error", "its data sheet lacks `licence` (under which it may be used)")
    ]
    said(sick, "licence=MIT")
    assert (found(sick, data_sheet, asked), found(sick, data_sheet)) == ([], [])


def test_settings_know_the_keys() -> None:
    with pytest.raises(DecodeError, match="no data sheet has the key `license`"):
        config.parse(b"version: 1\ngovernance: {require: [license]}\n")
    with pytest.raises(DecodeError, match="is no length of time"):
        config.parse(b"version: 1\ngovernance: {remind: soon}\n")


@pytest.mark.parametrize(
    ("words", "level"),
    [
        (["retention=2020-01-01"], "error"),
        (["retention=1 year", "collected=2020-01-01"], "error"),
        (["retention=10 days"], "warning"),  # from the first commit of its pointer: today
        (["retention=2 years"], None),
        (["retention=9000 years"], None),
    ],
)
def test_data_is_not_kept_for_too_long(sick: Sick, words: list[str], level: str | None) -> None:
    said(sick, *words)
    assert [one for one, _message in found(sick, data_retention)] == ([level] if level else [])


def test_sensitive_data_must_be_bound_to_a_sensitive_remote(sick: Sick) -> None:
    vault = Settings(sensitive=("vault",))
    said(sick, "sensitivity=high")
    message = "`sensitivity: high`, and it would go to the default remote; allowed: vault"
    assert found(sick, sensitive_remote, vault) == [("error", message)]
    said(sick, "sensitivity=high", sensitive=vault.sensitive)
    assert found(sick, sensitive_remote, vault) == []
    assert "  path: patients.csv\n  remote: vault\nmeta:" in (sick.root / POINTER).read_text()


# -- sensitive remotes --------------------------------------------------------------------------------------


def _out(sick: Sick) -> Iterable[pointers.Out]:
    return list(listing.in_workspace(sick.repo))


def test_sensitive_data_is_sent_nowhere_else(sick: Sick) -> None:
    vault = sick.root.parent / "vault"
    vault.mkdir()
    sick.remote("vault", vault)
    said(sick, "sensitivity=personal")
    with pytest.raises(MlopsError, match="is sensitive, and `store` is no remote for that: nothing was sent"):
        transfer.push(sick.repo, _out(sick), sensitive=("vault",))
    said(sick, "sensitivity=personal", sensitive=("vault",))
    assert transfer.push(sick.repo, _out(sick), remote="store", sensitive=("vault",)).objects == 1
    rows = access.where(sick.repo, _out(sick), ("vault",))
    assert [(one.remote, one.has, one.wrong) for one in rows] == [("store", 1, True), ("vault", 1, False)]


def test_what_is_owed_stays_sensitive(sick: Sick) -> None:
    said(sick, "sensitivity=personal")
    owed.add(sick.repo, list(_out(sick)))
    assert [one.sensitive for one in owed.read(sick.repo)] == [True]


# -- documents ----------------------------------------------------------------------------------------------


def test_a_sheet_shows_what_is_said_and_what_is_known(sick: Sick) -> None:
    said(sick, "licence=<b>MIT</b>", "retention=2020-01-01")
    how = dossier.How(Settings(require=("source",)), {}, lambda _path: ())
    (one,) = dossier.gather(sick.repo, {TABLE: POINTER}, how)
    whole = dossier.document(one)
    assert (whole.outcome, whole.verdict) == ("fail", "lacks source; its retention ended on 2020-01-01")
    assert [version.title for version in one.versions] == ["without 217", "first"]
    assert "&lt;b&gt;MIT" in document_html.render(whole)
    assert "FAIL missing" in document_text.render(whole)
    assert json.loads(json.dumps(dossier.plain(one)))["missing"] == ["source"]


def test_the_command_lists_sets_and_shows(sick: Sick, mlops: Run) -> None:
    mlops("sheet", TABLE, "--set", "licence=MIT", cwd=sick.root)
    (one,) = json.loads(mlops("sheet", "--json", cwd=sick.root).stdout)["data"]
    assert (one["path"], one["sheet"]) == (TABLE, {"licence": "MIT"})
    assert os.fspath(Path(one["pointer"])) == POINTER


def test_a_profile_that_quotes_sensitive_data_is_named(sick: Sick) -> None:
    old = (sick.root / POINTER).read_text()
    (hash_,) = [out.hash for out in _out(sick)]
    head = f'meta:\n  mlops:\n    version: 1\n    of: "{hash_}"\n    rows: 1\n'
    quoting = head + "    columns:\n      id: {type: int64, min: 1}\n"
    sick.write(POINTER, old + quoting)
    before = sheets.quoting(sick.repo, [POINTER])
    said(sick, "sensitivity=personal")
    assert (before, sheets.quoting(sick.repo, [POINTER])) == ([], [POINTER])
    sick.write(POINTER, (sick.root / POINTER).read_text().replace(", min: 1", ""))
    assert sheets.quoting(sick.repo, [POINTER]) == []
