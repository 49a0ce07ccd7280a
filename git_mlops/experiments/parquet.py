"""A listing as a Parquet file: the only place here that needs pandas."""

import os
from collections.abc import Sequence
from pathlib import Path

from git_mlops.errors import MlopsError


def write(file: Path, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows under column names; a column with values of several kinds is text.

    Raises:
        MlopsError: there is no such directory.
    """
    import pandas as pd

    if not file.name or file.is_dir():
        raise MlopsError(f"`{file}` is no name of a file")
    if not file.parent.is_dir():
        raise MlopsError(f"no such directory: {file.parent}")
    columns = {name: _column([row[i] for row in rows]) for i, name in enumerate(names)}
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        pd.DataFrame(columns, columns=list(names)).to_parquet(temporary, index=False)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _column(values: list[object]) -> object:
    whole = [value for value in values if type(value) is int]
    small = all(abs(value) < 2**63 for value in whole)
    if whole and small and len(whole) + values.count(None) == len(values):
        import pandas as pd

        return pd.Series(values, dtype="Int64")  # of None, too, and without a float's rounding
    kinds = {float if type(value) is int else type(value) for value in values if value is not None}
    if small and len(kinds) <= 1 and kinds <= {float, str, bool}:
        return values
    return [None if value is None else str(value) for value in values]
