"""What a model takes and gives: from MLflow's `MLmodel`, or from `signature.json`. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from git_mlops.experiments import documents
from git_mlops.experiments.documents import DocumentError

FILES = ("MLmodel", "signature.json")
"""Where it may stand, beside the model or in its directory: the first that is there counts."""


class Contract(NamedTuple):
    """Columns in MLflow's form (`{"name": …, "type": …}`), in the order that the model takes them."""

    source: str
    inputs: tuple[Mapping[str, object], ...] = ()
    outputs: tuple[Mapping[str, object], ...] = ()

    @property
    def features(self) -> list[str]:
        """Names of the inputs, in order; nothing for tensors without names."""
        return [str(column["name"]) for column in self.inputs if "name" in column]

    @property
    def hash(self) -> str:
        """SHA-256 of what it says: equal for equal contracts, wherever they stand."""
        said = {"inputs": list(self.inputs), "outputs": list(self.outputs)}
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(f"mlops-contract 1\n{text}".encode()).hexdigest()

    def to_json(self) -> dict[str, object]:
        """For the facts."""
        return {
            "hash": self.hash,
            "source": self.source,
            "features": self.features,
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
        }


def parse(source: str, content: bytes) -> Contract | None:
    """Of a file's content; None where it says nothing of a signature."""
    try:
        value = documents.load("x.json" if source.endswith(".json") else "x.yaml", content)
    except DocumentError:
        return None
    signature = value.get("signature", value) if isinstance(value, Mapping) else None
    if not isinstance(signature, Mapping):
        return None
    inputs, outputs = (_columns(signature.get(key)) for key in ("inputs", "outputs"))
    return Contract(source, inputs, outputs) if inputs or outputs else None


def _columns(value: object) -> tuple[Mapping[str, object], ...]:
    """MLflow writes them as JSON text within its YAML."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    if not isinstance(value, list):
        return ()
    return tuple({str(k): v for k, v in one.items()} for one in value if isinstance(one, Mapping))
