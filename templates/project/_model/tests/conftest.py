"""What the tests share. They run anywhere: without the tracked table, the same one is made anew."""

from typing import Any

import make_data
import pandas as pd
import pytest
from model import fit
from project import TOP, params
from split import split


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
