"""What the tests of the monitor share: tables with a known shift, a model and the log of what was served."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from git_mlops.data import stored
from git_mlops.git.repo import Repo
from git_mlops.models import register
from tests.experiments.conftest import commit
from tests.forges.conftest import forge, start
from tests.models.conftest import CONTEXT, ML_MODEL

__all__ = ["forge", "start"]

ROWS = 1500


def people(rows: int = ROWS, seed: int = 0, older: float = 0.0) -> pl.DataFrame:
    """Age, city and a key; `older` in standard deviations."""
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "id": np.arange(rows) + 10_000 * seed,
            "age": (random.normal(size=rows) + older) * 10 + 40,
            "city": random.choice(["Ghent", "Namur", "Bruges"], p=[0.6, 0.3, 0.1], size=rows),
        }
    )


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with a reference, more of the same, and one that moved."""
    people(seed=1).write_csv(tmp_path / "old.csv")
    people(seed=2).write_parquet(tmp_path / "same.parquet")
    people(seed=3, older=0.5).write_csv(tmp_path / "older.csv")
    return tmp_path


@pytest.fixture
def model(repo: Repo) -> Repo:
    """A registered model `m` whose data is in DVC's cache."""
    file = repo.root / "data" / "a.csv"
    file.parent.mkdir()
    people().write_csv(file)
    (repo.root / ".dvc").mkdir()
    hash_ = stored.keep_file(repo, file)
    commit(
        repo,
        {
            "metrics.json": '{"accuracy": 0.9}\n',
            "data/a.csv.dvc": f"outs:\n- md5: '{hash_}'\n  size: 5\n  hash: md5\n  path: a.csv\n",
            "model/m.joblib.dvc": f"outs:\n- md5: '{'1' * 32}'\n  size: 5\n  hash: md5\n  path: m.joblib\n",
            "model/MLmodel": ML_MODEL,
        },
    )
    register.register(repo, register.Request("m", path="model/m.joblib"), CONTEXT)
    return repo


def serve(repo: Repo, rows: pl.DataFrame, *, name: str = "1.parquet", role: str = "main") -> None:
    """A part of the log as `git mlops model serve` writes it."""
    folder = repo.private / "serve" / "m" / "v0.1.0"
    folder.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    count = rows.height
    log = pl.DataFrame(
        {
            "time": [now - dt.timedelta(seconds=count - n) for n in range(count)],
            "request": [f"r{n}" for n in range(count)], "row": [0] * count,
            "model": ["m"] * count, "version": ["v0.1.0"] * count, "role": [role] * count,
            "ms": [1.0 + n % 10 for n in range(count)],
        }
    )  # fmt: skip
    answers = pl.Series("out.prediction", (np.arange(count) % 3 == 0).astype(np.int64))
    inputs = rows.drop("id").rename(lambda column: f"in.{column}")
    log.hstack(inputs).with_columns(answers).write_parquet(folder / name)
