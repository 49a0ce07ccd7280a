"""`exp list` past click: the same as through click, and left to it whatever is not plain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from git_mlops import __main__
from git_mlops.cli import exp_listing, quick
from git_mlops.cli.exp_listing import View
from git_mlops.cli.root import root
from git_mlops.cli.sections import section
from git_mlops.errors import MlopsError
from git_mlops.experiments.select import Options
from git_mlops.experiments.settings import Metric, Settings
from git_mlops.git import refs, run
from git_mlops.git.repo import QUESTIONS, Repo, discover, head
from tests.conftest import Run

PLAIN = [
    [],
    ["--all"],
    ["--all", "--snapshots", "--no-pager"],
    ["--json", "--limit", "20"],
    ["--limit=20", "--csv"],
    ["--md", "--only-changed", "--columns", "name,metrics.*"],
    ["--where", "metrics.auc > 0.9 and params.lr = 1", "--sort=auc"],
    ["--where=a == b", "--since", "2w", "--baseline", "HEAD~1", "--pareto", "auc:max,loss:min"],
]
LEFT = [
    ["-h"],
    ["--help"],
    ["--al"],
    ["--limit"],
    ["--limit", "0"],
    ["--limit", "x"],
    ["--limit", "-1"],
    ["--limit", "٣"],
    ["--limit", "1", "--limit", "2"],
    ["--json", "--csv"],
    ["--json=1"],
    ["--sort", ""],
    ["--sort=", "x"],
    ["--where", "--all"],
    ["--all", "--all"],
    ["--parquet", "file.parquet"],
    ["name"],
    ["--", "name"],
    ["--columns", "name", "stray"],
]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No answer that was asked for ahead stays for another test."""
    yield
    assert run._WAITING == {}


@pytest.mark.parametrize("words", PLAIN, ids=" ".join)
def test_plain_words_mean_what_click_takes_them_for(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Options, View]] = []
    monkeypatch.setattr(exp_listing, "run", lambda options, view: seen.append((options, view)))
    root.main(["exp", "list", *words], standalone_mode=False)
    assert quick.listing(words) == 0
    assert seen[0] == seen[1]


@pytest.mark.parametrize("words", LEFT, ids=" ".join)
def test_anything_else_is_left_to_click(words: list[str]) -> None:
    assert quick.listing(words) is None


def test_every_option_of_click_is_plain_or_left_on_purpose() -> None:
    command: Any = root
    for name in ("exp", "list"):
        command = command.get_command(click.Context(command), name)
    names = {name for option in command.params for name in option.opts}
    known = {*quick._FLAGS, *quick._FORMS, "--no-pager", "--only-changed", "--limit", "--columns"}
    assert names - known - {f"--{name}" for name in quick._TEXTS} == {"--parquet"}


