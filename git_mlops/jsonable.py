"""Values as JSON can say them."""

import json
import math
from collections.abc import Mapping

_STRICT = json.JSONEncoder(ensure_ascii=False, default=str, allow_nan=False)


def finite(value: object) -> object:
    """NaN and infinities, for which JSON has no word, as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


def indented(value: object) -> str:
    """JSON for programs and people."""
    return json.dumps(finite(value), indent=2, ensure_ascii=False, default=str, allow_nan=False)


def line(value: object) -> str:
    """JSON in one line; quick where every number is finite, as nearly always."""
    try:
        return _STRICT.encode(value)
    except ValueError:
        return _STRICT.encode(finite(value))
