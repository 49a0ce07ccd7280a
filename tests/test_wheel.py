"""The wheel is complete: what strangers install holds all that the commands need."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build; print(hatchling.build.build_wheel({str(out)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=TOP, check=True, capture_output=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


@pytest.mark.parametrize("folder", ["hooks", "templates"])
def test_every_plain_file_is_in_the_wheel(names: set[str], folder: str) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=TOP, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    wanted = {f"git_mlops/_share/{path}" for path in tracked if path and not path.endswith(".gitkeep")}
    assert wanted - names == set()


def test_every_module_and_the_man_page_are_in_the_wheel(names: set[str]) -> None:
    modules = {str(path.relative_to(TOP)) for path in (TOP / "git_mlops").rglob("*.py")}
    pages = {name for name in names if name.endswith("share/man/man1/git-mlops.1")}
    assert (modules - names, len(pages), "git_mlops/py.typed" in names) == (set(), 1, True)
