"""Counters of a server in Prometheus's text format."""

import threading
from collections.abc import Mapping
from typing import Literal

Labels = tuple[tuple[str, str], ...]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Metrics:
    """Counts from many threads."""

    def __init__(self, help_: Mapping[str, tuple[Literal["counter", "gauge", "histogram"], str]]) -> None:
        self._help = help_
        self._lock = threading.Lock()
        self._values: dict[str, dict[Labels, float]] = {name: {} for name in help_}
        self._spread: dict[str, dict[Labels, list[float]]] = {name: {} for name in help_}

    def add(self, name: str, labels: Mapping[str, str], amount: float = 1) -> None:
        """Count up."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            self._values[name][key] = self._values[name].get(key, 0) + amount

    def put(self, name: str, values: Mapping[Labels, float]) -> None:
        """What a gauge shows from now on."""
        with self._lock:
            self._values[name] = dict(values)

    def observe(self, name: str, seconds: float) -> None:
        """One duration."""
        key: Labels = ()
        with self._lock:
            spread = self._spread[name].setdefault(key, [0.0] * (len(_BUCKETS) + 2))
            for number, bound in enumerate(_BUCKETS):
                spread[number] += seconds <= bound
            spread[-2] += seconds
            spread[-1] += 1

    def render(self) -> str:
        """All of it."""
        lines: list[str] = []
        with self._lock:
            for name, (kind, says) in self._help.items():
                lines += [f"# HELP {name} {says}", f"# TYPE {name} {kind}"]
                lines += [f"{name}{_shown(key)} {value:g}" for key, value in self._values[name].items()]
                for key, spread in self._spread[name].items():
                    bounds = [(*key, ("le", f"{bound:g}")) for bound in _BUCKETS]
                    lines += [f"{name}_bucket{_shown(b)} {n:g}" for b, n in zip(bounds, spread, strict=False)]
                    lines.append(f"{name}_bucket{_shown((*key, ('le', '+Inf')))} {spread[-1]:g}")
                    lines += [
                        f"{name}_sum{_shown(key)} {spread[-2]:.6f}",
                        f"{name}_count{_shown(key)} {spread[-1]:g}",
                    ]
        return "\n".join(lines) + "\n"


def _shown(labels: Labels) -> str:
    inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""
