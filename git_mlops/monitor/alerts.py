"""Telling people: a webhook and mail, each finding once within a while, never in quiet hours.

Secrets stand in environment variables that mlops.yaml names; whoever calls reads them.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from email.message import EmailMessage
from typing import NamedTuple
from urllib.parse import urlsplit

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.monitor.document import title
from git_mlops.monitor.history import Recorded
from git_mlops.monitor.observed import Observation, without_values
from git_mlops.monitor.settings import Alerts, Email, hours, seconds

_MOST = 20
"""Findings in one message."""
_TIMEOUT = 20.0

Secrets = Callable[[str], str | None]
"""The value of an environment variable."""


class Message(NamedTuple):
    """What would be sent, and where to."""

    way: str
    """`webhook` or `email`."""
    to: str
    """For people: a host, addresses; never a secret."""
    text: str
    send: Callable[[], None]


class Decided(NamedTuple):
    """What is to be told now."""

    fresh: tuple[Finding, ...]
    waiting: str | None
    """Why nothing is sent though there is something."""
    sent: dict[str, str]
    """Alert → when it was sent, from the history; what is too old is forgotten."""


def key(found: Finding) -> str:
    """By which a finding is the same one tomorrow: its figures may differ."""
    said = [found.data.get(name) for name in ("column", "columns", "slice", "metric", "what", "answers")]
    parts = [json.dumps(value, sort_keys=True, default=str) for value in said if value is not None]
    return " ".join(filter(None, [found.rule, found.path or "", *parts]))


def decide(found: Iterable[Finding], past: Sequence[Recorded], settings: Alerts, now: dt.datetime) -> Decided:
    """The errors that were not sent within the window."""
    least = now - dt.timedelta(seconds=seconds(settings.again))
    sent: dict[str, str] = {}
    for run in past:
        alerts = run.record.get("alerts")
        for name, when in alerts.items() if isinstance(alerts, Mapping) else ():
            if isinstance(when, str) and (time := _time(when)) is not None and time > least:
                sent[str(name)] = when
    wanted = [one for one in found if one.level in ("error", "unknown")]
    fresh = tuple(one for one in wanted if key(one) not in sent)
    waiting = None
    if fresh and quiet(settings.quiet, now):
        waiting = f"quiet hours ({settings.quiet} UTC)"
    elif wanted and not fresh:
        waiting = f"all of it was sent within {settings.again}"
    return Decided(fresh, waiting, sent)


def _time(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def quiet(text: str | None, now: dt.datetime) -> bool:
    """Whether nothing is sent now; the span may pass midnight."""
    span = hours(text) if text else None
    if span is None:
        return False
    minute = now.astimezone(dt.UTC).hour * 60 + now.astimezone(dt.UTC).minute
    start, end = span
    return start <= minute < end if start <= end else minute >= start or minute < end


def messages(one: Observation, fresh: Sequence[Finding], settings: Alerts, secret: Secrets) -> list[Message]:
    """One for each way that is configured; issues are kept otherwise (`issues.py`).

    Raises:
        MlopsError: nothing is, or an environment variable that is named is not set.
    """
    text = _text(one, fresh)
    made = []
    if settings.webhook_variable:
        url = _secret(settings.webhook_variable, secret)
        made.append(_webhook(url, settings.webhook_variable, text))
    if settings.email:
        made.append(_email(settings.email, title(one), text, secret))
    if not made and settings.issue is None:
        hint = "`monitor.alerts` in mlops.yaml: `webhook_variable`, `email` or `issue`"
        raise MlopsError("there is nobody to alert", hint=hint)
    return made


def _secret(name: str, secret: Secrets) -> str:
    value = secret(name)
    if not value:
        raise MlopsError(
            f"the environment variable `{name}` is not set", hint="mlops.yaml names it in `monitor.alerts`"
        )
    return value


def _text(one: Observation, fresh: Sequence[Finding]) -> str:
    """Plain text: no value of a private column, nothing that Slack takes for a mention."""
    lines = [f"{title(one)}: {len(fresh)} finding{'s' if len(fresh) != 1 else ''}"]
    told = [without_values(found, one.private) for found in fresh[:_MOST]]
    lines += [f"• {found.level} ({found.rule}): {found.message}" for found in told]
    if len(fresh) > _MOST:
        lines.append(f"… and {len(fresh) - _MOST} more")
    plain = ("".join(c if c.isprintable() else " " for c in line) for line in lines)
    return "\n".join(line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in plain)


def _webhook(url: str, variable: str, text: str) -> Message:
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise MlopsError(f"the webhook in `{variable}` is no https address")

    def send() -> None:
        import http.client

        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        body = json.dumps({"text": text}).encode()
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise _failed("webhook", parts.hostname or "", str(error)) from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise _failed("webhook", parts.hostname or "", f"it answers {status}")

    return Message("webhook", parts.hostname or "", text, send)


def _email(settings: Email, subject: str, text: str, secret: Secrets) -> Message:
    message = EmailMessage()
    message["Subject"] = "".join(c if c.isprintable() else " " for c in subject)[:200]
    try:
        message["From"], message["To"] = settings.sender, ", ".join(settings.to)
    except ValueError as error:
        raise MlopsError(f"`monitor.alerts.email` has an address that is none: {error}") from error
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    message.set_content(plain)
    user = _secret(settings.user_variable, secret) if settings.user_variable else None
    password = _secret(settings.password_variable, secret) if settings.password_variable else None

    def send() -> None:
        import smtplib
        import ssl

        context = ssl.create_default_context()
        try:
            if settings.port == 465:
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.host, settings.port, timeout=_TIMEOUT, context=context
                )
            else:
                server = smtplib.SMTP(settings.host, settings.port, timeout=_TIMEOUT)
            with server:
                if settings.tls and settings.port != 465:
                    server.starttls(context=context)
                if user and password:
                    server.login(user, password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise _failed("mail", settings.host, str(error)) from error

    return Message("email", ", ".join(settings.to), plain, send)


def _failed(way: str, host: str, why: str) -> MlopsError:
    plain = "".join(c if c.isprintable() else " " for c in why)[:200]
    return MlopsError(f"the {way} to {host} could not be sent: {plain}", exit_code=CANNOT_EVALUATE)


def stamped(decided: Decided, now: str) -> dict[str, str]:
    """What the history keeps once they were sent."""
    return {**decided.sent, **{key(one): now for one in decided.fresh}}
