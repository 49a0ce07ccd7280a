"""What CI definitions really run."""

import pytest

from git_mlops.audit import pipelines
from git_mlops.scaffold.ci_compile import compiled
from git_mlops.scaffold.ci_providers import PROVIDERS, SCRIPT
from git_mlops.scaffold.settings import Monitor, Name, Settings, Train


def ran(text: str, path: str = ".github/workflows/ci.yml", **files: str) -> list[str]:
    found = pipelines.read({path: text, **files}, Settings())
    return [" ".join(one.words) for one in found.commands]


def doubts(text: str, path: str = ".github/workflows/ci.yml") -> list[str]:
    return [one.why for one in pipelines.read({path: text}, Settings()).doubts]


def workflow(script: str, on: str = "[push]", step: str = "", job: str = "") -> str:
    lines = "\n".join(f"          {line}" for line in script.splitlines())
    return f"on: {on}\njobs:\n  a:\n    runs-on: x\n{job}    steps:\n      - run: |\n{lines}\n{step}"


def test_a_command_is_found_behind_what_wraps_it() -> None:
    script = "cd src && uv run --group dev python3 -m pytest -q\nA=b .venv/bin/pytest tests | tee log"
    assert ran(workflow(script)) == ["cd src", "pytest -q", "pytest tests", "tee log"]


def test_a_command_whose_failure_is_hidden_is_none() -> None:
    assert ran(workflow("pytest || true\npytest -x || exit 0\npytest || echo failed")) == [
        "true", "exit 0", "echo failed",
    ]  # fmt: skip


def test_what_is_only_said_is_not_run() -> None:
    assert ran(workflow("echo pytest\ntrue # pytest\n# pytest")) == ["echo pytest", "true"]


def test_the_recipe_of_a_makefile_is_followed() -> None:
    makefile = "BIN = x\nall: test\n\ntest: lint\n\t@$(BIN)/pytest -n 2\n\t-mypy\nlint:\n\truff check .\n"
    assert ran(workflow("make test"), Makefile=makefile) == ["make test", "ruff check .", "pytest -n 2"]


def test_a_makefile_without_the_target_runs_nothing() -> None:
    assert ran(workflow("make test"), Makefile="build:\n\tpytest\n") == ["make test"]


def test_a_makefile_that_needs_itself_ends() -> None:
    assert ran(workflow("make a"), Makefile="a: b\n\tx\nb: a\n\ty\n") == ["make a", "y", "x"]


def test_a_script_of_the_project_is_followed() -> None:
    found = pipelines.read(
        {".github/workflows/ci.yml": workflow("sh ./ci/test.sh"), "ci/test.sh": "pytest\n"}, Settings()
    )
    assert [one.words for one in found.commands] == [("sh", "./ci/test.sh"), ("pytest",)]


def test_tox_counts_for_what_its_file_runs() -> None:
    file = {"tox.ini": "[testenv]\ncommands = pytest\n"}
    assert ran(workflow("tox -e py"), **file) == ["tox -e py", "pytest"]
    assert ran(workflow("tox -e py")) == ["tox -e py"]


def test_a_workflow_that_nothing_triggers_runs_nothing() -> None:
    assert ran(workflow("pytest", on="[workflow_dispatch]")) == []
    assert doubts(workflow("pytest", on="workflow_dispatch")) == [
        "nothing triggers it: no push, pull request or schedule"
    ]


def test_a_step_that_may_fail_or_never_runs_is_none() -> None:
    assert ran(workflow("pytest", step="        continue-on-error: true\n")) == []
    assert ran(workflow("pytest", job="    if: false\n")) == []
    assert ran(workflow("pytest", job="    if: ${{ false }}\n")) == []
    assert len(doubts(workflow("pytest", job="    if: false\n"))) == 1


def test_triggers_are_told_apart() -> None:
    text = workflow("pytest", on="{schedule: [{cron: 0 0 * * *}], push: {tags: ['*#prod#*']}}")
    (command,) = pipelines.read({".github/workflows/ci.yml": text}, Settings()).commands
    assert command.when == {"schedule", "tag"}


def test_what_is_no_yaml_is_said() -> None:
    assert doubts("on: [push\n") == ["it is no YAML that a forge would take"]


def test_gitlab_jobs_that_may_fail_or_wait_for_people_are_none() -> None:
    text = "a:\n  script: [pytest]\n  allow_failure: true\nb:\n  script: [pytest -x]\n  when: manual\n"
    assert ran(text, ".gitlab-ci.yml") == []
    assert ran("a:\n  script: [pytest]\n.b:\n  script: [ruff]\n", ".gitlab-ci.yml") == ["pytest"]


def test_other_providers_are_read() -> None:
    assert ran("steps:\n- script: pytest\n", "azure-pipelines.yml") == ["pytest"]
    assert ran("trigger: none\nsteps:\n- script: pytest\n", "azure-pipelines.yml") == []
    assert ran("pipelines:\n  default:\n  - step: {script: [pytest]}\n", "bitbucket-pipelines.yml") == [
        "pytest"
    ]
    assert (
        ran("pipelines:\n  custom:\n    a:\n    - step: {script: [pytest]}\n", "bitbucket-pipelines.yml")
        == []
    )
    assert ran("jobs:\n  a:\n    steps:\n    - run: {command: pytest}\n", ".circleci/config.yml") == [
        "pytest"
    ]
    assert ran("node { sh 'pytest -q' }", "Jenkinsfile") == ["pytest -q"]


