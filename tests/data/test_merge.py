"""Three-way merges of tables and listings: properties, exact text, and what is a conflict."""

import csv
import io
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.data.merge import merge_listings, merge_tables
from git_mlops.data.threeway import CannotMergeError, Choice, Choose, Conflict, Outcome, Sides, nothing_chosen
from git_mlops.tables.forms import Form

CSV, JSONL, PARQUET = Form("csv", packed=False), Form("jsonl", packed=False), Form("parquet", packed=False)


def merged(
    base: bytes, ours: bytes, theirs: bytes, key: tuple[str, ...] = ("id",), form: Form = CSV,
    choose: Choose = nothing_chosen,
) -> tuple[Outcome, bytes | None]:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        sides = Sides(*(Path(folder, name) for name in Sides._fields))
        for file, content in zip(sides, (base, ours, theirs), strict=True):
            file.write_bytes(content)
        target = Path(folder, "target")
        outcome = merge_tables(sides, form, key, target, choose)
        return outcome, target.read_bytes() if target.exists() else None


# ------------------------------------------------------------------ properties

Table = dict[str, dict[str, str]]
COLUMNS = ("a", "b", "c")
CELLS = st.text(st.sampled_from('x1 ,"\né;'), max_size=4)
TABLES = st.dictionaries(
    st.text(st.sampled_from('k12,"ü'), min_size=1, max_size=4),
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELLS)),
    max_size=8,
)


def written(table: Table, eol: str = "\n") -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator=eol)
    writer.writerow(("id", *COLUMNS))
    writer.writerows((key, *(row[c] for c in COLUMNS)) for key, row in table.items())
    return stream.getvalue().encode()


def read(content: bytes) -> Table:
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return {row.pop("id"): row for row in rows}


@st.composite
def edited(draw: st.DrawFn, table: Table) -> Table:
    result = {key: dict(row) for key, row in table.items() if draw(st.integers(0, 4))}
    for row in result.values():
        for column in COLUMNS:
            if not draw(st.integers(0, 3)):
                row[column] = draw(CELLS)
    return result | {key: row for key, row in draw(TABLES).items() if key not in table}


@st.composite
def three(draw: st.DrawFn) -> tuple[Table, Table, Table]:
    base = draw(TABLES)
    return base, draw(edited(base)), draw(edited(base))


def expected(base: Table, ours: Table, theirs: Table) -> Table | None:
    """The definition, as plainly as possible; None for a conflict."""
    result: Table = {}
    for key in {**base, **ours, **theirs}:
        b, o, t = base.get(key), ours.get(key), theirs.get(key)
        if t in (o, b):
            row = o
        elif o == b:
            row = t
        elif b is None or o is None or t is None:
            return None
        else:
            row = {}
            for c in COLUMNS:
                if b[c] != o[c] != t[c] != b[c]:
                    return None
                row[c] = t[c] if o[c] == b[c] else o[c]
        if row is not None:
            result[key] = row
    return result


@settings(max_examples=100, deadline=None)
@given(three())
def test_a_merge_by_key_is_what_its_definition_says(sides: tuple[Table, Table, Table]) -> None:
    base, ours, theirs = map(written, sides)
    outcome, content = merged(base, ours, theirs)
    wanted = expected(*sides)
    assert bool(outcome.conflicts) == (wanted is None) == (content is None)
    if content is not None:
        assert read(content) == wanted


@settings(max_examples=60, deadline=None)
@given(three())
def test_a_merge_is_symmetric_up_to_the_order_of_rows(sides: tuple[Table, Table, Table]) -> None:
    base, ours, theirs = map(written, sides)
    (one, left), (two, right) = merged(base, ours, theirs), merged(base, theirs, ours)
    turned = {c._replace(ours=c.theirs, theirs=c.ours) for c in two.conflicts}
    assert set(one.conflicts) == turned
    assert (left is None) == (right is None)
    if left is not None and right is not None:
        assert read(left) == read(right)


