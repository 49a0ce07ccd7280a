"""Which model is meant, whether it may be loaded, and what it takes.

Loading a pickle runs what it says. A version of the registry is loaded when its bytes are those that its tag
names, and nothing dangerous is seen in them; anything else only when the user says that it is trusted.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import hashes, modelfindings
from git_mlops.errors import FINDINGS, MlopsError, NotFoundError
from git_mlops.git import signatures
from git_mlops.git.repo import Repo
from git_mlops.git.trust import Trust
from git_mlops.lineage import taints
from git_mlops.models import contract
from git_mlops.models.contract import Contract
from git_mlops.registry import read
from git_mlops.registry.read import Version
from git_mlops.serve import place
from git_mlops.serve.loaded import Source


class Asked(NamedTuple):
    """What the user vouches for."""

    trust: bool = False
    """Load what is not registered, or looks dangerous."""
    imports: tuple[str, ...] = ()
    """Imports of pickles that the project vouches for (`data.model_imports`)."""
    signed: bool = False
    """Load only what somebody trusted has signed."""
    signers: Trust | None = None
    """Who that is; None: whoever git itself trusts."""


def is_file(text: str) -> bool:
    """Whether a file or directory is meant: a model's name has no dot, and does not begin with a slash."""
    return "." in text.partition("@")[0].partition("#")[0] or text.startswith("/")


def find(repo: Repo | None, text: str, asked: Asked) -> Source:
    """A version (`NAME`, `NAME@v1.0.0`, `NAME#STAGE`), brought and verified, or a plain file.

    Raises:
        MlopsError: there is none (2), it may not be loaded (1), or is not to be had (3).
    """
    if is_file(text):
        return _plain(Path(text), asked)
    if repo is None:
        raise MlopsError("models are found by name in a git repository", hint="name the model's file")
    return of_version(repo, read.active(read.resolve(repo, text)), asked)


def of_version(repo: Repo, version: Version, asked: Asked) -> Source:
    """The same of a version that is known.

    Raises:
        MlopsError: as above.
    """
    if asked.signed:
        _refuse_unsigned(repo, version, asked)
    _refuse_tainted(repo, version, asked)
    placed = place.bring(repo, version)
    if not placed.told and not asked.trust:
        raise MlopsError(
            f"the tag `{version.tag}` does not say what the model is: nobody vouches for its bytes",
            hint=f"`git mlops model register {version.name}` writes a tag that does; or `--trust`",
            exit_code=FINDINGS,
        )
    _refuse_dangerous(placed.path, placed.model.path, asked)
    said = contract_of(placed.path) or _recorded(version.facts)
    return Source(
        version.name, version.version, version.commit, placed.model.hash, placed.path, said, version.oid
    )


def _refuse_unsigned(repo: Repo, version: Version, asked: Asked) -> None:
    signature = signatures.of_tag(repo, version.oid, asked.signers)
    if not signature.good:
        raise MlopsError(
            f"{version.name} {version.version} is not loaded: {signature.problem}",
            hint="mlops.yaml asks for signed models (`serve.signed`)",
            exit_code=FINDINGS,
        )


def _refuse_tainted(repo: Repo, version: Version, asked: Asked) -> None:
    found = taints.of(repo, f"model:{version.name}@{version.version}") if not asked.trust else []
    if found:
        raise MlopsError(
            f"{version.name} {version.version} came from `{found[0].label}`, which is tainted:"
            f" {found[0].words[-1].why}",
            hint=f"`git mlops lineage {version.tag}` shows how; `--trust` loads it all the same",
            exit_code=FINDINGS,
        )


def _plain(path: Path, asked: Asked) -> Source:
    if not path.exists():
        raise NotFoundError(f"no such file: `{path}`", hint="a model of the registry has no dot in its name")
    if not asked.trust:
        raise MlopsError(
            f"`{path}` is not registered: loading it may run anything",
            hint="`git mlops model register NAME` it, or say `--trust` if you know where it is from",
            exit_code=FINDINGS,
        )
    return Source(path.name, None, None, "", path, contract_of(path))


def _refuse_dangerous(path: Path, shown: str, asked: Asked) -> None:
    """Nobody needs `os.system` to keep a model."""
    if asked.trust:
        return
    for name in sorted(hashes.walk(path)) if path.is_dir() else [""]:
        for finding in modelfindings.of_file(path / name, f"{shown}/{name}".rstrip("/"), asked.imports):
            if finding.level == "error":
                raise MlopsError(
                    f"`{f'{shown}/{name}'.rstrip('/')}`: {finding.message}",
                    hint=f"{finding.hint}; `--trust` loads it all the same",
                    exit_code=FINDINGS,
                )


def contract_of(path: Path) -> Contract | None:
    """What a model's directory, or the directory of its file, says that it takes."""
    for name in contract.FILES:
        file = (path if path.is_dir() else path.parent) / name
        said = contract.parse(name, file.read_bytes()) if file.is_file() else None
        if said is not None:
            return said
    return None


def _recorded(facts: Mapping[str, object]) -> Contract | None:
    said = facts.get("contract")
    if not isinstance(said, Mapping):
        return None
    inputs, outputs = (_mappings(said.get(key)) for key in ("inputs", "outputs"))
    return Contract(str(said.get("source")), inputs, outputs) if inputs or outputs else None


def _mappings(value: object) -> tuple[Mapping[str, object], ...]:
    found: Sequence[object] = value if isinstance(value, list) else []
    return tuple(one for one in found if isinstance(one, Mapping))
