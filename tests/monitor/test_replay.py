"""Logged requests through the training features, beside what was served."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from git_mlops.config import parse
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.decode import DecodeError
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.monitor import replay, served, watch
from git_mlops.monitor.settings import Own, Settings, Skew
from tests.monitor.conftest import people, serve

PROGRAM = """
import sys
import polars as pl
table = pl.read_parquet(sys.argv[1])
made = table.select("request", age=2026.0 - pl.col("born"), city=pl.col("town").str.to_titlecase())
made.write_parquet(sys.argv[2])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What was served, its requests, and the program that makes features of them."""
    rows = people(400, seed=2)
    keys = pl.Series("request", [f"r{n}" for n in range(400)])
    rows.with_columns(keys).write_parquet(tmp_path / "served.parquet")
    raw = pl.DataFrame([keys, rows["city"].str.to_lowercase().alias("town")])
    raw.with_columns(born=2026.0 - rows["age"]).write_parquet(tmp_path / "requests.parquet")
    (tmp_path / "features.py").write_text(PROGRAM)
    return tmp_path


def _settings(**more: object) -> Settings:
    words = (sys.executable, "features.py", "{requests}", "{features}")
    return Settings(must_find=9, skew=Skew(**{"command": words, **more}))  # type: ignore[arg-type]


def _replayed(folder: Path, settings: Settings) -> replay.Replayed:
    asked = replay.Asked(watch.side(folder / "requests.parquet"), folder)
    return replay.compare(pl.scan_parquet(folder / "served.parquet"), asked, settings, ("age", "city"))


def test_features_that_are_made_as_they_were_served_are_nothing_to_say(folder: Path) -> None:
    assert _replayed(folder, _settings()) == replay.Replayed((), 400)


def test_a_feature_that_is_made_otherwise_is_found_with_its_rows_and_examples(folder: Path) -> None:
    program = PROGRAM.replace('pl.col("born")', 'pl.col("born").floor()').replace("titlecase", "uppercase")
    (folder / "features.py").write_text(program)
    age, city = _replayed(folder, _settings()).findings
    assert (city.level, city.data["column"], city.data["rows"], city.data["share"]) == (
        "error",
        "city",
        400,
        1,
    )
    assert city.message.endswith("in 400 of 400 rows (100 %): Ghent served, GHENT replayed")
    examples = age.data["examples"]
    assert isinstance(examples, list)
    assert [one["key"] for one in examples] == [{"request": f"r{n}"} for n in range(3)]
    lenient = _settings()._replace(columns={"age": Own(tolerance=1.0), "city": Own(skip=True)})
    assert _replayed(folder, lenient).findings == ()


def test_requests_that_come_back_without_a_row_are_found(folder: Path) -> None:
    program = PROGRAM.replace("parquet(sys.argv[1])", "parquet(sys.argv[1]).head(390)")
    (folder / "features.py").write_text(program)
    (found,) = _replayed(folder, _settings()).findings
    assert (found.level, found.data["rows"]) == ("error", 10)


def test_a_feature_that_the_program_does_not_make_is_told(folder: Path) -> None:
    (folder / "features.py").write_text(PROGRAM.replace("age=", "years="))
    (found,) = _replayed(folder, _settings()).findings
    assert (found.level, found.data) == ("warning", {"columns": ["age"]})


def test_csv_is_written_and_read_where_it_is_asked_for(folder: Path) -> None:
    (folder / "features.py").write_text(PROGRAM.replace("_parquet", "_csv"))
    assert _replayed(folder, _settings(form="csv", rows=100)) == replay.Replayed((), 100)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit('no such column: born')", "ended with status 1:\nno such column: born"),
        ("pass", "has written no `{features}`"),
        ("import sys; open(sys.argv[2], 'w').write('x')", "cannot be replayed"),
        ("import time; time.sleep(30)", "took more than 1 seconds"),
        (PROGRAM.replace('"request", ', ""), "have no column `request`"),
    ],
)
def test_a_program_that_fails_is_said_and_nothing_is_concluded(folder: Path, program: str, said: str) -> None:
    (folder / "features.py").write_text(program)
    with pytest.raises(MlopsError) as caught:
        _replayed(folder, _settings(timeout=1 if "sleep" in program else 60))
    assert (said in str(caught.value), caught.value.exit_code) == (True, 3)


def test_no_shell_reads_the_command(folder: Path) -> None:
    line = f"'{sys.executable}' features.py {{requests}} {{features}} ; touch pwned"
    assert _replayed(folder, _settings(command=(line,))).findings == ()
    assert not (folder / "pwned").exists()


def test_requests_of_another_log_are_not_evaluated(folder: Path) -> None:
    file = folder / "requests.parquet"
    pl.read_parquet(file).with_columns(pl.col("request") + "x").write_parquet(file)
    (found,) = _replayed(folder, _settings()).findings
    assert (found.level, found.hint) == ("unknown", "they are told apart by `request`")


def test_the_log_of_a_model_is_replayed_with_the_requests_that_the_settings_name(model: Repo) -> None:
    rows = people(400, seed=2)
    serve(model, rows)
    raw = pl.DataFrame({"request": [f"r{n}" for n in range(400)], "born": 2026.0 - rows["age"]})
    raw.with_columns(town=rows["city"]).write_parquet(model.root / "requests.parquet")
    (model.root / "features.py").write_text(PROGRAM.replace("titlecase", "uppercase"))
    settings = _settings(requests="requests.parquet", rows=100)
    found = served.compare(model, served.Request("m"), settings, DataSettings())
    assert [(one.rule, one.data["of"]) for one in found.findings] == [("skew", 100)]
    assert found.numbers["replayed"] == 100


def test_two_tables_can_be_replayed_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text(PROGRAM)
    rows = people(300, seed=2).with_columns(request=pl.int_range(300))
    rows.write_parquet(tmp_path / "served.parquet")
    raw = rows.select("request", born=2026 - pl.col("age") - 1, town=pl.col("city"))
    raw.write_parquet(tmp_path / "raw.parquet")
    sides = [watch.side(tmp_path / f"{name}.parquet") for name in ("served", "served", "raw")]
    asked = replay.Asked(sides[2], tmp_path)
    found = watch.files(watch.Request(sides[0], sides[1], replayed=asked), _settings())
    assert [(one.rule, one.data["column"]) for one in found.findings] == [("skew", "age")]
    assert found.drift is not None
    assert [one.column.name for one in found.drift.moved] == ["age", "city"]


def test_cells_are_the_same_within_the_tolerance_and_where_nothing_stands() -> None:
    old = pl.Series([1.0, 1e9, None, float("nan"), float("inf"), 0.0])
    new = pl.Series([1.0 + 1e-9, 1e9 + 1, float("nan"), None, float("inf"), 1e-3])
    assert np.flatnonzero(replay.differs(old, new, 1e-6)).tolist() == [5]
    assert replay.differs(pl.Series(["1.0", "x"]), pl.Series(["1", None]), 1e-6).tolist() == [True, True]
    assert replay.differs(pl.Series([True, False]), pl.Series([1, 1]), 0).tolist() == [False, True]


@pytest.mark.parametrize(
    "text",
    ["command: python x.py {requests}", "command: 'python \" {requests} {features}'", "key: []", "rows: 0",
     "allowed: 1", "shell: true"],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        parse(f"version: 1\nmonitor: {{skew: {{{text}}}}}\n".encode())
