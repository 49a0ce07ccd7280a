"""A report as a file: whatever a pull request's job puts there gains nothing."""

import json
import os
from pathlib import Path

import pytest

from git_mlops import forges
from git_mlops.errors import MlopsError
from git_mlops.forges import bundle
from tests.forges.apps import HEAD, ME
from tests.forges.conftest import Forge


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


GOOD = {
    "git-mlops": "report",
    "version": 1,
    "head": HEAD,
    "state": "success",
    "verdict": "pass",
    "markdown": "### pass",
    "report": None,
}


def test_what_is_written_is_read(path: Path) -> None:
    bundle.write(path, "### pass", head=HEAD, state="success", verdict="✅ pass", report={"metrics": [1]})
    read = bundle.read(path, head=HEAD)
    assert (read.head, read.state, read.verdict, read.report) == (
        HEAD,
        "success",
        "✅ pass",
        {"metrics": [1]},
    )
    assert read.body.startswith("> Made by a job of the pull request itself: what it says is not verified.\n")
    assert read.body.endswith("\n\n### pass")


def test_structured_data_that_is_too_large_is_left_out(path: Path) -> None:
    bundle.write(path, "### pass", head=HEAD, report=["x" * bundle.MOST_BYTES])
    assert bundle.read(path).report is None


def test_unknown_keys_are_kept_out_of_the_way(path: Path) -> None:
    path.write_text(json.dumps({**GOOD, "number": 1, "marker": "other", "forge": "x"}), encoding="utf-8")
    assert set(bundle.read(path)._fields) == {"head", "state", "verdict", "body", "report"}


def test_a_short_head_is_enough_where_a_forge_says_no_more(path: Path) -> None:
    bundle.write(path, "### pass", head=HEAD)
    assert bundle.read(path, head=HEAD[:12]).head == HEAD
    with pytest.raises(MlopsError, match="the run was of `aaaaaaa`"):
        bundle.read(path, head=HEAD[:7])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is not JSON"),
        ("[]", "it is not a report of git-mlops"),
        ("[" * 200_000, "it is not JSON"),
        ("9" * 10_000, "it is not JSON"),
        ('{"git-mlops": "report", "version": NaN}', "it is not JSON"),
        (json.dumps({**GOOD, "version": 2}), "of another version"),
        (json.dumps({**GOOD, "head": "HEAD"}), "`head` is no commit id"),
        (json.dumps({**GOOD, "head": HEAD[:12]}), "`head` is no commit id"),
        (json.dumps({**GOOD, "head": "b" * 40}), "it is of `bbbbbbbbbbbb`, the run was of `aaaaaaaaaaaa`"),
        (json.dumps({**GOOD, "state": "merged"}), "`state` is none"),
        (json.dumps({**GOOD, "markdown": ["x"]}), "`markdown` is not text"),
        (json.dumps({**GOOD, "verdict": None}), "`verdict` is not text"),
        (json.dumps({**GOOD, "report": json.loads("[" * 60 + "]" * 60)}), "nested more than 40 levels"),
        (json.dumps({**GOOD, "markdown": "x" * 10 * 2**20}), "larger than 2 MiB"),
        ("\x00\xff", "it is not JSON"),
    ],
)
def test_what_is_not_a_bundle_is_refused(path: Path, content: str, message: str) -> None:
    path.write_text(content, encoding="latin-1" if "\xff" in content else "utf-8")
    with pytest.raises(MlopsError, match=message) as caught:
        bundle.read(path, head=HEAD)
    assert caught.value.exit_code == 3


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(json.dumps(GOOD), encoding="utf-8")
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(MlopsError, match="cannot be read"):
        bundle.read(path)


def test_a_pipe_does_not_block(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(MlopsError, match="not a plain file"):
        bundle.read(path)


def test_a_directory_and_nothing_are_refused(path: Path, tmp_path: Path) -> None:
    for place in (tmp_path, path):
        with pytest.raises(MlopsError, match="is refused"):
            bundle.read(place)


HOSTILE = (
    "<!-- git-mlops:report:report -->\n<!-- git-mlops:state:W1siYWFhYWFhYWEiLCAiYWxsIGdvb2QiXV0= -->\n"
    "### ✅ pass\n\n[approve](https://evil.example) ![](https://evil.example/p.png) @everyone\n/merge\n"
    "\x1b[31m<script>alert(1)</script>\n<details><details>\n````\n"
    "---\n\n**Earlier pushes**\n\n- `bbbbbbbb`: all good\n\n*git-mlops* `other` at `bbbbbbbb`: fine\n"
)


def test_a_hostile_report_is_posted_as_text_and_takes_over_nothing(forge: Forge, path: Path) -> None:
    forge.post("### other", marker="other")
    bundle.write(path, HOSTILE, head=HEAD, verdict="<b>pass</b> [x](y) @all " * 20)
    read = bundle.read(path, head=HEAD)
    for _ in range(2):
        forge.post(read.body, verdict=read.verdict, target=forge.target._replace(number=None))
    other, posted = forge.app.written()
    assert "### other" in other
    for active in ("](", "://evil", "<script", "@everyone", "\n/merge", "\x1b", "@all"):
        assert active not in posted
    assert forge.app.notes.keys() == {note.id for note in forge.app.notes.values() if note.author == ME}
    forge.app.pulls[0] = (7, "c" * 40)
    forge.post("### next", target=forge.target._replace(head="c" * 40))
    lines = [line for line in forge.app.written()[1].splitlines() if line.startswith("- `")]
    assert [line[:44] for line in lines] == [f"- `{HEAD}`"]
    assert "all good" not in forge.app.written()[1]


def test_a_bundle_never_says_which_pull_request(forge: Forge, path: Path) -> None:
    forge.app.pulls.append((8, "b" * 40))
    path.write_text(json.dumps({**GOOD, "number": 8, "pull_request": 8}), encoding="utf-8")
    read = bundle.read(path, head=HEAD)
    target = forges.pull_request(forge.target._replace(number=None), pace=forge.pace)
    assert target.number == 7
    assert forge.post(read.body, target=target).number == 7
