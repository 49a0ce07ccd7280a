"""The one HTTP client: TLS, time-outs, retries, no redirect with the token to elsewhere, no token in a text.

Only the standard library, and `urllib.request` only when something is sent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache
from typing import IO, TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.forges.answers import at, items, plain, text
from git_mlops.forges.values import Forge, Purpose, Target

if TYPE_CHECKING:
    from email.message import Message
    from urllib.request import OpenerDirector

ATTEMPTS = 4
_JSON = "application/json; charset=utf-8"
MOST_BYTES = 16 * 2**20
"""Of one answer."""
MOST_PAGES = 200
MOST_WAIT = 120.0
"""Seconds that one request waits in all, however often it is told to come back."""


class Pace(NamedTuple):
    """Time, so that tests need not wait for it."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    timeout: float = 30.0
    """Seconds without a byte; a whole answer may take three times as long."""


class Answer(NamedTuple):
    """A forge's answer that is not a refusal."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: object
    """Decoded JSON; None where the answer is empty."""


class RefusedError(MlopsError):
    """The forge answered, and said no."""

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, exit_code=CANNOT_EVALUATE)
        self.status = status


class UnclearError(MlopsError):
    """Nobody knows whether the forge did what was asked: look before asking again."""


class _Broken(Exception):  # noqa: N818  # not an error yet: it may be tried again
    """No answer, or half of one."""

    def __init__(self, reason: str, *, sent: bool = True, final: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.final = final


class _Request(NamedTuple):
    method: str
    url: str
    content: bytes | None
    kind: str
    purpose: Purpose


class _Raw(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes


class Client:
    """Requests to one forge for one target; a dry one sends nothing and keeps their text in `requests`."""

    def __init__(self, forge: Forge, target: Target, *, pace: Pace | None = None, dry: bool = False) -> None:
        self._forge = forge
        self._target = target
        self._pace = pace or Pace()
        self._dry = dry
        self.requests: list[str] = []
        self.api = target.api

    def get(
        self, path: str, query: Mapping[str, object] | None = None, *, purpose: Purpose = "read"
    ) -> Answer:
        """Read."""
        return self.send("GET", path, purpose=purpose, query=query)

    def send(  # noqa: PLR0913  # what follows the first two is named
        self,
        method: str,
        path: str,
        *,
        purpose: Purpose,
        query: Mapping[str, object] | None = None,
        body: object = None,
        once: bool = False,
        kind: str = _JSON,
    ) -> Answer:
        """One request, tried again while the forge is busy or the line is cut.

        With `once` a request that may have arrived is not repeated. `kind` is the body's media type.

        Raises:
            RefusedError: the forge said no.
            UnclearError: `once`, and no answer arrived.
            MlopsError: the forge cannot be reached, or answers nonsense.
        """
        url = self._url(path, query)
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if self._dry:
            self.requests.append(self._told(method, url, body, kind))
            return Answer(200, {}, {})
        raw = self._persistent(_Request(method, url, content, kind, purpose), once=once)
        if raw.status >= 300:
            raise self._refusal(raw, purpose)
        return Answer(raw.status, raw.headers, self._decoded(raw))

    def _url(self, path: str, query: Mapping[str, object] | None) -> str:
        url = path if "://" in path else self._target.api + quote(path, safe="/%~")
        if not same_origin(url, self._target.api):
            raise MlopsError(
                f"{self._forge.TITLE} points to another host: `{_host(url)}`",
                hint=f"the token is for `{_host(self._target.api)}` only; is `--api` right?",
                exit_code=CANNOT_EVALUATE,
            )
        return f"{url}?{urlencode(query)}" if query else url

    def _headers(self, kind: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Content-Type": kind,
            "User-Agent": "git-mlops",
            **self._forge.headers(self._target),
        }

    def _told(self, method: str, url: str, body: object, kind: str) -> str:
        lines = [f"{method} {url}"]
        plain = self._forge.headers(self._target._replace(token=type(self._target.token)("")))
        for name, value in self._headers(kind).items():
            # a header that depends on the token is never shown, however it is encoded
            lines.append(f"{name}: {value if plain.get(name, value) == value else '***'}")
        text = "\n".join(lines)
        if body is not None:
            text += "\n\n" + json.dumps(body, ensure_ascii=False, indent=2)
        return self._target.token.hide(text)

    def _persistent(self, request: _Request, *, once: bool) -> _Raw:
        waited, attempt = 0.0, 0
        while True:
            attempt += 1
            wait = 2.0 ** (attempt - 1)
            try:
                raw = self._followed(request)
            except _Broken as error:
                if once and error.sent:
                    raise self._unclear(str(error), request.purpose) from None
                if error.final or attempt == ATTEMPTS:
                    raise self._unreachable(str(error)) from None
            else:
                if not _busy(raw):
                    return raw
                if once and raw.status not in (403, 429):
                    raise self._unclear(f"it answered {raw.status}", request.purpose)
                wait = max(wait, _asked_wait(raw))
                if attempt == ATTEMPTS or waited + wait > MOST_WAIT:
                    return raw
            self._pace.sleep(wait)
            waited += wait

    def _followed(self, request: _Request) -> _Raw:
        for _ in range(4):
            raw = self._once(request)
            if raw.status not in (301, 302, 303, 307, 308):
                return raw
            place = urljoin(request.url, raw.headers.get("location", ""))
            if not same_origin(place, request.url) or (request.method != "GET" and raw.status < 307):
                return raw
            request = request._replace(url=place)
        return raw

    def _once(self, asked: _Request) -> _Raw:
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        # the scheme was checked by whoever made the target; `_url` holds every request to it
        headers = self._headers(asked.kind)
        request = Request(asked.url, data=asked.content, headers=headers, method=asked.method)  # noqa: S310  # see above
        pace = self._pace
        try:
            with closing(_opener().open(request, timeout=pace.timeout)) as response:
                return _Raw(response.status, _lower(response.headers), _content(response, pace))
        except HTTPError as error:
            with closing(error):
                return _Raw(error.code, _lower(error.headers), _content(error, pace))
        except URLError as error:
            raise _from_reason(error.reason) from None
        except (OSError, HTTPException) as error:
            raise _Broken(str(error) or type(error).__name__) from None

    def _decoded(self, raw: _Raw) -> object:
        if not raw.content.strip():
            return None
        try:
            return json.loads(raw.content)
        except (ValueError, RecursionError):
            kind = raw.headers.get("content-type", "something unnamed").split(";")[0]
            raise MlopsError(
                f"{self._forge.TITLE} answered with {plain(kind, 60)}, not with JSON",
                hint=f"is `{self.api}` its API, and the token in `{self._target.token_variable}` valid?",
                exit_code=CANNOT_EVALUATE,
            ) from None

    def _refusal(self, raw: _Raw, purpose: Purpose) -> RefusedError:
        title, target = self._forge.TITLE, self._target
        place = target.repository + (f"#{target.number}" if target.number else "")
        said = self._said(raw)
        needs = self._forge.NEEDS[purpose]
        if raw.status == 401:
            message = f"{title} does not accept the token in `{target.token_variable}` (401{said})"
            hint = f"is it expired, or another instance's than `{_host(target.api)}`? {needs}"
        elif raw.status == 403:
            message = f"{title} does not let this token {_DEEDS[purpose]} (403{said})"
            hint = needs
        elif raw.status == 404:
            message = f"{title} knows no `{place}`, or hides it from this token (404{said})"
            number = "" if purpose == "issue" else ", and the number (`--pr`)"
            hint = f"is the repository right (`--repo`){number}? {needs}"
        elif 300 <= raw.status < 400:
            host = _host(raw.headers.get("location", "")) or "another place"
            message = f"{title} sends us to `{plain(host, 100)}` ({raw.status}); a token is not taken there"
            hint = "has the repository moved, or does it want a sign-in? `--repo` and `--api` say where it is"
        else:
            message = f"{title} refused to {_DEEDS[purpose]} ({raw.status}{said})"
            hint = "it is busy: try again later" if _busy(raw) else needs
        return RefusedError(message, status=raw.status, hint=hint)

    def _said(self, raw: _Raw) -> str:
        """The forge's own words, if they are few and plain."""
        try:
            data = json.loads(raw.content)
        except (ValueError, RecursionError):
            return ""
        words = text(data, "message") or text(data, "error", "message") or text(data, "error")
        words = words or next((text(item, "message") for item in items(at(data, "errors"))), "")
        return f": {self._target.token.hide(plain(words, 200))}" if words else ""

    def _unreachable(self, reason: str) -> MlopsError:
        return MlopsError(
            f"{self._forge.TITLE} at `{_host(self._target.api)}` cannot be reached: {plain(reason, 200)}",
            hint="is `--api` right? A proxy is taken from `HTTPS_PROXY`, certificates from `SSL_CERT_FILE`",
            exit_code=CANNOT_EVALUATE,
        )

    def _unclear(self, reason: str, purpose: Purpose) -> UnclearError:
        what = _THINGS.get(purpose, "comment")
        return UnclearError(
            f"{self._forge.TITLE} did not say whether it wrote the {what}: {plain(reason, 200)}",
            hint=f"run the command again: it looks first, and writes no second {what}",
            exit_code=CANNOT_EVALUATE,
        )


