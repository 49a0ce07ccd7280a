"""B8: a table against a schema, beside the same rules written by hand in Polars, and pandera on pandas.

1M rows by default. MLOPS_BENCH_LARGE=1 measures the budget's own 10M, and 40M within 1 GiB (a line of its own
that informs: the peak of resident memory, in a process that may have no more). MLOPS_BENCH_GX=PYTHON, an
interpreter with great_expectations (it does not go with pandera's pandas), measures that beside us, too.
B9: the same data again, whose verdict is known, beside data of a hundredth of its size.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
from pyarrow import parquet

from tests.bench.measure import Row, interleaved, repository, slower

LARGE = bool(os.environ.get("MLOPS_BENCH_LARGE"))
ROWS = 10_000_000 if LARGE else 1_000_000
TIMES = 3 if LARGE else 5
GIBIBYTE = 1024**3
_PART = 1_000_000

SCHEMA = r"""
columns:
  id: {dtype: int64, unique: true, checks: {ge: 0}}
  age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 120}}}
  score: {dtype: float64, checks: {in_range: {min_value: 0, max_value: 1}}}
  city: {dtype: str, checks: {isin: [Ghent, Namur, Liege, Mons]}}
  code: {dtype: str, checks: {str_matches: '^C\d{8,}$'}}
  height: {dtype: float64, checks: {gt: 0}}
  opt: {dtype: float64, nullable: true, checks: {ge: 0}}
  day: {dtype: 'datetime64[ns]', coerce: true, checks: {ge: 1970-01-01}}
  flag: {dtype: bool}
  count: {dtype: int64, checks: {lt: 10000000}}
strict: true
"""


def part(start: int, rows: int, random: np.random.Generator) -> pl.DataFrame:
    """Some of the rows; `id` does not repeat, and is not sorted."""
    number = pl.int_range(start, start + rows, dtype=pl.Int64, eager=True)
    days = pl.Series(random.integers(0, 20_000, rows), dtype=pl.Int32)
    opt = pl.Series(random.integers(0, 1000, rows).astype(float)).set(
        pl.Series(random.random(rows) < 0.1), None
    )
    return pl.DataFrame({
        "id": number ^ 0x2A5A5, "age": random.integers(0, 100, rows), "score": random.random(rows),
        "city": np.array(["Ghent", "Namur", "Liege", "Mons"])[random.integers(0, 4, rows)],
        "code": "C" + number.cast(pl.String).str.zfill(8), "height": random.normal(170, 10, rows).round(2),
        "opt": opt, "day": days.cast(pl.Date).cast(pl.Datetime("us")),
        "flag": random.random(rows) < 0.5, "count": random.integers(0, 1_000_000, rows),
    })  # fmt: skip


def generate(file: Path, rows: int) -> None:
    """A Parquet file, part by part."""
    random = np.random.default_rng(7)
    writer = None
    for start in range(0, rows, _PART):
        frame = part(start, min(_PART, rows - start), random).to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or parquet.ParquetWriter(file, frame.schema)
        writer.write_table(frame)
    if writer is not None:
        writer.close()


OURS = """
from pathlib import Path
from git_mlops.schema.load import load
from git_mlops.schema.validate import validate
import sys, time
schema = load(Path(sys.argv[2]).read_bytes(), 's.yaml')
started = time.perf_counter()
assert validate(Path(sys.argv[1]), sys.argv[1], schema) == []
"""

BY_HAND = r"""
import sys, time
import polars as pl
started = time.perf_counter()
c, file = pl.col, sys.argv[1]
if file.endswith('.csv'):
    types = dict(id=pl.Int64, age=pl.Int64, score=pl.Float64, city=pl.String, code=pl.String,
                 height=pl.Float64, opt=pl.Float64, day=pl.String, flag=pl.Boolean, count=pl.Int64)
    frame = pl.scan_csv(file, schema=types).with_columns(c('day').str.to_datetime('%Y-%m-%d', time_unit='us'))
else:
    frame = pl.scan_parquet(file)
