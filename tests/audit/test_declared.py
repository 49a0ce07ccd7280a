"""Declared evidence: half a point, for a while."""

import datetime as dt

import pytest
import yaml

from git_mlops.audit import declared

NOW = int(dt.datetime(2026, 11, 21, tzinfo=dt.UTC).timestamp())
ENTRY = "{item: data-1, who: ada@example.com, when: 2026-11-01, path: docs/a.md}"


def read(entry: str, head: str = "version: 1\n") -> declared.Read:
    return declared.read(f"{head}declared:\n- {entry}\n", ("data-1", "data-2"), ("docs/a.md",), NOW)


def test_a_declaration_counts_for_180_days() -> None:
    (one,) = read(ENTRY).declared
    assert (one.item, one.who, one.where) == ("data-1", "ada@example.com", "docs/a.md")
    assert one.until == one.when + 180 * 86400


def test_the_file_says_how_long() -> None:
    (one,) = read(ENTRY, "version: 1\nexpires: 30d\n").declared
    assert one.until == one.when + 30 * 86400


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (ENTRY.replace("data-1", "data-11"), "there is no item `data-11`"),
        (ENTRY.replace("who: ada@example.com, ", ""), "`who` is missing"),
        (ENTRY.replace("when: 2026-11-01, ", ""), "`when` is missing"),
        (ENTRY.replace("2026-11-01", "2026-12-01"), "`when: 2026-12-01` is in the future"),
        (ENTRY.replace("2026-11-01", "soon"), "`when: soon` is no date"),
        (ENTRY.replace(", path: docs/a.md", ""), "`path` or `url` is missing: where can it be seen?"),
        (ENTRY.replace("docs/a.md", "docs/b.md"), "there is no file `docs/b.md` at this revision"),
        (ENTRY.replace("path: docs/a.md", "url: nowhere"), "`nowhere` is no URL"),
        (ENTRY.replace("who:", "whom:"), "unknown key `whom`"),
        ("data-1", "is no mapping of item, who, when and path or url"),
    ],
)
def test_what_is_wrong_is_a_finding_and_does_not_count(entry: str, message: str) -> None:
    found = read(entry)
    assert found.declared == ()
    assert f"entry 1: {message}" in [one.message for one in found.findings]


def test_an_item_that_is_nearly_right_is_suggested() -> None:
    assert read(ENTRY.replace("data-1", "dta-1")).findings[0].hint == "did you mean `data-1`?"


@pytest.mark.parametrize("text", ["- a\n", "version: 2\n", "a: [\n", "version: 1\ndeclared: x\n"])
def test_a_file_of_another_kind_is_a_finding(text: str) -> None:
    found = declared.read(text, ("data-1",), (), NOW)
    assert (found.declared, len(found.findings)) == ((), 1)


def test_no_file_is_fine() -> None:
    assert declared.read(None, (), (), NOW) == declared.Read()


@pytest.mark.parametrize(
    "old",
    [None, "", "version: 1\n", "version: 1\ndeclared: []\n",
     f"# mine\nversion: 1\ndeclared:\n# why\n    - {ENTRY}\n",
     f"version: 1\ndeclared:\n- {ENTRY}"],
)  # fmt: skip
def test_one_more_is_written_beside_what_is_there(old: str | None) -> None:
    new = declared.added(old, "data-2", "ada@example.com", "2026-11-21", "https://example.com/a")
    before = (yaml.safe_load(old or "") or {}).get("declared") or []
    after = yaml.safe_load(new)["declared"]
    added = {
        "item": "data-2",
        "who": "ada@example.com",
        "when": dt.date(2026, 11, 21),
        "url": "https://example.com/a",
    }
    assert [one for one in after if one not in before] == [added]
    assert [one for one in before if one not in after] == []
    assert ("# mine" in new) == ("# mine" in (old or ""))
