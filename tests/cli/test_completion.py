"""Completion in real shells, for `git-mlops …` and for `git mlops …`."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Run

SHELLS = ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_valid_in_its_shell(run: Run, mlops: Run, tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(mlops("completion", shell, cwd=tmp_path).stdout, encoding="utf-8")
    run(shell, "-n", tmp_path / "script", cwd=tmp_path)


def test_an_unknown_shell_is_a_usage_error(mlops: Run, tmp_path: Path) -> None:
    assert "'tcsh' is not one of" in mlops("completion", "tcsh", cwd=tmp_path, status=2).stderr


BASH = """
eval "$(git-mlops completion bash)"
COMP_WORDS=(git-mlops {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
__git_mlops_alone; printf '%s\\n' "${{COMPREPLY[@]}}"
"""
THROUGH_GIT = """
eval "$(git-mlops completion bash)"
words=(git {before} mlops {words}); cword=$((${{#words[@]}} - 1)); __git_cmd_idx={at}
_git_mlops; printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hoo", ["hooks "]),
        ("hooks ''", ["status ", "install ", "remove "]),
        ("completion f", ["fish "]),
        ("check --st", ["--staged "]),
    ],
)
def test_bash_completes_words(run: Run, tmp_path: Path, words: str, expected: list[str]) -> None:
    done = run("bash", "-c", BASH.format(words=words), cwd=tmp_path)
    assert sorted(done.stdout.splitlines()) == sorted(expected)


@pytest.mark.parametrize(("before", "at"), [("", 1), ("-C .", 3)])
def test_bash_completes_through_git(run: Run, tmp_path: Path, before: str, at: int) -> None:
    done = run("bash", "-c", THROUGH_GIT.format(before=before, words="completion z", at=at), cwd=tmp_path)
    assert done.stdout.splitlines() == ["zsh "]


def test_fish_completes_both_ways(run: Run, tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    for line in ("git-mlops hoo", "git mlops hoo"):
        script = f"git-mlops completion fish | source; complete -C {line!r}"
        assert run("fish", "-N", "-c", script, cwd=tmp_path).stdout.split() == ["hooks"]
