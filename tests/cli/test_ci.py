"""`git mlops ci generate`, and the workflow's own scripts run in order in a clean clone."""

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from git_mlops.git.repo import Repo, discover
from tests.conftest import Run

WORKFLOW = ".github/workflows/mlops.yml"


def write(repo: Repo, path: str, text: str) -> None:
    file = repo.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def commit(repo: Repo, message: str = "change") -> str:
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message)
    return repo.text("rev-parse", "HEAD")


def test_it_is_written_once_and_checked(mlops: Run, repo: Repo) -> None:
    said = [
        mlops("ci", "generate", "github", *words, cwd=repo.root).stderr for words in ((), (), ("--check",))
    ]
    assert said == [f"wrote `{WORKFLOW}`\n", *[f"`{WORKFLOW}` is up to date\n"] * 2]


def test_it_works_from_a_subdirectory(mlops: Run, repo: Repo) -> None:
    (repo.root / "deep").mkdir()
    mlops("ci", "generate", "github", cwd=repo.root / "deep")
    assert (repo.root / WORKFLOW).exists()


def test_drift_is_exit_code_1_with_the_difference_on_stdout(mlops: Run, repo: Repo) -> None:
    mlops("ci", "generate", "github", cwd=repo.root)
    write(repo, "mlops.yaml", "version: 1\nci: {python: '3.13'}\n")
    done = mlops("ci", "generate", "github", "--check", cwd=repo.root, status=1)
    assert '+          python-version: "3.13"' in done.stdout.splitlines()
    assert done.stderr.splitlines() == [
        f"{WORKFLOW}: error: is not what mlops.yaml says [ci-current]",
        "  hint: `git mlops ci generate github`",
        "1 error (ci)",
    ]


def test_an_edit_by_hand_is_not_overwritten(mlops: Run, repo: Repo) -> None:
    mlops("ci", "generate", "github", cwd=repo.root)
    edited = (repo.root / WORKFLOW).read_text(encoding="utf-8") + "# mine\n"
    write(repo, WORKFLOW, edited)
    done = mlops("ci", "generate", "github", cwd=repo.root, status=2)
    assert done.stderr.splitlines() == [
        f"error: `{WORKFLOW}` was edited by hand, or is not a file that git-mlops generated",
        ("hint: move what you changed to `ci:` in mlops.yaml, then `git mlops ci generate github --force`"),
    ]
    assert (repo.root / WORKFLOW).read_text(encoding="utf-8") == edited
    mlops("ci", "generate", "github", "--force", cwd=repo.root)
    mlops("ci", "generate", "github", "--check", cwd=repo.root)


@pytest.mark.parametrize("provider", ["gitlba", ""])
def test_an_unknown_provider_is_exit_code_2(mlops: Run, repo: Repo, provider: str) -> None:
    assert "github" in mlops("ci", "generate", provider, cwd=repo.root, status=2).stderr


def test_a_bad_setting_is_exit_code_2(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\nci: {test: 'echo ${{ github.head_ref }}'}\n")
    done = mlops("ci", "generate", "github", cwd=repo.root, status=2)
    assert done.stderr.splitlines()[0] == (
        "error: mlops.yaml: `ci.test`: the forge would replace `${{` before the shell sees it"
    )
    assert not (repo.root / WORKFLOW).exists()


class Outcome(NamedTuple):
    """How the job ended."""

    failed: str | None
    """The step that failed; None when all passed."""
    printed: str
    summary: str


class Forge:
    """Runs the generated workflow's own scripts as the runner would, but with the git-mlops of this PATH."""

    def __init__(self, run: Run, folder: Path, origin: Repo) -> None:
        self.run, self.folder, self.origin = run, folder, origin
        self.jobs = 0

    def pull_request(self, base: str, head: str, *, depth: int | None = None) -> Outcome:
        """A pull request from `head` into a branch that stands at `base`."""
        values = {
            "github.event.pull_request.base.sha || github.event.before": base,
            "github.event.pull_request.head.sha || github.sha": head,
        }
        return self.job(values, head, depth)

    def push(self, before: str, after: str) -> Outcome:
        """A push that moved a branch."""
        values = {
            "github.event.pull_request.base.sha || github.event.before": before,
            "github.event.pull_request.head.sha || github.sha": after,
        }
        return self.job(values, after, None)

    def job(self, values: dict[str, str], head: str, depth: int | None) -> Outcome:
        self.jobs += 1
        place = self.folder / f"job {self.jobs}"
        shallow = () if depth is None else ("--depth", str(depth), "--no-single-branch")
        self.run("git", "clone", "-q", *shallow, self.origin.common_dir.as_uri(), place, cwd=self.folder)
        self.run("git", "-c", "advice.detachedHead=false", "checkout", "-q", head, cwd=place)
        workflow = yaml.safe_load((place / WORKFLOW).read_text(encoding="utf-8"))
        values = {**values, "github.token": "secret-token"}
        summary = self.folder / f"summary {self.jobs}.md"
        summary.touch()
        runner = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_SERVER_URL": "https://forge.invalid"}
        # a runner has no identity of the user's
        nobody = {name: value for name, value in os.environ.items() if not name.startswith("GIT_AUTHOR_")}
        nobody = {name: value for name, value in nobody.items() if not name.startswith("GIT_COMMITTER_")}
        printed = ""
        for step in workflow["jobs"]["check"]["steps"]:
            if "run" not in step or step["name"] == "Install":
                continue
            given = {**workflow["env"], **step.get("env", {})}
            environment = {name: expanded(str(value), values) for name, value in given.items()}
            script = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
            done = self.run(*script, cwd=place, status=None, env={**nobody, **runner, **environment})
            printed += done.stdout + done.stderr
            if done.returncode:
                return Outcome(step["name"], printed, summary.read_text(encoding="utf-8"))
        return Outcome(None, printed, summary.read_text(encoding="utf-8"))


def expanded(text: str, values: dict[str, str]) -> str:
    """`${{ … }}` as the forge replaces it; an unknown secret is empty, anything else unknown a mistake."""

    def value(match: re.Match[str]) -> str:
        return "" if match[1].startswith("secrets.") else values[match[1]]

    return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


SCHEMA = "columns: {age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 130}}}}\n"


SETTINGS = """\
version: 1
schemas: {ages.csv: ages.yaml}
ci: {test: sh test.sh, secrets: [STORE_KEY]}
"""


@pytest.fixture
def project(template_dvc: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, mlops: Run) -> Repo:
    """A repository with its workflow, a test script, and tracked, checked data on its DVC remote.

    Made by the first test that needs it, then copied; the remote is named relative to the project.
    """
    made = tmp_path_factory.getbasetemp() / "ci-project"
    if not made.exists():
        shutil.copytree(template_dvc, made / "project")
        repo = discover(made / "project")
        write(
            repo, ".dvc/config", "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n"
        )
        write(repo, "mlops.yaml", SETTINGS)
        write(repo, "test.sh", "test -f ages.csv.dvc\n")
        write(repo, "ages.yaml", SCHEMA)
        write(repo, "ages.csv", "age\n1\n2\n")
        mlops("ci", "generate", "github", cwd=repo.root)
        mlops("add", "ages.csv", cwd=repo.root)
        commit(repo, "start")
        mlops("push", cwd=repo.root)
        repo.git("branch", "base")
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return discover(tmp_path / "project")


@pytest.fixture
def forge(run: Run, tmp_path: Path, project: Repo) -> Forge:
    return Forge(run, tmp_path, project)


def test_a_good_pull_request_passes(forge: Forge, project: Repo, mlops: Run) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "ages.csv", "age\n1\n2\n3\n")
    mlops("add", "ages.csv", cwd=project.root)
    head = commit(project)
    mlops("push", cwd=project.root)
    outcome = forge.pull_request(base, head)
    assert (outcome.failed, outcome.summary.splitlines()[0][:10]) == (None, "### ✅ pass")


