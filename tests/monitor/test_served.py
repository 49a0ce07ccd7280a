"""A model's log against the data of its registration."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from git_mlops.data import stored
from git_mlops.data.pointers import Out
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.monitor import history, joined, observed, served, speed, watch
from git_mlops.monitor.recording import record
from git_mlops.monitor.settings import Ages, Settings
from git_mlops.registry import read
from tests.monitor.conftest import people, serve

USUAL = Settings()


def _compare(repo: Repo, settings: Settings = USUAL, **request: object) -> observed.Observation:
    return served.compare(repo, served.Request("m", **request), settings, DataSettings())  # type: ignore[arg-type]


def _said(one: observed.Observation) -> list[tuple[str, str]]:
    return [(found.rule, found.level) for found in one.findings]


def test_what_is_served_as_it_was_trained_is_nothing_to_say(model: Repo) -> None:
    serve(model, people(seed=2))
    found = _compare(model)
    assert _said(found) == []
    assert (found.subject.name, found.subject.version, found.numbers["requests"]) == ("m", "v0.1.0", 1500)


def test_what_is_served_and_moved_is_found_and_what_shadows_got_does_not_count(model: Repo) -> None:
    serve(model, people(seed=3, older=0.6))
    serve(model, people(seed=4), name="2.parquet", role="shadow")
    found = _compare(model)
    assert [(one.rule, one.data["column"]) for one in found.findings] == [("drift", "age")]


def test_answers_that_change_within_the_log_are_found(model: Repo) -> None:
    serve(model, people(seed=2))
    file = model.private / "serve" / "m" / "v0.1.0" / "1.parquet"
    log = pl.read_parquet(file)
    later = pl.int_range(pl.len()) > pl.len() // 2
    log.with_columns(
        pl.when(later).then(1).otherwise(pl.col("out.prediction")).alias("out.prediction")
    ).write_parquet(file)
    (one,) = _compare(model).findings
    assert one.message.startswith("answers, the later half of the log against the earlier")


@pytest.mark.slow
def test_answers_that_change_in_one_slice_are_found_there(model: Repo) -> None:
    serve(model, people(6000, seed=2))
    later = (pl.int_range(pl.len()) > pl.len() // 2) & (pl.col("in.city") == "Bruges")
    _edited(model, **{"out.prediction": pl.when(later).then(1).otherwise(pl.col("out.prediction"))})
    (one,) = _compare(model, Settings(slices=("city",), effect=0.2)).findings
    assert (one.data["slice"], one.data["answers"]) == ({"city": "Bruges"}, True)


def test_a_directory_of_pictures_is_no_table_to_compare_with(model: Repo) -> None:
    picture = model.root / "1.png"
    picture.write_bytes(b"no table")
    hash_ = stored.keep_listing(model, {"1.png": stored.keep_file(model, picture)})
    table = Out("data/b.csv", "md5", stored.keep_file(model, model.root / "data" / "a.csv"))
    pictures = Out("data/a", "md5", hash_)
    assert served._likeliest(model, [pictures, table], []) == table


def test_a_model_without_a_log_or_without_its_data_cannot_be_evaluated(model: Repo) -> None:
    with pytest.raises(MlopsError, match="there is no log of m") as caught:
        _compare(model)
    assert caught.value.exit_code == 3
    serve(model, people(seed=2))
    for file in (model.root / ".dvc" / "cache").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(MlopsError, match="is not to be had") as caught:
        _compare(model)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("content", "said"), [("", "it is empty"), ("{bad", "ExpectedObject"), ("[1]\n", "expected to contain")]
)
def test_what_is_no_log_cannot_be_evaluated(model: Repo, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "served.jsonl"
    file.write_text(content)
    with pytest.raises(MlopsError, match=f"served.jsonl` cannot be read: .*{said}") as caught:
        _compare(model, current=watch.side(file))
    assert caught.value.exit_code == 3


def test_ages_and_latency_are_held_against_their_bounds(model: Repo) -> None:
    serve(model, people(seed=2))
    assert _said(_compare(model, Settings(ages=Ages("1d", "1d", "1d"), latency=20))) == []
    late = model.private / "serve" / "m" / "v0.1.0" / "1.parquet"
    pl.read_parquet(late).with_columns(pl.col("time") - dt.timedelta(days=3)).write_parquet(late)
    found = _compare(model, Settings(ages=Ages("1d", "1d", "1d"), latency=5))
    assert _said(found) == [("latency", "error"), ("staleness", "error")]


def test_labels_that_come_later_tell_how_good_the_answers_were(model: Repo, tmp_path: Path) -> None:
    serve(model, people(seed=2))
    right = pl.DataFrame(
        {"request": [f"r{n}" for n in range(900)], "truth": [int(n % 3 == 0) for n in range(900)]}
    )
    wrong = right.with_columns((1 - pl.col("truth")).alias("truth"))
    for name, table, expected in (("right", right, []), ("wrong", wrong, [("quality", "error")])):
        table.write_csv(tmp_path / f"{name}.csv")
        asked = joined.Asked(watch.side(tmp_path / f"{name}.csv"), ("request",))
        found = _compare(model, labels=asked)
        assert found.quality is not None
        assert (found.quality.rows, _said(found)) == (900, expected)
        assert found.quality.metrics["accuracy"] == (float(name == "right"), 0.0)


def test_a_run_is_recorded_without_values_of_private_columns(model: Repo) -> None:
    serve(model, people(seed=3, older=0.6))
    private = DataSettings(pii={"data/*": ("age",)})
    found = served.compare(model, served.Request("m"), Settings(), private)
    record(model, found, {"drift": "2026-01-01T00:00:00+00:00"})
    (run,) = history.read(model, "m")
    assert run.record["outcome"] == "fail"
    assert [one["message"] for one in run.record["findings"]] == ["`age`: drift"]
    assert "mean" not in run.record["columns"]["age"]
    profile = model.text("show", f"{history.ref_of('m')}:current.yaml")
    assert "Ghent" in profile
    assert "age: {type: float64, nulls: 0}" in profile


def test_a_tag_that_names_no_hash_opens_no_file(model: Repo, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("age\n1\n")
    version = read.resolve(model, "m")
    facts = {"data": [{"path": "x.csv", "hash": f"../../../../{tmp_path}/secret.csv"}, "?", {"path": 1}]}
    assert [*served._data(version._replace(facts=facts))] == []


def test_how_far_to_look_back_must_be_a_length_of_time(model: Repo) -> None:
    serve(model, people(seed=2))
    assert _compare(model, since="1d").numbers["requests"] == 1500
    with pytest.raises(MlopsError, match="`soon` is no length of time"):
        _compare(model, since="soon")
    assert [one.level for one in _compare(model, since="0h").findings] == ["unknown"]


def _edited(repo: Repo, **columns: pl.Expr) -> None:
    file = repo.private / "serve" / "m" / "v0.1.0" / "1.parquet"
    pl.read_parquet(file).with_columns(**columns).write_parquet(file)


def test_answers_that_are_nothing_or_infinite_are_found(model: Repo) -> None:
    serve(model, people(400, seed=2))
    row, answer = pl.int_range(pl.len()), pl.col("out.prediction").cast(pl.Float64)
    bad = pl.when(row == 3).then(float("nan")).when(row == 4).then(float("inf")).when(row > 5).then(answer)
    _edited(model, **{"out.prediction": bad})
    found = [one for one in _compare(model).findings if one.rule == "health"]
    assert [(one.level, one.data["rows"]) for one in found] == [("error", 1), ("error", 5)]


def test_answers_that_are_all_alike_or_at_an_end_are_told(model: Repo) -> None:
    serve(model, people(400, seed=2))
    _edited(model, **{"out.prediction": pl.lit(1)})
    assert [(one.rule, one.level) for one in _compare(model).findings] == [("health", "warning")]
    row = pl.int_range(pl.len())
    _edited(model, **{"out.prediction": pl.when(row % 3 == 0).then(1.0).otherwise(row / 400)})
    (found,) = [one for one in _compare(model).findings if one.rule == "health"]
    assert (found.data["value"], found.level) == (1.0, "warning")
    assert "largest value, 1, in 33.5 % of the rows: saturated?" in found.message


def test_a_model_that_became_slower_than_it_was_is_found(model: Repo) -> None:
    serve(model, people(seed=2))
    first = _compare(model)
    assert _said(first) == []
    record(model, first)
    _edited(model, ms=pl.col("ms") * 1.4)
    assert _said(_compare(model)) == []
    _edited(model, ms=pl.col("ms") * 1.4)
    (found,) = _compare(model).findings
    assert (found.rule, found.level, found.data["baseline"]) == ("latency", "error", 10.0)
    assert _said(_compare(model, Settings(slower=2))) == []


def test_a_latency_of_the_registration_is_the_baseline_and_few_slow_ones_are_chance(model: Repo) -> None:
    version = read.resolve(model, "m")
    known = speed.baseline(version._replace(facts={"metrics": {"smoke.json:p95_ms": 4.0}}), [])
    assert known == speed.Baseline(4.0, None, "at the registration")
    serve(model, people(200, seed=2))
    rows = pl.scan_parquet(model.private / "serve" / "m" / "v0.1.0" / "1.parquet")
    for slow, expected in ((14, []), (30, ["latency"])):
        ms = pl.when(pl.int_range(pl.len()) < slow).then(9.0).otherwise(3.0)
        found = speed.judge(rows.with_columns(ms=ms), Settings(), known, {})
        assert [one.rule for one in found] == expected


def test_requests_that_stay_away_are_told(model: Repo) -> None:
    serve(model, people(seed=2))
    record(model, _compare(model))
    start = pl.col("time").min()
    _edited(model, time=start + (pl.col("time") - start) * 3 - dt.timedelta(hours=1))
    (found,) = _compare(model).findings
    assert (found.rule, found.level) == ("throughput", "warning")
    assert found.data["baseline"] == pytest.approx(1, abs=0.01)
