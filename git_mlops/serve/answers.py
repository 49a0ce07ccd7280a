"""What a model answered, as a table and as JSON."""

from collections.abc import Mapping
from typing import Any

from git_mlops.errors import CANNOT_EVALUATE, MlopsError


class AnswerError(MlopsError):
    """A model that answers what it should not."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=CANNOT_EVALUATE)


def table(raw: Any, rows: int) -> Any:
    """An Arrow table with one row for each that was asked about.

    Raises:
        AnswerError: there are more, or fewer, or they are no table.
    """
    import pyarrow as pa

    try:
        made = pa.table(_columns(raw))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise AnswerError(f"the model's answer is no table: {str(error).splitlines()[0]}") from error
    if made.num_rows != rows:
        raise AnswerError(f"the model was asked about {rows} rows, and answered {made.num_rows}")
    return made


def _columns(raw: Any) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    if isinstance(raw, pd.DataFrame):
        by_name = ((str(name), raw.iloc[:, n]) for n, name in enumerate(raw.columns))
        return {k: column for name, one in by_name for k, column in _of_series(name, one).items()}
    if isinstance(raw, pd.Series):
        return _of_series("prediction", raw)
    if isinstance(raw, Mapping):
        return {k: column for name, values in raw.items() for k, column in _spread(str(name), values).items()}
    return _spread("prediction", np.asarray(raw))


def _of_series(name: str, values: Any) -> dict[str, Any]:
    import pyarrow as pa

    if values.dtype == object and len(values) and isinstance(values.iloc[0], Mapping):
        return _spread(name, values.tolist())
    return {name: pa.array(values, from_pandas=True)}


def _spread(name: str, values: Any) -> dict[str, Any]:
    """One answer as a column, or as one for each class: probabilities are two-dimensional, or mappings."""
    import numpy as np
    import pyarrow as pa

    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.ndim == 2 and array.dtype != object:
        return {f"{name}_{n}": pa.array(array[:, n]) for n in range(array.shape[1])}
    if array is not None and array.dtype != object:
        return {name: pa.array(array.tolist() if array.ndim != 1 else array)}
    found = list(values)
    if found and all(isinstance(one, Mapping) and not all(isinstance(k, str) for k in one) for one in found):
        keys = dict.fromkeys(key for one in found for key in one)  # ONNX says probabilities by class so
        return {f"{name}_{key}": pa.array([one.get(key) for one in found]) for key in keys}
    return {name: pa.array(found)}


def plain(raw: Any) -> object:
    """In MLflow's form of `predictions`: a data frame as records, an array as lists. No NaN: null."""
    import numpy as np
    import pandas as pd

    if isinstance(raw, pd.DataFrame):
        return _finite(raw.to_dict(orient="records"))
    if isinstance(raw, pd.Series | np.ndarray | np.generic):
        return _finite(raw.tolist())
    return _finite(raw)


def _finite(value: Any) -> Any:
    """Values that JSON has words for."""
    import numpy as np

    if isinstance(value, float):
        return value if value - value == 0 else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, np.ndarray | np.generic):
        return _finite(value.tolist())
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
