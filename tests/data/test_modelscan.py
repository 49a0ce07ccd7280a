"""Models are looked through without being loaded: whatever is packed around a payload, it is found."""

import builtins
import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import zipfile
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.data import modelscan, pickles
from git_mlops.data.imports import judge
from git_mlops.data.pickles import Import

SYSTEM = Import(os.system.__module__, "system")


class Evil:
    """Would run a program when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch it-ran",)


class Evaluated:
    """Would evaluate text when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return builtins.eval, ("1",)


def dangers(content: bytes, name: str = "m.pkl") -> set[str]:
    found = modelscan.scan_bytes(content, name)
    return {str(each) for each in (*found.imports, *found.hidden) if judge(each) == "dangerous"}


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def joblib_bytes(value: object, folder: Path, compress: object = 0) -> bytes:
    joblib.dump(value, folder / "m.joblib", compress=compress)
    return (folder / "m.joblib").read_bytes()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_followed(protocol: int) -> None:
    assert dangers(pickle.dumps([1, "a", Evil(), {"b": 2.5}], protocol)) == {str(SYSTEM)}


PLAIN = pickle.dumps({"model": Evil()})
LEGACY = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
AROUND: dict[str, bytes] = {
    "gzip": gzip.compress(PLAIN),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "lzma": lzma.compress(PLAIN, format=lzma.FORMAT_ALONE),
    "zlib": zlib.compress(PLAIN),
    "a zip, as PyTorch's": zipped({"archive/data.pkl": PLAIN, "archive/data/0": bytes(1000)}),
    "a zip in gzip": gzip.compress(zipped({"archive/data.pkl": PLAIN})),
    "PyTorch's pickles in a row": LEGACY + PLAIN + pickle.dumps(["0"], 2) + bytes(100),
    "PyTorch's tar": tarred({"sys_info": pickle.dumps({}, 2), "pickle": PLAIN, "storages": bytes(50)}),
    "a tar in gzip": gzip.compress(tarred({"model.pkl": PLAIN})),
    "a pickle": pickle.dumps({"inner": PLAIN}),
    "a pickle in a pickle": pickle.dumps([pickle.dumps([PLAIN])]),
    "an array of objects": saved(np.array([Evil()], dtype=object)),
    "an npz": zipped({"a.npy": saved(np.array([Evil()], dtype=object)), "b.npy": saved(np.zeros(3))}),
}


@pytest.mark.parametrize("around", AROUND)
def test_a_payload_is_found_inside(around: str) -> None:
    assert dangers(AROUND[around], "model.bin") == {str(SYSTEM)}


