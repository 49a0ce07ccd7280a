"""What the tests of serving share: a registered scikit-learn model, in DVC's cache, without DVC itself."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from git_mlops.data import stored
from git_mlops.git.repo import Repo, discover
from git_mlops.models import promote, register
from git_mlops.models.context import Context

SIGNATURE = """\
{"inputs": [{"type": "double", "name": "age", "required": true},
            {"type": "long", "name": "visits", "required": true},
            {"type": "double", "name": "income", "required": false}],
 "outputs": [{"type": "long"}]}
"""

Rows = dict[str, list[Any]]


def rows(count: int = 10) -> Rows:
    """Rows that the model takes; what it answers depends on the age alone."""
    return {
        "age": [20.0 + n % 60 for n in range(count)],
        "visits": [n % 7 for n in range(count)],
        "income": [1000.5 + n for n in range(count)],
    }


def estimator(*, turned: bool = False) -> Any:
    """1 for those over fifty; `turned`: for the others."""
    import pandas as pd
    from sklearn.tree import DecisionTreeClassifier

    data = pd.DataFrame(rows(240))
    old = (data["age"] > 50).astype(int)
    return DecisionTreeClassifier(random_state=0).fit(data, 1 - old if turned else old)


def expected(given: Rows, *, turned: bool = False) -> list[int]:
    """What the model should say."""
    return [int(age > 50) != turned for age in given["age"]]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two models as joblib keeps them, and one as MLflow does."""
    import joblib

    folder = tmp_path_factory.mktemp("models")
    made = {}
    for name, turned in (("one", False), ("two", True)):
        made[name] = folder / f"{name}.joblib"
        joblib.dump(estimator(turned=turned), made[name])
    return made


@pytest.fixture(scope="session")
def template_model(
    template_repo: Path, models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """`churn` in two versions; the first one holds `prod`."""
    root = tmp_path_factory.mktemp("template-model") / "repo"
    shutil.copytree(template_repo, root)
    registered(root, models["one"], "v1.0.0")
    registered(root, models["two"], "v2.0.0")
    return root


def registered(root: Path, model: Path, version: str) -> None:
    """A commit with the model behind a pointer, and its tag."""
    repo = discover(root)
    (root / ".dvc").mkdir(exist_ok=True)
    (root / ".dvc" / "config").touch()
    (root / "model").mkdir(exist_ok=True)
    hash_ = stored.keep_file(repo, model)
    pointer = f"outs:\n- md5: '{hash_}'\n  size: {model.stat().st_size}\n  hash: md5\n  path: m.joblib\n"
    (root / "model" / "m.joblib.dvc").write_text(pointer)
    (root / "model" / "signature.json").write_text(SIGNATURE)
    (root / ".gitignore").write_text("/.dvc/cache\n/model/m.joblib\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "--allow-empty", "-m", version)
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.com"), ("tag.gpgSign", "false")):
        git(root, "config", name, value)
    register.register(repo, register.Request("churn", version=version, path="model/m.joblib"), Context())


def promoted(root: Path, version: str, stage: str) -> None:
    """Give it the stage."""
    promote.promote(discover(root), promote.Request(f"churn@{version}", stage), Context())


def git(root: Path, *words: str) -> None:
    """Run git there."""
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, env=environment())


def environment() -> dict[str, str]:
    """Of programs that outlive a test's own."""
    return {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
    }  # fmt: skip


@pytest.fixture
def project(template_model: Path, tmp_path: Path) -> Repo:
    """A copy of the repository with the registered model."""
    root = tmp_path / "my repö"
    shutil.copytree(template_model, root)
    return discover(root)
