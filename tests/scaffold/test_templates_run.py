"""Every template from nothing, as its README says, in a fresh environment of its locked packages."""

import itertools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from git_mlops import resources
from git_mlops.scaffold.new import create
from git_mlops.scaffold.templates import TEMPLATES, known
from tests.conftest import Run

# read before the tests are sealed: the packages that uv has already are not fetched again
_CACHE = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
KINDS = [("tabular", {}), ("tabular", {"task": "regression"})] + [
    (name, {}) for name in TEMPLATES if name != "tabular"
]
IDS = [f"{name}{''.join(answers.values())}" for name, answers in KINDS]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its programs: what the lock says, and this git-mlops."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("fresh")
    variables = {
        "PATH": os.environ["PATH"], "UV_CACHE_DIR": _CACHE, "HOME": str(folder), "UV_LINK_MODE": "hardlink",
    }  # fmt: skip
    for name in TEMPLATES:
        create(name, folder / name, {})
    wanted = {
        line for name in TEMPLATES for line in (folder / name / "requirements.txt").read_text().splitlines()
        if not line.startswith("git-mlops")
    }  # fmt: skip
    (folder / "requirements.txt").write_text("\n".join(sorted(wanted)) + "\n")
    lock = [one for one in _lock(folder / "minimal") if not one.startswith("git-mlops")]
    (folder / "lock.txt").write_text("\n".join(lock) + "\n")
    top = resources.path("templates").parent
    words = ["-r", "requirements.txt", "-c", "lock.txt", f"git-mlops @ {top.as_uri()}"]
    for command in ([uv, "venv", "-q", "venv"], [uv, "pip", "install", "-q", "-p", "venv", *words]):
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        if done.returncode and re.search(r"[Ff]ailed to (fetch|download)|dns error|offline", done.stderr):
            pytest.skip(f"the package index is not reached: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
    return folder / "venv" / "bin"


def _lock(top: Path) -> list[str]:
    return (top / "requirements.lock").read_text(encoding="utf-8").splitlines()


def test_the_lock_holds_every_package_that_the_templates_install(environment: Path, run: Run) -> None:
    installed = run("uv", "pip", "freeze", "-p", environment.parent, cwd=environment).stdout.splitlines()
    locked = {line.partition(" ;")[0] for line in _lock(environment.parent.parent / "minimal")}
    assert [one for one in installed if one not in locked and not one.startswith("git-mlops")] == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "answers"), KINDS, ids=IDS)
def test_a_template_runs_as_its_readme_says(
    name: str,
    answers: dict[str, str],
    environment: Path,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", f"{environment}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("UV_OFFLINE", "1")
    top = create(name, tmp_path / "a project", answers).root
    for command in known(name).first:
        run(*command.split(), cwd=top)
    run("git", "add", "--all", cwd=top)
    run("git", "commit", "-q", "-m", "Start", cwd=top)
    run("dvc", "repro", "-q", cwd=top)
    first = [(top / file).read_bytes() for file in ("metrics.json", "dvc.lock")]
    metrics = json.loads(first[0])
    assert metrics["slices"]
    assert all(0 <= value < 1000 for value in itertools.chain(*map(dict.values, metrics["slices"].values())))
    run("git", "add", "--all", cwd=top)
    run("git", "commit", "-q", "-m", "First result", cwd=top)
    checked = json.loads(run("git", "mlops", "check", "--format", "json", cwd=top).stdout)
    assert [one for one in checked["data"] if one["level"] != "note"] == []
    run("git", "mlops", "push", cwd=top)
    judged = run("git", "mlops", "check", "--range", "HEAD~2...HEAD", "--format", "json", cwd=top).stdout
    assert [one for one in json.loads(judged)["data"] if one["level"] != "note"] == []
    run("dvc", "repro", "-q", "--force", cwd=top)
    assert [(top / file).read_bytes() for file in ("metrics.json", "dvc.lock")] == first
    assert " passed" in run("python", "-W", "error", "-m", "pytest", "-q", cwd=top).stdout
    assert run("git", "status", "--short", cwd=top).stdout == ""


@pytest.mark.slow
def test_a_clone_without_the_data_passes_the_projects_tests(
    environment: Path, tmp_path: Path, run: Run
) -> None:
    top = create("minimal", tmp_path / "p", {}).root
    python = environment / "python"
    assert " passed" in run(python, "-W", "error", "-m", "pytest", "-q", cwd=top).stdout
