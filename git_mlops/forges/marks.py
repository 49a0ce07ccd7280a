"""What we write around a report to find it again: whose it is, and what was said of earlier commits.

Where a forge keeps HTML comments the first two lines are two of them; where it shows HTML as text
(Bitbucket) the last line says it in words, and the earlier pushes stand in a list above that.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from git_mlops.forges.markup import cut, phrase, size

_STATE = re.compile(r"<!-- git-mlops:state:([A-Za-z0-9+/=]+) -->")
_LINE = re.compile(r"[-*] `(?P<head>[^`]+)`: ?(?P<verdict>.*)")
_LAST = re.compile(r"\*git-mlops\* `(?P<label>[A-Za-z0-9._-]+)` at `(?P<head>[^`]+)`: ?(?P<verdict>.*)")


class Form(NamedTuple):
    """What is marked."""

    word: str
    """In the hidden mark."""
    title: str
    """Of what was said before."""
    name: re.Pattern[str]
    """What each saying goes by."""


REPORT = Form("report", "Earlier pushes", re.compile("[0-9a-f]{7,64}"))
"""The comment of a pull request: one saying for each head commit."""
ISSUE = Form("issue", "Earlier runs", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"))
"""The issue of an alert: one for each time at which it was another."""


class Push(NamedTuple):
    """What was said of one head commit, or at one time."""

    head: str
    """Empty where it was not known."""
    verdict: str
    """A line as `markup.phrase` leaves it."""


def push(head: str | None, verdict: str, form: Form = REPORT) -> Push:
    """Only what can be read again as it was written."""
    return Push(head if head and form.name.fullmatch(head) else "", phrase(verdict))


def slug(marker: str) -> str:
    """The marker as a word that fits into every mark (never `--`); what had to change adds a digest."""
    word = re.sub(r"[^A-Za-z0-9._]+", "-", marker).strip("-")[:60].rstrip("-")
    if word == marker:
        return word
    return f"{word}-{hashlib.sha256(marker.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}".lstrip("-")


def around(
    label: str, now: Push, others: Sequence[Push], *, hidden: bool, form: Form = REPORT
) -> tuple[str, str]:
    """What stands before the report, and after it."""
    lines = "\n".join(f"- `{other.head}`: {other.verdict}" for other in others)
    if not hidden:
        listed = f"**{form.title}**\n\n{lines}\n\n" if others else ""
        return "", f"\n\n---\n\n{listed}*git-mlops* `{label}` at `{now.head or '-'}`: {now.verdict}\n"
    state = base64.b64encode(json.dumps([now, *others], ensure_ascii=False).encode()).decode("ascii")
    folded = f"\n<details><summary>{form.title} ({len(others)})</summary>\n\n{lines}\n\n</details>\n"
    return f"{_first(label, form)}\n<!-- git-mlops:state:{state} -->\n\n", f"\n{folded if others else ''}"


class Mark(NamedTuple):
    """By which a text is found again."""

    label: str
    hidden: bool
    form: Form = REPORT


def written(  # the parts of one text
    mark: Mark, body: str, now: Push, others: Sequence[Push], limit: int, whole: str
) -> str:
    """The text with its mark, and as much of what was said before as there is room for.

    Args:
        limit: of the forge.
        whole: where the rest of a body is that is too long by itself.
    """
    while True:
        before, after = around(mark.label, now, others, hidden=mark.hidden, form=mark.form)
        room = limit - size(before) - size(after) - 100
        if size(body) <= room or not others:
            return before + cut(body, room, whole) + after
        others = others[:-1]


def is_marked(body: str, label: str, *, hidden: bool, form: Form = REPORT) -> bool:
    """Whether a comment's text bears this mark where we write it; quoted elsewhere it means nothing."""
    lines = body.strip().splitlines() or [""]
    if hidden:
        return lines[0].strip() == _first(label, form)
    last = _LAST.fullmatch(lines[-1].strip())
    return last is not None and last["label"] == label and _is_name(last["head"], form)


def pushes(body: str, *, hidden: bool, form: Form = REPORT) -> list[Push]:
    """What a comment of ours says of commits, its own first. What we cannot have written is left out."""
    lines = [line.strip() for line in body.strip().splitlines()]
    return _valid(_from_state(lines) if hidden else _from_words(lines, form), form)


def _first(label: str, form: Form) -> str:
    return f"<!-- git-mlops:{form.word}:{label} -->"


def _is_name(word: str, form: Form) -> bool:
    return word == "-" or form.name.fullmatch(word) is not None


def _from_state(lines: Sequence[str]) -> list[tuple[object, ...]]:
    found = _STATE.fullmatch(lines[1]) if len(lines) > 1 else None
    try:
        data = json.loads(base64.b64decode(found[1], validate=True)) if found else []
    except (ValueError, RecursionError):
        return []
    return [tuple(pair) for pair in data if isinstance(pair, list)] if isinstance(data, list) else []


def _from_words(lines: Sequence[str], form: Form) -> list[tuple[object, ...]]:
    last = _LAST.fullmatch(lines[-1]) if lines else None
    if last is None or not _is_name(last["head"], form):
        return []
    found: list[tuple[object, ...]] = []
    for line in reversed(lines[:-1]):
        match = _LINE.fullmatch(line)
        if match and form.name.fullmatch(match["head"]):
            found.insert(0, (match["head"], match["verdict"]))
        elif line:
            break
    return [(last["head"], last["verdict"]), *(found if line == f"**{form.title}**" else [])]


def _valid(pairs: Iterable[tuple[object, ...]], form: Form) -> list[Push]:
    found = []
    for pair in pairs:
        head, verdict = pair if len(pair) == 2 else ("", "")
        if isinstance(head, str) and isinstance(verdict, str) and form.name.fullmatch(head):
            found.append(Push(head, phrase(verdict)))
    return found
