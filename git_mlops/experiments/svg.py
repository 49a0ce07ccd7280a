"""Curves as an SVG picture for reports. Pure; no library."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from git_mlops.experiments.history import Series, extent
from git_mlops.experiments.message import short

# ruff: noqa: SIM905  # as one line it is read at once
COLOURS = tuple("#3b7dd8 #e07b39 #2e9e6b #c8458c #8a63d2 #b8960c #17a2b8 #d64545 #6b7a8f #7a9e2e".split())
"""Told apart on white and on black; the page has the same ones."""

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 50
_ROW = 18


class _Scale(NamedTuple):
    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        # halves: the difference of two large numbers is infinite
        part = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + part * (self.end - self.start)


def curves(metric: str, lines: Mapping[str, Series]) -> bytes:
    """One metric of several experiments over steps, with a legend. Gaps where it was no finite number."""
    points = [point for line in lines.values() for point in line]
    x = _scale([step for step, _value in points], _LEFT, _WIDTH - _RIGHT)
    y = _scale([value for _step, value in points], _HEIGHT - _BOTTOM, _TOP)
    height = _HEIGHT + _ROW * len(lines) + 8
    size = f'width="{_WIDTH}" height="{height}"'
    font = 'font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {size} {font}>',
        f"<title>{inert(metric)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="15" font-weight="bold">{inert(metric)}</text>',
        *_grid(x, y),
        *(_curve(line, x, y, COLOURS[n % len(COLOURS)]) for n, line in enumerate(lines.values())),
        *_legend(list(lines)),
        "</svg>",
    ]
    return ("\n".join(parts) + "\n").encode()


def _scale(found: Sequence[float], start: float, end: float) -> _Scale:
    low, high = extent(tuple(enumerate(found))) or (0.0, 1.0)
    if low / 2 == high / 2:  # also where only the smallest of numbers lies between
        pad = abs(low) / 10 or 1.0
        low, high = low - pad, high + pad
    return _Scale(float(low), float(high), start, end)


def _grid(x: _Scale, y: _Scale) -> Iterator[str]:
    for tick in ticks(y.low, y.high):
        at = y.at(tick)
        yield f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}" stroke="#d1d9e0"/>'
        yield f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{short(float(tick))}</text>'
    for tick in ticks(x.low, x.high):
        at = x.at(tick)
        yield f'<path d="M{at:.1f} {_HEIGHT - _BOTTOM}v5" stroke="#59636e"/>'
        below = f'x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 19}" text-anchor="middle"'
        yield f"<text {below}>{short(float(tick))}</text>"
    yield f'<text x="{(_WIDTH + _LEFT) // 2}" y="{_HEIGHT - 10}" text-anchor="middle">step</text>'


def ticks(low: float, high: float) -> list[float]:
    """About six round numbers of an interval."""
    raw = (high - low) / 6
    if not math.isfinite(raw) or raw <= 0 or raw < abs(high) * 1e-12:
        return [low, high]
    power = 10.0 ** math.floor(math.log10(raw))
    if power == 0:
        return [low, high]
    step = power * next(nice for nice in (1, 2, 5, 10) if nice >= raw / power - 1e-9)
    first = math.ceil(low / step)
    return [number * step for number in range(first, first + 20) if number * step <= high + step * 1e-9]


def _curve(line: Series, x: _Scale, y: _Scale, colour: str) -> str:
    path, pen = [], "M"
    for step, value in line:
        if math.isfinite(value):
            path.append(f"{pen}{x.at(step):.1f} {y.at(value):.1f}")
            pen = "L"
        else:
            pen = "M"
    # round caps: a point alone is seen
    drawn = "".join(path) + ("h0" if path else "M0 0")
    style = 'fill="none" stroke-width="1.8" stroke-linejoin="round" stroke-linecap="round"'
    return f'<path d="{drawn}" stroke="{colour}" {style}/>'


def _legend(names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        at = _HEIGHT + _ROW * number
        yield f'<path d="M{_LEFT} {at}h24" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="3"/>'
        yield f'<text x="{_LEFT + 32}" y="{at + 4}">{inert(name)}</text>'


def inert(text: str) -> str:
    """XML has no word for control characters, escaped or not."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text))