def test_a_pull_request_with_bad_data_fails_and_says_where(forge: Forge, project: Repo, mlops: Run) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "ages.csv", "age\n1\n-2\n")
    mlops("add", "ages.csv", cwd=project.root)
    head = commit(project)
    mlops("push", cwd=project.root)
    outcome = forge.pull_request(base, head)
    assert outcome.failed == "Check data, pointers and configuration"
    assert "::error file=ages.csv" in outcome.printed
    assert outcome.summary.startswith("### ❌ fail")
    assert "ages.csv" in outcome.summary


def test_a_pull_request_that_changes_no_data_needs_none(forge: Forge, project: Repo) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "notes.md", "text\n")
    assert forge.pull_request(base, commit(project)).failed is None


def test_a_pointer_whose_data_was_never_pushed_fails(forge: Forge, project: Repo, mlops: Run) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "ages.csv", "age\n5\n")
    mlops("add", "ages.csv", cwd=project.root)
    outcome = forge.pull_request(base, commit(project))
    assert outcome.failed == "Check data, pointers and configuration"
    assert "::notice title=git mlops pull::" in outcome.printed
    assert "data-pushed" in outcome.summary


def test_the_first_push_of_a_branch_checks_everything(forge: Forge, project: Repo) -> None:
    outcome = forge.push("0" * 40, project.text("rev-parse", "HEAD"))
    assert (outcome.failed, "workspace" in outcome.summary) == (None, True)


def test_a_failing_test_command_fails_the_job(forge: Forge, project: Repo) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "test.sh", "exit 1\n")
    assert forge.pull_request(base, commit(project)).failed == "Test"


def test_without_a_merge_base_the_job_fails(forge: Forge, project: Repo) -> None:
    write(project, "a", "a")
    base = commit(project)
    project.git("switch", "-q", "-c", "other", "base")
    write(project, "b", "b")
    outcome = forge.pull_request(base, commit(project), depth=1)
    assert outcome.failed == "Check data, pointers and configuration"
    assert "no merge base" in outcome.printed


def test_a_pull_request_that_changes_a_schema_gets_the_data_it_needs(forge: Forge, project: Repo) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "ages.yaml", SCHEMA.replace("130", "120"))
    assert forge.pull_request(base, commit(project)).failed is None


def test_a_known_verdict_needs_no_data(forge: Forge, project: Repo, mlops: Run, tmp_path: Path) -> None:
    base = project.text("rev-parse", "HEAD")
    write(project, "ages.csv", "age\n7\n")
    mlops("add", "ages.csv", cwd=project.root)
    mlops("push", cwd=project.root)
    mlops("check", "--staged", cwd=project.root)
    head = commit(project)
    digest = hashlib.md5(b"age\n7\n").hexdigest()
    (tmp_path / "store" / "files" / "md5" / digest[:2] / digest[2:]).unlink()
    outcome = forge.pull_request(base, head)
    assert "data-pushed" in outcome.summary
    assert "not evaluated" not in outcome.summary