def test_its_errors_are_those_of_every_command(repo: Repo, mlops: Run, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    done = mlops("exp", "list", cwd=tmp_path / "none", status=2)
    assert done.stderr.startswith("error: not a git repository: ")
    assert (
        "error: no metric or parameter `x`"
        in mlops("exp", "list", "--sort", "x", cwd=_one(repo, mlops), status=2).stderr
    )


def _one(repo: Repo, mlops: Run) -> Path:
    (repo.root / "metrics.json").write_text('{"acc": 1}')
    mlops("exp", "save", cwd=repo.root)
    return repo.root


# -- what git is asked ahead ---------------------------------------------------------------------------------


def test_an_answer_that_was_asked_for_ahead_is_given_once(repo: Repo) -> None:
    run.ahead(*refs.question("refs/heads/"), cwd=repo.root)
    run.ahead(*refs.question("refs/heads/"), cwd=repo.root)
    ((_answer, process),) = run._WAITING.values()
    process.wait()
    repo.git("branch", "later")
    assert [ref.name for ref in refs.list_refs(repo, "refs/heads/")] == ["refs/heads/main"]
    assert len(refs.list_refs(repo, "refs/heads/")) == 2


def test_what_has_changed_since_is_asked_again(repo: Repo) -> None:
    run.ahead(*refs.question("refs/heads/"), cwd=repo.root)
    repo.git("branch", "later")
    run.forget()
    assert len(refs.list_refs(repo, "refs/heads/")) == 2


def test_nobody_else_is_given_the_answer(repo: Repo, tmp_path: Path) -> None:
    other = tmp_path / "other"
    repo.git("init", "-q", str(other))
    run.ahead(*QUESTIONS, cwd=repo.root)
    assert (discover(other).root, discover(repo.root).root) == (other, repo.root)


@pytest.mark.parametrize("place", ["", "deep/er"])
def test_it_lists_the_repository_it_is_run_in(repo: Repo, mlops: Run, place: str) -> None:
    folder = _one(repo, mlops) / place
    folder.mkdir(parents=True, exist_ok=True)
    assert "finished" in mlops("exp", "list", cwd=folder).stdout
    repo.git("init", "-q", str(folder / "nested"))
    assert mlops("exp", "list", "--all", cwd=folder / "nested").stdout == ""


def test_a_failure_ahead_is_the_failure_of_the_question(tmp_path: Path) -> None:
    run.ahead(*QUESTIONS, cwd=tmp_path)
    with pytest.raises(MlopsError, match="not a git repository"):
        discover(tmp_path)


def test_without_files_in_memory_it_is_the_same(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create", raising=False)
    run.ahead(*refs.question("refs/heads/"), cwd=repo.root)
    assert [ref.oid for ref in refs.list_refs(repo, "refs/heads/")] == [head(repo)]


# -- the settings of one section -----------------------------------------------------------------------------

FILE = "version: 1\nexperiments: {metrics: {auc: {direction: min}}}\n"


def _settings(repo: Repo) -> Settings:
    return section(repo, "experiments", Settings)


def test_one_section_is_what_the_whole_file_says_of_it(repo: Repo) -> None:
    assert _settings(repo) == Settings()
    (repo.root / "mlops.yaml").write_text(FILE)
    expected = Settings(metrics={"auc": Metric("min")})
    assert [_settings(repo), _settings(repo)] == [expected, expected]
    (repo.root / "mlops.yaml").write_text("version: 1\n")
    assert [_settings(repo), _settings(repo)] == [Settings(), Settings()]


def test_a_file_that_is_wrong_is_never_remembered(repo: Repo) -> None:
    for text in (
        "version: 1\nexperimants: {}\n",
        "version: 1\ndata: 7\n",
        "version: 1\nexperiments: []\n",
        "[",
        "7",
    ):
        (repo.root / "mlops.yaml").write_text(text)
        for _again in range(2):
            with pytest.raises(MlopsError, match=r"mlops\.yaml"):
                _settings(repo)


@pytest.mark.parametrize(
    "memory", ["", "[]", "{", '{"by": 1}', '{"by": "%s", "text": %s, "values": {"experiments": 7}}']
)
def test_a_memory_that_is_wrong_is_none(repo: Repo, memory: str) -> None:
    import json

    from git_mlops import __version__

    (repo.root / "mlops.yaml").write_text(FILE)
    _settings(repo)
    file = repo.private / "config.json"
    file.write_text(memory % (__version__, json.dumps(FILE)) if "%s" in memory else memory)
    assert _settings(repo) == Settings(metrics={"auc": Metric("min")})


def test_what_stands_in_git_config_or_the_environment_counts(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.root / "mlops.yaml").write_text(FILE)
    repo.git("config", "mlops.experiments.params", "conf.toml")
    assert _settings(repo).params == ("conf.toml",)
    repo.git("config", "--unset", "mlops.experiments.params")
    monkeypatch.setenv("MLOPS_EXPERIMENTS_PARAMS", "other.toml")
    assert _settings(repo).params == ("other.toml",)


def test_an_interrupt_while_modules_are_imported_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_words: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "_quick", interrupted)
    with pytest.raises(SystemExit) as caught:
        __main__.main()
    assert (caught.value.code, capsys.readouterr().err) == (130, "error: interrupted\n")
