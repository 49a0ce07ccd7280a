"""`git mlops monitor` as a user runs it."""

import json
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from git_mlops import config
from git_mlops.cli.root import root
from git_mlops.config import FILE
from git_mlops.decode import DecodeError
from git_mlops.git.repo import Repo
from git_mlops.monitor import history
from tests.conftest import Run
from tests.monitor.conftest import people, serve


@pytest.mark.slow
def test_two_files_are_compared_anywhere_and_the_exit_code_says_what_was_found(
    tables: Path, mlops: Run
) -> None:
    words = ["monitor", "--reference", "old.csv", "--current"]
    assert "Found" not in mlops(*words, "same.parquet", cwd=tables).stdout
    assert "`age` moved" in mlops(*words, "older.csv", cwd=tables, status=1).stdout
    missing = mlops(*words, "none.csv", cwd=tables, status=2).stderr
    assert missing.startswith("error: no such file or directory: `none.csv`\nhint:")


def test_requests_are_replayed_by_the_program_of_the_settings(repo: Repo, tables: Path, mlops: Run) -> None:
    line = f"'{sys.executable}' copy.py {{requests}} {{features}}"
    (repo.root / "mlops.yaml").write_text(
        f'version: 1\nmonitor:\n  skew:\n    command: "{line}"\n    key: id\n    form: csv\n'
    )
    copied = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read().replace('Ghent', 'Gent'))"
    (repo.root / "copy.py").write_text(copied)
    words = ["--reference", str(tables / "old.csv"), "--current", str(tables / "same.parquet")]
    said = mlops(
        "monitor", *words, "--requests", str(tables / "same.parquet"), cwd=repo.root, status=1
    ).stdout
    assert "`city` was served otherwise than the training features make it" in said
    missing = mlops("monitor", *words, "--requests", "none.csv", cwd=repo.root, status=2).stderr
    assert missing.startswith("error: no such file or directory: `none.csv`\nhint:")


def _invoke(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(root, ["monitor", *words], standalone_mode=False)
    if done.exception:
        raise done.exception
    return int(done.return_value or 0), done.stdout


@pytest.mark.parametrize(
    "format_", ["json", "markdown", "html", "junit", "sarif", "github", "gitlab", "prometheus"]
)
def test_every_format_tells_of_the_same_column(
    tables: Path, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tables)
    code, text = _invoke("--reference", "old.csv", "--current", "older.csv", "--format", format_)
    assert (code, "age" in text) == (1, True)
    if format_ == "json":
        data = json.loads(text)["data"]
        assert (data["version"], data["outcome"], data["columns"]["age"]["alarm"]) == (1, "fail", True)
    if format_ == "html":
        assert "data:image/svg+xml" in text
    if format_ == "prometheus":
        assert 'mlops_drift_alarm{model="files",column="age"} 1\n' in text


def test_a_model_is_watched_its_runs_are_kept_and_shown(model: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.root)
    serve(model, people(seed=2))
    assert _invoke("m")[0] == 0
    assert _invoke("run", "m@v0.1.0", "--json")[0] == 0
    assert _invoke("m", "--no-record")[0] == 0
    runs = json.loads(_invoke("history", "m", "--json")[1])
    (model.root / "log.csv").write_text("age\n1\n")
    with pytest.raises(click.UsageError, match="a file is taken whole"):
        _invoke("m", "--since", "7d", "--current", "log.csv")
    assert (runs["kind"], len(runs["data"])) == ("monitor-history", 2)
    assert _invoke("history", "m", "-n", "1")[1].startswith("pass: m: monitored\n1 run\n")


def test_alerts_are_told_once_and_a_dry_run_keeps_nothing(
    model: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(model.root)
    monkeypatch.setenv("HOOK", "https://hooks.example.com/secret")
    (model.root / FILE).write_text("version: 1\nmonitor:\n  alerts: {webhook_variable: HOOK}\n")
    serve(model, people(seed=3, older=0.6))
    done = CliRunner().invoke(root, ["monitor", "m", "--alert", "--dry-run"], standalone_mode=False)
    assert "would send to webhook hooks.example.com" in done.stderr
    assert ("secret" in done.output, history.read(model, "m")) == (False, [])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("false_alarms: 2", "`monitor.false_alarms`: expected a share"),
        ("ages: {model: soon}", "`monitor.ages.model`: `soon` is no length of time"),
        ("alerts: {quiet: night}", "`monitor.alerts.quiet`: `night` is no span of hours"),
        ("columns: {age: {efect: 1}}", "`monitor.columns.age.efect`: unknown key"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: str, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        config.parse(f"version: 1\nmonitor: {{{settings}}}\n".encode())
    assert said in str(caught.value)


def test_it_is_a_command_of_the_root() -> None:
    done = CliRunner().invoke(root, ["monitor", "-h"])
    assert (done.exit_code, "history" in done.output) == (0, True), done.output
