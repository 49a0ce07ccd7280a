"""Every template from nothing, as its README says, in a fresh environment of its locked packages."""

import json
import math
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from git_mlops import config, resources
from git_mlops.scaffold.new import create
from git_mlops.scaffold.templates import TEMPLATES, known
from tests.conftest import Run

# taken before the tests are sealed: whatever says where packages come from, and those that uv has already
_OUTSIDE = {
    name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MLOPS_", "DVC_"))
}
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
        done = subprocess.run(command, cwd=folder, env=_OUTSIDE, capture_output=True, text=True, check=False)
        if done.returncode and re.search(r"[Ff]ailed to (fetch|download)|dns error|offline", done.stderr):
            pytest.skip(f"the package index is not reached: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
    return folder / "venv" / "bin"


def _lock(top: Path) -> list[str]:
    return (top / "requirements.lock").read_text(encoding="utf-8").splitlines()


@pytest.mark.slow
def test_the_lock_holds_every_package_that_the_templates_install(environment: Path, run: Run) -> None:
    installed = run("uv", "pip", "freeze", "-p", environment.parent, cwd=environment).stdout.splitlines()
    locked = {line.partition(" ;")[0] for line in _lock(environment.parent.parent / "minimal")}
    assert [one for one in installed if one not in locked and not one.startswith("git-mlops")] == []


@pytest.fixture
def inside(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs are those on PATH, and nothing is fetched."""
    monkeypatch.setenv("PATH", f"{environment}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("UV_OFFLINE", "1")


@pytest.mark.slow
@pytest.mark.usefixtures("inside")
def test_every_template_runs_as_its_readme_says(tmp_path: Path, run: Run) -> None:
    """Several at a time: most of it is waiting for Python to import."""
    for (name, answers), kind in zip(KINDS, IDS, strict=True):
        create(name, tmp_path / f"a {kind}", answers)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = {
            kind: pool.submit(_played, name, tmp_path / f"a {kind}", run)
            for (name, _answers), kind in zip(KINDS, IDS, strict=True)
        }
    assert {kind: str(one.exception()) for kind, one in done.items() if one.exception()} == {}


def _played(name: str, top: Path, run: Run) -> None:
    """The pipeline, the checks and the project's own tests."""
    _armed(name, top, run)
    run("dvc", "repro", "-q", cwd=top)
    slices = json.loads((top / "metrics.json").read_text())["slices"]
    assert len(slices) >= 2
    assert all(math.isfinite(value) for values in slices.values() for value in values.values())
    run("git", "add", "--all", cwd=top)
    run("git", "commit", "-q", "-m", "First result", cwd=top)
    assert _objections(run("git", "mlops", "check", "--format", "json", cwd=top).stdout) == []
    assert " passed" in run("python", "-W", "error", "-m", "pytest", "-q", cwd=top).stdout
    assert run("git", "status", "--short", cwd=top).stdout == ""
    if name != "llm-eval":
        _at_work(top, run)


def _at_work(top: Path, run: Run) -> None:
    """Registered, serving, watched, about to be trained again, as the README says."""
    settings = config.parse((top / "mlops.yaml").read_bytes())
    assert settings.ci.train is not None
    (model,) = settings.ci.train.model
    run("git", "mlops", "model", "register", model, cwd=top)
    run("git", "mlops", "model", "promote", model, "prod", cwd=top)
    rows = run("python", "-c", _ROWS, cwd=top).stdout
    served = run("sh", "-c", f"python src/serve.py --log served.jsonl <<'EOF'\n{rows}EOF", cwd=top).stdout
    assert served.count("prediction") == rows.count("\n") == 60
    if settings.ci.monitor is not None:
        words = (*settings.ci.monitor.model, *settings.ci.monitor.options)
        said = run("git", "mlops", "monitor", *words, "--json", cwd=top, status=None).stdout
        assert json.loads(said)["data"]["findings"] is not None
    said = run("git", "mlops", "retrain", model, "--because", "schedule", "--dry-run", cwd=top).stdout
    assert "both measured by `python src/" in said
    assert settings.retrain.evaluate is not None
    measures = settings.retrain.evaluate.format(model="models/model.joblib").split()
    run(*measures, cwd=top)
    assert run("git", "status", "--short", cwd=top).stdout == ""


_ROWS = """
import sys
sys.path.insert(0, "src")
import make_data, split
table = getattr(split, "windows", lambda table: table)(make_data.table())
print(table.sample(60, random_state=1).to_json(orient="records", lines=True), end="")
"""


@pytest.mark.slow
@pytest.mark.usefixtures("inside")
def test_a_change_passes_its_gates_and_the_pipeline_gives_the_same_bytes_twice(
    tmp_path: Path, run: Run
) -> None:
    top = create("minimal", tmp_path / "p", {}).root
    _armed("minimal", top, run)
    for name, words in (("first", ()), ("freer", ("-S", "train.strength=2.0"))):
        run("git", "mlops", "exp", "run", "-n", name, *words, cwd=top)
        run("git", "mlops", "exp", "apply", name, cwd=top)
        run("git", "add", "--all", cwd=top)
        run("git", "commit", "-q", "-m", name, cwd=top)
    run("git", "mlops", "push", cwd=top)
    judged = run("git", "mlops", "check", "--range", "HEAD~1...HEAD", "--format", "json", cwd=top)
    assert _objections(judged.stdout) == []
    run("git", "mlops", "ci", "check", cwd=top)
    run("dvc", "repro", "-q", "--force", cwd=top)
    run("git", "diff", "--exit-code", "HEAD", "--", "dvc.lock", "metrics.json", cwd=top)


def _armed(name: str, top: Path, run: Run) -> None:
    """What `git mlops new` says is next, and the user's first commit."""
    for command in known(name).first:
        run(*command.split(), cwd=top)
    run("git", "add", "--all", cwd=top)
    run("git", "commit", "-q", "-m", "Start", cwd=top)


def _objections(text: str) -> list[object]:
    """What a check says, notes aside."""
    return [one for one in json.loads(text)["data"]["findings"] if one["level"] != "note"]


@pytest.mark.slow
@pytest.mark.usefixtures("inside")
def test_a_clone_without_the_data_passes_the_projects_tests(tmp_path: Path, run: Run) -> None:
    top = create("minimal", tmp_path / "p", {}).root
    assert " passed" in run("python", "-W", "error", "-m", "pytest", "-q", cwd=top).stdout