@pytest.mark.parametrize("packing", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_joblib_with_arrays_between_its_opcodes_is_followed(packing: object, tmp_path: Path) -> None:
    objects = np.array([Evaluated(), "a"], dtype=object)
    model = {"w": np.arange(1000.0), "o": objects, "z": np.zeros((3, 4), "f4"), "last": Evil()}
    content = joblib_bytes(model, tmp_path, packing)
    assert dangers(content, "m.joblib") == {str(SYSTEM), "builtins.eval"}
    clean = modelscan.scan_bytes(joblib_bytes({"w": np.arange(9.0)}, tmp_path, packing), "m.joblib")
    assert (clean.problem, {judge(each) for each in clean.imports}) == (None, {"known"})


def test_what_pickle_would_read_where_joblib_has_an_array_is_found() -> None:
    wrapper = b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}("
    dtype = b"cnumpy\ndtype\n\x8c\x02u1\x85R"
    payload = b"cos\nsystem\n\x8c\x04true\x85R."
    state = b"\x8c\x05shapeK" + bytes([len(payload)]) + b"\x85\x8c\x05dtype" + dtype + b"u"
    found = modelscan.scan_bytes(wrapper + state + b"b" + payload + b".", "m.joblib")
    assert (found.problem, found.hidden) == (None, (Import("os", "system"),))
    assert Import("os", "system") not in found.imports


@pytest.mark.parametrize(
    ("content", "danger"),
    [
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.", "os.system"),
        (b"\x80\x04cbuiltins\nstr\n\x8c\x02os\x85R\x8c\x06system\x93.", "a name that is computed"),
        (b"\x80\x04\x8c\x0csklearn.base\x8c\x12warnings.sys.other\x93.", "sklearn.base.warnings.sys.other"),
        (b"\x80\x04ccollections\nOrderedDict\n}b.", "collections.OrderedDict.__dict__"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'true'\no.", "os.system"),
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"V\\u006fs\nV\\u0073ystem\n\x93.", "os.system"),
        (b"\x80\x04cos\nsystem\n\x8c\x04true\x85R" + b"\xff", "os.system"),
    ],
)
def test_names_are_followed_to_where_they_come_from(content: bytes, danger: str) -> None:
    assert dangers(content) == {danger}


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (pickle.dumps([1, 2, "text"])[:-4], "m.pkl", "it is a broken pickle: it ends early"),
        (b"\x80\x04\x8d" + b"\xff" * 8, "m.bin", "it is a broken pickle: it ends early"),
        (zipped({"data.pkl": PLAIN})[:-30], "m.pt", "it is a broken zip: File is not a zip file"),
        (b"\x04\x22\x4d\x18" + bytes(20), "m.joblib", "it is packed with lz4, which cannot be looked into"),
        (gzip.compress(pickle.dumps(list(range(999))))[:-300], "m.pkl",
         "`m.pkl` cannot be unpacked: Compressed file ended before the end-of-stream marker was reached"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(content: bytes, name: str, problem: str) -> None:
    assert modelscan.scan_bytes(content, name).problem == problem


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello\n" * 99,
        bytes(5000),
        saved(np.zeros(9)),
        zipped({"a.txt": b"c", "w.npy": saved(np.ones(3))}),
    ],
)
def test_what_runs_nothing_is_nothing(content: bytes) -> None:
    assert modelscan.scan_bytes(content, "m.model") == modelscan.Scanned(None)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MOST_OPCODES", 100_000)
    endless = b"\x80\x04" + b"N0" * 60_000 + b"."
    assert "opcodes" in (modelscan.scan_bytes(endless, "m.pkl").problem or "")
    monkeypatch.setattr(modelscan, "MOST_UNPACKED", 1 << 20)
    bomb = gzip.compress(b"\x80\x04B" + (5 << 20).to_bytes(4, "little") + bytes(5 << 20) + b".")
    assert "when unpacked" in (modelscan.scan_bytes(bomb, "m.pkl").problem or "")
    folded = PLAIN
    for _ in range(9):
        folded = gzip.compress(folded)
    assert "packed too deeply" in (modelscan.scan_bytes(folded, "m.pkl").problem or "")
    crowd = b"\x80\x02" + b"".join(b"cmodule%d\nname\n0" % number for number in range(10_100)) + b"."
    assert "imports more than" in (modelscan.scan_bytes(crowd, "m.pkl").problem or "")


def test_lambda_layers_of_keras_are_code() -> None:
    layers = json.dumps({"config": {"layers": [{"class_name": "Lambda"}]}}).encode()
    code = ("a Lambda layer, which is Python code",)
    assert modelscan.scan_bytes(zipped({"config.json": layers}), "m.keras").code == code
    assert modelscan.scan_bytes(b"\x89HDF\r\n\x1a\n" + bytes(3000) + layers, "m.h5").code == code
    dense = layers.replace(b"Lambda", b"Dense")
    assert modelscan.scan_bytes(zipped({"config.json": dense}), "m.keras") == modelscan.Scanned(None)


def test_a_checksum_that_is_wrong_hides_nothing() -> None:
    content = bytearray(zipped({"archive/data.pkl": PLAIN}))
    at = content.find(b"PK\x01\x02")
    content[at + 16 : at + 20] = b"abcd"
    assert dangers(bytes(content), "m.pt") == {str(SYSTEM)}


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 5), st.integers(0, 40))
def test_no_bytes_break_it(noise: bytes, protocol: int, at: int) -> None:
    content = pickle.dumps([Evil(), {"a": (1, 2)}, "text"], protocol)
    for mixed in (noise, content[:at] + noise, content[:at] + noise + content[at:]):
        assert isinstance(modelscan.scan_bytes(mixed, "m.pkl"), modelscan.Scanned)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=20,
    ),
    st.integers(0, 5),
)
def test_plain_values_are_followed_to_the_end(value: object, protocol: int) -> None:
    found = modelscan.scan_bytes(pickle.dumps([value, Evil()], protocol), "m.pkl")
    assert (found.problem, SYSTEM in found.imports) == (None, True)
