"""The pipelines of models as a forge runs them: their own steps, in shallow clones, against its API."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from git_mlops.git.repo import Repo, discover
from git_mlops.scaffold.ci import generate
from git_mlops.scaffold.settings import Monitor, Settings, Train
from tests.conftest import Run
from tests.forges.apps import TOKEN, GitHub, GitLab
from tests.forges.conftest import Start, start
from tests.retrain.conftest import Project, served, served_template, table

__all__ = ["served", "served_template", "start"]

SETTINGS = """\
ci:
  providers: [github, gitlab]
  install: "true"
  train:
    model: line
    schedule: "0 3 * * 1"
    when: [data, drift]
    bring: if [ -n "${SHELF-}" ]; then cp "$SHELF/train.csv" new.csv; else git show HEAD:old.csv >new.csv; fi
    options: [--data, data/train.csv=new.csv]
  monitor:
    model: line#prod
    schedule: "0 6 * * *"
    bring: cp "$SHELF/now.csv" now.csv && test -z "${MLOPS_FORGE_TOKEN-}" && test "$ALERTS" = hidden
    options: [--reference, old.csv, --current, now.csv]
    secrets: [ALERTS]
monitor: {alerts: {issue: {}}}
"""


class Job(NamedTuple):
    """How a job ended."""

    failed: str | None
    """The step that did."""
    printed: str
    outputs: Mapping[str, str]
    place: Path


class Forge(NamedTuple):
    """Runs jobs of the project's workflows as GitHub does, with the job's own token."""

    run: Run
    project: Project
    api: str

    @property
    def folder(self) -> Path:
        return self.project.bare.parent

    def job(
        self, file: str, job: str, *, given: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> Job:
        """In a clone with nothing but the newest commit; `given` is what the artifact holds."""
        place = self.folder / f"job {job} {len(list(self.folder.iterdir()))}"
        origin = self.project.bare.as_uri()
        self.run("git", "clone", "-q", "--depth", "1", origin, place, cwd=self.folder)
        if given is not None:
            shutil.copytree(given, place / ".mlops" / "ci" / "report")
        workflow = yaml.safe_load((place / ".github" / "workflows" / file).read_text(encoding="utf-8"))
        steps = [step for step in workflow["jobs"][job]["steps"] if "run" in step]
        output = place.with_name(f"{place.name}.output")
        output.write_text("")
        nobody = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_AUTHOR", "GIT_COMM"))
        }
        own = {
            **nobody, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_API_URL": self.api,
            "GITHUB_REPOSITORY": "ada/models", "GITHUB_OUTPUT": str(output), "SHELF": str(self.folder),
            "GIT_CONFIG_GLOBAL": os.devnull, **workflow["jobs"][job].get("env", {}), **(variables or {}),
        }  # fmt: skip
        printed, failed = "", None
        for step in steps:
            if "steps.due" in step.get("if", "") and "due=yes" not in output.read_text():
                continue
            secrets = {"${{ github.token }}": TOKEN, "${{ secrets.ALERTS }}": "hidden"}
            mine = {name: secrets[text] for name, text in step.get("env", {}).items()}
            script = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
            done = self.run(*script, cwd=place, status=None, env={**own, **mine})
            printed += done.stdout + done.stderr
            if done.returncode:
                failed = f"{step['name']}: {done.returncode}"
                break
        said = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return Job(failed, printed, said, place)


@pytest.fixture
def project(served: Project, mlops: Run) -> Project:
    """Served, with pipelines."""
    served.settings(more=SETTINGS)
    mlops("ci", "generate", cwd=served.root)
    served.commit({"old.csv": table(2.0, noise=0.2, rows=400)}, "pipelines")
    served.new("train.csv", table(2.0, noise=0.05))
    return served


@pytest.mark.slow
def test_drift_is_recorded_and_ends_in_one_pull_request(project: Project, run: Run, start: Start) -> None:
    """The monitor's job finds it and fails; the next one takes what it left, trains and proposes."""
    app = start(GitHub)
    forge = Forge(run, project, app.target.api)
    project.new("now.csv", table(9.0, noise=0.2, rows=400))
    watched = forge.job("mlops-monitor.yml", "monitor")
    assert (watched.failed, watched.outputs) == ("Watch what is served: 1", {"drift": "yes"}), watched.printed
    assert "- error: 'y' is distributed otherwise" in watched.printed
    assert "github issue #1: created" in watched.printed
    report = watched.place / ".mlops" / "ci" / "report"
    trained = forge.job("mlops-monitor.yml", "retrain", given=report)
    assert trained.failed is None, trained.printed
    (pull,) = app.app.opened
    assert (pull.source, pull.into) == ("retrain/line-drift", "main")
    assert "`y`" in pull.body
    assert TOKEN not in watched.printed + trained.printed
    refs = run(
        "git", "for-each-ref", "--format=%(refname)", "refs/heads", "refs/mlops", cwd=project.bare
    ).stdout
    assert refs.split() == ["refs/heads/main", "refs/heads/retrain/line-drift", "refs/mlops/monitor/line"]
    author = run("git", "log", "-1", "--format=%an", "retrain/line-drift", cwd=project.bare).stdout
    assert author == "git-mlops\n"


