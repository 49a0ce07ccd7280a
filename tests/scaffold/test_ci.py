"""The compiled pipelines: what the settings say, safe, never over a hand edit, blocks of the user's kept."""

import re
from pathlib import Path

import pytest
import yaml

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.scaffold.ci import chosen, drift, generate, others, remove_others
from git_mlops.scaffold.ci_blocks import blocks, emptied, filled
from git_mlops.scaffold.ci_compile import compiled, ours
from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.settings import Name, Settings
from tests.scaffold.ci_cases import CASES, EVERYTHING

WORKFLOW = ".github/workflows/mlops.yml"
SCRIPT = ".mlops/ci.sh"
FILES = [(name, file) for name, provider in PROVIDERS.items() for file in provider.files]


def steps(text: str, job: str = "check") -> dict[str, dict[str, object]]:
    """The steps of a job of a workflow, by name."""
    return {step["name"]: step for step in yaml.safe_load(text)["jobs"][job]["steps"]}


def test_settings_arrive_as_they_are() -> None:
    workflow = yaml.safe_load(compiled("github", EVERYTHING))
    assert workflow[True]["push"]["branches"] == list(EVERYTHING.branches)
    assert workflow["jobs"]["check"]["runs-on"] == ["self-hosted", "gpu"]
    assert workflow["jobs"]["test"]["strategy"]["matrix"] == {"python": ["3.12"]}
    assert steps(compiled("github", EVERYTHING))["Set up Python"]["with"] == {
        "python-version": "3.13",
        "cache": "pip",
        "cache-dependency-path": "**/requirements*.txt\n**/pyproject.toml\nmlops.yaml\n",
    }


def test_branches_that_only_github_can_say_are_kept() -> None:
    settings = Settings(branches=("main", 'ünï "x" $y', "v[0-9]+"))
    workflow = yaml.safe_load(compiled("github", settings))
    assert workflow[True]["push"]["branches"] == list(settings.branches)


def test_secrets_are_given_to_the_steps_that_need_them() -> None:
    text = compiled("github", EVERYTHING)
    given = {name: step["env"] for name, step in steps(text).items() if "env" in step}
    secrets = {name: f"${{{{ secrets.{name} }}}}" for name in EVERYTHING.secrets}
    assert given == {
        "Fetch known verdicts and experiments": {"MLOPS_GIT_TOKEN": "${{ github.token }}"},
        "Check data, pointers and configuration": secrets,
    }
    deploy = compiled("github", EVERYTHING, PROVIDERS["github"].own[2])
    given = {name: step["env"] for name, step in steps(deploy, "deploy-1").items() if "env" in step}
    assert given == {
        "Verify the promotion and get the model": secrets,
        "Deploy": {"KUBECONFIG": "${{ secrets.KUBECONFIG }}"},
    }


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("name", "file"), FILES, ids=lambda one: one if isinstance(one, str) else one.path)
def test_a_providers_file_holds_no_command_of_the_users(name: Name, file: object, case: str) -> None:
    wanted = [one for one in PROVIDERS[name].own if one == file and one.wanted(CASES[case])]
    for one in wanted:
        text = compiled(name, CASES[case], one)
        scripts = set(re.findall(r"sh \.mlops/ci\.sh[^'\"\n]*", text))
        known = "range|install|fetch|data|check|post|test|promoted|deploy|due|retrain|monitor"
        assert [s for s in scripts if not re.fullmatch(rf"sh \.mlops/ci\.sh(?: (?:{known}))+", s)] == []
        assert EVERYTHING.train
        assert EVERYTHING.monitor
        own = (EVERYTHING.train.bring, EVERYTHING.monitor.bring, EVERYTHING.train.options[1])
        for command in (
            EVERYTHING.install,
            EVERYTHING.test,
            *EVERYTHING.deploy.values(),
            *EVERYTHING.pull,
            *own,
        ):
            assert command is None or command == "true" or command not in text


def test_no_expression_stands_in_a_script() -> None:
    found = []
    for name in ("github", "gitea"):
        for file in PROVIDERS[name].own:
            for job in yaml.safe_load(compiled(name, EVERYTHING, file))["jobs"].values():
                found += [step for step in job["steps"] if "${{" in str(step.get("run"))]
    assert found == []


