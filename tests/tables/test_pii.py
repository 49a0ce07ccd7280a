"""A scan of tables: kind and share, no values; real tables without personal data raise nothing."""

import random
from pathlib import Path

import polars as pl
import pytest
import sklearn.datasets

from git_mlops.tables import pii
from git_mlops.tables.forms import form_of
from git_mlops.tables.frames import FrameError
from git_mlops.tables.pii import Hit, look

CLEAN = sorted(Path(sklearn.datasets.__file__).parent.joinpath("data").glob("*.csv*"))


def written(folder: Path, columns: dict[str, list[str]], name: str = "t.csv") -> Path:
    file = folder / name
    frame = pl.DataFrame(columns)
    frame.write_csv(file) if name.endswith(".csv") else frame.write_parquet(file)
    return file


def hits(file: Path, *, whole: bool = False) -> tuple[Hit, ...]:
    form = form_of(file.name)
    assert form is not None
    return look(file, form, whole=whole).hits


@pytest.mark.parametrize("file", CLEAN, ids=lambda file: file.name)
def test_real_tables_without_personal_data_raise_nothing(file: Path) -> None:
    assert hits(file, whole=True) == ()


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_tables_of_scikit_learn_raise_nothing(name: str, tmp_path: Path) -> None:
    frame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    assert (hits(tmp_path / "t.csv"), hits(tmp_path / "t.parquet")) == ((), ())


def test_numbers_that_only_look_like_it_raise_nothing(tmp_path: Path) -> None:
    dice = random.Random(1)
    rows = range(5000)
    columns = {
        "id": [str(4 * 10**15 + dice.randrange(10**15)) for _ in rows],
        "isbn": [str(978 * 10**10 + dice.randrange(10**9)) for _ in rows],
        "imei": [str(35 * 10**13 + dice.randrange(10**13)) for _ in rows],
        "ms": [str(1_600_000_000_000 + 977 * row) for row in rows],
        "ratio": [repr(dice.random()) for _ in rows],
        "signed": [f"+{dice.randrange(10**6)}" for _ in rows],
        "where": [f"+{dice.random() * 90:.8f} {dice.random() * 180:.8f}" for _ in rows],
        "article": [f"DE{dice.randrange(10**20):020d}" for _ in rows],
        "hash": [f"{dice.getrandbits(128):032x}" for _ in rows],
        "cell_type": [f"T-cell {row}" for row in rows],
        "tel_count": [str(row % 9) for row in rows],
    }
    assert hits(written(tmp_path, columns), whole=True) == ()


def test_kind_number_and_share_of_each_column_are_told(tmp_path: Path) -> None:
    columns = {
        "id": ["1", "2", "3", "4"],
        "contact": ["ada@example.org", "", "bob@example.org", "none"],
        "telephone": ["0470 12 34 56", "0471 98 76 54", "0472/123456", "?"],
        "paid": ["4111111111111111", "5500005555555559", "4012888888881881", "4222222222222"],
        "notes": ["", "to BE68 5390 0754 7034 as AKIAIOSFODNN7EXAMPLE", "", ""],
    }
    expected = (
        Hit("contact", "email", 2, 3),
        Hit("telephone", "phone", 3, 4),
        Hit("paid", "card", 4, 4),
        Hit("notes", "iban", 1, 1),
        Hit("notes", "AWS keys", 1, 1),
    )
    assert hits(written(tmp_path, columns)) == expected


def test_columns_of_parquet_and_nested_json_are_looked_into(tmp_path: Path) -> None:
    numbers = [4111111111111111, 5500005555555559, 4012888888881881]
    pl.DataFrame({"n": numbers, "x": [0.5, 1.5, 2.5]}).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text(
        '{"user": {"mail": "ada@example.org"}, "tags": ["a", "b@example.org"]}\n'
    )
    assert hits(tmp_path / "t.parquet") == (Hit("n", "card", 3, 3),)
    assert hits(tmp_path / "t.jsonl") == (Hit("user", "email", 1, 1), Hit("tags", "email", 1, 1))


def test_a_sample_is_the_same_each_time_and_the_whole_finds_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pii, "SAMPLE", 100)
    values = [f"user{row}@example.org" if row % 10 == 1 else "" for row in range(3000)]
    file = written(tmp_path, {"id": [str(row) for row in range(3000)], "mail": values})
    form = form_of("t.csv")
    assert form is not None
    first, second, whole = look(file, form), look(file, form), look(file, form, whole=True)
    assert first == second
    assert (first.sampled, first.rows, 5 <= first.hits[0].number <= 15) == (True, 97, True)
    assert (whole.sampled, whole.hits) == (False, (Hit("mail", "email", 300, 300),))


def test_a_file_that_is_no_table_is_looked_through_by_line(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"a,b\n1,2,3\nx,ada@example.org\n\xff\xfe,1\n")
    assert hits(file) == (Hit(pii.LINES, "email", 1, 4),)
    broken = tmp_path / "t.parquet"
    broken.write_bytes(b"PAR1 no")
    with pytest.raises(FrameError):
        hits(broken)


def test_a_name_that_is_a_value_is_not_shown() -> None:
    names = ("id", "ada@example.org")
    assert [pii.shown(name, names) for name in names] == ["column `id`", "column 2"]
