"""Reading what a forge answers, which may be anything: what is not as expected is nothing."""

from collections.abc import Mapping


def at(data: object, *keys: str) -> object:
    """What stands at these keys of decoded JSON; None where anything is missing or not what it should be."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def text(data: object, *keys: str) -> str:
    """The text there, or nothing."""
    value = at(data, *keys)
    return value if isinstance(value, str) else ""


def number(data: object, *keys: str) -> int:
    """The whole number there, or 0."""
    value = at(data, *keys)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def items(data: object) -> list[Mapping[str, object]]:
    """The objects of a list; nothing where there is none."""
    return [item for item in data if isinstance(item, Mapping)] if isinstance(data, list) else []


def same(one: str, other: str) -> bool:
    """Whether two texts are one to a forge: it normalises line ends and the blanks around a text."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def plain(words: str, most: int) -> str:
    """A forge's text as one short line of ours: no control characters, no end of the quotes."""
    line = " ".join("".join(c if c.isprintable() else " " for c in words).replace("`", "'").split())
    return line if len(line) <= most else line[:most] + "…"
