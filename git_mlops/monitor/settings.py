"""The `monitor:` section of mlops.yaml."""

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from git_mlops.decode import DecodeError
from git_mlops.errors import MlopsError


class Own(NamedTuple):
    """What is different for some columns."""

    effect: float | None = None
    """The smallest difference that matters, in place of `monitor.effect`."""
    skip: bool = False
    """Whether they are left out: keys, times, what is meant to move."""
    tolerance: float | None = None
    """How far a replayed feature may be off, in place of `monitor.skew.tolerance`."""


class Ages(NamedTuple):
    """How old things may be: `30d`, `2w`, `12h`, `6mo`, `1y`."""

    model: str | None = None
    """Since the registration."""
    data: str | None = None
    """Since the commit that has the data the model was trained on."""
    log: str | None = None
    """Since the last request that was answered."""


class Email(NamedTuple):
    """Mail through SMTP. Secrets stand in environment variables, whose names are here."""

    host: str
    to: tuple[str, ...]
    sender: str
    port: int = 587
    tls: bool = True
    """STARTTLS; port 465 speaks TLS from the first byte."""
    user_variable: str | None = None
    password_variable: str | None = None


class Issue(NamedTuple):
    """One issue per alert on the repository's forge, kept up to date."""

    label: str = "git-mlops"
    """By which they are found; an Azure work item's tag."""
    kind: str | None = None
    """The type of an Azure work item: `Bug`; else `Issue`, or `Task` where that is unknown."""


class Alerts(NamedTuple):
    """Whom to tell, with `--alert`."""

    webhook_variable: str | None = None
    """The environment variable that holds the URL of a webhook: who knows the URL can write there."""
    email: Email | None = None
    issue: Issue | None = None
    again: str = "1d"
    """How long the same finding is not sent a second time."""
    quiet: str | None = None
    """Hours in which nothing is sent, in UTC: `22:00-06:00`."""


class Skew(NamedTuple):
    """How logged requests are replayed through the training features."""

    command: tuple[str, ...] = ()
    """The program, one word each or one line; no shell reads it. It makes the table `{features}` of the table
    `{requests}`, and passes on the key."""
    requests: str | None = None
    """Where the requests are: a table or a directory of tables in the repository; `--requests` otherwise."""
    key: tuple[str, ...] = ("request",)
    """Columns that tell rows apart, in the requests, the log and the features."""
    form: Literal["parquet", "csv"] = "parquet"
    """Of both tables."""
    rows: int = 10_000
    """So many are replayed at the most, evenly spread."""
    tolerance: float = 1e-6
    """How far a number may be off: a share of it, or of one where it is smaller."""
    allowed: float = 0.0
    """The share of the rows that may differ."""
    timeout: int = 600
    """Seconds for the program."""


class Settings(NamedTuple):
    """How data is watched."""

    false_alarms: float = 0.01
    """The share of runs that may find drift where there is none, of a whole table."""
    effect: float = 0.05
    """The smallest difference that matters: a share of the rows, or of a standard deviation."""
    must_find: float = 0.5
    """The difference, in standard deviations, that too few rows must not hide."""
    columns: dict[str, Own] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    """Column, or pattern of columns → what is different for it."""
    slices: tuple[str, ...] = ()
    """Columns of categories whose parts are judged by themselves, too."""
    quality: float = 0.02
    """How much worse than recorded a metric may be, beyond what chance explains."""
    ages: Ages = Ages()
    latency: float | None = None
    """The slowest 95th percentile of answers, in milliseconds."""
    slower: float = 0.5
    """How much slower than its baseline the 95th percentile may become: a half of it."""
    quieter: float = 0.5
    """By how much fewer requests may come than in the first runs."""
    calibration: float = 0.05
    """How far probabilities may be off what comes true, on average."""
    saturated: float = 0.2
    """The share of answers that may be at their least or largest value."""
    alerts: Alerts = Alerts()
    skew: Skew = Skew()
    environment: str | None = None
    """The packages that serve: a file as `pip freeze` prints it, or `here` for those of the monitor."""
    vulnerabilities: str | None = None
    """A database of known vulnerabilities in the OSV format: a file or directory, or a URL of one."""
    accepted: tuple[str, ...] = ()
    """Vulnerabilities that are lived with, by any of their names."""


