"""Curves as PNG pictures. Matplotlib (a dependency of MLflow) is imported here alone, inside the function."""

import math
import warnings
from collections.abc import Mapping
from io import BytesIO

from git_mlops.experiments.history import Series
from git_mlops.experiments.svg import COLOURS


def curves(metric: str, lines: Mapping[str, Series]) -> bytes:
    """One metric of several experiments over steps, with a legend."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 4.4), dpi=150, layout="constrained")
    axes = figure.subplots()
    for number, (name, line) in enumerate(lines.items()):
        steps = [step for step, _value in line]
        values = [value if math.isfinite(value) else math.nan for _step, value in line]
        mark = "o" if len(line) == 1 else ""
        axes.plot(steps, values, label=_text(name), color=COLOURS[number % len(COLOURS)], marker=mark)
    axes.set_title(_text(metric))
    axes.set_xlabel("step")
    axes.grid(alpha=0.4)
    axes.legend(fontsize="small")
    out = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a font without some letter is no matter
        figure.savefig(out, format="png")
    return out.getvalue()


def _text(text: str) -> str:
    """No formulas, and no leading `_`, by which matplotlib leaves a line out of the legend."""
    plain = "".join(c if c.isprintable() else "\ufffd" for c in text).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain
