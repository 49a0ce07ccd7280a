"""Whether answers are numbers that mean something: nothing, NaN, infinity, one value for all, saturation."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from git_mlops.findings import Finding
from git_mlops.monitor.judging import number, percent, short
from git_mlops.monitor.settings import Settings

if TYPE_CHECKING:
    import polars as pl

_FEWEST = 100
"""Answers: fewer may well be alike."""


def judge(whole: "pl.LazyFrame", answers: Sequence[str], settings: Settings) -> Iterator[Finding]:
    """Each column of answers of a log."""
    import polars as pl

    kinds = whole.select(answers).collect_schema()
    for name in answers:
        cell, kind = pl.col(name), kinds[name]
        if kind.is_nested():
            continue
        asked = [pl.len().alias("rows"), cell.null_count().alias("nulls"), cell.n_unique().alias("distinct")]
        if kind.is_float():
            fine = cell.filter(cell.is_finite())
            asked += [cell.is_nan().sum().alias("nan"), cell.is_infinite().sum().alias("infinite")]
            asked += [fine.len().alias("fine"), (fine != fine.floor()).sum().alias("broken")]
            asked += [fine.min().alias("low"), fine.max().alias("high")]
            asked += [(fine == fine.min()).sum().alias("at low"), (fine == fine.max()).sum().alias("at high")]
        row = whole.select(asked).collect(engine="streaming").row(0, named=True)
        yield from _column(name, row, settings)


def _column(name: str, row: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    rows, said = max(row["rows"], 1), f"`{short(name)}`"
    empty = row["nulls"] + (row.get("nan") or 0)
    if empty:
        text = f"{said} is no answer (null or NaN) in {empty} rows ({percent(empty / rows)})"
        yield Finding("health", "error", text, data={"column": name, "rows": empty, "share": empty / rows})
    if infinite := row.get("infinite") or 0:
        text = f"{said} is infinite in {infinite} rows ({percent(infinite / rows)})"
        yield Finding(
            "health", "error", text, data={"column": name, "rows": infinite, "share": infinite / rows}
        )
    if rows >= _FEWEST and row["distinct"] == 1 and not empty:
        text = f"{said} is the same answer in all of {rows} rows"
        yield Finding("health", "warning", text, data={"column": name, "rows": rows, "share": 1.0})
    elif row.get("fine", 0) >= _FEWEST and row["broken"]:  # whole numbers are classes or counts
        for end in ("low", "high"):
            share = row[f"at {end}"] / row["fine"]
            if share > settings.saturated:
                which = "least" if end == "low" else "largest"
                text = f"{said} is its {which} value, {number(row[end])}, in {percent(share)} of the rows"
                data = {"column": name, "rows": row[f"at {end}"], "share": share, "value": row[end]}
                yield Finding("health", "warning", f"{text}: saturated?", data=data)