_DEEDS: Mapping[Purpose, str] = {
    "read": "read the pull request",
    "comment": "comment on the pull request",
    "status": "set a commit status",
    "annotate": "annotate the commit",
    "open": "open a pull request",
    "issue": "keep issues",
}
_THINGS: Mapping[Purpose, str] = {"open": "pull request", "issue": "issue"}


def named(client: Client, path: str, *keys: str, query: Mapping[str, object] | None = None) -> str | None:
    """What an answer says there of who we are; None where the token may not ask."""
    try:
        return text(client.get(path, query).data, *keys) or None
    except RefusedError:
        return None


def numbered(
    client: Client,
    path: str,
    query: Mapping[str, object],
    size: tuple[str, int],
    *,
    purpose: Purpose = "read",
) -> Iterator[Mapping[str, object]]:
    """Every item of a list that comes in numbered pages (GitHub, GitLab, Gitea); `size`: its name and value.

    A server that ignores the page's number sends the same again: then that was all.
    """
    seen: set[object] = set()
    for page in range(1, MOST_PAGES + 1):
        answer = client.get(path, {**query, size[0]: size[1], "page": page}, purpose=purpose)
        found = items(answer.data)
        new = [item for item in found if at(item, "id") not in seen]
        seen.update(at(item, "id") for item in new)
        yield from new
        link = answer.headers.get("link")
        more = 'rel="next"' in link if link else len(found) >= size[1]
        if not new or not more:
            return
    raise too_many()