@pytest.mark.slow
def test_new_data_on_the_main_branch_is_trained_on(
    project: Project, run: Run, mlops: Run, start: Start
) -> None:
    app = start(GitHub)
    forge = Forge(run, project, app.target.api)
    before = project.git("rev-parse", "HEAD")
    (project.root / "data" / "test.csv").write_text(table(2.0, noise=0.1))
    mlops("add", "data/test.csv", cwd=project.root)
    mlops("push", cwd=project.root)
    after = project.commit({}, "new data")
    pushed = {"MLOPS_BECAUSE": "new-data", "BASE": before, "HEAD": after}
    done = forge.job("mlops-train.yml", "retrain", variables=pushed)
    assert done.failed is None, done.printed
    (pull,) = app.app.opened
    assert pull.source == "retrain/line-new-data"
    project.git("fetch", "-q", "origin")
    project.git("merge", "-q", "--no-ff", "-m", "Merge", "origin/retrain/line-new-data")
    project.git("push", "-q", "--no-verify", "origin", "main")
    pushed |= {"BASE": after, "HEAD": project.git("rev-parse", "HEAD")}
    again = forge.job("mlops-train.yml", "retrain", variables=pushed)
    assert (again.failed, again.printed.splitlines()[-1]) == (None, "nothing is due")


@pytest.mark.slow
def test_a_schedule_of_gitlab_trains_and_proposes(project: Project, run: Run, start: Start) -> None:
    """By gitlab-ci-local, which reads rules and variables as GitLab does."""
    program = shutil.which("gitlab-ci-local")
    if program is None or not shutil.which("rsync"):
        pytest.skip("gitlab-ci-local (npm) or rsync is not installed here")
    app = start(GitLab)
    place = project.bare.parent / "gitlab"
    run("git", "clone", "-q", project.bare.as_uri(), place, cwd=project.bare.parent)
    clone = discover(place)
    clone.git("remote", "set-url", "origin", "git@forge.invalid:ada/models.git")
    clone.git("config", f"url.{project.bare.as_uri()}.insteadOf", "git@forge.invalid:ada/models.git")
    own = {
        "MLOPS_SCHEDULE": "train", "CI_PIPELINE_SOURCE": "schedule", "GITLAB_TOKEN": TOKEN,
        "CI_API_V4_URL": app.target.api, "CI_PROJECT_PATH": GitLab.repository, "CI": "true",
    }  # fmt: skip
    given = [word for key, value in own.items() for word in ("--variable", f"{key}={value}")]
    listed = run(program, "--list-csv", *given, cwd=place).stdout
    assert [line.split(";")[0] for line in listed.splitlines() if ";" in line][1:] == ["mlops-retrain"]
    done = run(program, "mlops-retrain", "--force-shell-executor", *given, cwd=place, status=None)
    assert done.returncode == 0, done.stdout + done.stderr
    (pull,) = app.app.opened
    assert pull.source.startswith("retrain/line-2")
    assert "it is time for it" in pull.title


