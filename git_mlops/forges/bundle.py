"""A report as a file: a job that may not write leaves it, a job that may takes it as anybody's text.

Format (JSON, `version: 1`): `{"git-mlops": "report", "version": 1, "head": …, "state": …, "verdict": …,
"markdown": …, "report": …}`. The pull request's number is not in it, nor the marker: the job that posts
knows both, the first from the forge by the head commit.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.forges.markup import inert, phrase
from git_mlops.forges.values import State
from git_mlops.git.objects import replace_file

MOST_BYTES = 2 * 2**20
_DEPTH = 40
_NOTE = "> Made by a job of the pull request itself: what it says is not verified.\n\n"


class Bundle(NamedTuple):
    """What a bundle says. Everything in it is somebody else's word."""

    head: str
    state: State
    """For words only: whoever posts takes the commit's status from the run that made the bundle."""
    verdict: str
    body: str
    """Markdown that can do nothing, below a line that says whose it is."""
    report: object
    """Structured data, of limited depth, otherwise unchecked; None where there is none."""


def write(
    path: Path, body: str, *, head: str, state: State = "pending", verdict: str = "", report: object = None
) -> None:
    """Leave the report at `path`.

    Raises:
        MlopsError: the file cannot be written.
    """
    data = {
        "git-mlops": "report",
        "version": 1,
        "head": head,
        "state": state,
        "verdict": verdict,
        "markdown": body,
        "report": report,
    }
    content = json.dumps(data, ensure_ascii=False, indent=1, default=str).encode("utf-8", "replace") + b"\n"
    if len(content) > MOST_BYTES and report is not None:
        return write(path, body, head=head, state=state, verdict=verdict)
    try:
        replace_file(path, content)
    except OSError as error:
        raise MlopsError(f"`{path}` cannot be written: {error.strerror}") from None
    return None


def read(path: Path, *, head: str | None = None) -> Bundle:
    """The report at `path`, made harmless; `head` is the commit that the forge says it was made for.

    Raises:
        MlopsError: it is no regular file, too large, not of this format, or of another commit.
    """
    data = _decoded(path)
    if not isinstance(data, Mapping) or data.get("git-mlops") != "report":
        raise _bad(path, "it is not a report of git-mlops")
    if data.get("version") != 1:
        raise _bad(path, "it is of another version of git-mlops")
    commit, state, verdict, markdown = (
        _text(path, data, key) for key in ("head", "state", "verdict", "markdown")
    )
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        raise _bad(path, "`head` is no commit id")
    # Bitbucket tells the first twelve digits
    if head is not None and not (len(head) >= 12 and commit.startswith(head)):
        raise _bad(path, f"it is of `{commit[:12]}`, the run was of `{head[:12]}`")
    found = next((known for known in get_args(State) if known == state), None)
    if found is None:
        raise _bad(path, "`state` is none that we know")
    report = data.get("report")
    if _deeper(report, _DEPTH):
        raise _bad(path, f"`report` is nested more than {_DEPTH} levels")
    return Bundle(commit, found, phrase(verdict), _NOTE + inert(markdown), report)


def _decoded(path: Path) -> object:
    content = _content(path)
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _bad(path, "it is not JSON") from None


def _content(path: Path) -> bytes:
    """A link or a pipe leads elsewhere: only a plain file is read, and no more of it than is allowed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _bad(path, f"it cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _bad(path, "it is not a plain file")
    with os.fdopen(handle, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _bad(path, f"it is larger than {MOST_BYTES // 2**20} MiB")
    return content


def _no_number(name: str) -> object:
    raise ValueError(name)


def _text(path: Path, data: Mapping[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise _bad(path, f"`{key}` is not text")
    return value


def _deeper(value: object, levels: int) -> bool:
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return levels == 0 if not inner else levels == 0 or any(_deeper(item, levels - 1) for item in inner)


def _bad(path: Path, why: str) -> MlopsError:
    return MlopsError(
        f"`{path}` is refused: {why}",
        hint="it comes from a job of the pull request, `git mlops report --bundle FILE`",
        exit_code=CANNOT_EVALUATE,
    )
