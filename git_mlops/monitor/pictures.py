"""Small drawings for reports: reference against current, calibration. Pure; no text in them is markup."""

import math
from collections.abc import Iterator, Sequence

from git_mlops.experiments.history import sparkline
from git_mlops.experiments.svg import COLOURS, inert
from git_mlops.monitor.figures import Drawn
from git_mlops.reports.document import Picture

_WIDTH, _HEIGHT, _PAD = 360, 150, 8
_OLD, _NEW = "#9aa4af", COLOURS[0]


def distribution(name: str, drawn: Drawn, *, said: str) -> Picture:
    """Grey: the reference. Blue: what is now."""
    high = max((*drawn.reference, *drawn.current, 1e-9))
    cells = len(drawn.reference)
    step = (_WIDTH - 2 * _PAD) / max(cells, 1)
    numeric = len(drawn.labels) == cells + 1
    parts = [*_start(name)]
    for number, (old, new) in enumerate(zip(drawn.reference, drawn.current, strict=True)):
        at = _PAD + number * step
        width = max(step - (1 if numeric else 4), 1)
        parts.append(_bar(at, width, old / high, _OLD, 1.0))
        parts.append(_bar(at + width * 0.25, width * 0.5, new / high, _NEW, 0.85))
        if not numeric:
            label = inert(drawn.labels[number][:10])
            middle = f'x="{at + width / 2:.1f}" y="{_HEIGHT + 14}" text-anchor="middle" font-size="9"'
            parts.append(f"<text {middle}>{label}</text>")
    if numeric:
        base = f'y="{_HEIGHT + 14}" font-size="10"'
        parts.append(f'<text x="{_PAD}" {base}>{inert(drawn.labels[0])}</text>')
        parts.append(f'<text x="{_WIDTH - _PAD}" {base} text-anchor="end">{inert(drawn.labels[-1])}</text>')
    parts.append("</svg>")
    bars = f"{_spark(drawn.reference)} → {_spark(drawn.current)}"
    return Picture(said or name, "\n".join(parts).encode(), bars)


def _spark(shares: Sequence[float]) -> str:
    return sparkline(tuple(enumerate((0.0, *shares))))[1:]


def _start(title: str) -> Iterator[str]:
    size = f'width="{_WIDTH}" height="{_HEIGHT + 24}"'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT + 24}" {size}'
        ' font-family="sans-serif" font-size="11">'
    )
    yield f"<title>{inert(title)}</title>"
    yield '<rect width="100%" height="100%" fill="#ffffff"/>'
    yield f'<path d="M{_PAD} {_HEIGHT}H{_WIDTH - _PAD}" stroke="#59636e"/>'


def _bar(at: float, width: float, share: float, colour: str, opacity: float) -> str:
    height = max(share, 0.0) * (_HEIGHT - 2 * _PAD)
    place = f'x="{at:.1f}" y="{_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="{colour}" fill-opacity="{opacity}"/>'


def calibration(bins: Sequence[tuple[float, float, int]]) -> Picture:
    """What was said against what came true; on the grey line both are the same."""
    size = 150

    def place(told: float, came: float) -> str:
        return f"{_PAD + told * (size - 2 * _PAD):.1f} {size - _PAD - came * (size - 2 * _PAD):.1f}"

    scaled = f'width="{2 * size}" height="{2 * size}"'
    line = "L".join(place(told, came) for told, came, _rows in bins)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" {scaled}>',
        "<title>calibration</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<path d="M{place(0, 0)}L{place(1, 1)}" stroke="{_OLD}"/>',
        f'<path d="M{line}" stroke="{_NEW}" fill="none"/>' if len(bins) > 1 else "",
    ]
    for told, came, rows in bins:
        x, y = place(told, came).split(" ")
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{1.5 + min(math.log10(rows + 1), 4) / 2:.1f}" fill="{_NEW}"/>'
        )
    parts.append("</svg>")
    text = ", ".join(f"{told:.2f} said {came:.2f} came ({rows})" for told, came, rows in bins)
    return Picture("calibration: said against came true", "\n".join(parts).encode(), text)
