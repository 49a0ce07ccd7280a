"""Frames: one way to open every form."""

from pathlib import Path

import polars as pl

from git_mlops.tables import frames
from git_mlops.tables.forms import Form


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