def _generated(settings: Settings) -> dict[str, str]:
    return {
        ".github/workflows/mlops.yml": compiled("github", settings),
        ".mlops/ci.sh": compiled("github", settings, SCRIPT),
    }


def test_what_we_generated_runs_the_check_and_the_tests() -> None:
    settings = Settings(test="python -m pytest -q")
    found = pipelines.read(_generated(settings), settings)
    assert found.running(("git", "mlops", "check"))
    assert found.running(("pytest",))
    assert found.doubts == ()


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_what_we_generated_for_models_runs_on_its_schedule(name: Name) -> None:
    settings = Settings(
        train=Train(model=("churn",), schedule="0 3 * * 1", when=("data",)),
        monitor=Monitor(model=("churn#prod",), schedule="0 6 * * *"),
    )
    files = {one.path: compiled(name, settings, one) for one in PROVIDERS[name].files if one.wanted(settings)}
    found = pipelines.read(files, settings)
    retrain = next(iter(found.running(("git", "mlops", "retrain"))))
    monitor = next(iter(found.running(("git", "mlops", "monitor"))))
    assert [sorted(one.when) for one in (retrain, monitor)] == [["push", "schedule"], ["schedule"]]
    assert found.doubts == ()


def test_a_test_command_that_tests_nothing_is_no_test() -> None:
    settings = Settings(test="true")
    assert not pipelines.read(_generated(settings), settings).running(("pytest",))


def test_a_generated_file_that_is_not_what_mlops_yaml_says_runs_nothing() -> None:
    found = pipelines.read(_generated(Settings()), Settings(test="pytest"))
    assert found.commands == ()
    assert [one.why for one in found.doubts] == ["it is not what mlops.yaml compiles to"]


def test_a_generated_file_that_was_edited_runs_nothing() -> None:
    files = _generated(Settings())
    files[".mlops/ci.sh"] = files[".mlops/ci.sh"].replace("git mlops check", "true")
    found = pipelines.read(files, Settings())
    assert (found.commands, [one.path for one in found.doubts]) == ((), [".mlops/ci.sh"])


def test_a_generated_file_without_its_script_runs_nothing() -> None:
    files = _generated(Settings())
    del files[".mlops/ci.sh"]
    assert pipelines.read(files, Settings()).commands == ()


def test_a_task_of_pixi_is_followed() -> None:
    file = {
        "pyproject.toml": '[tool.pixi.feature.tests.tasks]\ntests = { cmd = "pytest -v pkg", cwd = "." }\n'
    }
    assert ran(workflow("pixi run -e ${{ matrix.environment }} tests -n 3"), **file)[1:] == ["pytest -v pkg"]


def test_a_template_of_azure_counts_where_a_pipeline_takes_it_in() -> None:
    files = {
        ".pipelines/ci.yml": "trigger: [main]\nsteps:\n- template: steps/quality.yml\n",
        ".pipelines/steps/quality.yml": "steps:\n- script: pytest\n",
    }
    found = pipelines.read(files, Settings())
    assert [(one.words, one.path) for one in found.commands] == [(("pytest",), ".pipelines/ci.yml")]
    del files[".pipelines/ci.yml"]
    assert pipelines.read(files, Settings()).commands == ()


def test_where_pytest_looks_is_known() -> None:
    toml = '[tool.pytest.ini_options]\naddopts = ["-ra"]\ntestpaths = ["tests", "more"]\n'
    toml += '[tool.x]\ntestpaths = "y"\n'
    assert pipelines.testpaths({"pyproject.toml": toml}) == ("tests", "more")
    assert pipelines.testpaths({"setup.cfg": "[tool:pytest]\ntestpaths =\n    a\n    b\n\nx = 1\n"}) == (
        "a",
        "b",
    )
    assert pipelines.testpaths({"pytest.ini": "[pytest]\n", "pyproject.toml": toml}) == ()
    assert pipelines.testpaths({}) == ()


def test_a_deployment_runs_none_of_the_other_steps_of_our_script() -> None:
    settings = Settings(deploy={"prod": "./deploy.sh"}, test="pytest")
    (file,) = (one for one in PROVIDERS["github"].own if one.asked_by == "deploy")
    files = {file.path: compiled("github", settings, file), SCRIPT.path: compiled("github", settings, SCRIPT)}
    found = pipelines.read(files, settings)
    assert [one.words for one in found.commands if "tag" in one.when] == [
        ("git", "mlops", "model", "verify"), ("./deploy.sh",),
    ]  # fmt: skip
    assert not found.running(("git", "mlops", "check"), ("pytest",))


def test_our_script_in_a_workflow_of_ones_own_runs_the_steps_that_are_named() -> None:
    settings = Settings(test="pytest")
    files = {
        ".github/workflows/ci.yml": workflow("sh .mlops/ci.sh range install check"),
        SCRIPT.path: compiled("sh", settings, SCRIPT),
    }
    found = pipelines.read(files, settings)
    assert (len(found.running(("git", "mlops", "check"))), found.running(("pytest",))) == (1, [])
    files[".github/workflows/ci.yml"] = workflow("sh .mlops/ci.sh")
    assert pipelines.read(files, settings).running(("pytest",))
    files[SCRIPT.path] += "# edited\n"
    assert not pipelines.read(files, settings).running(("git", "mlops", "check"))
