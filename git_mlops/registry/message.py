"""The message of a registry's tag: a title and words for people, trailers, and the facts as JSON. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_mlops import jsonable

MARK = "--- mlops v1 ---"
VERSION = 1

Trailers = Sequence[tuple[str, str]]


class Message(NamedTuple):
    """What a tag says besides its name; of a tag that is not ours only title and text."""

    title: str
    text: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, object] = {}  # the default of a frozen tuple, never changed
    """Version 1; empty where there are none. Keys of later versions are kept."""


def render(message: Message) -> str:
    """The whole message, newline at its end."""
    said = jsonable.finite({"version": VERSION, **message.facts})
    facts = json.dumps(said, indent=1, ensure_ascii=False, default=str)
    trailers = "\n".join(f"{name}: {_line(value)}" for name, value in message.trailers)
    # a line of the user's that looks like our mark, or like a signature, must not end the message early
    text = "\n".join(f" {line}" if _ENDS.match(line) else line for line in _clean(message.text).split("\n"))
    parts = [_line(message.title), text, trailers, f"{MARK}\n{facts}"]
    return "\n\n".join(part for part in parts if part) + "\n"


_SIGNATURE = re.compile(
    r"^-----BEGIN (?:SSH SIGNATURE|PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE)-----", re.MULTILINE
)
_ENDS = re.compile(rf"{re.escape(MARK)}|-----BEGIN ")
_TRAILER = re.compile(r"(Mlops-[A-Za-z-]+): (.*)")


def parse(content: str) -> Message:
    """The inverse, of any tag: signature and all."""
    signature = _SIGNATURE.search(content)
    content = content[: signature.start()] if signature else content
    head, mark, tail = f"\n{content}".partition(f"\n{MARK}\n")
    title, _, rest = head.strip("\n").partition("\n")
    facts = _facts(tail) if mark else {}
    text, _, last = rest.strip("\n").rpartition("\n\n")
    pairs = [_TRAILER.fullmatch(line) for line in last.split("\n")]
    if not all(pairs):
        return Message(title, rest.strip(), (), facts)
    return Message(title, text.strip(), tuple((p[1], p[2].strip()) for p in pairs if p), facts)


def signed(content: str) -> bool:
    """Whether a tag's content ends with a signature, good or not."""
    return _SIGNATURE.search(content) is not None


def _facts(text: str) -> Mapping[str, object]:
    """Nothing where it is not ours, or was cut."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _line(text: str) -> str:
    return " ".join(text.split())


def _clean(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\0", "").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