@settings(max_examples=60, deadline=None)
@given(TABLES.flatmap(lambda base: st.tuples(st.just(base), edited(base))))
def test_a_side_that_changed_nothing_leaves_the_other_as_it_is(sides: tuple[Table, Table]) -> None:
    base, side = map(written, sides)
    assert merged(base, side, base) == (Outcome((), merged(base, side, base)[0].counts), side)
    content = merged(base, base, side)[1]
    assert content is not None
    assert read(content) == read(side)


@settings(max_examples=60, deadline=None)
@given(three(), st.sampled_from(["ours", "theirs"]))
def test_nothing_is_lost_and_nothing_is_made_up(sides: tuple[Table, Table, Table], side: str) -> None:
    choice = Choice("ours" if side == "ours" else "theirs")
    base, ours, theirs = sides
    texts = (written(base), written(ours), written(theirs))
    outcome, content = merged(texts[0], texts[1], texts[2], choose=lambda _conflict: choice)
    assert not outcome.conflicts
    assert content is not None
    found = read(content)
    for key, row in found.items():
        for column, cell in row.items():
            assert cell in {table[key][column] for table in (ours, theirs) if key in table}
    # a row that only disappears where a side took it away
    kept = {key for key in {**ours, **theirs} if (key in ours and key in theirs) or key not in base}
    assert kept <= found.keys()


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS), st.lists(CELLS), st.lists(CELLS))
def test_appended_rows_of_both_sides_are_all_there(
    base: list[str], mine: list[str], other: list[str]
) -> None:
    def text(cells: list[str]) -> bytes:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([("n", "a"), *(("x", cell) for cell in cells)])
        return stream.getvalue().encode()

    outcome, content = merged(text(base), text(base + mine), text(base + other), key=())
    same = 0
    while same < min(len(mine), len(other)) and mine[same] == other[same]:
        same += 1
    assert (outcome.conflicts, content) == ((), text(base + mine + other[same:]))


FRAMES = st.dictionaries(
    st.integers(0, 20),
    st.tuples(
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.floats(width=32).map(lambda x: x + 0.0), st.just(0.5)),
    ),
    max_size=6,
)


def parquet(rows: dict[int, tuple[int | None, float | None]]) -> bytes:
    stream = io.BytesIO()
    columns = {"id": list(rows), "n": [r[0] for r in rows.values()], "x": [r[1] for r in rows.values()]}
    schema = {"id": pl.Int16, "n": pl.UInt8, "x": pl.Float64}
    pl.DataFrame(columns, schema=schema).write_parquet(stream)
    return stream.getvalue()


@settings(max_examples=60, deadline=None)
@given(FRAMES, FRAMES, FRAMES)
def test_parquet_is_merged_as_the_definition_says(
    base: dict[int, tuple[int | None, float | None]],
    ours: dict[int, tuple[int | None, float | None]],
    theirs: dict[int, tuple[int | None, float | None]],
) -> None:
    tables = [
        {str(k): dict(zip("ab", map(repr, r), strict=True)) for k, r in t.items()}
        for t in (base, ours, theirs)
    ]
    for table in tables:
        for row in table.values():
            row["c"] = ""
    wanted = expected(*tables)
    outcome, content = merged(parquet(base), parquet(ours), parquet(theirs), form=PARQUET)
    assert bool(outcome.conflicts) == (wanted is None)
    if content is not None and wanted is not None:
        frame = pl.read_parquet(io.BytesIO(content))
        assert frame.schema == {"id": pl.Int16, "n": pl.UInt8, "x": pl.Float64}
        assert {str(i): {"a": repr(n), "b": repr(x), "c": ""} for i, n, x in frame.rows()} == wanted


# ------------------------------------------------------------------ exact text

BASE = b'id,name,n\n1,"Ada",01\n2,b,2.50\n3,c,3\n'


def test_what_nobody_changed_stays_to_the_byte() -> None:
    ours = b'id,name,n\n1,"Ada",01\n2,b,2.51\n3,c,3\n'
    theirs = b'id,name,n\n3,"c, d",3\n1,"Ada",01\n2,b,2.50\n9,"new",0\n'
    outcome, content = merged(BASE, ours, theirs)
    assert content == b'id,name,n\n1,"Ada",01\n2,b,2.51\n3,"c, d",3\n9,"new",0\n'
    assert str(outcome.counts) == "1 added, 1 changed"


