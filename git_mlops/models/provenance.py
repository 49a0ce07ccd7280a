"""in-toto statement with SLSA provenance v1: how one version was made, from what, by whom. Pure.

It says what was recorded; it is as trustworthy as the tag, whose signature `git mlops model verify` checks.
"""

from collections.abc import Iterator
from typing import Any

from git_mlops import __version__
from git_mlops.models.dossier import Dossier

BUILD_TYPE = "urn:git-mlops:experiment:v1"
"""A recorded run: `externalParameters` are its command and overrides."""
BUILDER = "urn:git-mlops:recorder"


def statement(one: Dossier) -> dict[str, Any]:
    """The whole statement as plain values."""
    version, record = one.version, one.record
    external: dict[str, Any] = {"model": version.name, "version": version.version}
    if record is not None:
        external |= {"command": record.command or record.how, "overrides": record.overrides or []}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_subject(one)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": external,
                "internalParameters": _internal(one),
                "resolvedDependencies": list(_dependencies(one)),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"git-mlops": __version__}},
                "metadata": _metadata(one),
            },
        },
    }


def _subject(one: Dossier) -> dict[str, Any]:
    found = one.fact("object")
    return {
        "name": str(found.get("path") or one.version.name),
        "digest": _digest(str(found.get("algorithm") or "md5"), str(found.get("hash") or "")),
    }


def _digest(algorithm: str, hash_: str) -> dict[str, str]:
    """By in-toto's names where it has one; a listing of a directory and other forms under our own."""
    if algorithm == "md5" and not hash_.endswith(".dir"):
        return {"md5": hash_}
    return {{"git-blob": "gitBlob", "git-tree": "gitTree"}.get(algorithm, f"dvc-{algorithm}"): hash_}


def _dependencies(one: Dossier) -> Iterator[dict[str, Any]]:
    baseline = one.fact("experiment").get("baseline")
    for name, commit in (("code", one.version.commit), ("baseline", baseline)):
        if isinstance(commit, str):
            yield {"name": name, "digest": {"gitCommit": commit}}
    for datum in one.data:
        said = {"annotations": {"run": datum.way}}
        yield {"name": datum.path, "digest": _digest(datum.algorithm, datum.hash), **said}
    if lock := one.fact("environment").get("lock"):
        yield {"name": "environment.lock", "digest": {"sha256": str(lock)}}
    for name, version in sorted(one.packages.items()):
        yield {"uri": f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"}


def _internal(one: Dossier) -> dict[str, Any]:
    record = one.record
    said = {
        "python": one.fact("environment").get("python"),
        "seeds": record.seeds if record else None,
        "host": {k: v for k, v in (record.host or {}).items() if k in ("system", "machine")}
        if record
        else None,
    }
    return {name: value for name, value in said.items() if value}


def _metadata(one: Dossier) -> dict[str, str]:
    record = one.record
    said = {
        "invocationId": one.version.facts.get("run"),
        "startedOn": record.start if record else None,
        "finishedOn": record.end if record else None,
    }
    return {name: str(value) for name, value in said.items() if value}
