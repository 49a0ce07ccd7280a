"""Issues of a watched model: which there are, what they say, and that `--alert` keeps them."""

import pytest
from click.testing import CliRunner

from git_mlops.cli.root import root
from git_mlops.decode import DecodeError
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.monitor import history, issues
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.quality import Quality
from git_mlops.monitor.settings import Alerts, Issue, Settings, checked
from tests.forges.apps import TOKEN, BitbucketServer, GitHub
from tests.forges.conftest import Forge
from tests.monitor.conftest import people, serve

SUBJECT = Subject("m", "v1.0.0", "prod", "old", "new", until="2026-05-01T11:59:00+00:00")
AGE = Finding("drift", "error", "`age` moved: @team <b>", hint="look", data={"column": "age"})
OLD = Finding("staleness", "error", "the model is 200 days old", data={"what": "model"})
ONE = Observation(SUBJECT, "2026-05-01T14:00:00+02:00", (AGE, AGE._replace(level="warning"), OLD))


def _keys(one: Observation) -> dict[str, bool]:
    return {notice.key: notice.gone for notice in issues.notices(one)}


def test_there_is_an_issue_for_each_rule_that_found_an_error() -> None:
    drift, health, stale = issues.notices(ONE, "https://ci.example/1")
    assert (drift.title, stale.title) == ("m, prod: drift", "m, prod: stale")
    assert (drift.key, drift.time, drift.said) == ("m#prod:drift", "2026-05-01T12:00:00Z", "1 finding: age")
    assert "- error: `age` moved: @\u200bteam &#60;b&#62; (look)" in drift.body
    assert "[The run](https://ci.example/1)" in drift.body
    assert (health.key, health.gone) == ("m#prod:health", True)


def test_a_rule_that_was_not_looked_at_closes_nothing() -> None:
    nothing = ONE._replace(findings=(), subject=SUBJECT._replace(until=None))
    assert _keys(nothing) == {}
    measured = nothing._replace(quality=Quality(100, 100, {}))
    assert _keys(measured) == {"m#prod:quality": True}
    likely = measured._replace(quality=Quality(100, 100, {}, ((0.1, 0.2, 50),)), numbers={"per_second": 2.0})
    assert [key.partition(":")[2] for key in _keys(likely)] == [
        "quality",
        "calibration",
        "latency",
        "throughput",
    ]
    few = Finding("quality", "unknown", "3 of 9 labels have a prediction; 30 are needed")
    assert _keys(measured._replace(findings=(few,))) == {"m#prod:quality": False}


def test_another_stage_is_another_alert_and_another_version_is_not() -> None:
    names = [SUBJECT, SUBJECT._replace(version="v2.0.0"), SUBJECT._replace(stage=None)]
    keys = [next(iter(_keys(ONE._replace(subject=one)))) for one in names]
    assert keys == ["m#prod:drift", "m#prod:drift", "m#:drift"]


def test_no_value_of_a_private_column_is_in_an_issue() -> None:
    city = Finding(
        "drift", "error", "where `city` is `Ghent`: `age` moved", data={"slice": {"city": "Ghent"}}
    )
    first = issues.notices(ONE._replace(findings=(AGE, city), private=frozenset(["age", "city"])))[0]
    assert ("moved" in first.body, "Ghent" in first.body) == (False, False)


@pytest.mark.parametrize("label", ["a,b", "x'y", "", "ü" * 60])
def test_a_label_that_no_forge_takes_is_refused(label: str) -> None:
    with pytest.raises(DecodeError, match=r"monitor\.alerts\.issue\.label"):
        checked(Settings(alerts=Alerts(issue=Issue(label))))


def _run(*words: str) -> tuple[int, str]:
    """Its exit code, and what it says."""
    done = CliRunner().invoke(root, ["monitor", "m", "--alert", *words], standalone_mode=False)
    if done.exception:
        raise done.exception
    return int(done.return_value or 0), done.stderr


def _watched(model: Repo, monkeypatch: pytest.MonkeyPatch, alerts: str, *, older: float = 0.5) -> None:
    monkeypatch.chdir(model.root)
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    (model.root / "mlops.yaml").write_text(f"version: 1\nmonitor: {{alerts: {alerts}}}\n")
    serve(model, people(seed=3, older=older))


def _flags(forge: Forge) -> list[str]:
    where = ["--forge", forge.app.forge, "--repo", forge.app.repository, "--api", forge.target.api]
    return [*where, "--token-variable", "FORGE_TOKEN"]


@pytest.mark.parametrize("forge", [GitHub], indirect=True, ids=["github"])
def test_drift_opens_an_issue_that_is_closed_when_it_is_gone(
    model: Repo, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    _watched(model, monkeypatch, "{issue: {label: watch}}")
    code, dry = _run(*_flags(forge), "--dry-run")
    assert (code, f"POST {forge.target.api}/repos/ada/models/issues" in dry) == (1, True)
    assert forge.app.log == []
    assert "github issue #1: created" in _run(*_flags(forge))[1]
    forge.app.tracker.tickets[1].body = forge.app.tracker.tickets[1].body.replace("Seen", "seen")
    assert "github issue #1: u" in _run(*_flags(forge))[1]  # updated, or unchanged within one second
    (one,) = forge.app.tracker.written()
    assert (one.title, one.labels, "`age` moved" in one.body) == ("git-mlops: m: drift", ["watch"], True)
    serve(model, people(seed=2))
    assert "github issue #1: closed" in _run(*_flags(forge))[1]
    assert len(history.read(model, "m")) == 3


@pytest.mark.parametrize("forge", [BitbucketServer], indirect=True, ids=["bitbucket-server"])
def test_a_forge_without_issues_is_said_and_the_run_is_kept(
    model: Repo, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    _watched(model, monkeypatch, "{issue: {}}")
    with pytest.raises(MlopsError, match="Bitbucket Data Center has no issues"):
        _run(*_flags(forge))
    assert len(history.read(model, "m")) == 1


@pytest.mark.parametrize("forge", [GitHub], indirect=True, ids=["github"])
def test_a_webhook_that_fails_does_not_keep_the_issue_back(
    model: Repo, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    _watched(model, monkeypatch, "{webhook_variable: HOOK, issue: {}}")
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/x")
    with pytest.raises(MlopsError, match="the webhook to 127"):
        _run(*_flags(forge))
    assert len(forge.app.tracker.written()) == 1


def test_in_quiet_hours_no_issue_is_touched(model: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    _watched(model, monkeypatch, "{issue: {}, quiet: '00:00-23:59'}")
    assert "no issue: quiet hours (00:00-23:59 UTC)" in _run("--dry-run")[1]


def test_where_nobody_says_which_forge_it_is_asked_for(model: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    _watched(model, monkeypatch, "{issue: {}}")
    with pytest.raises(MlopsError, match="neither a CI nor a git remote says where to open the issue"):
        _run()