def test_different_cells_of_one_row_are_joined() -> None:
    content = merged(BASE, BASE.replace(b"2,b", b"2,B"), BASE.replace(b"2.50", b'"2,5"'))[1]
    assert content == BASE.replace(b"2,b,2.50", b'2,B,"2,5"')


def test_windows_line_endings_of_ours_stay_and_new_rows_get_them() -> None:
    crlf = BASE.replace(b"\n", b"\r\n")
    theirs = BASE.replace(b"2,b", b"2,B") + b"4,d,4\n"
    assert merged(BASE, crlf, theirs)[1] == crlf.replace(b"2,b", b"2,B") + b"4,d,4\r\n"
    assert merged(crlf, crlf + b"9,z,9\r\n", crlf + b"8,y,8\r\n")[1] == crlf + b"9,z,9\r\n8,y,8\r\n"


def test_line_endings_that_theirs_alone_changed_are_taken() -> None:
    crlf = BASE.replace(b"\n", b"\r\n")
    assert merged(BASE, BASE + b"4,d,4\n", crlf)[1] == crlf + b"4,d,4\r\n"


def test_a_file_without_a_last_line_ending_keeps_being_one() -> None:
    ours, theirs = BASE.rstrip(b"\n"), BASE + b"4,d,4\n"
    assert merged(ours, ours.replace(b"2,b", b"2,B"), theirs)[1] == (BASE.replace(b"2,b", b"2,B") + b"4,d,4")


def test_another_encoding_passes_through() -> None:
    latin = BASE.replace(b"c,3", "ç,3".encode("latin-1"))
    assert merged(latin, latin + b"4,d,4\n", latin.replace(b"2,b", b"2,\xe9"))[1] == (
        latin.replace(b"2,b", b"2,\xe9") + b"4,d,4\n"
    )


def test_a_byte_order_mark_stays() -> None:
    mark = b"\xef\xbb\xbf"
    assert merged(mark + BASE, mark + BASE + b"4,d,4\n", mark + BASE.replace(b"2,b", b"2,B"))[1] == (
        mark + BASE.replace(b"2,b", b"2,B") + b"4,d,4\n"
    )


def test_semicolons_part_columns_where_the_header_says_so() -> None:
    base = b"id;n\n1;0,5\n2;0,6\n"
    assert merged(base, base + b"3;0,7\n", base.replace(b"0,5", b"0,4"))[1] == b"id;n\n1;0,4\n2;0,6\n3;0,7\n"


def test_a_key_may_be_several_columns() -> None:
    base = b"day,site,n\n1,a,1\n1,b,1\n"
    ours, theirs = base.replace(b"1,a,1", b"1,a,2"), base.replace(b"1,b,1", b"1,b,3")
    assert merged(base, ours, theirs, key=("day", "site"))[1] == b"day,site,n\n1,a,2\n1,b,3\n"


# ------------------------------------------------------------------ columns


def test_columns_that_both_sides_added_are_both_there() -> None:
    ours = b"id,x,name,n\n1,X1,Ada,01\n2,X2,b,2.50\n3,X3,c,3\n7,X7,h,7\n"
    theirs = b"id,name,n,y\n3,c,3,Y3\n2,B,2.50,Y2\n1,Ada,01,Y1\n8,i,8,Y8\n"
    assert merged(BASE, ours, theirs)[1] == (
        b"id,x,name,n,y\n1,X1,Ada,01,Y1\n2,X2,B,2.50,Y2\n3,X3,c,3,Y3\n7,X7,h,7,\n8,,i,8,Y8\n"
    )


def test_a_column_that_one_side_removed_is_removed() -> None:
    theirs = b"id,n\n1,01\n2,2.50\n3,3\n"
    assert merged(BASE, BASE + b"4,d,4\n", theirs)[1] == theirs + b"4,4\n"
    assert merged(BASE, theirs, BASE + b"4,d,4\n")[1] == theirs + b"4,4\n"


