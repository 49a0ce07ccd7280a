"""What is kept of a picture that is asked for: a column that `git mlops monitor` compares with the data."""

from typing import Any

from features import pixels


def watched(row: dict[str, Any]) -> dict[str, Any]:
    """The share of ink, as in data/labels.csv; not the picture itself."""
    return {"ink": round(float(pixels(row["file"]).mean()), 4)}
