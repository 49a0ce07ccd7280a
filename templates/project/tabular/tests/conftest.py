"""What the tests share. They run anywhere: without the tracked table, the same one is made anew."""

from pathlib import Path

import make_data
import pandas as pd
import pytest
import yaml
from model import fit
from prepare import split
from sklearn.ensemble import RandomForestClassifier

TOP = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def params() -> dict[str, dict]:
    return yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def patients() -> pd.DataFrame:
    path = TOP / make_data.PATH
    return pd.read_csv(path) if path.exists() else make_data.table()


@pytest.fixture(scope="session")
def parts(patients: pd.DataFrame, params: dict[str, dict]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split(patients, **params["prepare"])


@pytest.fixture(scope="session")
def model(parts: tuple[pd.DataFrame, pd.DataFrame], params: dict[str, dict]) -> RandomForestClassifier:
    return fit(parts[0], **params["train"])