def test_a_removed_column_whose_cells_the_other_side_changed_is_a_conflict() -> None:
    theirs = b"id,n\n1,01\n2,2.50\n3,3\n"
    ours = BASE.replace(b"2,b", b"2,B")
    conflict = Conflict((), "name", "", "(cells changed)", None)
    assert merged(BASE, ours, theirs)[0].conflicts == (conflict,)
    assert merged(BASE, ours, theirs, choose=lambda _: Choice("ours"))[1] == ours.replace(b'"', b'"')
    assert merged(BASE, ours, theirs, choose=lambda _: Choice("theirs"))[1] == theirs


def test_two_thousand_columns_are_merged() -> None:
    names = ["id", *(f"c{number}" for number in range(2000))]
    rows = [[str(row), *(str(row * number) for number in range(2000))] for row in range(20)]
    base = "\n".join(",".join(row) for row in (names, *rows)).encode() + b"\n"
    rows[3][1000] = "ours"
    ours = "\n".join(",".join(row) for row in (names, *rows)).encode() + b"\n"
    rows[3][1000], rows[3][1001] = "3000", "theirs"
    assert rows[3][1000] != "2997"
    rows[3][1000] = str(3 * 999)
    theirs = "\n".join(",".join(row) for row in (names, *rows)).encode() + b"\n"
    rows[3][1000] = "ours"
    assert (
        merged(base, ours, theirs)[1] == "\n".join(",".join(row) for row in (names, *rows)).encode() + b"\n"
    )


# ------------------------------------------------------------------ conflicts


def test_each_conflicting_cell_is_told() -> None:
    ours = b'id,name,n\n1,"Ada",7\n3,c,33\n4,d,4\n'
    theirs = b'id,name,n\n1,"Ada",8\n2,B,2.50\n4,e,4\n'
    assert set(merged(BASE, ours, theirs)[0].conflicts) == {
        Conflict(("1",), "n", "01", "7", "8"),
        Conflict(("2",), "", "name=b", None, "name=B"),
        Conflict(("3",), "", "n=3", "n=33", None),
        Conflict(("4",), "name", None, "d", "e"),
    }


def test_a_side_is_taken_for_conflicts_alone() -> None:
    ours = BASE.replace(b"2,b", b"2,ours").replace(b"01", b"1")
    theirs = BASE.replace(b"2,b", b"2,theirs") + b"4,d,4\n"
    assert merged(BASE, ours, theirs, choose=lambda _: Choice("theirs"))[1] == (
        b'id,name,n\n1,"Ada",1\n2,theirs,2.50\n3,c,3\n4,d,4\n'
    )


def test_a_value_of_ones_own_is_quoted_where_it_must_be() -> None:
    ours, theirs = BASE.replace(b"2,b", b"2,ours"), BASE.replace(b"2,b", b"2,theirs")
    content = merged(BASE, ours, theirs, choose=lambda _: Choice("value", 'x, "y"'))[1]
    assert content == BASE.replace(b"2,b", b'2,"x, ""y"""')


def test_the_same_change_on_both_sides_is_none() -> None:
    both = b'id,name,n\n1,"Ada",1\n3,c,3\n9,z,9\n'
    assert merged(BASE, both, both)[1] == both


@pytest.mark.parametrize(
    ("ours", "key", "said"),
    [
        (BASE + b"3,d,4\n", ("id",), "the key `id` is not unique in ours"),
        (BASE, ("nr",), "theirs has no column `nr`, which the key needs"),
        (b"name,n\na,1\n", ("id",), "ours has no column `id`, which the key needs"),
        (b"id,name,name\n", ("id",), "it cannot be read: a column's name stands more than once"),
        (b'id,name,n\n1,"x,1\n', ("id",), "it cannot be read: a quote is never closed"),
        (b"id,name,n\n1,a,1,9\n", ("id",), "it cannot be read: a row has 4 cells for 3 columns"),
        (b"id;name;n\n1;a;1\n", ("id",), "the sides part their columns by different characters"),
        (BASE.replace(b"2,b", b"2,B"), (), "there is no key, and more than new rows changed"),
        (b"id,name\n1,a\n", (), "there is no key, and the columns differ"),
    ],
)
def test_what_cannot_be_merged_says_why(ours: bytes, key: tuple[str, ...], said: str) -> None:
    with pytest.raises(CannotMergeError, match=f"^{said}$"):
        merged(BASE, ours, BASE + b"5,e,5\n", key=key)


