"""What the tests share. They run anywhere: without the tracked pictures, the same ones are made anew."""

from typing import Any

import features
import make_data
import pandas as pd
import pytest
from model import fit
from project import TOP, params
from split import split


@pytest.fixture(scope="session", autouse=True)
def pictures(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not features.folder.exists():
        features.folder = tmp_path_factory.mktemp("digits")
        make_data.pictures(features.folder)


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    path = TOP / make_data.PATH
    return pd.read_csv(path) if path.exists() else make_data.table()


@pytest.fixture(scope="session")
def parts(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split(table, **params("prepare"))


@pytest.fixture(scope="session")
def model(parts: tuple[pd.DataFrame, pd.DataFrame]) -> Any:
    return fit(parts[0], **params("train"))
