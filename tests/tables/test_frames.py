"""Frames: one way to open every form."""

import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from git_mlops.tables import constraints, frames, pii
from git_mlops.tables.forms import Form, form_of


def test_cells_of_a_csv_stay_the_text_they_are(tmp_path: Path) -> None:
    file = tmp_path / "object-without-suffix"
    file.write_text('id,zip\n1,007\n2,\n3,"a,b"\n')
    found = frames.scan(file, Form("csv", packed=False)).collect()
    assert found.to_dict(as_series=False) == {"id": ["1", "2", "3"], "zip": ["007", None, "a,b"]}


def test_parquet_and_json_lines_keep_their_types(tmp_path: Path) -> None:
    table = pl.DataFrame({"n": [1, None], "s": ["x", "y"]})
    table.write_parquet(tmp_path / "a")
    table.write_ndjson(tmp_path / "b")
    forms = {"a": Form("parquet", packed=False), "b": Form("jsonl", packed=False)}
    for name, form in forms.items():
        assert frames.scan(tmp_path / name, form).collect().equals(table), name


TABLE = pa.table(
    {
        "id": [1, 2, None],
        "city": pa.array(["Ghent", "Namur", None]).dictionary_encode(),
        "at": pa.array([1, 2, 3], pa.timestamp("us")),
        "mail": ["ada@example.com", "b", "c"],
    }
)
ARROW = Form("arrow", packed=False)


def arrow(table: pa.Table, *, stream: bool, rows: int = 2) -> bytes:
    sink = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table, rows)
    return sink.getvalue()


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_both_sorts_of_arrow_files_are_frames(tmp_path: Path, stream: bool) -> None:
    file = tmp_path / "a"
    file.write_bytes(arrow(TABLE, stream=stream))
    frame = frames.scan(file, ARROW)
    whole = pl.DataFrame(TABLE)
    assert frame.collect(engine="streaming").equals(whole)
    assert frame.select("at", "id").head(1).collect().equals(whole.select("at", "id").head(1))
    assert frame.filter(pl.col("id") == 2).select("city").collect()["city"].to_list() == ["Namur"]
    assert frame.select(pl.len()).collect().item() == 3
    assert [hit.column for hit in pii.look(file, ARROW).hits] == ["mail"]


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_an_arrow_file_without_rows_has_its_columns(tmp_path: Path, stream: bool) -> None:
    file = tmp_path / "a"
    file.write_bytes(arrow(TABLE.slice(0, 0), stream=stream))
    found = frames.scan(file, ARROW).collect()
    assert (found.height, found.columns) == (0, TABLE.column_names)


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_an_arrow_file_that_is_cut_or_wrong_is_an_error(tmp_path: Path, stream: bool) -> None:
    whole = arrow(TABLE, stream=stream)
    file = tmp_path / "a"
    bad = [whole[: len(whole) // 2], whole[:20], b"hello", b"", b"FEA1 and more"]
    for content in bad:
        file.write_bytes(content)
        with pytest.raises(frames.FrameError):
            constraints.rows([(file, ARROW)])


def test_an_arrow_file_whose_offsets_lie_is_an_error(tmp_path: Path) -> None:
    offsets = pa.py_buffer(b"\0\0\0\0\xff\xff\xff\x7f\x01\0\0\0")
    lying = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"a")])
    file = tmp_path / "a"
    file.write_bytes(arrow(pa.table({"a": lying}), stream=False))
    with pytest.raises(pl.exceptions.ComputeError, match="offset"):
        frames.scan(file, ARROW).collect()


PACKED = [
    ("csv", "a,b\n1,x\n2,y\n"),
    ("tsv", "a\tb\n1\tx\n2\ty\n"),
    ("jsonl", '{"a":"1","b":"x"}\n{"a":"2","b":"y"}\n'),
]


@pytest.mark.parametrize(("kind", "text"), PACKED)
def test_text_packed_with_zstd_is_a_frame(tmp_path: Path, kind: str, text: str) -> None:
    form = form_of(f"t.{kind}.zst")
    assert form == Form(kind, packed=True, by="zst")  # type: ignore[arg-type]
    assert (str(form), form.compression) == (f"{kind}.zst", "zstd")
    codec = pa.Codec("zstd")
    half = len(text) // 2
    two_frames = b"".join(codec.compress(part.encode(), asbytes=True) for part in (text[:half], text[half:]))
    (tmp_path / "a").write_bytes(two_frames)
    found = frames.scan(tmp_path / "a", form).collect()
    assert found.to_dict(as_series=False) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_the_name_alone_tells_the_form() -> None:
    said = {name: str(form_of(name)) for name in ("A.CSV", "b.feather", "c.arrow", "d.tsv.gz", "e.jsonl.ZST")}
    assert list(said.values()) == ["csv", "arrow", "arrow", "tsv.gz", "jsonl.zst"]
    assert [form_of(name) for name in ("a.parquet.gz", "b.arrow.zst", "zst", "c.txt", "d.csv.bz2")] == [
        None
    ] * 5
