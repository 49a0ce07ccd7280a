"""Schemas and tables with faults that cross partitions: the same for the engine here and on a cluster."""

from typing import NamedTuple

from git_mlops.findings import Finding


class Case(NamedTuple):
    """A CSV and its schema."""

    schema: str
    head: str
    rows: list[str]


def _rows(**changed: str) -> list[str]:
    """Thirty good rows of `id,day,x,name`, but for some (`r7`: the eighth)."""
    rows = [f"{n},{n % 7},{n / 4},n{n % 5}" for n in range(30)]
    for place, row in changed.items():
        rows[int(place.removeprefix("r"))] = row
    return rows


HEAD = "id,day,x,name"
ID = "columns:\n  id: {dtype: int64, unique: true}\n"
FULL = (
    "columns:\n"
    "  id: {dtype: int64, unique: true}\n"
    "  day: {dtype: int64, in_range: {min_value: 0, max_value: 6}}\n"
    "  x: {dtype: float64, nullable: true, ge: 0}\n"
    "  name: {dtype: str, isin: [n0, n1, n2, n3, n4]}\n"
    "strict: true\n"
)
PAIR = "columns:\n  id: {dtype: int64}\n  day: {dtype: int64}\nunique: [id, day]\n"
CASES = {
    "all holds": Case(FULL, HEAD, _rows()),
    "a key repeats across": Case(ID, HEAD, _rows(r29="0,0,0,n0", r15="0,1,1,n1")),
    "a key repeats within": Case(ID, HEAD, _rows(r1="0,0,0,n0")),
    "many keys repeat": Case(ID, HEAD, [f"{n % 11},0,0,n0" for n in range(30)]),
    "a pair repeats": Case(PAIR, HEAD, _rows(r29="3,3,0,n0", r28="3,4,0,n0")),
    "the first of equal ones is spared": Case(
        ID.replace("true}", "true, report_duplicates: exclude_first}"), HEAD, _rows(r29="0,0,0,n0")
    ),
    "the last of equal ones is spared": Case(
        ID.replace("true}", "true, report_duplicates: exclude_last}"), HEAD, _rows(r29="0,0,0,n0")
    ),
    "text as a key": Case("columns:\n  name: {dtype: str, unique: true}\n", HEAD, _rows()),
    "fractions as a key": Case(
        "columns:\n  x: {dtype: float64, unique: true}\n", HEAD, _rows(r20="20,6,0.0,n0", r3="3,3,-0.0,n3")
    ),
    "times as a key": Case(
        "columns:\n  t: {dtype: 'datetime64[ns]', unique: true}\n",
        "t",
        [f"2024-01-{1 + n % 25:02}T00:00:00" for n in range(30)],
    ),
    "rules of values": Case(FULL, HEAD, _rows(r2="2,9,1,n0", r12="12,1,-1,zz", r22="22,8,-2,n1")),
    "nulls": Case(FULL, HEAD, _rows(r2="2,,1,n0", r12="12,1,,n1", r22="22,,,n1")),
    "another type": Case(FULL, HEAD, _rows(r12="12,one,1,n1", r25="25,1,two,n1")),
    "a missing column": Case(FULL, "id,day,x", [row.rpartition(",")[0] for row in _rows()]),
    "one more column": Case(FULL, f"{HEAD},more", [f"{row},1" for row in _rows()]),
    "one null in a key": Case(
        "columns:\n  name: {dtype: str, unique: true, nullable: true}\n", "id,name",
        [f"{n},{'' if n == 12 else n}" for n in range(30)],
    ),
    "a warning": Case(
        "columns:\n  day: {dtype: int64, checks: {ge: {value: 1, options: {raise_warning: true}}}}\n",
        HEAD, _rows(),
    ),
}  # fmt: skip


def examples(finding: Finding) -> list[dict[str, object]]:
    """What it shows."""
    found = finding.data.get("examples") or []
    assert isinstance(found, list)
    return found