def too_many() -> MlopsError:
    """There are so many pages that somebody may hide our comment behind them."""
    return MlopsError(
        f"the forge has more than {MOST_PAGES} pages to search",
        hint="is somebody flooding the pull request? `--pr` names one by number",
        exit_code=CANNOT_EVALUATE,
    )


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs lead to the same server: a token may go there."""
    a, b = urlsplit(one), urlsplit(other)
    ports = {"https": 443, "http": 80}
    return (a.scheme, a.hostname, a.port or ports.get(a.scheme)) == (
        b.scheme,
        b.hostname,
        b.port or ports.get(b.scheme),
    )


@cache
def _opener() -> OpenerDirector:
    """Proxies and certificates as everywhere; no redirect is followed here, the token would go along."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: object, **__: object) -> None:
            """No."""

    return build_opener(Stay)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _busy(raw: _Raw) -> bool:
    """Come back later. GitHub says 403 for its secondary limits, with one of these headers."""
    if raw.status == 403:
        return "retry-after" in raw.headers or raw.headers.get("x-ratelimit-remaining") == "0"
    return raw.status in (429, 500, 502, 503, 504)


def _asked_wait(raw: _Raw) -> float:
    """Seconds that the forge wants us to wait: a number, or a date, or GitHub's time of reset."""
    wanted = raw.headers.get("retry-after", "")
    if wanted.isdigit():
        return float(wanted)
    reset = raw.headers.get("x-ratelimit-reset", "")
    if raw.status in (403, 429) and reset.isdigit() and raw.headers.get("x-ratelimit-remaining") == "0":
        return max(0.0, float(reset) - time.time())
    return _until(wanted) if wanted else 0.0


def _until(date: str) -> float:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except ValueError:
        return 0.0


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _content(response: IO[bytes], pace: Pace) -> bytes:
    """The whole answer, or a reason to ask again: too long, too slow, cut."""
    end, parts, size = pace.now() + 3 * pace.timeout, [], 0
    while part := response.read(65_536):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise _Broken(f"its answer is longer than {MOST_BYTES // 2**20} MiB", final=True)
        if pace.now() > end:
            raise _Broken("its answer does not end")
    if getattr(response, "length", None):
        raise _Broken("the connection was cut in the middle of its answer")
    return b"".join(parts)


def _from_reason(reason: object) -> _Broken:
    import ssl
    from socket import gaierror

    if isinstance(reason, ssl.SSLCertVerificationError):
        return _Broken(f"its certificate is not trusted ({reason.verify_message})", sent=False, final=True)
    return _Broken(str(reason), sent=not isinstance(reason, ConnectionRefusedError | gaierror))
