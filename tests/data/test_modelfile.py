"""Headers of model files, read without their libraries."""

import json
import pickle
from pathlib import Path

import pytest

from git_mlops.data import modelfile
from git_mlops.data.diff import Request, difference
from git_mlops.data.modelfile import Changes, Model, ModelError, Tensor
from git_mlops.data.settings import Settings
from tests.data.conftest import Data


def safetensors(tensors: dict[str, tuple[str, list[int]]], **metadata: str) -> bytes:
    header = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]}
        for name, (dtype, shape) in tensors.items()
    }
    text = json.dumps({**header, **({"__metadata__": metadata} if metadata else {})}).encode()
    text = text.ljust(256) if len(text) > 127 else text  # the format pads with spaces, too
    return len(text).to_bytes(8, "little") + text + b"\0" * 100


def varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx(*tensors: tuple[str, int, list[int]], packed: bool = True, opset: int = 17) -> bytes:
    parts = b""
    for name, dtype, shape in tensors:
        dims = field(1, b"".join(map(varint, shape))) if packed else b"".join(field(1, d) for d in shape)
        parts += field(5, dims + field(2, dtype) + field(8, name) + field(9, b"\0" * 50))
    graph = field(2, "g") + parts
    return (
        field(1, 8) + field(2, "maker") + field(7, graph) + field(8, field(2, opset))
        + field(14, field(1, "author") + field(2, "Ada"))
    )  # fmt: skip


def read(folder: Path, name: str, content: bytes) -> Model:
    file = folder / name
    file.write_bytes(content)
    kind = modelfile.kind_of(name)
    assert kind
    return modelfile.read(file, kind)


def test_safetensors(tmp_path: Path) -> None:
    content = safetensors({"w": ("F32", [3, 4]), "b": ("BF16", [])}, format="pt")
    found = read(tmp_path, "m.safetensors", content)
    assert found == Model(
        "safetensors", {"w": Tensor("f32", (3, 4)), "b": Tensor("bf16", ())}, {"format": "pt"}
    )
    assert found.parameters == 13


@pytest.mark.parametrize("packed", [True, False])
def test_onnx(tmp_path: Path, packed: bool) -> None:
    found = read(tmp_path, "M.ONNX", onnx(("w", 1, [300, 4]), ("i", 7, []), packed=packed))
    assert found == Model(
        "onnx",
        {"w": Tensor("float32", (300, 4)), "i": Tensor("int64", ())},
        {"ir_version": "8", "producer": "maker", "opset": "17", "author": "Ada"},
    )


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("touched"),))


def test_a_pickle_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(tmp_path, "m.pkl", pickle.dumps(Trap())) == Model("pickle", {}, {})
    assert not Path("touched").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.safetensors", b""),
        ("m.safetensors", b"\xff" * 20),
        ("m.safetensors", (1000).to_bytes(8, "little") + b"{}"),
        ("m.safetensors", (2).to_bytes(8, "little") + b"[]"),
        ("m.safetensors", safetensors({})[:-102] + b"{" * 10),
        ("m.safetensors", (200_000).to_bytes(8, "little") + b"[" * 200_000),
        ("m.onnx", b""),
        ("m.onnx", b"hello, this is text\n" * 10),
        ("m.onnx", onnx(("w", 1, [3]))[:40]),
        ("m.onnx", b"\xff" * 40),
    ],
)
def test_what_is_no_model_is_said(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(ModelError, match=r"it is no \w+ file: "):
        read(tmp_path, name, content)


def test_two_models_are_compared_by_their_headers(data: Data) -> None:
    for tensors, version in (
        ({"a": ("F32", [2, 2]), "b": ("F32", [3])}, "1"),
        ({"a": ("F16", [2, 2]), "c": ("F32", [5])}, "2"),
    ):
        content = safetensors(tensors, version=version)
        data.file("m.safetensors", content.decode("latin-1"))
        data.commit()
    (found,) = difference(data.repo, Request("HEAD~1", "HEAD"), Settings())
    assert found.model == Changes(
        (7, 9),
        {"c": "f32[5]"},
        {"b": "f32[3]"},
        {"a": ("f32[2, 2]", "f16[2, 2]")},
        {"version": ("1", "2")},
    )
