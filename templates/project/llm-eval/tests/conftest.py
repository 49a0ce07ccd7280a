"""What the tests share. They run anywhere and offline: the endpoint is always the stub."""

from collections.abc import Callable, Iterator

import make_data
import pandas as pd
import pytest
from answer import answers
from client import endpoint
from project import TOP, params

Asked = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    path = TOP / make_data.PATH
    return make_data.read(path) if path.exists() else make_data.table()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with endpoint("stub") as found:
        yield found


@pytest.fixture(scope="session")
def asked(address: str) -> Asked:
    """Answers to questions, as `params.yaml` says and with other values where they are given."""
    how = params("answer") | {"model": "stub"}
    del how["endpoint"]
    return lambda questions, **other: answers(questions, address, **how | other)


@pytest.fixture(scope="session")
def given(table: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    return asked(table)
