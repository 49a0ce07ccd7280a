"""What every stage needs: its parameters, and where models and metrics go."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parent.parent


def params(section: str) -> dict[str, Any]:
    """The section of params.yaml."""
    return yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))[section]


def write_metrics(measured: Mapping[str, float], slices: Mapping[str, Mapping[str, float]]) -> None:
    """Write metrics.json, and print what is over all. Rounded, so that two machines agree."""
    whole = {**_rounded(measured), "slices": {name: _rounded(values) for name, values in slices.items()}}
    text = json.dumps(whole, indent=2) + "\n"
    (TOP / "metrics.json").write_text(text, encoding="utf-8")
    print(", ".join(f"{name} {value}" for name, value in _rounded(measured).items()))


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 6) for name, value in values.items()}
