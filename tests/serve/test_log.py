"""Requests and answers as Parquet files, and the counters beside them."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa

from git_mlops.serve.log import Entry, Keeping, Log
from git_mlops.serve.metrics import Metrics


def entry(number: int, version: str = "v1.0.0", **more: int) -> Entry:
    rows = pa.table(
        {"age": [1.0, 2.0], "name": ["a", "b"], **{name: [value] * 2 for name, value in more.items()}}
    )
    return Entry(
        f"r{number}", 1_790_000_000.0 + number, "m", version, "main", 0.002, rows, pa.table({"p": [0, 1]})
    )


def parts(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def test_parts_are_written_by_version_and_hold_every_row(tmp_path: Path) -> None:
    log = Log(tmp_path, Keeping(redact=("na*",)))
    for number in range(10):
        log.add(entry(number, "v1.0.0" if number < 6 else "v2.0.0"))
    log.close()
    assert [part.parent.name for part in parts(tmp_path)] == ["v1.0.0", "v2.0.0"]
    kept = pl.read_parquet(parts(tmp_path))
    assert kept.columns == ["time", "request", "row", "model", "version", "role", "ms", "in.age", "out.p"]
    assert kept["request"].to_list() == [f"r{number}" for number in range(10) for _row in range(2)]
    assert kept["row"].to_list() == [0, 1] * 10


def test_a_part_that_is_full_is_written_at_once_and_other_columns_begin_another(tmp_path: Path) -> None:
    log = Log(tmp_path, Keeping(part_rows=4))
    for number in range(5):
        log.add(entry(number))
    log.add(entry(5, more=1))
    log.close()
    assert [pl.read_parquet(part).height for part in parts(tmp_path)] == [4, 4, 2, 2]


def test_a_sample_is_the_same_for_every_version(tmp_path: Path) -> None:
    first, second = (Log(tmp_path / name, Keeping(sample=0.25)) for name in "ab")
    wanted = [first.wants(f"request {number}") for number in range(1000)]
    assert wanted == [second.wants(f"request {number}") for number in range(1000)]
    assert 180 < sum(wanted) < 320
    for log in (first, second):
        log.close()


def test_the_oldest_parts_go_when_there_is_too_much(tmp_path: Path) -> None:
    log = Log(tmp_path, Keeping(size=1, part_rows=2))
    for number in range(4):
        log.add(entry(number))
    log.close()
    assert [pl.read_parquet(part)["request"][0] for part in parts(tmp_path)] == ["r3"]


def test_what_a_killed_server_had_begun_is_swept(tmp_path: Path) -> None:
    (tmp_path / "v1.0.0").mkdir()
    (tmp_path / "v1.0.0" / ".20260101T000000.0-999999999-1.parquet.tmp").write_bytes(b"half")
    Log(tmp_path, Keeping()).close()
    assert [*tmp_path.rglob("*.tmp")] == []


def test_whatever_a_kill_interrupts_every_part_is_whole(tmp_path: Path) -> None:
    work = (
        "import itertools, sys; from pathlib import Path; from tests.serve.test_log import entry;"
        "from git_mlops.serve.log import Keeping, Log;"
        "log = Log(Path(sys.argv[1]), Keeping(part_rows=4));"
        "[log.add(entry(n)) for n in itertools.count()]"
    )
    top = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", work, str(tmp_path)], cwd=top) as process:
        while len(parts(tmp_path)) < 20 and process.poll() is None:
            pass
        process.kill()
    assert [pl.read_parquet(part).height for part in parts(tmp_path)] == [4] * len(parts(tmp_path))
    Log(tmp_path, Keeping()).close()
    assert [*tmp_path.rglob("*.tmp")] == []


def test_counters_are_in_the_form_of_prometheus() -> None:
    counted = Metrics({"n_total": ("counter", "Some."), "s": ("histogram", "Time."), "g": ("gauge", "Now.")})
    counted.add("n_total", {"path": '/a"b\\'})
    counted.add("n_total", {"path": '/a"b\\'}, 2)
    counted.put("g", {(): 7})
    counted.observe("s", 0.004)
    lines = counted.render().splitlines()
    assert lines[:3] == ["# HELP n_total Some.", "# TYPE n_total counter", 'n_total{path="/a\\"b\\\\"} 3']
    assert [line for line in lines if line.startswith("s_bucket")][1:4] == [
        's_bucket{le="0.0025"} 0', 's_bucket{le="0.005"} 1', 's_bucket{le="0.01"} 1',
    ]  # fmt: skip
    assert lines[-6:] == [
        's_bucket{le="+Inf"} 1', "s_sum 0.004000", "s_count 1", "# HELP g Now.", "# TYPE g gauge", "g 7",
    ]  # fmt: skip