# ------------------------------------------------------------------ JSON lines, Parquet, listings


def test_json_lines_keep_lines_and_join_fields() -> None:
    base = b'{"id":1,"a":1.50}\n{"id": 2, "a": "\xc3\xa9", "b": [1]}\n'
    ours = base.replace(b'"a": "\xc3\xa9"', b'"a": "\xc3\xa8"')
    theirs = base.replace(b'"b": [1]', b'"b": [1, 2], "c": null') + b'{"id": 3}\n'
    content = merged(base, ours, theirs, form=JSONL)[1]
    assert content is not None
    assert content.startswith(b'{"id":1,"a":1.50}\n')
    assert [json.loads(line) for line in content.splitlines()[1:]] == [
        {"id": 2, "a": "è", "b": [1, 2], "c": None},
        {"id": 3},
    ]


def test_json_lines_that_are_none_say_why() -> None:
    with pytest.raises(CannotMergeError, match="a line is no JSON"):
        merged(b'{"id": 1}\n', b'{"id": 1\n', b'{"id": 2}\n', form=JSONL)


def test_parquet_keeps_what_pandas_says_of_its_index() -> None:
    import pandas as pd
    import pyarrow.parquet as pq

    def written(rows: dict[str, Any]) -> bytes:
        stream = io.BytesIO()
        pd.DataFrame(rows).to_parquet(stream, compression="zstd")
        return stream.getvalue()

    base = written({"id": [1, 2], "t": pd.to_datetime(["2020-01-01", "2020-01-02"]).tolist()})
    ours = written({"id": [1, 2], "t": pd.to_datetime(["2021-01-01", "2020-01-02"]).tolist()})
    theirs = written(
        {"id": [1, 2, 3], "t": pd.to_datetime(["2020-01-01", "2022-01-02", "2023-01-01"]).tolist()}
    )
    content = merged(base, ours, theirs, form=PARQUET)[1]
    assert content is not None
    assert pd.read_parquet(io.BytesIO(content))["t"].dt.year.tolist() == [2021, 2022, 2023]
    old, new = pq.ParquetFile(io.BytesIO(ours)), pq.ParquetFile(io.BytesIO(content))
    assert new.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    assert new.metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_columns_of_both_sides_are_joined() -> None:
    def written(**columns: Any) -> bytes:
        stream = io.BytesIO()
        pl.DataFrame(columns).write_parquet(stream)
        return stream.getvalue()

    base = written(id=[1, 2], a=["x", "y"])
    content = merged(
        base,
        written(id=[2, 1, 5], a=["y", "x", "z"], o=[2.0, 1.0, 5.0]),
        written(id=[1, 2], t=[1, 2]),
        form=PARQUET,
    )[1]
    assert content is not None
    assert pl.read_parquet(io.BytesIO(content)).to_dict(as_series=False) == {
        "id": [2, 1, 5],
        "o": [2.0, 1.0, 5.0],
        "t": [2, 1, None],
    }


@pytest.mark.parametrize("name", ["s", "t", "o", "b", "changed", "text", "key", "place"])
def test_columns_may_have_any_name(name: str) -> None:
    def written(*cells: int) -> bytes:
        stream = io.BytesIO()
        pl.DataFrame({"id": range(3), name: cells}).write_parquet(stream)
        return stream.getvalue()

    content = merged(written(0, 1, 2), written(0, 1, 7), written(9, 1, 2), form=PARQUET)[1]
    assert content is not None
    assert pl.read_parquet(io.BytesIO(content))[name].to_list() == [9, 1, 7]


