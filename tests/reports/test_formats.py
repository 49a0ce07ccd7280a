"""Every format over the same findings, and over hostile text."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from git_mlops import __version__
from git_mlops.findings import Finding
from git_mlops.reports import markdown
from git_mlops.reports.formats import FORMATS

FINDINGS = [
    Finding(
        "schema", "error", "column `age`: 3 of 569 rows below 0", "data/a.csv", 4, "mend the rows", {"n": 3}
    ),
    Finding("data-pushed", "unknown", "the remote cannot be asked"),
    Finding("large-file", "warning", "3.0 MiB in plain git", "modèles/m 1.bin"),
]
HOSTILE = Finding(
    "schema",
    "error",
    "<script>alert(1)</script> ![x](http://e.example/a.png) @team `code`\x1b[31m\n::error::x]]>| \ud800 \x00",
    "a`|b\n.csv",
    hint="</textarea> [click](http://e.example)",
)
EXPECTED = Path(__file__).parent.parent / "cases" / "reports"


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "html"])
def test_a_report_is_what_it_was(name: str) -> None:
    """To renew after a wanted change: write the new text into tests/cases/reports/ and read the diff."""
    expected = (EXPECTED / f"{name}.txt").read_text("utf-8").replace("@version@", __version__)
    assert FORMATS[name].render(FINDINGS, title="main...HEAD") + "\n" == expected


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "gitlab"])
def test_no_finding_is_said_as_ok(name: str) -> None:
    report = FORMATS[name].render([], title="staged changes")
    assert "staged changes" in report


def test_json_is_the_envelope_with_everything() -> None:
    report = json.loads(FORMATS["json"].render(FINDINGS, title="t"))
    assert (report["mlops"], report["kind"], report["data"]["exit_code"]) == (1, "findings", 1)
    assert report["data"]["findings"] == [finding.to_json() for finding in FINDINGS]


def test_hostile_text_stays_text_in_markdown() -> None:
    row = markdown.render([HOSTILE], title="t").splitlines()[-1]
    assert row.count("|") == 5
    assert not any(bad in row for bad in ("<script", "](", "@team", "\x1b", "</textarea", "http://"))


def test_markdown_stays_below_the_limit_and_says_what_it_left_out() -> None:
    many = [Finding("r", "error", "x" * 900, f"{n}.csv") for n in range(500)]
    report = markdown.render(many, title="t")
    shown = sum(line.startswith("| ❌") for line in report.splitlines())
    assert len(report) < markdown.LIMIT
    assert f"… and {500 - shown} more" in report


def test_hostile_text_stays_well_formed_xml() -> None:
    suite = ET.fromstring(FORMATS["junit"].render([HOSTILE, *FINDINGS], title="t\x00"))[0]
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "2", "errors": "1", "skipped": "1",
    }  # fmt: skip


def test_a_code_span_shows_its_text_and_cannot_be_left() -> None:
    assert markdown.escape("`roc_auc` <b> a_b") == "`roc_auc` &#60;b&#62; a&#95;b"
    assert markdown.escape("`x|y` ``<b>`") == "`x¦y` &#96;&#96;&#60;b&#62;&#96;"
    assert markdown.escape("@team, ada@b") == "@\u200bteam, ada&#64;b"
    assert markdown.escape("`a``<b>`") == "&#96;a&#96;&#96;&#60;b&#62;&#96;"


def test_hostile_text_is_a_valid_file_in_every_format() -> None:
    for form in FORMATS.values():
        assert form.render([HOSTILE], title="t\ud800").encode("utf-8", "backslashreplace")
    for name in ("sarif", "gitlab"):
        assert json.loads(FORMATS[name].render([HOSTILE], title="t").encode())


def test_code_quality_has_the_same_fingerprint_for_the_same_finding() -> None:
    first, *_rest = json.loads(FORMATS["gitlab"].render(FINDINGS, title="t"))
    moved = json.loads(FORMATS["gitlab"].render([FINDINGS[0]._replace(line=9)], title="t"))
    assert (first["fingerprint"], first["severity"]) == (moved[0]["fingerprint"], "critical")


def test_hostile_text_cannot_start_another_workflow_command() -> None:
    lines = FORMATS["github"].render([HOSTILE], title="t").splitlines()
    assert [line[:20] for line in lines] == ["::error file=a`|b%0A", "1 error (t)"]
