"""CycloneDX 1.6: a bill of materials of one version, with the model, its data and its packages. Pure.

The same version gives the same text: serial number and time come from its tag.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from git_mlops import __version__
from git_mlops.models.dossier import Datum, Dossier

_NAMESPACE = uuid.UUID("8f0f3b0e-3f0f-5b6e-9d3a-6d1f3a6f9a51")
_HASHES = {"md5": "MD5", "md5-dos2unix": "MD5"}


def document(one: Dossier) -> dict[str, Any]:
    """The whole document as plain values."""
    version = one.version
    when = datetime.fromtimestamp(version.time, UTC).isoformat().replace("+00:00", "Z")
    model = _model(one)
    data = [_datum(datum) for datum in one.data]
    libraries = [_library(name, number) for name, number in sorted(one.packages.items())]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, version.oid)}",
        "version": 1,
        "metadata": {
            "timestamp": when,
            "tools": {"components": [{"type": "application", "name": "git-mlops", "version": __version__}]},
            "component": model,
        },
        "components": [*data, *libraries],
        "dependencies": [
            {"ref": model["bom-ref"], "dependsOn": [each["bom-ref"] for each in (*data, *libraries)]}
        ],
    }


def _model(one: Dossier) -> dict[str, Any]:
    version, object_ = one.version, one.fact("object")
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"model:{version.name}@{version.version}",
        "name": version.name,
        "version": version.version,
        "modelCard": _card(one),
        "properties": [
            {"name": "git-mlops:tag", "value": version.tag},
            {"name": "git-mlops:commit", "value": version.commit},
        ],
    }
    hash_, algorithm = str(object_.get("hash") or ""), str(object_.get("algorithm") or "")
    if algorithm in _HASHES and len(hash_) == _MD5:
        found["hashes"] = [{"alg": _HASHES[algorithm], "content": hash_}]
    elif hash_:
        found["properties"].append({"name": f"git-mlops:{algorithm}", "value": hash_})
    for name, value in (("run", version.facts.get("run")), ("experiment", one.experiment)):
        if value:
            found["properties"].append({"name": f"git-mlops:{name}", "value": str(value)})
    return found


_MD5 = 32


def _card(one: Dossier) -> dict[str, Any]:
    inputs, outputs = one.columns
    parameters: dict[str, Any] = {
        "datasets": [{"ref": _reference(datum)} for datum in one.data],
        "inputs": [{"format": _column(column)} for column in inputs],
        "outputs": [{"format": _column(column)} for column in outputs],
    }
    metrics = [{"type": name, "value": str(value)} for name, value in one.metrics.items()]
    return {
        "modelParameters": {name: value for name, value in parameters.items() if value},
        "quantitativeAnalysis": {"performanceMetrics": metrics},
    }


def _column(column: Any) -> str:
    name = column.get("name")
    kind = str(column.get("type") or "tensor")
    return f"{name}: {kind}" if name is not None else kind


def _reference(datum: Datum) -> str:
    return f"data:{datum.algorithm}:{datum.hash}"


def _datum(datum: Datum) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "data",
        "bom-ref": _reference(datum),
        "name": datum.path,
        "data": [{"type": "dataset", "name": datum.path}],
    }
    if datum.algorithm in _HASHES and len(datum.hash) == _MD5:
        found["hashes"] = [{"alg": _HASHES[datum.algorithm], "content": datum.hash}]
    else:
        found["properties"] = [{"name": f"git-mlops:{datum.algorithm}", "value": datum.hash}]
    return found


def _library(name: str, version: str) -> dict[str, Any]:
    place = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {"type": "library", "bom-ref": place, "name": name, "version": version, "purl": place}