def test_permissions_are_the_least() -> None:
    texts = [compiled("github", EVERYTHING, file) for file in PROVIDERS["github"].own]
    workflows = [yaml.safe_load(text) for text in texts]
    assert [one["permissions"] for one in workflows] == [{}] * 5
    found = {
        f"{one['name']} {name}": job["permissions"] for one in workflows for name, job in one["jobs"].items()
    }
    propose = {"contents": "write", "pull-requests": "write"}
    assert found == {
        "mlops check": {"contents": "read"},
        "mlops test": {"contents": "read"},
        "mlops comment comment": {"actions": "read", "contents": "read", "pull-requests": "write"},
        "mlops deploy deploy-1": {"contents": "read"},
        "mlops deploy deploy-2": {"contents": "read"},
        "mlops train retrain": propose,
        "mlops monitor monitor": {"contents": "write", "issues": "write"},
        "mlops monitor retrain": propose,
    }


def test_the_poster_runs_nothing_of_the_pull_request() -> None:
    text = compiled("github", EVERYTHING, PROVIDERS["github"].own[1])
    found = steps(text, "comment")
    assert "ref" not in found["Check out the default branch"]["with"]  # type: ignore[operator]
    assert "head_sha" not in text
    assert str(found["Get the report"]["with"]["path"]).startswith("${{ runner.temp }}/")  # type: ignore[index]


@pytest.mark.parametrize("name", ["github", "gitea"])
def test_every_action_is_pinned_to_a_commit(name: Name) -> None:
    texts = [compiled(name, EVERYTHING, file) for file in PROVIDERS[name].own]
    used = [line.split("uses: ")[1] for text in texts for line in text.splitlines() if "uses: " in line]
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", one)] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(install="echo ${{ github.head_ref }}"), r"`ci\.install`: the forge would replace"),
        (Settings(test="echo ${{ secrets.X }}"), r"`ci\.test`: the forge would replace"),
        (Settings(deploy={"prod": "${{ x }}"}), r"`ci\.deploy`: the forge would replace"),
        (Settings(branches=("${{ x }}",)), r"`ci\.branches`: the forge would replace"),
        (Settings(branches=()), r"`ci\.branches`: an empty list"),
        (Settings(pull=("a\nb",)), r"`ci\.pull`: control characters"),
        (Settings(test="a\0b"), r"`ci\.test`: control characters"),
        (Settings(python=("3.11\n",)), r"`ci\.python`: control characters"),
        (Settings(python=("$(id)",)), r"`ci\.python`: `\$\(id\)` is not a version"),
        (Settings(image="a b"), r"`ci\.image`: `a b` is not a container image"),
        (Settings(image="x:$[[ y ]]"), r"`ci\.image`"),
        (Settings(image="x", python=("3.11", "3.12")), r"`ci\.image`: an image has one Python"),
        (Settings(runner=("<< x >>",)), r"`ci\.runner`: `<< x >>` is not a runner's label"),
        (Settings(git_credentials="a'b"), r"`ci\.git_credentials`"),
        (Settings(timeout=0), r"`ci\.timeout`: 0 minutes"),
        (Settings(secrets=("A-B",)), r"`ci\.secrets`: `A-B` cannot be the name of a secret"),
        (Settings(secrets=("GITHUB_TOKEN",)), r"`ci\.secrets`: `GITHUB_TOKEN` cannot be"),
        (Settings(secrets=("PATH",)), r"`ci\.secrets`: `PATH` cannot be"),
        (Settings(secrets=("A: x\n",)), r"`ci\.secrets`: control characters"),
        (Settings(deploy={"a b": "true"}), r"`ci\.deploy`: `a b` cannot be the name of a stage"),
        (Settings(deploy={"prod": " "}), r"`ci\.deploy\.prod`: no command"),
    ],
)
@pytest.mark.parametrize("name", ["github", "jenkins"])
def test_a_setting_that_no_pipeline_can_hold_is_refused(name: Name, settings: Settings, message: str) -> None:
    with pytest.raises(MlopsError, match=message) as caught:
        compiled(name, settings)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["gitlab", "jenkins", "azure", "bitbucket", "circleci"])
@pytest.mark.parametrize("branch", ['a"b', "a'b", "$x", "$(x)", "a b", "<<x>>", "a\\b", "v[0-9]", "a?"])
def test_a_branch_that_a_provider_could_read_otherwise_is_refused(name: Name, branch: str) -> None:
    with pytest.raises(MlopsError, match=r"`ci\.branches`: .* cannot be said to"):
        compiled(name, Settings(branches=(branch,)))


