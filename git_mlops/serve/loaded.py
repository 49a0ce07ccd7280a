"""A model that may be loaded, and one that is. Knows no repository: containers serve from here on."""

from pathlib import Path
from typing import Any, NamedTuple

from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.models.contract import Contract
from git_mlops.serve import columns
from git_mlops.serve import load as loading
from git_mlops.serve.columns import Takes
from git_mlops.serve.load import Model


class Source(NamedTuple):
    """A model that may be loaded."""

    name: str
    version: str | None
    """None for a plain file."""
    commit: str | None
    hash: str
    """Of its bytes, as the tag has it; empty for a plain file."""
    path: Path
    contract: Contract | None
    registration: str | None = None
    """The tag object."""

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.name} {self.version}" if self.version else self.name


class Loaded(NamedTuple):
    """A model in memory."""

    source: Source
    model: Model
    takes: Takes


def load(source: Source) -> Loaded:
    """Load it.

    Raises:
        MlopsError: it cannot be loaded (3).
    """
    model = loading.load(source.path)
    takes = columns.of_contract(source.contract)
    if not takes.columns and takes.shape is None and model.features:
        takes = columns.of_names(model.features)
    return Loaded(source, model, takes)


class ModelError(MlopsError):
    """The model itself failed."""

    def __init__(self, error: Exception) -> None:
        said = str(error).strip().splitlines()
        super().__init__(
            f"the model failed: {type(error).__name__}{f': {said[0]}' if said else ''}", exit_code=FINDINGS
        )


def answer(loaded: Loaded, frame: Any, params: dict[str, object] | None = None) -> Any:
    """What the model says.

    Raises:
        ModelError: it fails; what it raised is the cause.
    """
    try:
        return loaded.model.predict(frame, params)
    except Exception as error:
        raise ModelError(error) from error
