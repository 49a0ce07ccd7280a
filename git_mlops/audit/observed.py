"""What `git mlops monitor` recorded: `record.json` of each commit of `refs/mlops/monitor/<model>`."""

import datetime as dt
import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import unquote

from git_mlops.audit.facts import Observation
from git_mlops.git import objects, refs
from git_mlops.git.repo import Repo

PREFIX = "refs/mlops/monitor/"
RECORD = "record.json"
_MOST = 300
_AGE = re.compile(r"(?:^|_|\b)age|stale")
_SPEED = re.compile(r"latenc|p9\d|throughput|per_second")


def read(repo: Repo, models: Collection[str]) -> tuple[Observation, ...]:
    """Runs that looked at what a registered model serves, the newest first.

    Two files that somebody compared say nothing of what is served: they are left out.
    """
    tips = {ref.name: ref.oid for ref in refs.list_refs(repo, PREFIX)}
    names = {ref: unquote(ref.removeprefix(PREFIX)).replace("=", ":") for ref in tips}
    wanted = {tips[ref]: ref for ref, name in names.items() if name in models}
    if not wanted:
        return ()
    commits = repo.text("rev-list", "--no-merges", f"-n{_MOST}", *wanted).split("\n")
    contents = objects.read_blobs(repo, [f"{commit}:{RECORD}" for commit in commits])
    found = [parsed(commit, contents.get(f"{commit}:{RECORD}", b""), models) for commit in commits]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.time))


def parsed(commit: str, content: bytes, models: Collection[str]) -> Observation | None:
    """One record; None for what is none, or is not about a version of one of these models."""
    try:
        value = json.loads(content)
        time = dt.datetime.fromisoformat(str(value["time"]))
        name, version = value["name"], value["model_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if value.get("version") != 1 or name not in models or not isinstance(version, str):
        return None
    seconds = int((time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp())
    ref = PREFIX + str(name).replace(":", "=")
    return Observation(ref, commit, name, version, seconds, _kinds(value), _metrics(value.get("quality")))


def _kinds(value: Mapping[str, Any]) -> frozenset[str]:
    """What was looked at, whether anything was found or not."""
    found = set()
    columns = value.get("columns")
    if isinstance(columns, dict) and columns and not _undecided(value.get("findings")):
        # what is served against what was trained on, column by column: shares, nulls, categories, ranges
        found |= {"drift", "skew", "schema"}
        if any(isinstance(one, dict) and "infinite" in one for one in columns.values()):
            found.add("numeric")
    if isinstance(value.get("quality"), dict):
        found.add("quality")
    numbers = value.get("numbers")
    for name in numbers if isinstance(numbers, dict) else ():
        found |= {"staleness"} if _AGE.search(name) else {"performance"} if _SPEED.search(name) else set()
    return frozenset(found)


def _undecided(findings: object) -> bool:
    """Whether there were too few rows to tell."""
    return any(
        isinstance(one, dict) and (one.get("rule"), one.get("level")) == ("drift", "unknown")
        for one in (findings if isinstance(findings, list) else ())
    )


def _metrics(quality: object) -> dict[str, float]:
    metrics = quality.get("metrics") if isinstance(quality, dict) else None
    found = {}
    for name, value in metrics.items() if isinstance(metrics, dict) else ():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, int | float) and not isinstance(first, bool):
            found[str(name)] = float(first)
    return found
