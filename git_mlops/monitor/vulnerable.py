"""Known vulnerabilities of packages, from a database in the OSV format: a file, a directory, or its URL.

Nothing is sent: the whole database is read, and what is installed stays on this machine.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from packaging.version import InvalidVersion
from packaging.version import Version as Pep440

from git_mlops.errors import CANNOT_EVALUATE, MlopsError, NotFoundError
from git_mlops.findings import Finding

_MOST = 512 * 1024 * 1024
"""Bytes of a database, packed and of each file in it."""
_PATIENCE = 30
"""Seconds without an answer."""


class Hit(NamedTuple):
    """A vulnerability that a package has."""

    package: str
    version: str
    ids: tuple[str, ...]
    """The names that it goes by, its own first."""
    summary: str
    fixed: str | None
    """The next version without it."""
    severity: str | None


def judge(packages: Mapping[str, str], place: str, accepted: Sequence[str], root: Path) -> list[Finding]:
    """Every vulnerability that is known of the packages.

    Args:
        packages: name → version.
        place: a file or directory, or a URL.
        accepted: those that are lived with, by any of their names.
        root: what a file is relative to.

    Raises:
        MlopsError: there is no such file (2), or it is no database (3).
    """
    try:
        hits = list(found(packages, records(place, packages, root)))
    except OSError as error:
        said = f"the database of vulnerabilities cannot be reached: `{place}` ({error})"
        return [Finding("vulnerability", "warning", said, hint="`monitor.vulnerabilities` in mlops.yaml")]
    return [_finding(hit) for hit in hits if not {*hit.ids} & {*accepted}]


def _finding(hit: Hit) -> Finding:
    other = f" ({', '.join(hit.ids[1:4])})" if len(hit.ids) > 1 else ""
    said = f"`{hit.package}` {hit.version} has {hit.ids[0]}{other}: {hit.summary}"
    hint = f"{hit.fixed} has not; " if hit.fixed else ""
    data = {"package": hit.package, "package_version": hit.version, "ids": list(hit.ids), "fixed": hit.fixed,
            "severity": hit.severity}  # fmt: skip
    hint += f"`monitor: {{accepted: [{hit.ids[0]}]}}` in mlops.yaml where it does no harm"
    return Finding("vulnerability", "error", said, hint=hint, data=data)


# -- what it is known of ------------------------------------------------------------------------------------


def found(packages: Mapping[str, str], every: Iterable[Mapping[str, Any]]) -> Iterator[Hit]:
    """Vulnerabilities of packages; what goes by several names is one."""
    wanted = {_plain(name): (name, version) for name, version in packages.items()}
    hits: dict[tuple[str, str], Hit] = {}
    for record in every:
        if record.get("withdrawn"):
            continue
        for affected in _mappings(record.get("affected")):
            package = affected.get("package")
            name, version = wanted.get(_name(package), ("", ""))
            if name and (fixed := _affected(version, affected)) is not None:
                hit = _hit(name, version, record, affected, fixed or None)
                known = next((hits[name, one] for one in hit.ids if (name, one) in hits), None)
                ids = tuple(dict.fromkeys((*(known.ids if known else ()), *hit.ids)))
                merged = (known or hit)._replace(ids=ids)
                hits |= {(name, one): merged for one in ids}
    yield from sorted({hit.ids: hit for hit in hits.values()}.values())


def _hit(
    name: str, version: str, record: Mapping[str, Any], affected: Mapping[str, Any], fixed: str | None
) -> Hit:
    aliases = [text for text in record.get("aliases") or () if isinstance(text, str)]
    ids = tuple(dict.fromkeys([str(record.get("id")), *sorted(aliases)]))
    details = str(record.get("summary") or record.get("details") or "no description")
    said = next((line.strip() for line in details.splitlines() if line.strip()), "no description")
    specific = [part.get("database_specific") for part in (record, affected)]
    severity = next(
        (str(s["severity"]) for s in specific if isinstance(s, Mapping) and s.get("severity")), None
    )
    return Hit(name, version, ids, said[:200], fixed, severity)


def _name(package: object) -> str:
    if not isinstance(package, Mapping) or str(package.get("ecosystem")).partition(":")[0] != "PyPI":
        return ""
    return _plain(str(package.get("name")))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _affected(text: str, affected: Mapping[str, Any]) -> str | None:
    """The version that mends it, empty where none is known; None where this version has not got it."""
    version = _version(text)
    if version is None:
        return None
    fixes = []
    inside = text in (affected.get("versions") or ())
    for one in _mappings(affected.get("ranges")):
        if one.get("type") not in ("ECOSYSTEM", "SEMVER"):
            continue
        events = _events(one)
        fixes += [at for kind, at in events if kind == "fixed" and at > version]
        inside = inside or _inside(version, events)
    return (str(min(fixes)) if fixes else "") if inside else None


def _inside(version: Pep440, events: list[tuple[str, Pep440]]) -> bool:
    """As the OSV schema has it: the last event at or before the version decides."""
    inside = False
    for kind, at in sorted(events, key=lambda event: event[1]):
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _events(one: Mapping[str, Any]) -> list[tuple[str, Pep440]]:
    made = []
    for event in _mappings(one.get("events")):
        for kind, at in event.items():
            if (version := _version(str(at))) is not None:
                made.append((str(kind), version))
    return made


def _version(text: str) -> Pep440 | None:
    try:
        return Pep440(text)
    except InvalidVersion:
        return None


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


# -- the database -------------------------------------------------------------------------------------------


def records(place: str, packages: Mapping[str, str], root: Path) -> Iterator[Mapping[str, Any]]:
    """The records that may be about some of the packages.

    Raises:
        OSError: it cannot be reached.
        MlopsError: there is no such file (2), or it is no database (3).
    """
    names = "|".join(re.escape(_plain(name)).replace(r"\-", "[-_.]+") for name in packages) or "(?!)"
    about = re.compile(f'"name"\\s*:\\s*"(?:{names})"'.encode(), re.IGNORECASE)
    for content in _contents(place, root):
        if about.search(content):
            yield from _parsed(content, place)


def _contents(place: str, root: Path) -> Iterator[bytes]:
    if urlsplit(place).scheme in ("http", "https"):
        yield from _opened(_fetched(place), place)
        return
    path = root / place
    if not path.exists():
        raise NotFoundError(f"there is no database of vulnerabilities `{place}`")
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    for file in files:
        yield from _opened(file.read_bytes(), place)


def _opened(content: bytes, place: str) -> Iterator[bytes]:
    if content[:4] != b"PK\x03\x04":
        yield content
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for info in packed.infolist():
                if info.filename.endswith((".json", ".jsonl")) and info.file_size <= _MOST:
                    yield packed.read(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise _no_database(place, str(error)) from error


def _parsed(content: bytes, place: str) -> Iterator[Mapping[str, Any]]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        lines = content.splitlines()
        if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
            raise _no_database(place, str(error)) from error
        for line in filter(None, map(bytes.strip, lines)):
            yield from _parsed(line, place)
        return
    if isinstance(value, Mapping):
        value = value["vulns"] if isinstance(value.get("vulns"), list) else [value]
    yield from _mappings(value)


def _no_database(place: str, why: str) -> MlopsError:
    return MlopsError(
        f"`{place}` is no database of vulnerabilities: {why}",
        hint="records of the OSV format: JSON, JSON lines, or a zip or directory of them",
        exit_code=CANNOT_EVALUATE,
    )


def _fetched(url: str) -> bytes:
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=_PATIENCE) as response:  # noqa: S310  # http and https alone come here
            content: bytes = response.read(_MOST + 1)
    except (HTTPException, ValueError) as error:
        raise OSError(str(error)) from error
    if len(content) > _MOST:
        raise OSError(f"more than {_MOST} bytes")
    return content
