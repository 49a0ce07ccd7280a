"""What is generated is current, and the man page opens."""

import shutil
from pathlib import Path

import pytest

from git_mlops.cli.manual import documents
from tests.conftest import Run

TOP = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("path", sorted(documents()))
def test_a_generated_document_is_what_the_code_would_write(path: str) -> None:
    """After a change of a command's help: `make docs`."""
    assert (TOP / path).read_text(encoding="utf-8") == documents()[path]


def test_the_man_page_has_no_formatting_errors(run: Run, tmp_path: Path) -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    done = run("man", "--warnings", "-l", TOP / "docs" / "git-mlops.1", cwd=tmp_path)
    assert done.stderr == ""
    assert "git mlops exp run" in done.stdout


def test_git_help_opens_the_page_of_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    page = tmp_path / "share" / "man" / "man1" / "git-mlops.1"
    page.parent.mkdir(parents=True)
    shutil.copy(TOP / "docs" / "git-mlops.1", page)
    monkeypatch.setenv("MANPATH", str(tmp_path / "share" / "man"))
    monkeypatch.setenv("MANPAGER", "cat")
    assert "any clone of a repository" in run("git", "mlops", "--help", cwd=tmp_path).stdout
