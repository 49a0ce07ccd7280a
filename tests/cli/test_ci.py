"""`git mlops ci`, and the pipelines' own steps run in their order in clean, shallow clones."""

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from git_mlops.git.repo import Repo, discover
from git_mlops.scaffold.ci import generate
from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.settings import Name, Settings
from tests.conftest import Run
from tests.scaffold import ci_runners
from tests.scaffold.ci_runners import Event

WORKFLOW = ".github/workflows/mlops.yml"
SCRIPT = ".mlops/ci.sh"
REPORT = ".mlops/ci/report/report.json"


def write(repo: Repo, path: str, text: str) -> None:
    file = repo.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def commit(repo: Repo, message: str = "change") -> str:
    """With a result of its own: without one a change of code or data is not comparable."""
    if (repo.root / "metrics.json").exists():
        write(repo, "metrics.json", json.dumps({"auc": 0.8, "of": message}))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message)
    return repo.text("rev-parse", "HEAD")


def test_it_is_written_once_and_checked(mlops: Run, repo: Repo) -> None:
    said = [mlops("ci", *words.split(), cwd=repo.root).stderr for words in (
        "generate github", "generate github", "generate github --check", "generate", "check", "check github",
    )]  # fmt: skip
    assert said == [f"wrote `{WORKFLOW}`\nwrote `{SCRIPT}`\n", *[f"`{WORKFLOW}` is up to date\n"] * 5]


