"""Tables with a shift that is known, for measuring who finds it. NumPy alone: any interpreter makes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = dict[str, NDArray[Any]]
"""Column → numbers, or codes of categories."""

SHIFTS = ("none", "mean", "variance", "category mix", "missingness", "correlation", "seasonal")
WHERE = {
    "mean": "height", "variance": "income", "category mix": "city", "missingness": "weight",
    "correlation": "pulse", "seasonal": "warmth",
}  # fmt: skip
"""The column that shifts; of a correlation, one of the two."""
PAIR = ("height", "pulse")
CATEGORIES = ("city", "plan", "device")
_DAYS = 365


def pair(shift: str, rows: int, seed: int) -> tuple[Table, Table]:
    """Reference and current, of so many rows each."""
    random = np.random.default_rng([seed, rows, SHIFTS.index(shift)])
    return _table("none", rows, random), _table(shift, rows, random)


def narrow(rows: int, seed: int, current: int | None = None) -> tuple[Table, Table]:
    """Three columns in which nothing moves, made quickly: for many runs over many rows."""
    random = np.random.default_rng([seed, rows, current or 99])
    return _narrow(rows, random), _narrow(current or rows, random)


_CITIES = np.repeat(np.arange(6, dtype=np.int32), [123, 56, 33, 26, 10, 8])
"""A city for each byte."""


def _narrow(rows: int, random: np.random.Generator) -> Table:
    first, second = random.standard_normal((2, rows), dtype=np.float32)
    bytes_ = np.frombuffer(random.bytes(2 * rows), np.uint8)
    gaps = np.where(bytes_[rows:] < 5, np.float32(np.nan), np.float32(0))
    return {
        "income": np.exp(first) + gaps,
        "pulse": np.float32(0.2) * first + np.float32(0.98) * second,
        "city": _CITIES[bytes_[:rows]],
    }


def _table(shift: str, rows: int, random: np.random.Generator) -> Table:
    """Ten columns: bell-shaped, skewed, heavy-tailed, counts, seasonal, categories; some have gaps."""
    common = 0.5 if shift == "correlation" else 0.2
    height = random.normal(size=rows)
    pulse = common * height + np.sqrt(1 - common**2) * random.normal(size=rows)
    weight = random.standard_t(3, size=rows)
    weight[random.random(rows) < (0.12 if shift == "missingness" else 0.02)] = np.nan
    # the reference is a whole year, the current side of a season one quarter of it
    days = random.integers(0, _DAYS // 4 if shift == "seasonal" else _DAYS, size=rows)
    city = (
        [0.38, 0.26, 0.15, 0.13, 0.05, 0.03]
        if shift == "category mix"
        else [0.48, 0.22, 0.13, 0.1, 0.04, 0.03]
    )
    return {
        "height": height + (0.2 if shift == "mean" else 0.0),
        "pulse": pulse,
        "income": np.exp(random.normal(size=rows) * 0.5 * (1.25 if shift == "variance" else 1.0)),
        "weight": weight,
        "visits": random.poisson(3, size=rows).astype(np.float64),
        "warmth": 0.3 * np.sin(2 * np.pi * days / _DAYS) + random.normal(size=rows),
        "score": random.beta(2, 5, size=rows),
        "city": random.choice(6, p=city, size=rows),
        "plan": random.choice(3, p=[0.7, 0.2, 0.1], size=rows),
        "device": random.choice(20, p=np.arange(20, 0, -1) / 210, size=rows),
    }
