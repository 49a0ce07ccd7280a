"""What a model stands on, now and at its registration: packages, lock files, the sources of its data."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from git_mlops.data import pointers
from git_mlops.data.pointers import Out
from git_mlops.data.written import split
from git_mlops.errors import MlopsError
from git_mlops.experiments import environment
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.models import diff
from git_mlops.monitor import vulnerable
from git_mlops.monitor.judging import short
from git_mlops.monitor.settings import Settings
from git_mlops.registry.read import Version

HERE = "here"
"""The packages of the interpreter that runs the monitor."""
_LOCKS = ("*requirements*.txt", "*.lock", "conda-lock.yml", "environment.yml", "environment.yaml")
_NAMED = 5


def judge(
    repo: Repo, version: Version, data: Sequence[Out], settings: Settings, notes: list[str]
) -> Iterator[Finding]:
    """Everything that changed around a version.

    Raises:
        MlopsError: a file that the settings name is not there (2), or nothing of its kind (3).
    """
    trained = diff.packages(repo, version)
    now = _now(repo, settings.environment) if settings.environment else None
    if now is not None:
        yield from packages(trained, now, notes)
    if repo.text("cat-file", "-t", version.commit, ok=(0, 128)) == "commit":
        yield from _locks(repo, version)
        yield from _sources(repo, version, data)
    if settings.vulnerabilities is not None:
        known = now if now is not None else trained
        if not known:
            notes.append("vulnerabilities: the packages are not known; `monitor.environment` can name them")
        yield from vulnerable.judge(known, settings.vulnerabilities, settings.accepted, repo.root)


def _now(repo: Repo, place: str) -> dict[str, str]:
    """Package → version, of what serves."""
    if place == HERE:
        return environment.parse_lock(environment.lock(list(sys.path)))
    try:
        content = Path(repo.root, place).read_bytes()
    except OSError as error:
        hint = "what `pip freeze` prints on the machine that serves, or `here`"
        raise MlopsError(f"`monitor.environment`: `{place}`: {error.strerror}", hint=hint) from error
    found = environment.parse_lock(content)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found.items()}


def packages(trained: Mapping[str, str], now: Mapping[str, str], notes: list[str]) -> Iterator[Finding]:
    """What serves beside what it was trained with; what only the training needed is no finding."""
    if not trained:
        notes.append("packages: those of the training are not recorded, or not in this clone")
        return
    other = {name: (old, now[name]) for name, old in trained.items() if name in now and now[name] != old}
    if other:
        named = [f"`{short(name)}` {short(old)} → {short(new)}" for name, (old, new) in sorted(other.items())]
        said = f"{len(other)} of {len(trained)} packages are others where it is served than in its training: "
        data = {"packages": {name: list(both) for name, both in sorted(other.items())}}
        yield Finding("dependency", "warning", said + _listed(named), data=data)
    lacking = sorted(trained.keys() - now.keys())
    if lacking:
        notes.append(
            f"packages: {len(lacking)} of {len(trained)} of the training are not where it is served: "
            + _listed([f"`{short(name)}`" for name in lacking])
        )


def _listed(named: Sequence[str]) -> str:
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _locks(repo: Repo, version: Version) -> Iterator[Finding]:
    specs = [f":(top,glob)**/{name}" for name in _LOCKS]
    changed = repo.text("diff", "--name-only", "-z", version.commit, "HEAD", "--", *specs, ok=(0, 128))
    names = [name for name in changed.split("\0") if name and not name.endswith("dvc.lock")]
    if names:
        named = _listed([f"`{short(name)}`" for name in names])
        said = f"packages are pinned otherwise since {version.name} {version.version}: {named}"
        hint = f"`git diff {version.commit[:12]} -- {names[0]}`"
        yield Finding("dependency", "note", said, hint=hint, data={"files": names})


def _sources(repo: Repo, version: Version, data: Sequence[Out]) -> Iterator[Finding]:
    """The pointers of what it was trained on, then and now: other bytes are new data, a source is more."""
    paths = [one.path for one in data if "\n" not in one.path]
    names = [f"{commit}:{path}.dvc" for path in paths for commit in (version.commit, "HEAD")]
    contents = objects.read_blobs(repo, names)
    for path in paths:
        sides = [contents.get(f"{commit}:{path}.dvc") for commit in (version.commit, "HEAD")]
        if sides[0] is None:
            continue
        if sides[1] is None:
            said = f"`{short(path)}`, which it was trained on, is no longer tracked"
            yield Finding("data-source", "warning", said, path, data={"path": path})
            continue
        old, new = (_source(f"{path}.dvc", side) for side in sides if side is not None)
        if old["from"] != new["from"]:
            said = f"`{short(path)}` comes from another source: {_said(old['from'])} → {_said(new['from'])}"
            yield Finding(
                "data-source", "warning", said, path, data={"path": path, "from": [old["from"], new["from"]]}
            )
        elif old != new:
            said = f"`{short(path)}` has other data since {version.name} {version.version}"
            yield Finding("data-source", "note", said, path, data={"path": path})


def _source(name: str, content: bytes) -> dict[str, object]:
    """Where the data of a pointer is from, and which of it."""
    try:
        outs = [one.hash for one in pointers.parse(name, content).outs]  # refuses what must not be loaded
        value: Any = yaml.safe_load(split(content)[0])
    except (pointers.PointerError, yaml.YAMLError):
        return {"from": [], "which": content.decode("utf-8", "replace")}
    found, which = [], list(outs)
    deps = value.get("deps") if isinstance(value, Mapping) else None
    for dep in deps if isinstance(deps, list) else ():
        if not isinstance(dep, Mapping):
            continue
        place = dep.get("repo")
        place = place if isinstance(place, Mapping) else {}
        words = (place.get("url"), dep.get("path"), place.get("rev"))
        found.append(" ".join(_without_password(str(word)) for word in words if word))
        which += [str(part.get(key)) for part in (dep, place) for key in ("md5", "etag", "rev_lock")]
    return {"from": found, "which": which}


def _without_password(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)


def _said(places: object) -> str:
    return (
        ", ".join(f"`{short(str(one))}`" for one in places) if isinstance(places, list) and places else "none"
    )
