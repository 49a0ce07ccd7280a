"""B13: `git mlops diff` of two tables of a million rows beside a bare join of Polars, as whole processes.

The join is what anyone would write: both files on the key, every column compared, counts for each.
"""

import sys
from pathlib import Path

from tests.bench.measure import Place, Row, interleaved, repository, slower

ROWS = 1_000_000
TIMES = 5

_TABLES = """
import numpy as np, polars as pl, sys
source, rows = np.random.default_rng(1), int(sys.argv[1])
old = pl.DataFrame({
    "id": np.arange(rows),
    **{f"whole{n}": source.integers(0, 1000, rows) for n in range(3)},
    **{f"real{n}": source.normal(size=rows) for n in range(3)},
    "city": source.choice(["Ghent", "Namur", "Liège"], rows),
    "name": [f"name {n}" for n in source.integers(0, rows, rows)],
})
new = old.with_columns(
    whole0=pl.when(pl.col("id") % 1000 == 3).then(-1).otherwise("whole0"),
    city=pl.when(pl.col("id") % 500 == 7).then(pl.lit("Huy")).otherwise("city"),
).filter(pl.col("id") % 10_000 != 5)
new = pl.concat([new, old.head(100).with_columns(id=pl.col("id") - 1000)])
new = new.sample(fraction=1, shuffle=True, seed=1)
old.write_parquet("old.parquet")
new.write_parquet("new.parquet")
"""
_JOIN = """
import polars as pl
old, new = pl.scan_parquet("old.parquet"), pl.scan_parquet("new.parquet")
names = [name for name in old.collect_schema().names() if name != "id"]
joined = old.with_columns(a=True).join(new.with_columns(b=True), on="id", how="full", coalesce=True)
both = pl.col("a") & pl.col("b")
print(joined.select(
    (pl.col("a").is_null()).sum(), (pl.col("b").is_null()).sum(),
    *((both & pl.col(name).ne_missing(pl.col(f"{name}_right"))).sum().alias(name) for name in names),
).collect(engine="streaming"))
"""


def bench(base: Path) -> list[Row]:
    """Both sides are committed with their profiles, as `git mlops add` leaves them."""
    place = repository(base, "diff")
    place.run("dvc", "init", "-q")
    place.run(sys.executable, "-c", _TABLES, str(ROWS))
    for name in ("old", "new"):
        (place.root / "t.parquet").write_bytes((place.root / f"{name}.parquet").read_bytes())
        place.run("git-mlops", "add", "t.parquet")
        place.run("git", "add", "-A", ":!*.parquet")
        place.run("git", "commit", "-q", "-m", name)
    works = {
        "ours": lambda: place.timed("git-mlops", "diff", "HEAD~1", "HEAD"),
        "join": lambda: place.timed(sys.executable, "-c", _JOIN),
    }
    seconds = interleaved(works, TIMES)
    return [_row(place, seconds)]


def _row(place: Place, seconds: dict[str, float]) -> Row:
    shown = place.run("git-mlops", "diff", "HEAD~1", "HEAD").decode()
    if "- 100 rows\n+ 100 rows\n~ 3000 rows changed\n" not in shown:
        raise RuntimeError(shown)
    return slower(
        "B13", f"git mlops diff of {ROWS:,} rows", seconds["ours"], "bare join", seconds["join"], "<= 2"
    )
