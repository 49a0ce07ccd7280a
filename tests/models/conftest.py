"""What the tests of models share: a small project whose pointers are plain text, and people who sign."""

from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import save as saving
from git_mlops.experiments.recording import Request as Saving
from git_mlops.experiments.settings import Metric
from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.git.repo import Repo
from git_mlops.git.trust import Trust
from git_mlops.models import promote, register
from git_mlops.models.context import Context
from git_mlops.models.promote import Promotion
from git_mlops.models.settings import Settings
from tests.experiments.conftest import commit

EXPERIMENTS = ExperimentSettings(metrics={"auc": Metric("max"), "loss": Metric("min", 0.01)})
SCHEMAS = {"data/*.csv": "schemas/data.yaml"}
CONTEXT = Context(experiments=EXPERIMENTS, schemas=SCHEMAS)
MODEL, DATA = "1" * 32, "2" * 32
ML_MODEL = """\
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "string", "name": "city"}]'
  outputs: '[{"type": "long"}]'
"""


def files(auc: float = 0.9, model: str = MODEL) -> dict[str, str | bytes]:
    """The project after a training run."""
    return {
        "train.py": "print(1)\n",
        "params.yaml": f"lr: {1 - auc:.3f}\n",
        "metrics.json": f'{{"auc": {auc}, "loss": {1 - auc:.3f}}}\n',
        "schemas/data.yaml": "schema_type: dataframe\n",
        "data/a.csv.dvc": f"outs:\n- md5: '{DATA}'\n  size: 5\n  hash: md5\n  path: a.csv\n",
        "dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n    outs: [model/m.joblib]\n",
        "dvc.lock": "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n    outs:\n"
        f"    - path: model/m.joblib\n      hash: md5\n      md5: '{model}'\n      size: 7\n",
        "model/MLmodel": ML_MODEL,
    }


@pytest.fixture
def project(repo: Repo) -> Repo:
    """A commit with a model."""
    commit(repo, files())
    return repo


def trained(repo: Repo, auc: float, model: str) -> str:
    """Another commit with another model."""
    commit(repo, files(auc, model), f"auc {auc}")
    return repo.text("rev-parse", "HEAD")


def saved(repo: Repo, name: str) -> str:
    """The workspace as an experiment; its commit."""
    return saving.save(repo, Saving(name), EXPERIMENTS, DataSettings()).commit


def registered(repo: Repo, **request: str) -> str:
    """A version of `m`."""
    return register.register(repo, register.Request("m", **request), CONTEXT).version.version  # type: ignore[arg-type]


def promoted(
    repo: Repo, version: str, stage: str, settings: Settings, trust: Trust | None = None
) -> Promotion:
    """Under some rules."""
    context = CONTEXT._replace(models=settings, trust=lambda: trust)
    return promote.promote(repo, promote.Request(version, stage), context)


def missing(done: Promotion) -> list[str]:
    """What a promotion lacks."""
    return [finding.message for finding in done.refused]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The SSH key of somebody, made once."""
    import subprocess

    folder = tmp_path_factory.mktemp("keys")

    def key(name: str) -> Path:
        if not (folder / name).exists():
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name)
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        return folder / name

    return key


Persona = Callable[[str], None]


@pytest.fixture
def persona(project: Repo, keys: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Persona:
    """Become somebody, with a key of their own."""

    def become(name: str) -> None:
        monkeypatch.setenv("GIT_COMMITTER_NAME", name.title())
        monkeypatch.setenv("GIT_COMMITTER_EMAIL", f"{name}@example.com")
        project.git("config", "gpg.format", "ssh")
        project.git("config", "user.signingkey", str(keys(name)))

    return become


@pytest.fixture
def listed(keys: Callable[[str], Path]) -> Callable[..., Trust]:
    """Trust in some people."""

    def trust(*names: str) -> Trust:
        lines = (f"{name}@example.com {keys(name).with_suffix('.pub').read_text()}" for name in names)
        return Trust("".join(lines).encode())

    return trust
