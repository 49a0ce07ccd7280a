"""Metrics of the change as OpenMetrics text, for GitLab's metrics report. Pure."""

import math
import re

from git_mlops.review.facts import Facts


def render(facts: Facts) -> str:
    """One line per finite metric: `auc 0.91`; a name's other characters become `_`."""
    found: dict[str, float] = {}
    for name, value in facts.new.metrics.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            plain = re.sub(r"[^A-Za-z0-9_:]+", "_", name).strip("_") or "metric"
            found.setdefault(plain if not plain[0].isdigit() else f"_{plain}", value)
    return "".join(f"{name} {value!r}\n" for name, value in found.items()) + "# EOF\n"
