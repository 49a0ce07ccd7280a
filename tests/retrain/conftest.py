"""A tiny project that a model is trained, registered and served from, with real remotes."""

import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest

from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.git.repo import Repo, discover

TRAIN = """\
import json, pathlib, sys
rows = [tuple(map(float, line.split(","))) for line in open("data/train.csv").read().split()[1:]]
slope = sum(y for _, y in rows) / sum(x for x, _ in rows)
pathlib.Path("model.json").write_text(json.dumps({"slope": slope}))
"""
EVALUATE = """\
import json, pathlib, sys
slope = json.loads(pathlib.Path(sys.argv[sys.argv.index("--model") + 1]).read_text())["slope"]
rows = [tuple(map(float, line.split(","))) for line in open("data/test.csv").read().split()[1:]]
error = sum(abs(y - slope * x) for x, y in rows) / len(rows)
large = [abs(y - slope * x) for x, y in rows if x > 2]
found = {"mae": round(error, 6), "slices": {"large": {"mae": round(sum(large) / len(large), 6)}}}
pathlib.Path("metrics.json").write_text(json.dumps(found))
"""
PIPELINE = """\
stages:
  train:
    cmd: {python} train.py
    deps: [train.py, data/train.csv]
    outs: [model.json]
  evaluate:
    cmd: {python} evaluate.py --model model.json
    deps: [evaluate.py, model.json, data/test.csv]
    metrics:
    - metrics.json: {{cache: false}}
artifacts:
  line: {{path: model.json, type: model}}
"""
SETTINGS = """\
version: 1
experiments: {metrics: {mae: {direction: min}}}
models: {stages: {challenger: {}, prod: {no_worse: [mae]}}}
"""
COMMAND = 'retrain: {{evaluate: "{python} evaluate.py --model {{model}}"}}\n'


def table(slope: float, *, noise: float = 0.0, rows: int = 8) -> str:
    """Points of a line."""
    lines = [f"{x}.0,{slope * x + noise * (-1) ** x}" for x in range(1, rows + 1)]
    return "\n".join(["x,y", *lines]) + "\n"


class Project(NamedTuple):
    """The clone that somebody works in, and what is beside it."""

    repo: Repo
    bare: Path

    @property
    def root(self) -> Path:
        return self.repo.root

    def git(self, *words: str) -> str:
        return self.repo.text(*words)

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        for name, content in files.items():
            (self.root / name).write_text(content, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", message)
        self.git("push", "-q", "--no-verify", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def settings(self, *, evaluate: bool = True, more: str = "") -> None:
        command = COMMAND.format(python=sys.executable) if evaluate else ""
        self.commit({"mlops.yaml": SETTINGS + command + more}, "settings")

    def new(self, name: str, content: str) -> Path:
        """A file that came from somewhere."""
        file = self.bare.parent / name
        file.write_text(content, encoding="utf-8")
        return file


@pytest.fixture(scope="session")
def served_template(template_dvc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on slope 2, registered as `line`, in prod; made once: its stages and pushes take seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a library of DVC's
        return _served(template_dvc, tmp_path_factory.mktemp("served"))


def _served(template_dvc: Path, folder: Path) -> Path:
    from git_mlops import config
    from git_mlops.data import dvc, listing, track, transfer
    from git_mlops.experiments import run as running
    from git_mlops.experiments.recording import Request
    from git_mlops.models import promote, register
    from git_mlops.models.context import Context

    root, bare = folder / "work", folder / "origin.git"
    shutil.copytree(template_dvc, root)
    words = (
        ["init", "-q", "--bare", "-b", "main", str(bare)],
        ["-C", str(root), "remote", "add", "origin", str(bare)],
    )
    for one in words:
        subprocess.run(["git", *one], check=True)
    with (root / ".dvc" / "config").open("a", encoding="utf-8") as file:
        file.write("[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n")
    (root / "data").mkdir()
    files = {
        "train.py": TRAIN, "evaluate.py": EVALUATE, "dvc.yaml": PIPELINE.format(python=sys.executable),
        "mlops.yaml": SETTINGS, "data/train.csv": table(2.0, noise=0.2), "data/test.csv": table(2.0),
    }  # fmt: skip
    for name, content in files.items():
        (root / name).write_text(content, encoding="utf-8")
    repo = discover(root)
    track.add(repo, ["data/train.csv", "data/test.csv"], here=root)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-verify", "-m", "project")
    settings = config.load(repo).config
    running.run(
        repo, running.Plan(), Request("first"), settings.experiments, settings.data, started=lambda _: None
    )
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-verify", "-m", "trained")
    context = Context(settings.models, ExperimentSettings(metrics=settings.experiments.metrics))
    register.register(repo, register.Request("line"), context)
    promote.promote(repo, promote.Request("line", "prod"), context)
    transfer.push(repo, listing.in_workspace(repo))
    repo.git("push", "-q", "--no-verify", "-u", "origin", "main", "--tags")
    repo.git("remote", "set-head", "origin", "main")
    assert dvc.initialised(repo)
    return folder


@pytest.fixture
def served(served_template: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    folder = tmp_path / "a plâce"
    shutil.copytree(served_template, folder)
    repo = discover(folder / "work")
    repo.git("remote", "set-url", "origin", str(folder / "origin.git"))
    return Project(repo, folder / "origin.git")