# -- what is due, by the script alone ------------------------------------------------------------------------


@pytest.fixture
def scripted(repo: Repo) -> Repo:
    """With the script, and three commits: notes, data, and what a retraining proposed."""
    settings = Settings(train=Train(model=("m",), when=("data",)))
    generate(repo, "sh", settings)
    for name, message in (
        ("notes.md", "notes"),
        ("a b.csv.dvc", "data"),
        ("m.dvc", "retrain\n\nMlops-Retrain: drift"),
    ):
        (repo.root / name).write_text("x\n")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", message)
    return repo


@pytest.mark.parametrize(
    ("base", "head", "due"),
    [
        ("HEAD~3", "HEAD~2", False), ("HEAD~2", "HEAD~1", True), ("HEAD~1", "HEAD", False),
        ("HEAD~3", "HEAD", True), ("", "HEAD~1", True), ("", "HEAD~2", False),
    ],
)  # fmt: skip
def test_only_pointers_that_no_retraining_changed_are_new_data(
    scripted: Repo, run: Run, base: str, head: str, due: bool
) -> None:
    # Azure tells no base
    names = {"TF_BUILD": "True", "BUILD_SOURCEVERSION": head} if not base else {"GITHUB_ACTIONS": "true"}
    own = {
        **os.environ,
        **names,
        "BASE": base and scripted.text("rev-parse", base),
        "MLOPS_BECAUSE": "new-data",
    }
    if base:
        own["HEAD"] = scripted.text("rev-parse", head)
    else:
        own["BUILD_SOURCEVERSION"] = scripted.text("rev-parse", head)
    done = run("sh", ".mlops/ci.sh", "due", cwd=scripted.root, env=own)
    said = done.stdout.splitlines()
    assert ("due: new-data" in said, "nothing is due" in said) == (due, not due)


def test_a_forks_own_pipeline_trains_nothing(scripted: Repo, run: Run) -> None:
    own = {**os.environ, "BITBUCKET_BUILD_NUMBER": "1", "MLOPS_BECAUSE": "new-data"}
    own["BITBUCKET_COMMIT"] = scripted.text("rev-parse", "HEAD~1")
    done = run("sh", ".mlops/ci.sh", "due", "retrain", cwd=scripted.root, env=own)
    assert done.stdout.splitlines() == ["no token here, as in a fork", "nothing is due"]


def test_a_model_without_a_version_has_nothing_to_do(repo: Repo, run: Run) -> None:
    """A young project: its schedules run, and do not fail."""
    settings = Settings(train=Train(model=("dir:m",)), monitor=Monitor(model=("dir:m#prod",)))
    generate(repo, "sh", settings)
    own = {**os.environ, "MLOPS_BECAUSE": "schedule"}
    done = run("sh", ".mlops/ci.sh", "monitor", "due", "retrain", cwd=repo.root, env=own)
    said = "no version of dir:m is registered yet"
    assert [line for line in done.stdout.splitlines() if "dir:m" in line] == [said, said]


def test_what_is_not_due_stops_the_steps_after_it(scripted: Repo, run: Run) -> None:
    own = {**os.environ, "MLOPS_BECAUSE": "drift"}
    done = run("sh", ".mlops/ci.sh", "due", "nonsense", cwd=scripted.root, env=own)
    assert done.stdout == "nothing is due\n"
    own["MLOPS_BECAUSE"] = "schedule"
    done = run("sh", ".mlops/ci.sh", "due", "nonsense", cwd=scripted.root, env=own, status=2)
    assert done.stdout == "due: schedule\nno step nonsense\n"
