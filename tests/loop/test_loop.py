"""Serve → drift → retrain → pull request → promote → serve, on real patients: each state of the story."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.loop.conftest import SERVED, Done, Story

pytestmark = pytest.mark.slow

ISSUES = ["git-mlops: progression, prod: drift", "git-mlops: progression, prod: values out of range"]


def data(done: Done) -> Any:
    return json.loads(done.stdout)["data"]


def errors(done: Done) -> set[str]:
    return {one["rule"] for one in data(done)["findings"] if one["level"] == "error"}


def opened(forge: dict[str, Any], path: str) -> list[str]:
    """The answers to requests that open something."""
    return [one.rpartition(" ")[2] for one in forge["requests"] if re.fullmatch(rf"POST \S+/{path} \d+", one)]


def test_other_patients_than_it_was_trained_on_are_found(story: Story) -> None:
    assert errors(story.drifted) == {"drift", "range"}
    found = data(story.drifted)
    assert (found["rows"], found["model_version"]) == ({"reference": 130, "current": 140}, "v0.1.0")
    assert found["columns"]["age"]["alarm"]


def test_what_became_of_them_shows_that_the_model_is_worse(story: Story) -> None:
    assert "quality" in errors(story.labelled)
    (said,) = (one["message"] for one in data(story.labelled)["findings"] if "`mae`" in one["message"])
    assert re.fullmatch(r"`mae` is 5\d\.\d+ ± [\d.]+, at the registration 4\d\.\d+", said)


def test_each_alert_is_one_issue_however_ill_the_forge_is(story: Story) -> None:
    assert [(one["title"], one["state"]) for one in story.alarmed["issues"]] == [(t, "open") for t in ISSUES]
    assert opened(story.alarmed, "issues") == ["500", "201", "201"]


def test_the_last_record_of_the_monitor_is_the_reason(story: Story) -> None:
    because = data(story.retrained)["because"]
    assert (because["kind"], because["run"]) == ("drift", story.noted[0])
    assert [one for one in because["findings"] if one.startswith(("`age` is dist", "`mae` is"))] != []


def test_there_is_one_pull_request_however_often_it_is_tried(story: Story) -> None:
    done = [data(one)["pull_request"]["action"] for one in (story.retrained, story.again)]
    assert done == ["created", "unchanged"]
    assert [one["head"]["ref"] for one in story.proposed["pulls"]] == ["retrain/progression-drift"]
    assert opened(story.proposed, "pulls") == ["500", "201"]


def test_it_says_why_and_that_the_challenger_is_better(story: Story) -> None:
    (pull,) = story.proposed["pulls"]
    mae = next(one for one in data(story.retrained)["metrics"] if one["name"] == "mae")
    assert mae["new"] < mae["old"]
    assert data(story.retrained)["comparable"]
    assert pull["title"] == "Retrain progression: the data has drifted"
    assert "the challenger is not worse than progression v0.1.0 (prod): mae" in pull["body"]
    assert "`age` leaves 19 to 49 in 100 % of the rows" in pull["body"]


def test_nothing_is_promoted_and_the_workspace_is_as_it_was(story: Story) -> None:
    assert story.before == story.after
    assert data(story.retrained)["registered"] == {"version": "v0.1.1", "new": True, "refused": []}
    assert data(story.again)["registered"] == {"version": "v0.1.1", "new": False, "refused": []}


def test_the_promotion_is_served_and_every_request_under_way_is_answered(story: Story) -> None:
    for done in story.visits:
        match = re.fullmatch(r"(\d+) requests, \1 answers: (\d+) by v0\.1\.0, 1 by v0\.1\.1\n", done.stdout)
        assert (done.returncode, done.stderr) == (0, "")
        assert match
        assert int(match[1]) == int(match[2]) + 1
    assert story.newest.stdout == "172 requests, 172 answers: 172 by v0.1.1\n"
    assert story.mlops("model", "show", SERVED)["version"] == "v0.1.1"


def test_it_is_calm_afterwards_and_the_issues_are_closed(story: Story) -> None:
    found = data(story.calm)
    assert (found["outcome"], found["model_version"], found["findings"]) == ("pass", "v0.1.1", [])
    assert [(one["title"], one["state"]) for one in story.settled["issues"]] == [
        (t, "closed") for t in ISSUES
    ]


def test_without_a_finding_there_is_no_reason_to_train_again(story: Story) -> None:
    why = "why is `progression` to be trained again? The monitor found neither drift nor decay of v0.1.1"
    assert story.rest.stderr.startswith(f"error: {why}\n")


def causes(lineage: Any) -> list[tuple[str, str]]:
    """Each cause, and what it is the cause of."""
    return [
        (edge["source"], edge["target"].partition(":")[0])
        for edge in lineage["edges"]
        if edge["how"] == "because"
    ]


def test_production_leads_back_to_what_the_monitor_found(story: Story) -> None:
    found = story.mlops("lineage", SERVED, "--up")
    assert causes(found) == [(f"cause:{story.noted[0]}", "experiment")]
    (node,) = (one for one in found["nodes"] if one["kind"] == "cause")
    assert (node["facts"]["champion"], node["facts"]["kind"]) == ("v0.1.0", "drift")
    record = json.loads(story.git("show", f"{story.noted[0]}:record.json"))
    told = [one["message"] for one in record["findings"] if one["level"] in ("error", "warning")]
    assert node["facts"]["findings"] == told


def test_a_clone_without_experiments_knows_why_as_well(story: Story, tmp_path: Path) -> None:
    story.git("clone", "-q", str(story.remote), str(tmp_path / "clone"))
    found = story.mlops("lineage", SERVED, "--up", cwd=tmp_path / "clone")
    assert causes(found) == [(f"cause:{story.noted[0]}", "model")]