@pytest.mark.parametrize("name", PROVIDERS)
def test_generating_twice_changes_nothing(repo: Repo, name: Name) -> None:
    first = generate(repo, name, EVERYTHING)
    assert first == tuple(file.path for file in PROVIDERS[name].files)
    assert (generate(repo, name, EVERYTHING), drift(repo, name, EVERYTHING)) == ((), [])


def test_what_other_settings_generated_is_overwritten(repo: Repo) -> None:
    generate(repo, "github", Settings(python=("3.12",)))
    assert generate(repo, "github", Settings()) == (WORKFLOW,)
    assert (repo.root / WORKFLOW).read_text(encoding="utf-8") == compiled("github", Settings())


def test_a_file_that_is_asked_for_no_more_is_removed(repo: Repo) -> None:
    generate(repo, "github", Settings(comment=True))
    path = ".github/workflows/mlops-comment.yml"
    assert [finding.message for finding in drift(repo, "github", Settings())] == [
        "is there, though mlops.yaml asks for it no more",
        "is not what mlops.yaml says",
    ]
    generate(repo, "github", Settings())
    assert (drift(repo, "github", Settings()), (repo.root / path).exists()) == ([], False)


def test_files_of_a_provider_that_is_named_no_more_go_unless_something_in_them_is_yours(repo: Repo) -> None:
    for name in ("gitlab", "github", "jenkins"):
        generate(repo, name, Settings())
    jenkins = repo.root / "Jenkinsfile"
    jenkins.write_text(jenkins.read_text() + "// mine\n")
    only = Settings(providers=("github",))
    assert [finding.path for finding in others(repo, only)] == [".gitlab-ci.yml"]
    assert remove_others(repo, only) == (".gitlab-ci.yml",)
    assert (others(repo, only), drift(repo, "github", only), jenkins.exists()) == ([], [], True)
    assert remove_others(repo, Settings()) == ()


def test_somebody_elses_file_of_that_name_is_left_alone(repo: Repo) -> None:
    path = repo.root / ".github" / "workflows" / "mlops-comment.yml"
    path.parent.mkdir(parents=True)
    path.write_text("name: mine\n")
    generate(repo, "github", Settings())
    assert path.read_text() == "name: mine\n"


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_edit_by_hand_is_kept_unless_forced(repo: Repo, name: Name) -> None:
    generate(repo, name, Settings())
    file = repo.root / PROVIDERS[name].path
    edited = file.read_text(encoding="utf-8").replace("ci.sh", "other.sh")
    file.write_text(edited, encoding="utf-8")
    with pytest.raises(MlopsError, match="was edited by hand") as caught:
        generate(repo, name, Settings(python=("3.12",), test="true"))
    assert (caught.value.exit_code, file.read_text(encoding="utf-8")) == (2, edited)
    assert generate(repo, name, Settings(), force=True)
    assert drift(repo, name, Settings()) == []


def test_nothing_is_written_when_one_file_cannot_be(repo: Repo) -> None:
    generate(repo, "github", Settings())
    with (repo.root / SCRIPT).open("a") as file:
        file.write("# mine\n")
    with pytest.raises(MlopsError, match="was edited by hand"):
        generate(repo, "github", Settings(python=("3.12",), test="true"))
    assert (repo.root / WORKFLOW).read_text(encoding="utf-8") == compiled("github", Settings())


def test_a_foreign_file_is_kept(repo: Repo) -> None:
    file = repo.root / WORKFLOW
    file.parent.mkdir(parents=True)
    file.write_text("name: mine\n")
    with pytest.raises(MlopsError, match="not a file that git-mlops generated"):
        generate(repo, "github", Settings())
    assert file.read_text() == "name: mine\n"


def fill(repo: Repo, path: str, block: str, content: str) -> str:
    """Put something between the markers of a block."""
    file = repo.root / path
    text = file.read_text(encoding="utf-8")
    start = re.search(rf"^[ \t]*(?:#|//) >>> yours: {block}\n", text, re.MULTILINE)
    assert start, block
    text = text[: start.end()] + content + text[start.end() :]
    file.write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_block_of_the_users_survives_and_is_no_drift(repo: Repo, name: Name) -> None:
    generate(repo, name, Settings())
    path = PROVIDERS[name].path
    places = re.findall(r"(?:#|//) >>> yours: (.+)", (repo.root / path).read_text(encoding="utf-8"))
    text = fill(repo, path, places[-1], "    # mine\n    # too\n")
    assert (drift(repo, name, Settings()), generate(repo, name, Settings()), ours(text)) == ([], (), True)
    generate(repo, name, Settings(python=("3.12",), test="true"))
    now = (repo.root / path).read_text(encoding="utf-8")
    assert (blocks(now), now == text) == ({places[-1]: "    # mine\n    # too\n"}, False)


