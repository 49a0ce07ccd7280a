"""A badge: the score as a small drawing, without a service. Pure."""

from git_mlops.audit.show import PARTS, number

_LABEL = "ML Test Score"
_COLOURS = ((1.0, "#b60205"), (2.0, "#b35900"), (3.0, "#8a6d00"), (5.0, "#2c7a2c"), (float(PARTS), "#0b6b3a"))
"""Up to which score; white text on each of them can be read."""


def svg(score: float) -> bytes:
    """The drawing: nothing in it can run or load."""
    text = f"{number(score)} / {PARTS}"
    colour = next(colour for most, colour in _COLOURS if score <= most)
    left, right = _width(_LABEL), _width(text)
    whole = left + right
    said = f"{_LABEL}: {text}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">{_LABEL}</text>'
        f'<text x="{left + right / 2:g}" y="14">{text}</text>'
        "</g></svg>\n"
    ).encode()


def _width(text: str) -> int:
    """About as wide as Verdana draws it, with a margin."""
    return 12 + 7 * len(text)
