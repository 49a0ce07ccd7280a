"""The loop as a user closes it: drift, retraining, pull request, merge, version, stage."""

import json
from pathlib import Path

import pytest

from git_mlops.cli.retrain import retrain
from git_mlops.errors import MlopsError
from tests.conftest import Run
from tests.forges.apps import TOKEN, GitHub, GitLab
from tests.forges.conftest import Fault, Start, start
from tests.retrain.conftest import Project, table

__all__ = ["start"]


@pytest.fixture
def finding(tmp_path: Path) -> Path:
    """What the monitor printed."""
    said = {"rule": "drift", "level": "error", "message": "`y` moved: PSI 0.41, @team"}
    data = {"name": "line", "model_version": "v0.1.0", "findings": [said]}
    file = tmp_path / "drift.json"
    file.write_text(json.dumps({"mlops": 1, "kind": "monitor", "data": data}))
    return file


@pytest.mark.slow
def test_from_drift_to_the_promoted_challenger(
    served: Project, mlops: Run, start: Start, finding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = start(GitHub)
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    served.settings()
    train, test = served.new("t.csv", table(3.0, noise=0.2)), served.new("s.csv", table(3.0, noise=0.05))
    words = [
        "retrain", "--because", "drift", "--finding", str(finding), "--pull-request", "--register", "--json",
        "--data", f"data/train.csv={train}", "--data", f"data/test.csv={test}",
        "--forge", "github", "--api", forge.target.api, "--repo", "ada/models",
        "--token-variable", "FORGE_TOKEN",
    ]  # fmt: skip
    forge.fail(Fault("POST", status=502, how="lost"))
    before = served.git("status", "--porcelain"), served.git("rev-parse", "HEAD")
    done = mlops(*words, cwd=served.root)
    found = json.loads(done.stdout)["data"]
    assert found["pull_request"] == {"action": "created", "number": 20, "url": "https://forge.example/20"}
    assert found["registered"] == {"version": "v0.1.1", "new": True, "refused": []}
    assert found["comparable"]
    assert TOKEN not in done.stdout + done.stderr
    (pull,) = forge.app.opened
    assert (pull.source, pull.into) == ("retrain/line-drift", "main")
    assert "PSI 0.41" in pull.body
    assert "@team" not in pull.body
    again = json.loads(mlops(*words, cwd=served.root).stdout)["data"]
    assert again["pull_request"]["action"] == "unchanged"
    assert again["registered"]["new"] is False
    assert again["challenger"] == found["challenger"]
    assert len(forge.app.opened) == 1
    assert (served.git("status", "--porcelain"), served.git("rev-parse", "HEAD")) == before
    merged(served, mlops)


def merged(served: Project, mlops: Run) -> None:
    """Somebody else merges it in a clone of their own, where the data comes from the remote, and promotes."""
    there = served.bare.parent / "other"
    served.git("clone", "-q", str(served.bare), str(there))
    other = served._replace(repo=served.repo._replace(root=there))
    other.git("merge", "-q", "--no-ff", "-m", "Merge", "origin/retrain/line-drift")
    mlops("pull", cwd=there)
    assert (there / "data/train.csv").read_text() == table(3.0, noise=0.2)
    mlops("model", "promote", "line@v0.1.1", "prod", cwd=there)
    shown = json.loads(mlops("model", "show", "line#prod", "--json", cwd=there).stdout)
    assert shown["data"]["version"] == "v0.1.1"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of a library of DVC's
def test_a_worse_challenger_is_proposed_only_anyway(
    served: Project, start: Start, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    forge = start(GitLab)
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.chdir(served.root)
    train = served.new("t.csv", table(9.0))
    words = [
        "line", "--because", "new-data", "--pull-request", "--data", f"data/train.csv={train}",
        "--forge", "gitlab", "--api", forge.target.api, "--repo", forge.target.repository,
        "--token-variable", "FORGE_TOKEN",
    ]  # fmt: skip
    assert retrain.main(words, standalone_mode=False) == 1
    said = capfd.readouterr()
    assert "the challenger is worse than line v0.1.0 (prod) or breaks a rule: `mae`" in said.out
    assert "Running stage" not in said.out
    assert "no pull request was opened; `--anyway` opens one" in said.err
    assert forge.app.opened == []
    assert "retrain/line-new-data" in served.git("branch")
    assert served.git("ls-remote", "origin", "refs/heads/retrain/*", "refs/exps/*") == ""
    forge.fail(Fault("POST", status=403))
    with pytest.raises(MlopsError, match="does not let this token open a pull request"):
        retrain.main([*words, "--anyway"], standalone_mode=False)
    assert "the challenger is worse" in capfd.readouterr().out  # what took hours is shown all the same
    assert retrain.main([*words, "--anyway"], standalone_mode=False) == 1
    (pull,) = forge.app.opened
    assert "❌" in pull.body


@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of a library of DVC's
def test_what_changes_nothing_is_not_proposed(
    served: Project, start: Start, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The schedule came, and no new data: not a pull request every week."""
    forge = start(GitHub)
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.chdir(served.root)
    words = [
        "line", "--because", "schedule", "--pull-request", "--forge", "github", "--api", forge.target.api,
        "--repo", forge.target.repository, "--token-variable", "FORGE_TOKEN",
    ]  # fmt: skip
    assert retrain.main(words, standalone_mode=False) == 0
    assert "the result is what origin/main has: there is nothing to propose" in capfd.readouterr().err
    assert forge.app.opened == []
    assert served.git("ls-remote", "origin", "refs/heads/retrain/*") == ""