needed = ('id', 'age', 'score', 'city', 'code', 'height', 'day', 'flag', 'count')
rows, unique, *failures = frame.select(
    pl.len(), c('id').n_unique().alias('unique'), *(c(n).null_count().alias('null ' + n) for n in needed),
    (c('id') < 0).sum(), (~c('age').is_between(0, 120)).sum(), (~c('score').is_between(0, 1)).sum(),
    (~c('city').is_in(['Ghent', 'Namur', 'Liege', 'Mons'])).sum(),
    (~c('code').str.contains(r'^C\d{8,}$')).sum(),
    (c('height') <= 0).sum(), (c('opt') < 0).sum(), (c('day') < pl.datetime(1970, 1, 1)).sum(),
    (c('count') >= 10_000_000).sum(),
).collect(engine='streaming').row(0)
assert rows == unique and not any(failures)
"""

PANDAS = """
import sys, time
import pandas as pd, pandera.io.pandas_io as io
from pathlib import Path
schema = io.from_yaml(Path(sys.argv[2]).read_text())
started = time.perf_counter()
schema.validate(pd.read_parquet(sys.argv[1]), lazy=True)
"""
GREAT_EXPECTATIONS = r"""
import sys, time, os
os.environ['GX_ANALYTICS_ENABLED'] = 'false'
import pandas as pd, great_expectations as gx
from great_expectations import expectations as e
context = gx.get_context(mode='ephemeral')
started = time.perf_counter()
frame = pd.read_parquet(sys.argv[1])
asset = context.data_sources.add_pandas('p').add_dataframe_asset('t')
batch = asset.add_batch_definition_whole_dataframe('b').get_batch(batch_parameters={'dataframe': frame})
between, null = e.ExpectColumnValuesToBeBetween, e.ExpectColumnValuesToNotBeNull
suite = gx.ExpectationSuite(name='s', expectations=[
    *(null(column=n) for n in ('id', 'age', 'score', 'city', 'code', 'height', 'day', 'flag', 'count')),
    e.ExpectColumnValuesToBeUnique(column='id'), between(column='id', min_value=0),
    between(column='age', min_value=0, max_value=120), between(column='score', min_value=0, max_value=1),
    e.ExpectColumnValuesToBeInSet(column='city', value_set=['Ghent', 'Namur', 'Liege', 'Mons']),
    e.ExpectColumnValuesToMatchRegex(column='code', regex=r'^C\d{8,}$'),
    between(column='height', min_value=0, strict_min=True), between(column='opt', min_value=0),
    between(column='day', min_value=pd.Timestamp('1970-01-01')),
    between(column='count', max_value=10_000_000, strict_max=True),
])
assert batch.validate(suite).success
"""
TOLD = """
import resource
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def run(
    program: str, file: Path, schema: Path, memory: int | None = None, python: str = sys.executable
) -> tuple[float, int]:
    """Seconds that a program takes once its libraries are there, and its peak of resident memory in KiB."""
    words = [python, "-W", "ignore", "-c", program + TOLD, str(file), str(schema)]
    limited = None if memory is None else _limited(words, memory)
    done = subprocess.run(limited or words, capture_output=True, text=True, check=True)
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), int(peak)


def _limited(words: list[str], memory: int) -> list[str]:
    """In a control group of its own where systemd grants one; else as it is, and the peak tells."""
    scope = ["systemd-run", "--scope", "-q", "-p", f"MemoryMax={memory}", "-p", "MemorySwapMax=0"]
    try:
        granted = subprocess.run([*scope, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        granted = False
    return [*scope, *words] if granted else words


def bench(base: Path) -> list[Row]:
    """Parquet and CSV; with MLOPS_BENCH_LARGE also what does not fit into memory."""
    schema = base / "s.yaml"
    schema.write_text(SCHEMA)
    file, text = base / "t.parquet", base / "t.csv"
    generate(file, ROWS)
    pl.scan_parquet(file).with_columns(pl.col("day").dt.date()).sink_csv(text)
    programs = {
        "ours": lambda: run(OURS, file, schema)[0],
        "by hand": lambda: run(BY_HAND, file, schema)[0],
        "pandas": lambda: run(PANDAS, file, schema)[0],
        "csv": lambda: run(OURS, text, schema)[0],
        "csv by hand": lambda: run(BY_HAND, text, schema)[0],
    }
    seconds = interleaved(programs, TIMES)
    what = f"validate {ROWS:,} rows"
    hand, ours = "streaming Polars by hand", seconds["ours"]
    rows = [
        slower("B8", f"{what} of Parquet", ours, hand, seconds["by hand"], "<= 1.3" if LARGE else ""),
        slower("B8", f"{what} of Parquet", ours, "pandera.pandas", seconds["pandas"]),
        slower(
            "B8", f"{what} of CSV", seconds["csv"], hand, seconds["csv by hand"], "<= 1.3" if LARGE else ""
        ),
        *_great_expectations(file, schema, ours),
        *_memory(base, schema),
    ]
    return [*rows, _again(base)]


def _great_expectations(file: Path, schema: Path, ours: float) -> list[Row]:
    """Once: it takes minutes."""
    python = os.environ.get("MLOPS_BENCH_GX")
    if python is None:
        return []
    theirs, _peak = run(GREAT_EXPECTATIONS, file, schema, python=python)
    return [slower("B8", f"validate {ROWS:,} rows of Parquet", ours, "Great Expectations", theirs)]


def _memory(base: Path, schema: Path) -> list[Row]:
    """The share of 1 GiB that is taken at most; by default of the smaller table."""
    file, rows = base / "large.parquet", 40_000_000 if LARGE else ROWS
    generate(file, rows)
    seconds, peak = run(OURS, file, schema, GIBIBYTE)
    held = "in a group of 1 GiB" if _limited([], GIBIBYTE) else "without a limit, peak"
    told = f"validate {rows:,} rows of Parquet in {seconds:.1f} s {held}: {peak / 1024:.0f} MiB"
    return [Row("B8", told, seconds, "1 GiB", seconds, peak * 1024 / GIBIBYTE, "<= 1")]


def _again(base: Path) -> Row:
    """Whole processes, on verdicts that are known."""
    seconds = {}
    works = {}
    for name, rows in (("large", 300_000), ("small", 3_000)):
        place = repository(base, name)
        place.run("git", "mlops", "init")
        (place.root / "d.csv").write_text("id,age\n" + "".join(f"{n},{n % 90}\n" for n in range(rows)))
        place.run("git", "mlops", "add", "d.csv")
        place.run("git", "mlops", "schema", "infer", "d.csv")
        place.run("git", "add", "-A")
        place.run("git", "commit", "-q", "-m", "data")
        works[name] = lambda p=place: p.timed("git-mlops", "schema", "check")
    seconds = interleaved(works, 5)
    return slower(
        "B9", "check 300,000 rows again", seconds["large"], "3,000 rows", seconds["small"], "<= 1.2"
    )
