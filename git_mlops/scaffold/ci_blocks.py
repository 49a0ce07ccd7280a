"""Places in a generated file that are the user's: what stands between the markers survives regeneration.

# >>> yours: jobs
... anything ...
# <<< yours
"""

import re
from typing import NamedTuple

_BLOCK = re.compile(
    r"^(?P<start>[ \t]*(?:#|//) >>> yours: (?P<name>[^\n]+)\n)(?P<text>.*?)"
    r"(?P<end>^[ \t]*(?:#|//) <<< yours\n)",
    re.DOTALL | re.MULTILINE,
)


class Filled(NamedTuple):
    """A file with the user's blocks in their places."""

    text: str
    lost: tuple[str, ...]
    """Names of blocks with content that the file has no place for any more."""


def emptied(text: str) -> str:
    """The file without what is the user's."""
    return _BLOCK.sub(lambda found: found["start"] + found["end"], text)


def blocks(text: str) -> dict[str, str]:
    """The user's content by the name of its place; empty ones are left out."""
    return {found["name"]: found["text"] for found in _BLOCK.finditer(text) if found["text"]}


def filled(text: str, present: str) -> Filled:
    """`text`, with the blocks of the file that is there."""
    own = blocks(present)
    places = {found["name"] for found in _BLOCK.finditer(text)}
    whole = _BLOCK.sub(lambda found: found["start"] + own.get(found["name"], "") + found["end"], text)
    return Filled(whole, tuple(name for name in own if name not in places))
