"""Profiles: what a table is, as lines in its pointer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.checks import profile_fresh, scope
from git_mlops.checks.context import Context
from git_mlops.config import Config, parse, problems
from git_mlops.data import pointers, profile, tabular, track, written
from git_mlops.data.profile import Column, Profile
from git_mlops.data.settings import Settings
from git_mlops.decode import Size
from git_mlops.git.repo import Repo
from git_mlops.hooks import known
from git_mlops.tables.forms import form_of
from git_mlops.tables.frames import FrameError
from tests.data.conftest import Data

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # in DVC's own code

MD5 = "c3c6bc2ae8ece4bd2510dca21225c041"
POINTER = f"outs:\n- md5: {MD5}\n  size: 12\n  hash: md5\n  path: t.csv\n"


def measured(folder: Path, text: str | bytes, name: str = "t.csv") -> Profile:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    form = form_of(name)
    assert form
    return tabular.measure(file, form)


def column(folder: Path, *cells: str) -> Column:
    return measured(folder, "\n".join(["c,d", *(f"{cell},1" for cell in cells)]) + "\n").columns["c"]


# -- what is measured ---------------------------------------------------------------------------------------


def test_a_table_is_a_line_per_column(tmp_path: Path) -> None:
    found = measured(tmp_path, "id,age,city\n1,20,Ghent\n2,,Ghent\n3,41,Namur\n")
    assert "\n".join(profile.lines(found, MD5)) == (
        "mlops:\n"
        "  version: 1\n"
        f"  of: {MD5}\n"
        "  rows: 3\n"
        "  key: [id]\n"
        "  columns:\n"
        "    id: {type: int64, nulls: 0, distinct: 3, min: 1, p05: 1, p50: 2, p95: 3, max: 3, mean: 2.0, "
        "std: 0.816497}\n"
        "    age: {type: int64, nulls: 1, distinct: 2, min: 20, p05: 20, p50: 20, p95: 41, max: 41, "
        "mean: 30.5, std: 10.5}\n"
        "    city: {type: string, nulls: 0, distinct: 2, top: {Ghent: 2}}"
    )


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("1", "-2", "+3"), "int64"),
        (("1", "2.5"), "float64"),
        (("1e5", ".5", "inf"), "float64"),
        (("true", "False", ""), "bool"),
        (("2024-02-29", "2023-01-01"), "date"),
        (("2024-02-29", "2023-02-29"), "string"),
        (("2024-02-29T10:00:00", "2024-02-29T10:00:00.5"), "datetime"),
        (("2024-02-29 10:00:00", "2024-02-29 11:00:00"), "datetime"),
        (("2024-02-29T10:00:00Z", "2024-02-29T10:00:00+02:00"), "datetime"),
        (("007", "12"), "string"),
        (("0", "0.5"), "float64"),
        (("1_000", "2"), "string"),
        (("99999999999999999999", "1"), "float64"),
        (("", "NA", "null"), "string"),
        (("x", "1"), "string"),
    ],
)
def test_the_type_of_text_is_what_every_cell_is(tmp_path: Path, cells: tuple[str, ...], kind: str) -> None:
    assert column(tmp_path, *cells)["type"] == kind


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [("1", "2.5", "float64"), ("1", "x", "string"), ("true", "1", "string"), ("", "2024-01-01", "date")],
)
def test_the_last_cell_of_many_counts_as_the_first(tmp_path: Path, first: str, last: str, kind: str) -> None:
    found = column(tmp_path, *[first] * 3000, last)
    assert (found["type"], found["distinct"]) == (kind, 1 if first == "" else 2)


def test_what_pandas_takes_for_null_is_null(tmp_path: Path) -> None:
    assert column(tmp_path, "NA", "", '""', "nan", "N/A", "5")["nulls"] == 5


def test_dates_are_written_as_they_are_read(tmp_path: Path) -> None:
    found = column(tmp_path, "2024-02-29", "2024-03-01", "2024-03-02")
    assert (found["min"], found["p50"], found["max"]) == ("2024-02-29", "2024-03-01", "2024-03-02")


def test_numbers_that_cancel_out_have_no_noise_for_a_mean(tmp_path: Path) -> None:
    assert column(tmp_path, "1e17", "0.1", "-1e17", "-0.1")["mean"] == 0.0


def test_only_frequent_values_are_named(tmp_path: Path) -> None:
    cells = [f"v{number}" for number in range(3000)] + ["often"] * 50 + ["twice"] * 2
    assert column(tmp_path, *cells)["top"] == {"often": 50}


def test_values_that_tie_are_named_by_the_alphabet(tmp_path: Path) -> None:
    cells = [name for name in "gfedcba" for _ in range(2)]
    assert column(tmp_path, *cells)["top"] == {"a": 2, "b": 2, "c": 2, "d": 2, "e": 2}


def test_line_endings_and_a_byte_order_mark_are_no_data(tmp_path: Path) -> None:
    plain = measured(tmp_path, "a,b\n1,x\n2,y\n")
    assert measured(tmp_path, "\ufeffa,b\r\n1,x\r\n2,y\r\n") == plain


def test_a_table_without_rows_has_columns(tmp_path: Path) -> None:
    assert measured(tmp_path, "a,b\n") == Profile(
        0,
        {
            "a": {"type": "string", "nulls": 0, "distinct": 0},
            "b": {"type": "string", "nulls": 0, "distinct": 0},
        },
    )


def test_parquet_keeps_its_own_types(tmp_path: Path) -> None:
    import polars as pl

    frame = pl.DataFrame(
        {"a": [1, 2], "b": [[1], [2]], "c": ["x", None], "d": [float("nan"), 1.0]},
        schema_overrides={"a": pl.Int8, "c": pl.Categorical},
    )
    frame.write_parquet(tmp_path / "t.parquet")
    found = tabular.measure(tmp_path / "t.parquet", form_of("t.parquet"))  # type: ignore[arg-type]
    assert {name: one["type"] for name, one in found.columns.items()} == {
        "a": "int8",
        "b": "list",
        "c": "category",
        "d": "float64",
    }
    assert (found.columns["d"]["nans"], found.columns["d"]["max"]) == (1, 1.0)


def test_json_lines_have_a_profile(tmp_path: Path) -> None:
    found = measured(tmp_path, '{"a": 1, "b": {"c": 2}}\n{"a": null, "b": null}\n', "t.jsonl")
    assert found.columns == {
        "a": {
            "type": "int64", "nulls": 1, "distinct": 1, "min": 1, "p05": 1, "p50": 1, "p95": 1, "max": 1,
            "mean": 1.0, "std": 0.0,
        },
        "b": {"type": "struct", "nulls": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PAR1 not really", "t.parquet"),
        (b"a,b\n1,2,3,4\n5,6\n", "t.csv"),
        (b"a,b\n\xff\xfe,1\n", "t.csv"),
        (b"n\xe9,b\n1,1\n", "t.csv"),
        ("a,b\n1,2\n".encode("utf-16"), "t.csv"),
        (b"{not json\n", "t.jsonl"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, content: bytes, name: str) -> None:
    with pytest.raises(FrameError):
        measured(tmp_path, content, name)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("id,x", ("id",)),
        ("user_id,id", ("id",)),
        ("user_id,x", ("user_id",)),
        ("a,x", ()),
        ("identity,x", ()),
    ],
)
def test_a_key_is_found_by_its_name(tmp_path: Path, header: str, key: tuple[str, ...]) -> None:
    assert measured(tmp_path, f"{header}\n1,1\n2,2\n").key == key


def test_many_columns_are_measured_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "id,age,city\n1,20,Ghent\n2,,Ghent\n3,41,Namur\n"
    whole = measured(tmp_path, text)
    monkeypatch.setattr(tabular, "_AT_ONCE", 4)
    assert measured(tmp_path, text) == whole


_DETERMINED = """
import sys
from pathlib import Path
from git_mlops.data import profile, tabular
from git_mlops.tables.forms import form_of
file = Path(sys.argv[1])
print("\\n".join(profile.lines(tabular.measure(file, form_of(file.name)), "")))
"""


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    import random

    source = random.Random(1)
    rows = [f"{source.gauss(0, 1e6)},{source.choice('abcdefgh')},{source.random()}" for _ in range(60_000)]
    file = tmp_path / "t.csv"
    file.write_text("x,y,z\n" + "\n".join(rows) + "\n")
    texts = {
        subprocess.run(
            [sys.executable, "-c", _DETERMINED, file], check=True, capture_output=True, text=True,
            env={**os.environ, "POLARS_MAX_THREADS": threads},
        ).stdout
        for threads in ("1", "2", "7")
    }  # fmt: skip
    assert len(texts) == 1
    assert "p50" in texts.pop()


_CELLS = st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1, max_size=30)


@given(_CELLS, _CELLS)
@settings(max_examples=40, deadline=None)
def test_the_profile_of_a_concatenation_is_consistent(a: list[int | None], b: list[int | None]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        one, other, both = (
            column(Path(folder), *("" if cell is None else str(cell) for cell in cells))
            for cells in (a, b, a + b)
        )
    assert both["nulls"] == one["nulls"] + other["nulls"]
    assert max(one["distinct"], other["distinct"]) <= both["distinct"] <= one["distinct"] + other["distinct"]
    for name, chosen in (("min", min), ("max", max)):
        values = [part[name] for part in (one, other) if name in part]
        assert both.get(name) == (chosen(values) if values else None)


# -- as text in the pointer ---------------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_VALUES = st.one_of(st.integers(), st.floats(allow_nan=False).map(profile.rounded), _TEXT)
_COLUMNS = st.dictionaries(
    _TEXT,
    st.fixed_dictionaries(
        {"type": st.just("x"), "min": _VALUES, "top": st.dictionaries(_TEXT, st.integers(0), max_size=3)}
    ),
    max_size=4,
)


@given(st.integers(0), _COLUMNS, st.lists(_TEXT, max_size=2).map(tuple))
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_by_everyone(
    rows: int, columns: dict[str, Column], key: tuple[str, ...]
) -> None:
    from ruamel.yaml import YAML

    said = Profile(rows, columns, key)
    text = profile.put(POINTER, said, MD5)
    assert profile.read("t.csv.dvc", text.encode()) == said
    assert YAML(typ="safe").load(text) == yaml.safe_load(text)
    assert profile.put(text, None) == POINTER
    assert not profile.stale(text.encode())
    assert profile.stale(text.replace(f"md5: {MD5}", f"md5: {'a' * 32}").encode())
    assert known._plain(text.encode(), "t.csv") == MD5  # the short way of a commit knows all of it
    assert pointers.parse("t.csv.dvc", text.encode()) == pointers.parse("t.csv.dvc", POINTER.encode())
    assert len(text.splitlines()) == len(text.split("\n")) - 1


@pytest.mark.parametrize(
    "meta", ["meta:\n  who: Ada\n", "meta:\n  who: Ada\n  mlops:\n    version: 1\n  z: 1\n"]
)
def test_what_others_wrote_into_meta_stays(meta: str) -> None:
    text = profile.put(POINTER + meta, Profile(1, {}), MD5)
    assert yaml.safe_load(text)["meta"]["who"] == "Ada"
    assert profile.put(text, None) == POINTER + meta.replace("  mlops:\n    version: 1\n", "")


def test_a_meta_on_one_line_is_left_alone() -> None:
    text = POINTER + "meta: {who: Ada}\n"
    assert profile.put(text, Profile(1, {}), MD5) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("{p}{m}", True),
        ("{p}desc: x\n{m}", True),
        ("desc: x\n{p}{m}", False),
        ("{p}...\n{m}", False),
        ("{p}{m}z: 1\n", False),
        ("{p}{m}      b: [*a]\n", False),
        ("{p}{m}      b: {{x: &a 1}}\n", False),
        ("{p}{m}      b: {{x: a: b}}\n", False),
        ('{p}{m}      b: {{x: "\\q"}}\n', False),
        ('{p}{m}      b: {{x: "\x07"}}\n', False),
    ],
)
def test_only_a_profile_as_we_write_it_is_read_without_yaml(text: str, plain: bool) -> None:
    meta = profile.put("", Profile(1, {"a": {"type": "x"}}), MD5)
    content = text.format(p=POINTER, m=meta).encode()
    head, of = written.split(content)
    assert (head, of) == ((content[: content.index(b"meta:")], MD5) if plain else (content, None))


@pytest.mark.parametrize(
    "meta",
    [
        "meta: 3\n",
        "meta:\n  mlops: 3\n",
        "meta:\n  mlops:\n    version: 2\n",
        f"meta:\n  mlops:\n    version: 1\n    of: {MD5}\n    rows: x\n    columns: {{}}\n",
        f"meta:\n  mlops:\n    version: 1\n    of: {MD5}\n    rows: 1\n    columns: [a]\n",
        f"meta:\n  mlops:\n    version: 1\n    of: {MD5}\n    rows: 1\n    columns: {{a: 3}}\n",
        f"meta:\n  mlops:\n    version: 1\n    of: {MD5}\n    rows: 1\n    columns: {{a: {{top: 3}}}}\n",
        f"meta:\n  mlops:\n    version: 1\n    of: {'a' * 32}\n    rows: 1\n    columns: {{}}\n",
        "meta:\n  mlops: &a [*a]\n",
    ],
)
def test_a_strange_or_stale_profile_is_none(meta: str) -> None:
    assert profile.read("t.csv.dvc", (POINTER + meta).encode()) is None


# -- settings -----------------------------------------------------------------------------------------------


def test_columns_say_as_much_as_they_may(data: Data) -> None:
    rules = parse(
        b"version: 1\ndata:\n  profile:\n    '*.csv': {email: none, pay: counts-only}\n    'raw/**': none\n"
    ).data
    data.write("t.csv", "id,email,pay\n1,a@b.c,10\n2,d@e.f,20\n")
    data.write("raw/t.csv", "id\n1\n")
    track.add(data.repo, ["t.csv", "raw/t.csv"], rules, here=data.root)
    assert data.read("t.csv.dvc").splitlines()[-3:] == [
        "    columns:",
        (
            "      id: {type: int64, nulls: 0, distinct: 2, min: 1, p05: 1, p50: 1, p95: 2, max: 2, "
            "mean: 1.5, std: 0.5}"
        ),
        "      pay: {type: int64, nulls: 0, distinct: 2}",
    ]
    assert "mlops" not in data.read("raw/t.csv.dvc")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "profile: {'*.csv': all}",
            "`data.profile.*.csv`: expected one of full, counts-only, none, not 'all'",
        ),
        (
            "profile: {'*.csv': {a: x}}",
            "`data.profile.*.csv.a`: expected one of full, counts-only, none, not 'x'",
        ),
        ("keys: {a.csv: {b: 1}}", "`data.keys.a.csv`: expected a list, not {'b': 1}"),
    ],
)
def test_a_wrong_rule_is_said(section: str, message: str) -> None:
    found = list(problems(f"version: 1\ndata: {{{section}}}\n".encode()))
    assert [finding.message for finding in found] == [message]


def test_a_declared_key_is_the_key_where_the_columns_are_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,a,b\n1,1,1\n2,1,2\n")
    keys = [
        tabular.measure(tmp_path / "t.csv", form_of("t.csv"), key=key).key  # type: ignore[arg-type]
        for key in (("a", "b"), ("a", "gone"))
    ]
    assert keys == [("a", "b"), ("id",)]


# -- `git mlops add` ----------------------------------------------------------------------------------------


def test_adding_again_renews_the_profile_and_keeps_the_rest(data: Data) -> None:
    data.write("t.csv", "a\n1\n")
    track.add(data.repo, ["t.csv"], here=data.root)
    pointer = data.root / "t.csv.dvc"
    pointer.write_text(pointer.read_text() + "desc: mine\n")
    data.write("t.csv", "a\n1\n2\n")
    track.add(data.repo, ["t.csv"], here=data.root)
    value = yaml.safe_load(pointer.read_text())
    assert (value["desc"], value["meta"]["mlops"]["rows"]) == ("mine", 2)
    assert value["meta"]["mlops"]["of"] == value["outs"][0]["md5"]
    assert data.git("diff", "--name-only") == ""  # what is staged has the profile


def test_dvc_keeps_the_profile(data: Data) -> None:
    data.write("t.csv", "a,bb\n" + "".join(f"{n},x{n % 3}\n" for n in range(100)))
    track.add(data.repo, ["t.csv"], here=data.root)
    before = yaml.safe_load(data.read("t.csv.dvc"))
    text = data.read("t.csv.dvc")
    subprocess.run(["dvc", "add", "-q", "t.csv"], cwd=data.root, check=True)
    assert yaml.safe_load(data.read("t.csv.dvc")) == before
    track.add(data.repo, ["t.csv"], here=data.root)  # DVC breaks long lines; ours are whole again
    assert data.read("t.csv.dvc") == text


def test_a_table_that_cannot_be_read_is_added_without_a_profile(data: Data) -> None:
    data.write("t.parquet", "no")
    done = track.add(data.repo, ["t.parquet"], here=data.root)
    assert (done.pointers, list(done.unprofiled)) == (["t.parquet.dvc"], ["t.parquet"])
    assert "mlops" not in data.read("t.parquet.dvc")


def test_a_large_table_gets_no_profile(data: Data) -> None:
    data.write("t.csv", "a\n1\n")
    track.add(data.repo, ["t.csv"], Settings(profile_limit=Size(3)), here=data.root)
    assert "mlops" not in data.read("t.csv.dvc")


def test_a_profile_comes_back_when_adding_fails(data: Data) -> None:
    data.write("t.csv", "a\n1\n")
    track.add(data.repo, ["t.csv"], here=data.root)
    before = data.read("t.csv.dvc")
    data.write("t.csv", "a\n2\n")
    (data.root / ".dvc" / "config").write_text("[cache]\n    dir = /proc/nowhere\n")
    with pytest.raises(Exception, match="nowhere"):
        track.add(data.repo, ["t.csv"], here=data.root)
    assert data.read("t.csv.dvc") == before


# -- the rule -----------------------------------------------------------------------------------------------


def findings(repo: Repo) -> list[tuple[str, str | None, str | None]]:
    context = Context(scope.workspace(repo), Config(), problems)
    return [(f.level, f.path, f.hint) for f in profile_fresh.check(context)]


def test_a_stale_profile_is_a_finding(data: Data) -> None:
    data.write("a b.csv", "a\n1\n")
    track.add(data.repo, ["a b.csv"], here=data.root)
    assert findings(data.repo) == []
    data.write("a b.csv", "a\n2\n")
    subprocess.run(["dvc", "add", "-q", "a b.csv"], cwd=data.root, check=True)
    assert findings(data.repo) == [
        ("warning", "a b.csv.dvc", "`git mlops add 'a b.csv'` writes the profile anew")
    ]
    track.add(data.repo, ["a b.csv"], here=data.root)
    assert findings(data.repo) == []


def test_a_pointer_without_a_profile_is_no_finding(data: Data) -> None:
    data.file("t.csv", "a\n1\n")
    assert findings(data.repo) == []


def test_of_personal_data_a_profile_says_no_value_unless_it_is_asked_for() -> None:
    settings = Settings(
        pii={"*.csv": ("*_name",)}, pii_allow={"t.csv": ("Mail",)}, profile={"u.csv": {"last_name": "full"}}
    )
    assert profile.levels(settings, "t.csv", ["id", "last_name", "mail"]) == {
        "id": "full", "last_name": "counts-only", "mail": "counts-only"
    }  # fmt: skip
    assert profile.levels(settings, "u.csv", ["last_name", "mail"]) == {"last_name": "full", "mail": "full"}
