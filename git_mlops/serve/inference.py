"""The Open Inference Protocol (V2, REST) of KServe, Triton and MLServer: tensors in, tensors out. Pure."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from git_mlops.serve import answers
from git_mlops.serve.columns import Takes
from git_mlops.serve.loaded import Loaded
from git_mlops.serve.requests import Parsed, RequestError

PREFIX = "/v2"

_KINDS = frozenset(
    ("BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64")
) | {"BYTES"}
_DATATYPES = {
    "boolean": "BOOL", "integer": "INT32", "long": "INT64", "float": "FP32", "double": "FP64",
    "string": "BYTES", "binary": "BYTES", "datetime": "BYTES",
}  # fmt: skip
_DTYPES = {"int64": "INT64", "int32": "INT32", "float32": "FP32", "float64": "FP64", "bool": "BOOL"}


class Asked(NamedTuple):
    """What a path below /v2 asks for."""

    what: str
    """`server`, `live`, `ready`, `model`, `model ready`, `infer`"""
    model: str = ""
    version: str = ""


def routed(path: str) -> Asked | None:
    """A path; None for one that the protocol has not."""
    rest = path.removeprefix(PREFIX).strip("/")
    if not rest:
        return Asked("server")
    if rest in ("health/live", "health/ready"):
        return Asked(rest.removeprefix("health/"))
    if not rest.startswith("models/"):
        return None
    name = rest.removeprefix("models/")
    what = "model"
    for end in ("infer", "ready"):
        if name.endswith(f"/{end}"):
            name, what = name.removesuffix(f"/{end}"), "infer" if end == "infer" else "model ready"
    name, _, version = name.partition("/versions/")
    return Asked(what, name, version)


def check(asked: Asked, loaded: Loaded) -> None:
    """Whether it is the model that is here that is asked for.

    Raises:
        RequestError: it is not (404).
    """
    if asked.model and asked.model != loaded.source.name:
        raise RequestError(404, f"there is no model `{asked.model[:100]}`")
    if asked.version and asked.version != loaded.source.version:
        raise RequestError(404, f"the version `{asked.version[:100]}` is not the one in service")


def metadata(loaded: Loaded) -> dict[str, object]:
    """What the model takes and gives."""
    inputs = [
        {"name": one.name, "datatype": _DATATYPES.get(one.type or "", "BYTES"), "shape": [-1]}
        for one in loaded.takes.columns
    ]
    if loaded.takes.shape is not None:
        datatype = {"float32": "FP32", "int64": "INT64", "int32": "INT32"}.get(
            loaded.takes.dtype or "", "FP64"
        )
        inputs = [{"name": "input", "datatype": datatype, "shape": list(loaded.takes.shape)}]
    said = loaded.source.contract.outputs if loaded.source.contract else ()
    outputs = [
        {"name": str(one.get("name", "prediction")), "datatype": _datatype(one), "shape": [-1]}
        for one in said
    ]
    versions = [loaded.source.version] if loaded.source.version else []
    return {
        "name": loaded.source.name,
        "versions": versions,
        "platform": "git-mlops",
        "inputs": inputs,
        "outputs": outputs,
    }


def _datatype(said: Mapping[str, object]) -> str:
    spec = said.get("tensor-spec")
    dtype = str(spec.get("dtype")) if isinstance(spec, Mapping) else ""
    return _DTYPES.get(dtype) or _DATATYPES.get(str(said.get("type")), "FP64")


def parse(body: bytes, takes: Takes) -> Parsed:
    """A request to infer.

    Raises:
        RequestError: it is malformed (400).
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "the body is no JSON") from error
    inputs = value.get("inputs") if isinstance(value, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(one, dict) for one in inputs):
        raise RequestError(400, "the body must be a JSON object with a list `inputs` of tensors")
    tensors = [_tensor(one) for one in inputs]
    names = [name for name, _shape, _data in tensors]
    if len(set(names)) != len(names):
        raise RequestError(400, "a name stands twice in `inputs`")
    if len(tensors) == 1 and ((len(tensors[0][1]) == 2 and tensors[0][1][1] != 1) or not takes.columns):
        return Parsed(None, _nested(tensors[0][2], tensors[0][1]))
    columns = {}
    for name, shape, data in tensors:
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise RequestError(400, f"`{name[:60]}` must be of shape [n] or [n, 1]")
        columns[name] = data
    if len({len(data) for data in columns.values()}) > 1:
        raise RequestError(400, "the tensors of `inputs` are not of the same length")
    return Parsed(columns)


def _tensor(one: Mapping[str, Any]) -> tuple[str, list[int], list[object]]:
    name, shape, kind, data = (one.get(key) for key in ("name", "shape", "datatype", "data"))
    if not isinstance(name, str) or kind not in _KINDS or not isinstance(data, list):
        raise RequestError(400, "a tensor must have `name`, `shape`, `datatype` and `data`")
    if not isinstance(shape, list) or not shape or not all(type(n) is int and n >= 0 for n in shape):
        raise RequestError(400, f"the shape of `{name[:60]}` must be a list of sizes")
    flat = _flat(data)
    if math.prod(shape) != len(flat):
        raise RequestError(400, f"`{name[:60]}` has {len(flat)} values, its shape says {math.prod(shape)}")
    if not flat:
        raise RequestError(400, "there are no rows")
    return name, shape, flat


def _flat(data: Sequence[object]) -> list[object]:
    found = list(data)
    for _depth in range(8):
        if not any(isinstance(one, list) for one in found):
            return found
        found = [inner for one in found for inner in (one if isinstance(one, list) else [one])]
    raise RequestError(400, "`data` nests too deeply")


def _nested(flat: list[object], shape: Sequence[int]) -> list[object]:
    for size in reversed(shape[1:]):
        flat = [flat[at : at + size] for at in range(0, len(flat), size)] if size else []
    return flat


def rendered(raw: Any, rows: int, loaded: Loaded, request: str) -> dict[str, object]:
    """An answer as tensors.

    Raises:
        AnswerError: it is none.
    """
    import pyarrow as pa

    table = answers.table(raw, rows)
    outputs = []
    for name in table.column_names:
        column = table.column(name)
        kind = next((k for k, is_ in _ARROW.items() if getattr(pa.types, is_)(column.type)), "BYTES")
        values = answers.plain(column.to_pylist())
        if kind == "BYTES" and isinstance(values, list):
            values = [one if one is None or isinstance(one, str) else json.dumps(one) for one in values]
        outputs.append({"name": name, "shape": [rows], "datatype": kind, "data": values})
    version = {"model_version": loaded.source.version} if loaded.source.version else {}
    return {"model_name": loaded.source.name, **version, "id": request, "outputs": outputs}


_ARROW = {
    "BOOL": "is_boolean",
    "INT32": "is_int32",
    "INT64": "is_integer",
    "FP32": "is_float32",
    "FP64": "is_floating",
}
