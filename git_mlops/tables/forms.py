"""The forms of tables that can be read, told by the name in the repository (cache objects have no suffix)."""

from typing import Literal, NamedTuple

Kind = Literal["csv", "tsv", "parquet", "arrow", "jsonl"]
Packing = Literal["gz", "zst"]

_SUFFIXES: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_TEXTS = ("csv", "tsv", "jsonl")
_PACKINGS: dict[Packing, Literal["gzip", "zstd"]] = {"gz": "gzip", "zst": "zstd"}
KNOWN = (
    *_SUFFIXES,
    *(f"{suffix}.{by}" for suffix, kind in _SUFFIXES.items() if kind in _TEXTS for by in _PACKINGS),
)


class Form(NamedTuple):
    """How the bytes are to be read."""

    kind: Kind
    packed: bool
    """Whether something that packs is around it."""
    by: Packing = "gz"
    """What packs, if anything does."""

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind}.{self.by}" if self.packed else self.kind

    @property
    def compression(self) -> Literal["gzip", "zstd"] | None:
        """What packs, as Arrow calls it."""
        return _PACKINGS[self.by] if self.packed else None

    @property
    def text(self) -> bool:
        """Whether there are lines to point to."""
        return self.kind in _TEXTS


def form_of(name: str) -> Form | None:
    """By suffix, whatever its case; None for what cannot be read."""
    lower = name.lower()
    by = next((by for by in _PACKINGS if lower.endswith(f".{by}")), None)
    inner = lower.removesuffix(f".{by}") if by else lower
    kind = next((k for s, k in _SUFFIXES.items() if inner.endswith(s)), None)
    if kind is None or (by and kind not in _TEXTS):
        return None
    return Form(kind, by is not None, by or "gz")