def test_an_edit_outside_of_the_blocks_is_one_though_a_block_is_filled(repo: Repo) -> None:
    generate(repo, "github", Settings())
    text = fill(repo, WORKFLOW, "jobs", "  mine: {}\n")
    assert not ours(text.replace("contents: read", "contents: write"))


def test_a_block_without_its_end_is_an_edit(repo: Repo) -> None:
    generate(repo, "github", Settings())
    text = fill(repo, WORKFLOW, "jobs", "  mine: {}\n")
    assert not ours(text[: text.rindex("  # <<< yours")])


def test_a_block_that_has_no_place_any_more_is_not_lost(repo: Repo) -> None:
    generate(repo, "github", Settings(deploy={"prod": "true"}))
    path = ".github/workflows/mlops-deploy.yml"
    text = fill(repo, path, "jobs", "  mine: {}\n")
    with pytest.raises(MlopsError, match="no place any more for what is yours in `jobs`"):
        generate(repo, "github", Settings())
    assert (repo.root / path).read_text(encoding="utf-8") == text


def test_filled_and_emptied_are_inverse() -> None:
    empty = "a\n# >>> yours: one\n# <<< yours\nb\n  // >>> yours: two\n  // <<< yours\n"
    full = "x\n# >>> yours: two\n1\n2\n# <<< yours\n# >>> yours: gone\n3\n# <<< yours\n"
    assert filled(empty, full).lost == ("gone",)
    assert emptied(filled(empty, full).text) == empty
    assert blocks(filled(empty, full).text) == {"two": "1\n2\n"}


def test_line_ends_of_windows_are_no_edit(repo: Repo) -> None:
    generate(repo, "github", Settings())
    file = repo.root / WORKFLOW
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert drift(repo, "github", Settings()) == []


def test_a_header_with_more_lines_of_a_later_version_is_still_ours() -> None:
    assert ours("# one line more\n" + compiled("github", Settings()))


def test_what_the_first_version_generated_is_still_ours() -> None:
    old = Path(__file__).parent.parent / "cases" / "ci" / "github-1.yml"
    assert ours(old.read_text(encoding="utf-8"))


def test_a_missing_file_is_found(repo: Repo) -> None:
    generate(repo, "github", Settings())
    (repo.root / WORKFLOW).unlink()
    (found,) = drift(repo, "github", Settings())
    assert (found.rule, found.level, found.path, found.message, found.hint) == (
        "ci-current", "error", WORKFLOW, "does not exist", "`git mlops ci generate github`",
    )  # fmt: skip


def test_drift_is_found_with_the_difference(repo: Repo) -> None:
    generate(repo, "github", Settings())
    (found,) = drift(repo, "github", Settings(python=("3.12",)))
    assert found.message == "is not what mlops.yaml says"
    changed = [line for line in str(found.data["diff"]).splitlines() if "python-version" in line]
    assert changed == ['-          python-version: "3.11"', '+          python-version: "3.12"']


def test_an_edit_by_hand_is_called_that(repo: Repo) -> None:
    generate(repo, "github", Settings())
    with (repo.root / WORKFLOW).open("a") as file:
        file.write("# mine\n")
    (found,) = drift(repo, "github", Settings())
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


def test_who_is_meant_is_named_or_set_or_there(repo: Repo) -> None:
    with pytest.raises(MlopsError, match="which provider"):
        chosen(repo, (), Settings())
    generate(repo, "sh", Settings())
    assert chosen(repo, (), Settings()) == ("sh",)
    generate(repo, "gitlab", Settings())
    generate(repo, "jenkins", Settings())
    assert chosen(repo, (), Settings()) == ("gitlab", "jenkins")
    assert chosen(repo, (), Settings(providers=("azure",))) == ("azure",)
    assert chosen(repo, ("github", "github"), Settings(providers=("azure",))) == ("github",)
