"""Cells of a declared CSV as every other table has them: times in ISO 8601, numbers with points."""

from typing import TYPE_CHECKING, Any

from git_mlops.tables.settings import Dialect

if TYPE_CHECKING:
    import polars as pl

_EXPONENT = r"([eE][+-]?[0-9]+)?\s*$"
_COMMA = r"^\s*[+-]?([0-9]+,[0-9]*|,[0-9]+)" + _EXPONENT
_POINT = r"^\s*[+-]?([0-9]+\.[0-9]*|\.[0-9]+)" + _EXPONENT


def as_others(frame: "pl.LazyFrame", dialect: Dialect) -> "pl.LazyFrame":
    """A frame of texts, for those who tell types by looks.

    A time that is not in its column's format stays as it is. Under `decimal: ','` a number with a point gets
    a comma, so that it is none.
    """
    import polars as pl

    asked = [iso(pl.col(name), text).fill_null(pl.col(name)) for name, text in dialect.dates.items()]
    names = frame.collect_schema().names()
    asked = [cell for cell in asked if cell.meta.output_name() in names]
    if dialect.decimal == ",":
        asked += [_pointed(pl.col(name)) for name in names if name not in dialect.dates]
    return frame.with_columns(asked) if asked else frame


def iso(cell: "pl.Expr", text: str) -> "pl.Expr":
    """Times in a format as ISO 8601; null where they are in another."""
    import polars as pl

    time = cell.str.strip_chars().str.to_datetime(
        text.replace(".%f", "%.f"), strict=False, exact=True, time_unit="us"
    )
    if not any(f"%{part}" in text for part in "HIMSf"):
        return time.cast(pl.Date).dt.to_string("%Y-%m-%d")
    zone = "%:z" if "%z" in text else ""
    return time.dt.to_string(f"%Y-%m-%dT%H:%M:%S%.f{zone}")


def iso_cells(cells: Any, text: str) -> Any:
    """The same of an Arrow array."""
    import polars as pl
    import pyarrow as pa

    found = pl.DataFrame({"cell": pl.Series(cells, dtype=pl.String)}).select(iso(pl.col("cell"), text))
    return pa.chunked_array([found["cell"].to_arrow().cast(pa.string())])


def _pointed(cell: "pl.Expr") -> "pl.Expr":
    import polars as pl

    point, comma = cell.str.replace(",", ".", literal=True), cell.str.replace(".", ",", literal=True)
    return (
        pl.when(cell.str.contains(_COMMA))
        .then(point)
        .when(cell.str.contains(_POINT))
        .then(comma)
        .otherwise(cell)
    )


def pointed_cells(cells: Any) -> tuple[Any, Any]:
    """Numbers of an Arrow array with points in place of commas, and which of them had a point."""
    import pyarrow.compute as pc

    dotted = pc.fill_null(pc.match_substring_regex(cells, _POINT), fill_value=False)
    pointed = pc.if_else(
        pc.match_substring_regex(cells, _COMMA), pc.replace_substring(cells, ",", "."), cells
    )
    return pc.if_else(dotted, None, pointed), dotted
