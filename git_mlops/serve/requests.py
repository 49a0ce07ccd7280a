"""What stands in a request to `/invocations`: MLflow's scoring protocol, JSON and CSV. Pure."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from git_mlops.jsonable import line
from git_mlops.serve import columns
from git_mlops.serve.columns import ContractError, Extra, Problem, Takes
from git_mlops.tables.nulls import NULLS

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
JSON, CSV = "application/json", "text/csv"
_NULLS = frozenset(NULLS)


class RequestError(Exception):
    """A request that gets no answer, and why: nothing in it is of this machine."""

    def __init__(self, status: int, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.problems = tuple(problems)

    def body(self, request: str, *, short: bool = False) -> bytes:
        """In MLflow's form, and what is wrong with each column; or, short, as the Open Inference Protocol."""
        if short:
            return f"{line({'error': str(self)})}\n".encode("utf-8", "backslashreplace")
        said: dict[str, object] = {
            "error_code": _CODES.get(self.status, "INTERNAL_ERROR"),
            "message": str(self),
        }
        if self.problems:
            said["problems"] = [
                {
                    "column": one.column,
                    "reason": one.reason,
                    "message": one.message,
                    "rows": [{"row": number, "value": value} for number, value in one.rows],
                }
                for one in self.problems
            ]
        # half a surrogate, which JSON may escape and UTF-8 has not, is escaped again
        return f"{line({**said, 'request_id': request})}\n".encode("utf-8", "backslashreplace")


_CODES = {
    400: "BAD_REQUEST", 404: "RESOURCE_DOES_NOT_EXIST", 405: "BAD_REQUEST", 408: "DEADLINE_EXCEEDED",
    413: "REQUEST_LIMIT_EXCEEDED", 415: "BAD_REQUEST", 422: "INVALID_PARAMETER_VALUE",
    503: "TEMPORARILY_UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip


class Parsed(NamedTuple):
    """What a request asks."""

    columns: Mapping[str, Sequence[object]] | None
    """Column by column."""
    array: object = None
    """Nested lists, where there are no columns."""
    params: Mapping[str, object] = {}  # the default of a frozen tuple, never changed
    texts: bool = False
    """Whether every cell is text."""


def media(content_type: str, only: str | None = None) -> str:
    """What a body is.

    Raises:
        RequestError: it is nothing that we read (415).
    """
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if kind not in ((only,) if only else (JSON, CSV)):
        shown = f"`{kind[:60]}`" if kind else "nothing"
        wanted = f"`{only}`" if only else f"`{JSON}` or `{CSV}`"
        raise RequestError(415, f"the content type must be {wanted}, not {shown}")
    for parameter in filter(None, parameters):
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise RequestError(415, "only UTF-8 is understood")
    return kind


def parse(kind: str, body: bytes) -> Parsed:
    """A body.

    Raises:
        RequestError: it is malformed (400).
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(400, "the body is no UTF-8 text") from error
    parsed = _csv(text) if kind == CSV else _json(text)
    count = len(next(iter(parsed.columns.values()), ())) if parsed.columns is not None else 1
    if not count:
        raise RequestError(400, "there are no rows")
    return parsed


def _csv(text: str) -> Parsed:
    try:
        records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record]
    except csv.Error as error:
        raise RequestError(400, f"the body is no CSV: {error}") from error
    if not records:
        raise RequestError(400, "the body has no header")
    header, *rows = records
    if len(set(header)) != len(header):
        raise RequestError(400, "a column stands twice in the header")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise RequestError(400, f"row {number} has {len(row)} cells, the header {len(header)}")
    return Parsed({name: [_cell(row[n]) for row in rows] for n, name in enumerate(header)}, texts=True)


def _cell(text: str) -> str | None:
    return None if text in _NULLS else text


def _json(text: str) -> Parsed:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise RequestError(400, "the JSON nests too deeply") from error
    except ValueError as error:
        said = (
            f"line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "a number"
        )
        raise RequestError(400, f"the body is no JSON ({said})") from error
    given = [name for name in FORMATS if name in value] if isinstance(value, dict) else []
    if len(given) != 1:
        raise RequestError(400, f"the body must be a JSON object with exactly one of {', '.join(FORMATS)}")
    params = value.get("params") or {}
    if not isinstance(params, dict):
        raise RequestError(400, "`params` must be an object")
    return _FORMS[given[0]](given[0], value[given[0]])._replace(params=params)


def _split(name: str, value: Any) -> Parsed:
    names = value.get("columns") if isinstance(value, dict) else None
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(names, list) or not isinstance(data, list):
        raise RequestError(400, f"`{name}` must be an object with the lists `columns` and `data`")
    if len({str(n) for n in names}) != len(names):
        raise RequestError(400, "a column stands twice in `columns`")
    for number, row in enumerate(data, 1):
        if not isinstance(row, list) or len(row) != len(names):
            raise RequestError(400, f"row {number} of `data` must be a list of {len(names)} values")
    return Parsed({str(n): [row[i] for row in data] for i, n in enumerate(names)})


def _records(name: str, value: Any) -> Parsed:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RequestError(400, f"`{name}` must be a list of objects")
    names = dict.fromkeys(key for one in value for key in one)
    return Parsed({key: [one.get(key) for one in value] for key in names} if names else {})


def _instances(name: str, value: Any) -> Parsed:
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return _records(name, value)
    if not isinstance(value, list) or not value:
        raise RequestError(400, f"`{name}` must be a list with something in it")
    return Parsed(None, value)


def _inputs(name: str, value: Any) -> Parsed:
    if not isinstance(value, dict):
        return _instances(name, value)
    found = {key: one if isinstance(one, list) else [one] for key, one in value.items()}
    if len({len(one) for one in found.values()}) > 1:
        raise RequestError(400, f"the lists of `{name}` are not of the same length")
    return Parsed(found)


_FORMS = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "instances": _instances,
    "inputs": _inputs,
}


class Fitting(NamedTuple):
    """A request as the model takes it."""

    rows: Any
    """A pandas data frame, or an array."""
    table: Any
    """The same as an Arrow table, for the log; None for an array."""
    many: int


def fitted(parsed: Parsed, takes: Takes, extra: Extra) -> Fitting:
    """Against what a model takes.

    Raises:
        RequestError: it does not fit (422).
    """
    import pyarrow as pa

    try:
        if parsed.columns is None and not takes.columns:
            array = columns.array(takes, parsed.array)
            return Fitting(array, None, len(array))
        named = parsed.columns if parsed.columns is not None else _placed(parsed.array, takes)
        if parsed.texts:
            texts = pa.table({name: pa.array(cells, pa.string()) for name, cells in named.items()})
            table = columns.table(takes, texts, extra, texts=True)
        else:
            table = columns.records(takes, named, extra)
        return Fitting(columns.frame(takes, table), table, table.num_rows)
    except ContractError as error:
        raise RequestError(422, str(error), error.problems) from error
    except UnicodeEncodeError as error:  # half a surrogate, which JSON may escape: in a name, in a value
        raise RequestError(422, "a name or a value is no text: it has half a surrogate") from error


def _placed(array: object, takes: Takes) -> dict[str, list[object]]:
    """Lists without names, by the places of the model's columns."""
    rows = array if isinstance(array, list) else []
    width = len(takes.columns)
    rows = rows if all(isinstance(row, list) for row in rows) else [[row] for row in rows]
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            message = f"row {number} has {len(row)} values, the model takes {width} columns"
            raise ContractError([Problem(None, "shape", message)])
    return {column.name: [row[n] for row in rows] for n, column in enumerate(takes.columns)}
