"""B10: the check and the report of a pull request in a repository with 200 pointers, of which 5 changed."""

from pathlib import Path

from tests.bench.measure import Place, Row, interleaved, repository, slower

POINTERS, CHANGED, ROWS = 200, 5, 50
LIMIT = 1.5
"""Seconds of the whole process."""

_SETTINGS = "version: 1\ndata: {keys: {'data/*.csv': [id]}}\nschemas: {'data/*.csv': schemas/t.yaml}\n"
_SCHEMA = """schema_type: dataframe
version: 0.20.0
columns:
  id: {dtype: int64, nullable: false, unique: true, checks: {greater_than_or_equal_to: 0}}
  age: {dtype: int64, nullable: false, checks: {greater_than_or_equal_to: 0}}
index: null
"""


def bench(base: Path) -> list[Row]:
    """In the repository with its data, and in a clone that has neither data nor credentials."""
    place = _made(base)
    clone = repository(base, "clone")
    clone.run("git", "fetch", "-q", place.root.as_uri(), "main:refs/heads/change")
    clone.run("git", "fetch", "-q", place.root.as_uri(), "refs/mlops/verdicts:refs/mlops/verdicts")
    clone.run("git", "switch", "-q", "change")
    range_ = "HEAD~1..HEAD"
    seconds = interleaved(
        {
            "check": lambda: place.timed("git", "mlops", "check", "--range", range_),
            "report": lambda: place.timed("git", "mlops", "report", range_),
            "audit": lambda: place.timed("git", "mlops", "report", "--audit", range_),
            "clone": lambda: clone.timed("git", "mlops", "report", "--no-data", range_),
            "git": lambda: place.timed("git", "diff", "--stat", "HEAD~1", "HEAD"),
        },
        5,
    )
    limit = ("the budget", LIMIT)
    what = f"of {CHANGED} of {POINTERS} pointers"
    return [
        slower("B10", f"check --range {what}", seconds["check"], *limit, limit="<= 1"),
        slower("B10", f"report {what}", seconds["report"], *limit, limit="<= 1"),
        slower("B10", f"report --audit {what}", seconds["audit"], *limit, limit="<= 1"),
        slower("B10", f"report --no-data {what}, in a clone", seconds["clone"], *limit, limit="<= 1"),
        slower("B10", f"check --range {what}", seconds["check"], "git diff --stat", seconds["git"]),
    ]


def _made(base: Path) -> Place:
    place = repository(base, "r")
    place.run("git", "mlops", "init")
    place.run("git", "branch", "-M", "main")
    files = [place.root / "data" / f"{number:03}.csv" for number in range(POINTERS)]
    files[0].parent.mkdir()
    (place.root / "schemas").mkdir()
    (place.root / "schemas" / "t.yaml").write_text(_SCHEMA)
    (place.root / "mlops.yaml").write_text(_SETTINGS)
    for seed, some in enumerate((files, files[:CHANGED])):
        for number, file in enumerate(some):
            rows = "".join(f"{n},{(n * 7 + number + seed) % 90}\n" for n in range(ROWS))
            file.write_text("id,age\n" + rows)
        place.run("git", "mlops", "add", *(str(file.relative_to(place.root)) for file in some))
        place.run("git", "add", "-A")
        place.run("git", "commit", "-q", "-m", f"state {seed}")
    return place
