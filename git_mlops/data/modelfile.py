"""What a model file says of itself in its header: tensors, shapes, types. Nothing is executed or unpickled.

safetensors and ONNX are read without their libraries, and without their weights. A pickle (also inside a
joblib or a PyTorch file) is code: of it only the size is known here.
"""

import json
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

Kind = Literal["safetensors", "onnx", "pickle"]

_SUFFIXES: dict[str, Kind] = {
    ".safetensors": "safetensors",
    ".onnx": "onnx",
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill", ".cloudpickle"), "pickle"
    ),
}
_LARGEST_HEADER = 100 * 1024 * 1024
_MOST_TENSORS = 1_000_000
_ONNX_TYPES = (
    "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16",
    "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
)  # fmt: skip


class Tensor(NamedTuple):
    """One array of weights, without them."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


class Model(NamedTuple):
    """What is known without loading it."""

    kind: Kind
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """How many numbers all tensors hold."""
        return sum(tensor.parameters for tensor in self.tensors.values())


class ModelError(ValueError):
    """A file that is not what its name says."""


class Changes(NamedTuple):
    """From one model file to another."""

    parameters: tuple[int, int]
    added: Mapping[str, str]
    """Name of a tensor → its type and shape."""
    removed: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]
    metadata: Mapping[str, tuple[str | None, str | None]]


def kind_of(name: str) -> Kind | None:
    """By suffix, whatever its case; None for what is no model that we know."""
    return _SUFFIXES.get(posixpath.splitext(name.lower())[1])


def read(path: Path, kind: Kind) -> Model:
    """The header of a model file.

    Raises:
        ModelError: it is not what its name says.
    """
    if kind == "pickle":
        return Model(kind, {}, {})
    with path.open("rb") as file:
        try:
            return _safetensors(file) if kind == "safetensors" else _onnx(file, path.stat().st_size)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise ModelError(f"it is no {kind} file: {error}") from error


def changes(a: Model, b: Model) -> Changes:
    """What of the headers differs."""
    both = a.tensors.keys() & b.tensors.keys()
    names = dict.fromkeys((*a.metadata, *b.metadata))
    return Changes(
        (a.parameters, b.parameters),
        {name: str(tensor) for name, tensor in b.tensors.items() if name not in both},
        {name: str(tensor) for name, tensor in a.tensors.items() if name not in both},
        {
            name: (str(a.tensors[name]), str(tensor))
            for name, tensor in b.tensors.items()
            if name in both and a.tensors[name] != tensor
        },
        {
            name: (a.metadata.get(name), b.metadata.get(name))
            for name in names
            if a.metadata.get(name) != b.metadata.get(name)
        },
    )


def _safetensors(file: BinaryIO) -> Model:
    size = int.from_bytes(file.read(8), "little")
    if not 2 <= size <= _LARGEST_HEADER:
        raise ModelError(f"a header of {size} bytes")
    text = file.read(size)
    if len(text) < size:
        raise ModelError("its header is cut off")
    header = json.loads(text)
    said = header.pop("__metadata__", {})
    tensors = {
        str(name): Tensor(str(one["dtype"]).lower(), tuple(int(length) for length in one["shape"]))
        for name, one in header.items()
    }
    return Model("safetensors", tensors, {str(k): str(v) for k, v in said.items()})


# -- ONNX: the wire format of protocol buffers, of which only a few fields are looked at ---------------------

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class _Field(NamedTuple):
    number: int
    value: int
    """Of bytes: how many there are."""
    start: int
    """Where bytes begin."""
    is_bytes: bool


def _onnx(file: BinaryIO, size: int) -> Model:
    tensors: dict[str, Tensor] = {}
    metadata: dict[str, str] = {}
    for field in _fields(file, 0, size):
        match field.number, field.is_bytes:
            case 1, False:
                metadata["ir_version"] = str(field.value)
            case 2, True:
                metadata["producer"] = _text(file, field)
            case 8, True:
                metadata |= _opset(file, field)
            case 14, True:
                metadata |= _property(file, field)
            case 7, True:
                tensors |= dict(_initializers(file, field))
    if not metadata and not tensors:
        raise ModelError("no model in it")
    return Model("onnx", tensors, metadata)


def _initializers(file: BinaryIO, graph: _Field) -> Iterator[tuple[str, Tensor]]:
    for field in _fields(file, graph.start, graph.start + graph.value):
        if field.number != 5 or not field.is_bytes:
            continue
        name, dtype, shape = "", 0, list[int]()
        for part in _fields(file, field.start, field.start + field.value):
            match part.number, part.is_bytes:
                case 1, False:
                    shape.append(part.value)
                case 1, True:
                    shape += _packed(_bytes(file, part))
                case 2, False:
                    dtype = part.value
                case 8, True:
                    name = _text(file, part)
        yield name, Tensor(_ONNX_TYPES[dtype] if dtype < len(_ONNX_TYPES) else f"type{dtype}", tuple(shape))


def _opset(file: BinaryIO, whole: _Field) -> dict[str, str]:
    domain, version = "", 0
    for field in _fields(file, whole.start, whole.start + whole.value):
        if field.number == 1 and field.is_bytes:
            domain = _text(file, field)
        elif field.number == 2 and not field.is_bytes:
            version = field.value
    return {f"opset {domain}".strip(): str(version)}


def _property(file: BinaryIO, whole: _Field) -> dict[str, str]:
    fields = {
        f.number: _text(file, f) for f in _fields(file, whole.start, whole.start + whole.value) if f.is_bytes
    }
    return {fields.get(1, ""): fields.get(2, "")}


def _fields(file: BinaryIO, start: int, end: int) -> Iterator[_Field]:
    at = start
    for _ in range(_MOST_TENSORS):
        if at >= end:
            return
        file.seek(at)
        head = file.read(20)
        tag, at_ = _varint(head, 0)
        kind = tag & 7
        if kind not in (_VARINT, _FIXED64, _BYTES, _FIXED32):
            raise ModelError("no protocol buffers")
        value, length = 0, {_FIXED64: 8, _FIXED32: 4}.get(kind, 0)
        if kind in (_VARINT, _BYTES):
            value, at_ = _varint(head, at_)
        if kind == _BYTES:
            length = value
        at += at_
        if at + length > end:
            raise ModelError("it is cut off")
        yield _Field(tag >> 3, value, at, kind == _BYTES)
        at += length
    raise ModelError("too many parts")


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ModelError("no protocol buffers")


def _packed(content: bytes) -> list[int]:
    found, at = [], 0
    while at < len(content):
        value, at = _varint(content, at)
        found.append(value)
    return found


def _bytes(file: BinaryIO, field: _Field) -> bytes:
    if field.value > _LARGEST_HEADER:
        raise ModelError("a part of it is too large")
    file.seek(field.start)
    return file.read(field.value)


def _text(file: BinaryIO, field: _Field) -> str:
    return _bytes(file, field)[:1000].decode("utf-8", "replace")
