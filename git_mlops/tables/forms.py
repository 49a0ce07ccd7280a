"""The forms of tables that can be read, told by the name in the repository (cache objects have no suffix)."""

from typing import Literal, NamedTuple

Kind = Literal["csv", "tsv", "parquet", "jsonl"]

_SUFFIXES: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
KNOWN = (*_SUFFIXES, *(f"{suffix}.gz" for suffix, kind in _SUFFIXES.items() if kind != "parquet"))


class Form(NamedTuple):
    """How the bytes are to be read."""

    kind: Kind
    packed: bool
    """Whether gzip is around it."""

    def __str__(self) -> str:
        return f"{self.kind}.gz" if self.packed else self.kind


def form_of(name: str) -> Form | None:
    """By suffix, whatever its case; None for what cannot be read."""
    lower = name.lower()
    packed = lower.endswith(".gz")
    kind = next((k for s, k in _SUFFIXES.items() if lower.removesuffix(".gz").endswith(s)), None)
    return None if kind is None or (packed and kind == "parquet") else Form(kind, packed)