def own(settings: Settings, column: str) -> Own:
    """What holds for a column: its name, else the first pattern."""
    if column in settings.columns:
        return settings.columns[column]
    return next((v for pattern, v in settings.columns.items() if fnmatchcase(column, pattern)), Own())


def checked(settings: Settings) -> None:
    """Whether it makes sense.

    Raises:
        DecodeError: it does not.
    """
    for key, problem, hint in _problems(settings):
        raise DecodeError(f"monitor.{key}", problem, hint=hint)


def _problems(settings: Settings) -> Iterator[tuple[str, str, str | None]]:
    yield from _amounts(settings)
    yield from _skewed(settings.skew)
    if not 0.0005 <= settings.false_alarms <= 0.5:
        yield "false_alarms", "expected a share between 0.0005 and 0.5", "0.01 is one run of a hundred"
    if not 0 <= settings.effect < 1:
        yield "effect", "expected a share between 0 and 1", None
    times = {f"ages.{name}": text for name, text in settings.ages._asdict().items()}
    for key, text in {**times, "alerts.again": settings.alerts.again}.items():
        if text is not None and _TIME.fullmatch(text.strip()) is None:
            yield key, f"`{text}` is no length of time", "for example `30d`, `2w`, `12h`"
    if settings.alerts.issue is not None:
        yield from _unnamed(settings.alerts.issue)
    if settings.alerts.quiet is not None and hours(settings.alerts.quiet) is None:
        yield "alerts.quiet", f"`{settings.alerts.quiet}` is no span of hours", "for example `22:00-06:00`"


def _amounts(settings: Settings) -> Iterator[tuple[str, str, str | None]]:
    if settings.must_find <= 0:
        yield "must_find", "expected a number above 0", None
    keys = ("slower", "quieter", "calibration", "saturated", "quality")
    plain = {key: getattr(settings, key) for key in keys}
    for name, column in settings.columns.items():
        plain |= {f"columns.{name}.{key}": getattr(column, key) for key in ("effect", "tolerance")}
    for key, value in plain.items():
        if value is not None and value < 0:
            yield key, "expected no negative number", None


def _skewed(skew: Skew) -> Iterator[tuple[str, str, str | None]]:
    words = " ".join(skew.command)
    for place in ("{requests}", "{features}"):
        if skew.command and place not in words:
            said = f"`{place}` stands nowhere in it"
            yield (
                "skew.command",
                said,
                "for example `python src/features.py --in {requests} --out {features}`",
            )
    if len(skew.command) == 1 and _split(skew.command[0]) is None:
        yield "skew.command", "its quotes do not match", None
    if not skew.key:
        yield "skew.key", "expected a column", None
    for key, value in (("rows", skew.rows - 1), ("timeout", skew.timeout - 1), ("tolerance", skew.tolerance)):
        if value < 0:
            yield f"skew.{key}", "it is too small", None
    if not 0 <= skew.allowed < 1:
        yield "skew.allowed", "expected a share between 0 and 1", None


def _split(line: str) -> list[str] | None:
    try:
        return shlex.split(line)
    except ValueError:
        return None


def _unnamed(issue: Issue) -> Iterator[tuple[str, str, str | None]]:
    """What stands in a query of a forge, or in a path."""
    for key, text in issue._asdict().items():
        if text is not None and _WORDS.fullmatch(text) is None:
            yield f"alerts.issue.{key}", f"`{text}` is no name", "letters, digits, blanks and `. _ : / -`"


_TIME = re.compile(r"(\d{1,5}) ?(h|d|w|mo|y)")
_WORDS = re.compile(r"\w[\w .:/-]{0,48}\w|\w")
_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 365 * 86400}
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d) ?[-–] ?([01]?\d|2[0-3]):([0-5]\d)")  # noqa: RUF001  # people write it


def seconds(text: str) -> int:
    """Of `30d`, `2w`, `12h`, `6mo`, `1y`.

    Raises:
        MlopsError: it is none.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise MlopsError(f"`{text}` is no length of time", hint="for example `30d`, `2w`, `12h`")
    return int(match[1]) * _UNITS[match[2]]


def hours(text: str) -> tuple[int, int] | None:
    """Minutes of the day from and to, of `22:00-06:00`."""
    match = _HOURS.fullmatch(text.strip())
    return (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else None
