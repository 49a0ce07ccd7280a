"""An experiment's commit message: one line for people, the user's text, trailers for programs. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, cast, get_args

Status = Literal["finished", "failed", "interrupted", "running"]
"""`running` is never written into history: it is what a journal of a live process says."""

STATUSES: tuple[Status, ...] = get_args(Status)
VERSION = 1

_TRAILER = re.compile(r"(Mlops-[A-Za-z-]+): (.*)")
_SHOWN_METRICS = 4


class Message(NamedTuple):
    """What the message of an experiment says; of a commit that is not ours only title and text."""

    title: str
    text: str = ""
    """The user's own message."""
    key: str | None = None
    """The content key, trailer `Mlops-Run`."""
    status: Status = "finished"
    version: int | None = None
    """None: not written by git-mlops."""
    older: bool = False
    """Metrics files of the tree were not written by the run (`Mlops-Metrics: older`); record.json names
    them. Said here, so that a listing reads record.json only where it must."""
    unadded: bool = False
    """It used data that was changed and not added (`Mlops-Data: changed`); record.json names it."""


def title(name: str, metrics: Mapping[str, object]) -> str:
    """`exp: quiet-otter  acc=0.931 loss=0.21`: the first metrics, as short as they can be read."""
    shown = [f"{label}={short(value)}" for label, value in metrics.items() if isinstance(value, int | float)]
    return "  ".join([f"exp: {name}", *([" ".join(shown[:_SHOWN_METRICS])] if shown else [])])


def short(value: object) -> str:
    """A number in few digits."""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def shorts(values: Iterable[float]) -> list[str]:
    """The same of a hundred thousand numbers that are known to be floats."""
    return [f"{value:.5g}" for value in values]


def clean(text: str) -> str:
    """The user's text as git can store it and `parse` gives it back."""
    lines = [line.rstrip() for line in text.replace("\0", "").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def format_message(message: Message) -> str:
    """The whole message, newline at its end."""
    trailers = [
        *([f"Mlops-Run: {message.key}"] if message.key else []),
        f"Mlops-Status: {message.status}",
        f"Mlops-Version: {message.version or VERSION}",
        *(["Mlops-Metrics: older"] if message.older else []),
        *(["Mlops-Data: changed"] if message.unadded else []),
    ]
    text = clean(message.text)
    return "\n\n".join([clean(message.title), *([text] if text else []), "\n".join(trailers)]) + "\n"


def whole(content: str) -> bool:
    """Whether a message plainly says `finished`, and that all metrics are the run's own; quick, for many.

    False says nothing: `parse_message` knows.
    """
    return _WHOLE.search(content, max(len(content) - _TAIL, 0)) is not None


_TAIL = 150
_WHOLE = re.compile(r"\n\n(?:Mlops-Run: [0-9a-f]+\n)?Mlops-Status: finished\nMlops-Version: [0-9]{1,9}\n?\Z")


_PLAIN = re.compile(
    r"([^\n]+)\n\n(?:((?s:.+))\n\n)?(?:Mlops-Run: ([0-9a-f]+)\n)?"
    r"Mlops-Status: (finished|failed|interrupted)\nMlops-Version: ([0-9]{1,9})\n"
)


def parse_message(content: str) -> Message:
    """Any commit's message: trailers count only as the last paragraph, and only whole."""
    plain = _PLAIN.fullmatch(content)
    if plain:  # as nearly every one is, and there may be a hundred thousand
        first, text, key, said, number = plain.groups("")
        return Message(first, text.strip(), key or None, cast("Status", said), int(number))
    first, _, rest = content.strip("\n").partition("\n")
    head, _, last = rest.strip("\n").rpartition("\n\n")
    pairs = [_TRAILER.fullmatch(line) for line in last.splitlines()]
    if not pairs or not all(pairs):
        return Message(first, rest.strip())
    found = {pair[1]: pair[2].strip() for pair in pairs if pair}
    status: Status = next((s for s in STATUSES if s == found.get("Mlops-Status")), "finished")
    version = found.get("Mlops-Version", "")
    return Message(
        first,
        head.strip(),
        found.get("Mlops-Run") or None,
        status,
        int(version) if re.fullmatch("[0-9]{1,9}", version) else None,
        found.get("Mlops-Metrics") == "older",
        found.get("Mlops-Data") == "changed",
    )
