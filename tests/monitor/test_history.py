"""Histories: kept, joined, shown."""

import shutil
from functools import partial
from pathlib import Path

from git_mlops.git import histories
from git_mlops.git.repo import Repo, discover
from git_mlops.monitor import history, past
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.recording import record
from git_mlops.reports import document_html, document_text
from tests.conftest import Run


def _run(time: str, **numbers: float) -> Observation:
    return Observation(Subject("a/b:m", "v1.0.0", reference="old", current="new"), time, (), numbers=numbers)


def test_runs_of_two_clones_are_joined_and_none_is_lost(repo: Repo, tmp_path: Path, run: Run) -> None:
    bare, other = tmp_path / "bare.git", tmp_path / "other"
    run("git", "clone", "-q", "--bare", repo.root, bare, cwd=tmp_path)
    run("git", "remote", "add", "origin", bare, cwd=repo.root)
    shutil.copytree(repo.root, other)
    theirs = discover(other)
    record(repo, _run("2026-01-01T00:00:00+00:00", p95_ms=1.0))
    record(repo, _run("2026-01-03T00:00:00+00:00", p95_ms=3.0))
    record(theirs, _run("2026-01-02T00:00:00+00:00", p95_ms=2.0))
    history.push(repo, "origin", "a/b:m")
    history.push(theirs, "origin", "a/b:m")
    assert history.pull(repo, "origin", "a/b:m")
    assert [one.number("numbers", "p95_ms") for one in history.read(repo, "a/b:m")] == [1.0, 2.0, 3.0]
    assert repo.text("show", f"{history.ref_of('a/b:m')}:record.json").count('"p95_ms": 3.0') == 1
    assert (history.names(repo), history.pull(repo, "origin", "none")) == (["a/b:m"], False)


def test_a_history_has_a_table_and_the_course_of_its_figures(repo: Repo) -> None:
    for day, ms in enumerate((1.0, 2.0, 9.0), 1):
        record(repo, _run(f"2026-01-0{day}T00:00:00+00:00", p95_ms=ms))
    made = past.document("a/b:m", history.read(repo, "a/b:m"))
    text = document_text.render(made)
    assert text.startswith("pass: a/b:m: monitored\n3 runs\n")
    assert "p95_ms  ▁▂█ 1 → 9" in text
    assert "<svg" not in document_html.render(made)  # pictures are data, not markup


def _files(content: bytes, _tip: str | None) -> dict[str, bytes]:
    return {history.RECORD: content}


def test_what_is_no_record_of_ours_is_left_out(repo: Repo) -> None:
    for content in (b"no JSON", b"[]", b'{"version": 2}'):
        files = partial(_files, content)
        histories.record(repo, history.ref_of("m"), files, "x")
    assert history.read(repo, "m") == []