@pytest.mark.parametrize("form", [CSV, PARQUET])
@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ("abf", "abmf", "abfg", "abmfg"),  # a merge brought `m` before `f`; then the other side only appended
        ("abf", "abfg", "abmf", "abmfg"),
        ("abf", "xabmf", "yabmnf", "xyabmnf"),
        ("aa", "aaa", "baa", "baaa"),
        ("", "a", "b", "ab"),
    ],
)
def test_rows_that_were_inserted_are_all_there(
    form: Form, base: str, ours: str, theirs: str, result: str
) -> None:
    sides = [_table(side, form) for side in (base, ours, theirs)]
    outcome, content = merged(sides[0], sides[1], sides[2], key=(), form=form)
    assert content is not None
    assert (_rows(content, form), outcome.counts.added) == (result, len(result) - len(ours))


def _table(rows: str, form: Form) -> bytes:
    stream = io.BytesIO()
    frame = pl.DataFrame({"a": list(rows)}, schema={"a": pl.String})
    frame.write_parquet(stream) if form == PARQUET else frame.write_csv(stream)
    return stream.getvalue()


def _rows(content: bytes, form: Form) -> str:
    read_ = pl.read_parquet if form == PARQUET else pl.read_csv
    return "".join(read_(io.BytesIO(content))["a"].to_list())


@pytest.mark.parametrize("form", [CSV, PARQUET])
def test_a_union_without_a_key_loses_no_row_that_a_side_added(form: Form, tmp_path: Path) -> None:
    sides = Sides(*(tmp_path / name for name in Sides._fields))
    for file, rows in zip(sides, ("abcc", "aBccd", "axcc"), strict=True):
        file.write_bytes(_table(rows, form))
    with pytest.raises(CannotMergeError):
        merge_tables(sides, form, (), tmp_path / "merged")
    outcome = merge_tables(sides, form, (), tmp_path / "merged", union=True)
    assert _rows((tmp_path / "merged").read_bytes(), form) == "aBccdx"
    assert str(outcome.counts) == "1 added"


@pytest.mark.parametrize("form", [CSV, PARQUET])
def test_columns_that_theirs_brought_and_dropped_are_counted(form: Form, tmp_path: Path) -> None:
    sides = Sides(*(tmp_path / name for name in Sides._fields))
    for file, columns in zip(sides, (("id", "b"), ("id", "b"), ("id", "c")), strict=True):
        frame = pl.DataFrame({name: ["1"] for name in columns})
        frame.write_parquet(file) if form == PARQUET else frame.write_csv(file)
    outcome = merge_tables(sides, form, ("id",), tmp_path / "merged")
    assert outcome.counts.columns() == "`c` added, `b` removed"


def test_appended_rows_of_parquet_are_all_there() -> None:
    rows = [parquet(dict.fromkeys(range(count), (1, 0.5))) for count in (2, 3)]
    other = parquet({0: (1, 0.5), 1: (1, 0.5), 9: (2, None)})
    content = merged(rows[0], rows[1], other, key=(), form=PARQUET)[1]
    assert content is not None
    assert pl.read_parquet(io.BytesIO(content))["id"].to_list() == [0, 1, 2, 9]


LISTS = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("123"))


@settings(max_examples=100)
@given(LISTS, LISTS, LISTS)
def test_listings_are_merged_file_by_file(
    base: dict[str, str], ours: dict[str, str], theirs: dict[str, str]
) -> None:
    found, conflicts = merge_listings(base, ours, theirs)
    for path in "abcde":
        b, o, t = base.get(path), ours.get(path), theirs.get(path)
        if (path,) in {conflict.key for conflict in conflicts}:
            assert len({b, o, t}) == 3
        else:
            assert found.get(path) == (t if b == o else o)
    assert Counter(c.key for c in conflicts) == Counter({c.key for c in conflicts})
    assert merge_listings(base, ours, base) == (ours, ())


def test_a_file_and_a_directory_of_one_name_conflict() -> None:
    found, conflicts = merge_listings({}, {"a": "1"}, {"a/b": "2"})
    assert {conflict.key for conflict in conflicts} == {("a",), ("a/b",)}
    assert found
