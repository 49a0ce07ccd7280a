"""`git mlops model`, as a user types it."""

import json
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo
from git_mlops.models import register
from git_mlops.models.context import Context
from tests.conftest import Run
from tests.experiments.conftest import commit

RULES = """\
version: 1
experiments:
  metrics:
    auc: {direction: max}
models:
  stages:
    staging: {}
    prod: {after: [staging], metrics: {auc: {min: 0.8}}}
"""


@pytest.fixture
def project(repo: Repo) -> Repo:
    commit(repo, {"mlops.yaml": RULES, "m.pkl": b"model", "metrics.json": '{"auc": 0.9}\n'})
    repo.git("config", "mlops.models.sign", "false")
    return repo


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No warning that the clone is not armed."""
    monkeypatch.setenv("PRE_COMMIT", "1")


def data(run: Run, *words: str | Path, cwd: Path, status: int = 0) -> object:
    envelope = json.loads(run(*words, "--json", cwd=cwd, status=status).stdout)
    assert envelope["mlops"] == 1
    return envelope["data"]


@pytest.mark.slow
def test_from_register_to_rollback(project: Repo, mlops: Run) -> None:
    at = project.root
    (at / "sub").mkdir()
    done = mlops("model", "register", "m", "--path", "../m.pkl", "-m", "first", cwd=at / "sub")
    assert done.stderr.splitlines()[-1] == "`git push origin m@v0.1.0` shares it"
    refused = mlops("model", "promote", "m", "prod", cwd=at, status=1)
    assert refused.stderr == (
        "error: m v0.1.0 does not get the stage `prod`\n"
        "  - it has not held the stage `staging`\n    `git mlops model promote m@v0.1.0 staging`\n"
    )
    assert (
        mlops("model", "promote", "m", "staging", "--dry-run", cwd=at).stderr == "m v0.1.0 may have staging\n"
    )
    mlops("model", "promote", "m", "staging", cwd=at)
    done = mlops("model", "promote", "m#staging", "prod", cwd=at)
    assert done.stderr.splitlines()[:3] == [
        "  + has held `staging`", "  + auc = 0.9 is >= 0.8", "m v0.1.0 is prod"
    ]  # fmt: skip
    mlops("model", "register", "m", "--bump", "major", cwd=at)
    mlops("model", "promote", "m@v1.0.0", "staging", cwd=at)
    assert "prod, before: v0.1.0" in mlops("model", "promote", "m", "prod", cwd=at).stderr
    assert "m v0.1.0 is prod, before: v1.0.0" in mlops("model", "rollback", "m", "prod", cwd=at).stderr
    listed = mlops("model", "list", cwd=at).stdout.splitlines()
    assert listed[1].split()[:6] == ["m", "v1.0.0", "prod", "v0.1.0,", "staging", "v1.0.0"]
    tags = [row.split()[-1] for row in mlops("model", "history", "m", cwd=at).stdout.splitlines()[1:]]
    assert tags == ["m#prod#5", "m#prod#4", "m#staging#3", "m@v1.0.0", "m#prod#2", "m#staging#1", "m@v0.1.0"]
    said = mlops("model", "deprecate", "m@v0.1.0", cwd=at).stderr.splitlines()
    assert said[:2] == [
        "m v0.1.0 is taken back",
        "warning: the stage `prod` is v1.0.0 again, as it was before",
    ]
    mlops("model", "deprecate", "m", cwd=at)
    last = mlops("model", "history", "m", cwd=at).stdout.splitlines()[1].split()
    assert (last[2:5], last[-1]) == (["deprecate", "-", "-"], "m@deprecated#7")
    assert mlops("model", "show", "m@v1.0.0", cwd=at).stdout.splitlines()[0] == (
        "m v1.0.0  (the model is deprecated)"
    )


def test_every_command_speaks_json(project: Repo, mlops: Run) -> None:
    at = project.root
    made = data(mlops, "model", "register", "m", cwd=at)
    assert isinstance(made, dict)
    assert (made["tag"], made["stages"], made["facts"]["object"]["algorithm"]) == ("m@v0.1.0", [], "git-blob")
    refused = data(mlops, "model", "promote", "m", "prod", cwd=at, status=1)
    assert isinstance(refused, dict)
    assert [one["message"] for one in refused["refused"]] == ["it has not held the stage `staging`"]
    promoted = data(mlops, "model", "promote", "m", "staging", cwd=at)
    assert isinstance(promoted, dict)
    assert (promoted["tag"], promoted["refused"]) == ("m#staging#1", [])
    models = data(mlops, "model", "list", cwd=at)
    assert isinstance(models, list)
    assert (models[0]["latest"], models[0]["stages"], models[0]["count"]) == (
        "v0.1.0",
        {"staging": "v0.1.0"},
        1,
    )
    one = data(mlops, "model", "list", "m", cwd=at)
    assert isinstance(one, dict)
    assert [version["tag"] for version in one["versions"]] == ["m@v0.1.0"]
    events = data(mlops, "model", "history", "m", cwd=at)
    assert isinstance(events, list)
    assert events[0]["title"] == "model: m v0.1.0 is staging"
    difference = data(mlops, "model", "diff", "m", "v0.1.0", cwd=at)
    assert isinstance(difference, dict)
    assert (difference["a"], difference["model"]) == ("m v0.1.0", [])
    verified = data(mlops, "model", "verify", "m#staging", cwd=at)
    assert isinstance(verified, dict)
    assert [one["level"] for one in verified["findings"]] == ["warning", "warning"]
    shown = data(mlops, "model", "show", "m", cwd=at)
    assert isinstance(shown, dict)
    assert shown["stages"] == ["staging"]


def test_a_clone_sees_what_was_pushed_and_goes_on(
    project: Repo, mlops: Run, run: Run, tmp_path: Path
) -> None:
    at, hub, clone = project.root, tmp_path / "hub.git", tmp_path / "clone"
    run("git", "init", "-q", "--bare", hub, cwd=tmp_path)
    run("git", "remote", "add", "origin", hub, cwd=at)
    run("git", "push", "-q", "origin", "main", cwd=at)
    assert "sent to origin" in mlops("model", "register", "m", "--push", cwd=at).stderr
    run("git", "clone", "-q", "-b", "main", hub, clone, cwd=tmp_path)
    mlops("model", "promote", "m", "staging", "--push", cwd=at)
    # the clone has not fetched since: what the rules ask for is on the remote
    mlops("model", "promote", "m", "prod", "--push", cwd=clone)
    mlops("model", "promote", "m", "prod", "--push", cwd=at)
    tags = run("git", "tag", cwd=at).stdout.split()
    assert tags == ["m#prod#2", "m#staging#1", "m@v0.1.0"]
    mlops("model", "register", "m", cwd=at)
    done = mlops("model", "promote", "m@v0.1.0", "prod", "--push", cwd=at)
    assert done.stderr.splitlines()[0] == "only here: `git push origin m@v0.1.1` sends them"


def test_in_ci_the_rules_are_those_of_the_main_branch(
    project: Repo, mlops: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, hub, clone = project.root, tmp_path / "hub.git", tmp_path / "clone"
    mlops("model", "register", "m", cwd=at)
    run("git", "clone", "-q", "--bare", at, hub, cwd=tmp_path)
    run("git", "clone", "-q", hub, clone, cwd=tmp_path)
    (clone / "mlops.yaml").write_text("version: 1\n")
    run("git", "-c", "commit.gpgsign=false", "commit", "-qam", "no rules any more", cwd=clone)
    assert mlops("model", "promote", "m", "prod", "--dry-run", cwd=clone).returncode == 0
    mlops("model", "promote", "m", "prod", "--dry-run", "--rules", "origin/main", cwd=clone, status=1)
    monkeypatch.setenv("CI", "true")
    assert "has not held" in mlops("model", "promote", "m", "prod", cwd=clone, status=1).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "x"), "error: no model `x` is registered"),
        (
            ("show", "m@prod"),
            "error: `prod` is no version\nhint: a version, as `m@v1.0.0`; a stage is `m#prod`",
        ),
        (("promote", "m", "p rod"), "error: `p rod` cannot be the name of a stage"),
        (("promote", "m", "pord"), "error: mlops.yaml has no stage `pord`"),
        (
            ("register", "m", "--path", "../../etc/passwd"),
            "error: `../../etc/passwd` is not in this repository",
        ),
        (("register", "m", "--push"), "error: this repository has no git remote"),
        (("rollback", "m", "prod"), "error: no version of model `m` holds the stage `prod`"),
        (("history", "x"), "error: no model `x` is registered"),
        (
            ("promote", "m", "staging", "--rules", "nowhere"),
            "error: `nowhere` is not a commit of this repository",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_plain_words(
    project: Repo, mlops: Run, words: tuple[str, ...], message: str
) -> None:
    register.register(project, register.Request("m"), Context())
    said = mlops("model", *words, cwd=project.root, status=2).stderr
    assert said.startswith(message)
