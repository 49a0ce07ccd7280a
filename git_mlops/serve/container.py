"""A packaged model: what `git mlops model package` wrote, served without git and without a registry."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError
from git_mlops.models.contract import Contract
from git_mlops.serve import loaded
from git_mlops.serve.loaded import Source
from git_mlops.serve.slots import Slots, Wanted

ENTRY = "git_mlops.serve.__main__"
FILE = "model.json"
MODEL = "model"


class Packaged(Slots):
    """The one model of a package."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.said = _said(folder)
        super().__init__([Wanted(str(self.said.get("tag")))])

    def load(self) -> None:
        """Load it, if its files are those that were packaged.

        Raises:
            MlopsError: they are not (1), or it cannot be loaded (3).
        """
        files = self.said.get("files")
        for name, digest in (files if isinstance(files, Mapping) else {}).items():
            if not (self._folder / name).is_file() or sha256(self._folder / name) != digest:
                raise MlopsError(f"`{name}` is not the file that was packaged", exit_code=FINDINGS)
        self.main.put(loaded.load(self._source()))

    def _source(self) -> Source:
        said = self.said
        contract = said.get("contract")
        contract = contract if isinstance(contract, Mapping) else {}
        inputs, outputs = (tuple(contract.get(key) or ()) for key in ("inputs", "outputs"))
        return Source(
            str(said["name"]),
            str(said["model_version"]),
            str(said["commit"]),
            str(said["hash"]),
            self._folder / str(said["path"]),
            Contract(str(contract.get("source")), inputs, outputs) if inputs or outputs else None,
        )


def _said(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / FILE).read_bytes())
        if isinstance(found, dict) and found["version"] == 1 and {"name", "path", "files"} <= found.keys():
            return found
    except (OSError, ValueError, KeyError) as error:
        message = f"`{folder}` is no packaged model: {error}"
        raise MlopsError(message, exit_code=CANNOT_EVALUATE) from error
    raise MlopsError(f"`{folder}` is no packaged model", exit_code=CANNOT_EVALUATE)


def sha256(file: Path) -> str:
    """Of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
