"""`git mlops` itself: overview, version, unknown words, lazy loading, exit codes."""

import sys
from pathlib import Path

import click
import pytest

from git_mlops import __version__
from git_mlops.cli import COMMANDS, overview
from git_mlops.cli.exp import COMMANDS as EXP_COMMANDS
from git_mlops.cli.exp import exp
from git_mlops.cli.manual import commands
from git_mlops.cli.root import root
from git_mlops.git.repo import Repo
from tests.conftest import Run

HEAVY = {
    "dvc",
    "pandera",
    "pandas",
    "polars",
    "pyarrow",
    "mlflow",
    "git",
    "copier",
    "numpy",
    "yaml",
    "click",
    "subprocess",
}


@pytest.mark.parametrize("words", [(), ("-h",), ("--help",)])
def test_the_overview_answers_without_a_command(mlops: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert mlops(*words, cwd=tmp_path).stdout == overview() + "\n"


def test_git_finds_the_command(run: Run, tmp_path: Path) -> None:
    assert run("git", "mlops", "-h", cwd=tmp_path).stdout == overview() + "\n"


def test_the_overview_is_the_same_with_click(run: Run, mlops: Run, repo: Repo) -> None:
    assert mlops("-C", repo.root, "-h", cwd=repo.root.parent).stdout == overview() + "\n"


def test_the_version_is_the_packages(mlops: Run, tmp_path: Path) -> None:
    assert mlops("--version", cwd=tmp_path).stdout == f"git-mlops {__version__}\n"


@pytest.mark.parametrize("words", ["'-h'", "'--version'"])
def test_the_quick_answers_import_nothing_heavy(run: Run, tmp_path: Path, words: str) -> None:
    code = (
        f"import sys; sys.argv = ['git-mlops', {words}]\n"
        "from git_mlops.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: print('\\n' + ' '.join(sys.modules))"
    )
    modules = set(run(sys.executable, "-c", code, cwd=tmp_path).stdout.splitlines()[-1].split(" "))
    assert modules & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_loading_a_command_imports_no_heavy_library(run: Run, tmp_path: Path, name: str) -> None:
    code = (
        "import sys; from git_mlops.cli.root import root; import click\n"
        f"root.get_command(click.Context(root), {name!r}); print(' '.join(sys.modules))"
    )
    modules = set(run(sys.executable, "-c", code, cwd=tmp_path).stdout.split())
    assert modules & (HEAVY - {"yaml", "click", "subprocess"}) == set()


@pytest.mark.parametrize(("name", "command"), [(n, c) for n, c in commands()])
def test_every_command_is_documented(name: str, command: click.Command) -> None:
    first = (command.help or "").splitlines()[0]
    assert (first[:1].isupper(), len(first) <= 60, first.endswith(".")) == (True, True, False), name
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [o.name for o in options if not o.help and not isinstance(o.type, click.Choice)] == [], name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name][1]


def test_an_unknown_command_suggests_the_near_one(mlops: Run, tmp_path: Path) -> None:
    done = mlops("chekc", cwd=tmp_path, status=2)
    assert done.stderr.splitlines()[0] == "error: no command `chekc`; did you mean `check`?"


def test_an_unknown_option_is_a_usage_error(mlops: Run, tmp_path: Path) -> None:
    done = mlops("check", "--stagged", cwd=tmp_path, status=2)
    assert done.stderr.startswith("error: ")
    assert "hint: `git mlops check -h` shows the usage" in done.stderr


def test_a_closed_pipe_is_no_error(run: Run, tmp_path: Path) -> None:
    done = run("bash", "-c", "set -o pipefail; git-mlops config --schema | head -1", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("name", list(EXP_COMMANDS))
def test_the_help_line_of_an_exp_command_is_its_own(name: str) -> None:
    """The table is there so that `exp -h` imports nothing: it must say what the commands say."""
    command = exp.get_command(click.Context(exp), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == EXP_COMMANDS[name][2]
