"""The compiled workflow: what the settings say, safe, accepted by the linters, never over a hand edit."""

import sys
from pathlib import Path

import pytest
import yaml

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.scaffold.ci import PROVIDERS, compiled, drift, generate, ours
from git_mlops.scaffold.settings import Settings
from tests.conftest import Run

WORKFLOW = ".github/workflows/mlops.yml"
EVERYTHING = Settings(
    python="3.13",
    branches=("main", "release/**", 'ünï "x"'),
    install="pip install -r requirements.txt\necho 'a \"b\" \\ c: d' # e\n",
    secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    pull=("data/my 'file'.csv", "$(id)"),
    test="python -m pytest -q",
)


def jobs(text: str) -> dict[str, dict[str, object]]:
    """The steps of the one job, by name."""
    return {step["name"]: step for step in yaml.safe_load(text)["jobs"]["check"]["steps"]}


def test_settings_arrive_as_they_are() -> None:
    text = compiled("github", EVERYTHING)
    steps = jobs(text)
    assert yaml.safe_load(text)[True]["push"]["branches"] == list(EVERYTHING.branches)
    assert steps["Set up Python"]["with"] == {"python-version": "3.13"}
    assert (steps["Install"]["run"], steps["Test"]["run"]) == (EVERYTHING.install, EVERYTHING.test)


def test_secrets_are_given_to_the_one_step_that_needs_them() -> None:
    text = compiled("github", EVERYTHING)
    environments = {name: step.get("env", {}) for name, step in jobs(text).items()}
    assert environments["Check data, pointers and configuration"] == {
        "AWS_ACCESS_KEY_ID": "${{ secrets.AWS_ACCESS_KEY_ID }}",
        "AWS_SECRET_ACCESS_KEY": "${{ secrets.AWS_SECRET_ACCESS_KEY }}",
    }
    assert text.count("secrets.") == 2


def test_no_expression_stands_in_a_script() -> None:
    assert [
        name for name, step in jobs(compiled("github", EVERYTHING)).items() if "${{" in str(step.get("run"))
    ] == []


def test_permissions_are_the_least() -> None:
    workflow = yaml.safe_load(compiled("github", Settings()))
    assert (workflow["permissions"], workflow["jobs"]["check"]["permissions"]) == ({}, {"contents": "read"})


def test_every_action_is_pinned_to_a_commit() -> None:
    used = [str(step["uses"]) for step in jobs(compiled("github", Settings())).values() if "uses" in step]
    assert [len(action.partition("@")[2]) for action in used] == [40, 40]


@pytest.mark.parametrize("settings", [Settings(), EVERYTHING], ids=["default", "everything"])
def test_the_linters_have_nothing_to_say(tmp_path: Path, run: Run, settings: Settings) -> None:
    file = tmp_path / WORKFLOW
    file.parent.mkdir(parents=True)
    file.write_text(compiled("github", settings), encoding="utf-8")
    tools = Path(sys.executable).parent
    for persona in ("regular", "pedantic"):
        run(tools / "zizmor", "--offline", "--no-config", "--persona", persona, file, cwd=tmp_path)
    run(tools / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", file, cwd=tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(install="echo ${{ github.head_ref }}"), r"`ci\.install`: the forge would replace"),
        (Settings(test="echo ${{ secrets.X }}"), r"`ci\.test`: the forge would replace"),
        (Settings(branches=("${{ x }}",)), r"`ci\.branches`: the forge would replace"),
        (Settings(pull=("a\nb",)), r"`ci\.pull`: control characters"),
        (Settings(python="3.11\n"), r"`ci\.python`: control characters"),
        (Settings(secrets=("A-B",)), r"`ci\.secrets`: `A-B` cannot be the name of a secret"),
        (Settings(secrets=("GITHUB_TOKEN",)), r"`ci\.secrets`: `GITHUB_TOKEN` cannot be"),
        (Settings(secrets=("A: x\n",)), r"`ci\.secrets`: control characters"),
    ],
)
def test_a_setting_that_no_workflow_can_hold_is_refused(settings: Settings, message: str) -> None:
    with pytest.raises(MlopsError, match=message) as caught:
        compiled("github", settings)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", PROVIDERS)
def test_generating_twice_changes_nothing(repo: Repo, name: str) -> None:
    assert (generate(repo, name, Settings()), generate(repo, name, Settings())) == (True, False)
    assert drift(repo, name, Settings()) is None


def test_what_other_settings_generated_is_overwritten(repo: Repo) -> None:
    generate(repo, "github", Settings(python="3.12"))
    assert generate(repo, "github", Settings())
    assert (repo.root / WORKFLOW).read_text(encoding="utf-8") == compiled("github", Settings())


def test_an_edit_by_hand_is_kept_unless_forced(repo: Repo) -> None:
    generate(repo, "github", Settings())
    file = repo.root / WORKFLOW
    edited = file.read_text(encoding="utf-8").replace("ubuntu-latest", "my-runner")
    file.write_text(edited, encoding="utf-8")
    with pytest.raises(MlopsError, match="was edited by hand") as caught:
        generate(repo, "github", Settings(python="3.12"))
    assert (caught.value.exit_code, file.read_text(encoding="utf-8")) == (2, edited)
    assert generate(repo, "github", Settings(), force=True)
    assert file.read_text(encoding="utf-8") == compiled("github", Settings())


def test_a_foreign_file_is_kept(repo: Repo) -> None:
    file = repo.root / WORKFLOW
    file.parent.mkdir(parents=True)
    file.write_text("name: mine\n")
    with pytest.raises(MlopsError, match="not a file that git-mlops generated"):
        generate(repo, "github", Settings())
    assert file.read_text() == "name: mine\n"


def test_line_ends_of_windows_are_no_edit(repo: Repo) -> None:
    generate(repo, "github", Settings())
    file = repo.root / WORKFLOW
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert drift(repo, "github", Settings()) is None


def test_a_header_with_more_lines_of_a_later_version_is_still_ours() -> None:
    assert ours("# one line more\n" + compiled("github", Settings()))


def test_a_missing_file_is_found(repo: Repo) -> None:
    found = drift(repo, "github", Settings())
    assert found is not None
    assert (found.rule, found.level, found.path, found.message, found.hint) == (
        "ci-current", "error", WORKFLOW, "does not exist", "`git mlops ci generate github`",
    )  # fmt: skip


def test_drift_is_found_with_the_difference(repo: Repo) -> None:
    generate(repo, "github", Settings())
    found = drift(repo, "github", Settings(python="3.12"))
    assert found is not None
    assert found.message == "is not what mlops.yaml says"
    changed = [line for line in str(found.data["diff"]).splitlines() if "python-version" in line]
    assert changed == ['-          python-version: "3.11"', '+          python-version: "3.12"']


def test_an_edit_by_hand_is_called_that(repo: Repo) -> None:
    generate(repo, "github", Settings())
    with (repo.root / WORKFLOW).open("a") as file:
        file.write("# mine\n")
    found = drift(repo, "github", Settings())
    assert found is not None
    assert (found.message, found.hint) == (
        "was edited by hand, or is not a file that git-mlops generated",
        "`git mlops ci generate github --force`",
    )


def test_nothing_is_written_through_a_link(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (repo.root / ".github").symlink_to(tmp_path / "outside")
    with pytest.raises(MlopsError, match="symbolic link"):
        generate(repo, "github", Settings(), force=True)
    assert list((tmp_path / "outside").iterdir()) == []
