"""Whether a version answers as it should, and how quickly."""

import json
from pathlib import Path

import polars as pl
import pytest

from git_mlops.cli.run import run
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.serve import answers, smoke
from git_mlops.serve.live import Fleet
from git_mlops.serve.slots import Wanted
from git_mlops.serve.smoke import Request, Smoked
from git_mlops.serve.source import Asked
from tests.serve.conftest import rows


def smoked(repo: Repo, request: Request) -> Smoked:
    fleet = Fleet(repo, [Wanted("churn@v1.0.0")], Asked(), lambda _text: None)
    return smoke.smoke(fleet, request, extra="refuse", say=lambda _text: None)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    pl.DataFrame(rows(80)).with_columns(target=1).write_csv(tmp_path / "rows.csv")
    return tmp_path / "rows.csv"


def test_a_good_version_passes_and_is_measured(project: Repo, table: Path) -> None:
    done = smoked(project, Request(table, requests=60, clients=3, at_most={"p99": 60_000.0}))
    assert done.findings == ()
    assert done.checked == (
        "/ping answers",
        "/version says v1.0.0",
        "80 rows get the answers of a batch",
        "rows without `age` are refused",
        "every request is answered",
        "p99 is at most 60000 ms",
    )
    assert done.latency
    assert (done.latency.requests, done.latency.clients) == (60, 3)
    assert done.latency.p50 <= done.latency.p95 <= done.latency.p99 <= done.latency.max


def test_one_that_answers_otherwise_than_in_a_batch_fails(
    project: Repo, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = answers.plain
    monkeypatch.setattr(answers, "plain", lambda raw: [0] if not isinstance(raw, list) else real(raw))
    (finding,) = smoked(project, Request(table)).findings
    told = "80 rows get the answers of a batch: the server says [0], the batch [0, "
    assert finding.message.startswith(told)


def test_the_command_fails_where_it_is_too_slow(
    project: Repo, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    words = ["model", "smoke", "churn@v1.0.0", "--in", str(table), "--requests", "5", "--p50", "0.0001"]
    assert run([*words, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "model-smoke"
    found = [one["message"].partition(":")[0] for one in said["data"]["findings"]]
    assert found == ["p50 is at most 0.0001 ms"]
    assert run(words) == 1
    assert "error: p50 is at most 0.0001 ms: it is " in capsys.readouterr().out


def test_without_rows_and_example_nothing_is_asked(project: Repo) -> None:
    with pytest.raises(MlopsError, match=r"churn v1\.0\.0 has no input example to ask about"):
        smoked(project, Request())