def test_without_a_name_those_of_the_settings_are_written(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\nci: {providers: [gitlab, circleci]}\n")
    assert mlops("ci", "generate", cwd=repo.root).stderr.splitlines() == [
        "wrote `.gitlab-ci.yml`", f"wrote `{SCRIPT}`", "wrote `.circleci/config.yml`",
    ]  # fmt: skip


def test_files_of_a_provider_that_the_settings_do_not_name_are_told_and_removed(
    mlops: Run, repo: Repo
) -> None:
    write(repo, "mlops.yaml", "version: 1\nci: {providers: [gitlab]}\n")
    said = mlops("ci", "generate", "gitlab", "circleci", cwd=repo.root).stderr
    assert "`ci.providers` in mlops.yaml does not name `circleci`" in said
    found = mlops("ci", "check", cwd=repo.root, status=1).stderr
    assert ".circleci/config.yml: error: is there, though `ci.providers` does not name" in found
    assert mlops("ci", "generate", cwd=repo.root).stderr.splitlines() == [
        "`.gitlab-ci.yml` is up to date",
        "removed `.circleci/config.yml`: `ci.providers` does not name its provider",
    ]
    assert mlops("ci", "check", cwd=repo.root).stderr == "`.gitlab-ci.yml` is up to date\n"


def test_a_schedule_that_no_cron_knows_is_refused_by_explain_too(mlops: Run, repo: Repo) -> None:
    write(
        repo, "mlops.yaml", "version: 1\nci: {providers: [github], train: {model: m, schedule: 99 3 * * 1}}\n"
    )
    assert "`99 3 * * 1` is not a schedule" in mlops("ci", "explain", cwd=repo.root, status=2).stderr


def test_which_provider_is_asked_when_nothing_says_so(mlops: Run, repo: Repo) -> None:
    said = mlops("ci", "generate", cwd=repo.root, status=2).stderr
    assert said.startswith("error: which provider?\nhint: name it, or set `ci.providers`")


def test_it_works_from_a_subdirectory(mlops: Run, repo: Repo) -> None:
    (repo.root / "deep").mkdir()
    mlops("ci", "generate", "github", cwd=repo.root / "deep")
    assert (repo.root / WORKFLOW).exists()


@pytest.mark.parametrize("words", [("generate", "github", "--check"), ("check", "github"), ("check",)])
def test_drift_is_exit_code_1_with_the_difference_on_stdout(
    mlops: Run, repo: Repo, words: tuple[str, ...]
) -> None:
    mlops("ci", "generate", "github", cwd=repo.root)
    write(repo, "mlops.yaml", "version: 1\nci: {python: '3.13'}\n")
    done = mlops("ci", *words, cwd=repo.root, status=1)
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
        (
            "hint: move what you changed to `ci:` in mlops.yaml or between markers of `yours`, then"
            " `git mlops ci generate github --force`"
        ),
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


def test_explain_tells_permissions_and_secrets(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\nci: {secrets: [KEY], comment: true, deploy: {prod: ./go}}\n")
    found = json.loads(mlops("ci", "explain", "github", "--json", cwd=repo.root).stdout)
    assert (found["kind"], [job["job"] for job in found["data"]]) == (
        "ci-jobs", ["check", "comment", "deploy to prod"],
    )  # fmt: skip
    steps = {job["job"]: {s["step"]: s["secrets"] for s in job["steps"]} for job in found["data"]}
    assert steps["check"] == {"range": [], "install": [], "fetch": ["github.token"], "check": ["KEY"]}
    assert [job["permissions"] for job in found["data"]] == [
        ["contents: read"], ["actions: read", "contents: read", "pull-requests: write"], ["contents: read"],
    ]  # fmt: skip
    told = mlops("ci", "explain", "github", cwd=repo.root).stdout
    assert "a tag NAME#prod#N" in told


class Outcome(NamedTuple):
    """How the job ended."""

    failed: str | None
    """The step that failed; None when all passed."""
    printed: str
    report: str
    """Markdown."""
    place: Path


class Forge:
    """Runs the generated pipelines' own steps as a runner would, but with the git-mlops of this PATH."""

    def __init__(self, run: Run, folder: Path, origin: Repo) -> None:
        self.run, self.folder, self.origin = run, folder, origin
        self.jobs = 0

    def pull_request(self, head: str, name: Name = "github") -> Outcome:
        """A pull request into `main`."""
        return self.job(name, Event(head, self.origin.text("rev-parse", "main")))

    def push(self, before: str | None, after: str, name: Name = "github") -> Outcome:
        """A push that moved a branch."""
        return self.job(name, Event(after, before, push=True))

    def clone(self, name: Name, event: Event) -> Repo:
        """A shallow one, at what the provider checks out."""
        self.jobs += 1
        place = self.folder / f"job {self.jobs}"
        shallow = ("--depth", "1", "--no-single-branch")
        self.run("git", "clone", "-q", *shallow, self.origin.common_dir.as_uri(), place, cwd=self.folder)
        clone = discover(place)
        ci_runners.checked_out(clone, name, event)
        return clone

    def job(self, name: Name, event: Event, most: int | None = None) -> Outcome:
        place = self.clone(name, event).root
        summary = self.folder / f"summary {self.jobs}.md"
        summary.touch()
        own = ci_runners.variables(name, event) | {"GITHUB_STEP_SUMMARY": str(summary)}
        # a runner has no identity of the user's
        people = ("GIT_AUTHOR_", "GIT_COMMITTER_")
        nobody = {name: value for name, value in os.environ.items() if not name.startswith(people)}
        printed = ""
        for step in ci_runners.steps(place, name)[:most]:
            given = ci_runners.replaced(name, event, step.given)
            script = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.command)
            done = self.run(*script, cwd=place, status=None, env={**nobody, **own, **given})
            printed += done.stdout + done.stderr
            if done.returncode:
                return Outcome(step.name, printed, summary.read_text(encoding="utf-8"), place)
        return Outcome(None, printed, summary.read_text(encoding="utf-8"), place)


SCHEMA = "columns: {age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 130}}}}\n"
SETTINGS = """\
version: 1
schemas: {ages.csv: ages.yaml}
experiments: {metrics: {auc: {direction: max}}}
gates: {auc: {min: 0.5, regression: 0.2}}
ci: {install: "true", test: sh test.sh, secrets: [STORE_KEY]}
"""


@pytest.fixture(scope="session")
def made(template_dvc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the project below, made by the first test that needs it."""
    return tmp_path_factory.mktemp("ci-project") / "made"


@pytest.fixture
def project(template_dvc: Path, made: Path, tmp_path: Path, mlops: Run) -> Repo:
    """A repository with every pipeline, a test script, and tracked, checked data on its DVC remote.

    Its remote is named relative to the project. `main` moved on after the commit `base`.
    """
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
        write(repo, "metrics.json", '{"auc": 0.9}\n')
        mlops("ci", "generate", *PROVIDERS, cwd=repo.root)
        mlops("add", "ages.csv", cwd=repo.root)
        commit(repo, "start")
        mlops("push", cwd=repo.root)
        mlops("exp", "save", "-n", "recorded", cwd=repo.root)
        repo.git("branch", "base")
        write(repo, "notes.md", "of others\n")
        commit(repo, "main moves on")
        repo.git("switch", "-q", "-c", "feature", "base")
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return discover(tmp_path / "project")


@pytest.fixture
def forge(run: Run, tmp_path: Path, project: Repo) -> Forge:
    return Forge(run, tmp_path, project)


@pytest.mark.slow
def test_a_good_pull_request_passes_and_leaves_everything(forge: Forge, project: Repo, mlops: Run) -> None:
    write(project, "ages.csv", "age\n1\n2\n3\n")
    mlops("add", "ages.csv", cwd=project.root)
    head = commit(project)
    mlops("push", cwd=project.root)
    outcome = forge.pull_request(head)
    assert (outcome.failed, outcome.report[:10]) == (None, "## ✅ pass:")
    kept = outcome.place / ".mlops" / "ci" / "report"
    assert sorted(str(file.relative_to(kept)) for file in kept.rglob("*.*")) == [
        "check.sarif", "report.html", "report.json", "report.md", "test-results/mlops.xml",
    ]  # fmt: skip
    assert discover(outcome.place).text("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_pull_request_with_bad_data_fails_and_says_where(forge: Forge, project: Repo, mlops: Run) -> None:
    write(project, "ages.csv", "age\n1\n-2\n")
    mlops("add", "ages.csv", cwd=project.root)
    head = commit(project)
    mlops("push", cwd=project.root)
    outcome = forge.pull_request(head)
    assert outcome.failed == "Check data, pointers and configuration"
    assert "::error file=ages.csv" in outcome.printed
    assert outcome.report.startswith("## ❌ fail")
    assert "ages.csv" in outcome.report


@pytest.mark.slow
def test_a_pointer_whose_data_was_never_pushed_fails(forge: Forge, project: Repo, mlops: Run) -> None:
    write(project, "ages.csv", "age\n5\n")
    mlops("add", "ages.csv", cwd=project.root)
    outcome = forge.pull_request(commit(project))
    assert outcome.failed == "Check data, pointers and configuration"
    assert "::notice title=git mlops pull::" in outcome.printed
    assert "data-pushed" in outcome.report


@pytest.mark.slow
def test_the_first_push_of_a_branch_checks_everything(forge: Forge, project: Repo) -> None:
    outcome = forge.push(None, project.text("rev-parse", "main"))
    assert (outcome.failed, "workspace" in outcome.report) == (None, True)


def test_a_failing_test_command_fails_the_job(forge: Forge, project: Repo) -> None:
    write(project, "test.sh", "exit 1\n")
    assert forge.pull_request(commit(project)).failed == "Test"


def test_without_a_merge_base_the_job_fails(forge: Forge, project: Repo) -> None:
    project.git("switch", "-q", "--orphan", "other")
    project.git("checkout", "-q", "base", "--", ".")
    write(project, "b", "b")
    outcome = forge.pull_request(commit(project))
    assert outcome.failed == "Check data, pointers and configuration"
    assert "no merge base" in outcome.printed


@pytest.mark.slow
def test_known_verdicts_and_experiments_are_fetched(forge: Forge, project: Repo, mlops: Run) -> None:
    write(project, "ages.csv", "age\n7\n")
    mlops("add", "ages.csv", cwd=project.root)
    mlops("check", "--staged", cwd=project.root)
    event = Event(commit(project), project.text("rev-parse", "main"))
    clone = discover(forge.job("github", event, most=3).place)
    refs = ("for-each-ref", "--format=%(refname) %(objectname)", "refs/mlops/verdicts", "refs/exps/")
    assert clone.text(*refs) == project.text(*refs)
    assert len(clone.text(*refs).splitlines()) == 2


def test_install_and_test_see_no_secret(forge: Forge, project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_KEY", "very-secret")
    monkeypatch.setenv("MLOPS_FORGE_TOKEN", "very-secret")
    write(project, "test.sh", "env | grep -c very-secret\n")
    outcome = forge.pull_request(commit(project), "gitlab")
    assert (outcome.failed, outcome.printed.splitlines()[-1]) == ("test", "0")


@pytest.fixture
def change(project: Repo) -> str:
    """A pull request that loses some of a metric; its merge base has a recorded result."""
    write(project, "train.py", "print(1)\n")
    return commit(project)


@pytest.fixture
def expected(project: Repo, change: str, mlops: Run) -> str:
    """The report on a laptop."""
    return mlops(
        "report", f"{project.text('rev-parse', 'main')}...{change}", "--json", cwd=project.root
    ).stdout


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_same_pull_request_has_the_same_report_everywhere(
    forge: Forge, project: Repo, change: str, expected: str, name: Name
) -> None:
    outcome = forge.pull_request(change, name)
    assert outcome.failed is None, outcome.printed
    found = json.loads((outcome.place / REPORT).read_text(encoding="utf-8"))
    assert found == json.loads(expected)
    assert found["data"]["base"] == project.text("rev-parse", "base")


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "sh"])
def test_a_push_is_checked_against_what_was_there_or_whole(forge: Forge, project: Repo, name: Name) -> None:
    before, after = project.text("rev-parse", "base"), project.text("rev-parse", "main")
    place = forge.job(name, Event(after, before, push=True), most=1).place
    said = (place / ".mlops" / "ci" / "range").read_text(encoding="utf-8")
    known = "" if name in ("azure", "bitbucket") else before
    assert said == f"BASE={known}\nHEAD={after}\n"
    assert discover(place).text("rev-parse", "HEAD") == after


@pytest.mark.parametrize("name", ["gitlab", "jenkins", "circleci"])
def test_the_first_push_of_a_branch_has_no_base(forge: Forge, project: Repo, name: Name) -> None:
    after = project.text("rev-parse", "main")
    place = forge.job(name, Event(after, push=True), most=1).place
    assert (place / ".mlops" / "ci" / "range").read_text() == f"BASE=\nHEAD={after}\n"


def test_a_fork_on_gitlab_is_compared_with_what_it_came_from(
    forge: Forge, project: Repo, change: str, run: Run, tmp_path: Path
) -> None:
    """Its pipeline runs in the fork, whose own main branch is behind."""
    run("git", "clone", "-q", "--bare", project.common_dir, tmp_path / "upstream.git", cwd=tmp_path)
    project.git("branch", "-f", "main", "base")
    clone = forge.clone("gitlab", Event(change))
    own = ci_runners.variables("gitlab", Event(change)) | {
        "CI_MERGE_REQUEST_PROJECT_URL": (tmp_path / "upstream").as_uri()
    }
    run("sh", SCRIPT, "range", cwd=clone.root, env={**os.environ, **own})
    tip = run("git", "rev-parse", "main", cwd=tmp_path / "upstream.git").stdout
    said = (clone.root / ".mlops" / "ci" / "range").read_text()
    assert said == f"BASE={tip}HEAD={change}\n"


EVIL = "x$(touch hacked)`touch hacked`;touch hacked"


@pytest.mark.parametrize(
    "own",
    [
        {"GITLAB_CI": "1", "CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": EVIL},
        {"CIRCLECI": "1", "CIRCLE_BRANCH": EVIL, "CIRCLE_BASE_REVISION": EVIL},
        {"JENKINS_URL": "1", "CHANGE_TARGET": EVIL, "GIT_PREVIOUS_COMMIT": EVIL},
        {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_PR_DESTINATION_BRANCH": EVIL},
        {"TF_BUILD": "1", "SYSTEM_PULLREQUEST_TARGETBRANCH": f"refs/heads/{EVIL}"},
        {"GITHUB_ACTIONS": "1", "BASE": EVIL},
    ],
    ids=lambda own: next(iter(own)),
)
def test_names_that_others_chose_are_never_run(repo: Repo, run: Run, own: dict[str, str]) -> None:
    generate(repo, "sh", Settings())
    head = repo.text("rev-parse", "HEAD")
    names = ("CI_COMMIT_SHA", "CIRCLE_SHA1", "BITBUCKET_COMMIT", "BUILD_SOURCEVERSION", "HEAD")
    given = own if "BASE" in own else dict.fromkeys(names[:-1], head) | own
    run("sh", SCRIPT, "range", cwd=repo.root, env={**os.environ, **given})
    # CircleCI names no target: it is our own main branch
    base = head if "CIRCLECI" in own else ""
    assert (repo.root / ".mlops" / "ci" / "range").read_text() == f"BASE={base}\nHEAD={head}\n"
    assert [path for path in repo.root.rglob("hacked*") if ".git/" not in str(path)] == []


@pytest.mark.slow
def test_gitlabs_pipeline_runs(forge: Forge, project: Repo, change: str, expected: str) -> None:
    """By gitlab-ci-local, which reads the file as GitLab does and runs its job."""
    program = shutil.which("gitlab-ci-local")
    if program is None or not shutil.which("rsync"):
        pytest.skip("gitlab-ci-local (npm) or rsync is not installed here")
    clone = forge.clone("gitlab", Event(change))
    place = clone.root
    clone.git("remote", "set-url", "origin", "git@forge.invalid:group/project.git")
    clone.git("config", f"url.{project.common_dir.as_uri()}.insteadOf", "git@forge.invalid:group/project.git")
    own = ci_runners.variables("gitlab", Event(change)) | {"CI_PIPELINE_SOURCE": "merge_request_event"}
    given = [word for key, value in own.items() for word in ("--variable", f"{key}={value}")]
    forge.run(program, "mlops-check", "--force-shell-executor", *given, cwd=place)
    kept = place / ".gitlab-ci-local" / "artifacts" / "mlops-check"
    assert json.loads((kept / REPORT).read_text(encoding="utf-8")) == json.loads(expected)
    reports = kept / ".mlops" / "ci" / "report"
    assert json.loads((reports / "codequality.json").read_text()) == []
    assert "auc" in (reports / "metrics.txt").read_text()


@pytest.fixture
def deploying(project: Repo, made: Path, tmp_path: Path, mlops: Run) -> Repo:
    """The project, with two versions of a model in the stage `prod` one after the other; made once."""
    kept = made.with_name("deploying")
    if not kept.exists():
        project.git("switch", "-q", "main")
        command = "echo $MLOPS_MODEL $MLOPS_VERSION; cat $MLOPS_MODEL_PATH"
        write(project, "mlops.yaml", f'version: 1\nci: {{install: "true", deploy: {{prod: "{command}"}}}}\n')
        mlops("ci", "generate", "github", "gitlab", cwd=project.root)
        for number in (1, 2):
            write(project, "model.bin", f"model {number}\n")
            mlops("add", "model.bin", cwd=project.root)
            commit(project, f"model {number}")
            mlops("push", cwd=project.root)
            mlops("model", "register", "churn", "--path", "model.bin", cwd=project.root)
            mlops("model", "promote", "churn", "prod", cwd=project.root)
        mlops("model", "rollback", "churn", "prod", cwd=project.root)
        shutil.copytree(tmp_path, kept)
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    return project


def deployed(forge: Forge, tag: str, name: Name) -> tuple[list[str], int]:
    """What the deploy command printed, and how the job ended."""
    forge.jobs += 1
    place = forge.folder / f"job {forge.jobs}"
    shallow = ("--depth", "1", "--branch", tag)
    forge.run("git", "clone", "-q", *shallow, forge.origin.common_dir.as_uri(), place, cwd=forge.folder)
    if name == "github":
        text = (place / ".github/workflows/mlops-deploy.yml").read_text(encoding="utf-8")
        steps, variables = ci_runners.of_actions(text, "deploy-1"), {"GITHUB_REF": f"refs/tags/{tag}"}
    else:
        text = (place / PROVIDERS[name].path).read_text(encoding="utf-8")
        steps, variables = ci_runners.of_gitlab(text, "mlops-deploy-prod"), {"CI_COMMIT_TAG": tag}
    said: list[str] = []
    for step in steps:
        script = ("bash", "-eo", "pipefail", "-c", step.command)
        done = forge.run(*script, cwd=place, status=None, env={**os.environ, "CI": "true", **variables})
        if done.returncode:
            return done.stdout.splitlines(), done.returncode
        said = done.stdout.splitlines()
    return said, 0


@pytest.mark.slow
def test_a_promotion_deploys_its_version(forge: Forge, deploying: Repo) -> None:
    deploying.git("tag", "-d", "churn#prod#3")
    assert deployed(forge, "churn#prod#2", "gitlab") == (["churn v0.1.1", "model 2"], 0)


def test_a_rollback_deploys_the_version_before(forge: Forge, deploying: Repo) -> None:
    assert deployed(forge, "churn#prod#3", "github") == (["churn v0.1.0", "model 1"], 0)


@pytest.mark.parametrize(
    "tag", ["churn#prod#1", "churn#dev#2", "churn#prod!#2", "x#prod#", "a$(touch b)#prod#1", "../x#prod#1"]
)
def test_only_the_newest_promotion_is_deployed(repo: Repo, run: Run, tag: str) -> None:
    """A job that runs again, or a tag that somebody made by hand."""
    generate(repo, "sh", Settings(deploy={"prod": "touch deployed"}))
    for name in ("churn#prod#1", "churn#prod!#2", "churn#prod#3"):
        repo.git("tag", name)
    own = {**os.environ, "CI": "true", "CI_COMMIT_TAG": tag}
    done = run("sh", SCRIPT, "promoted", "deploy", cwd=repo.root, status=None, env=own)
    assert (done.returncode in (1, 2), tag in done.stdout) == (True, True)
    assert sorted(path.name for path in repo.root.iterdir()) == [".git", ".mlops"]
