"""Everything that is recorded of one version, from its tag, its experiment and its pointers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from git_mlops.data import pointers, profile
from git_mlops.data.profile import Profile
from git_mlops.experiments import read as read_experiments
from git_mlops.experiments import reads, tree
from git_mlops.experiments.record import PATH, Record, RecordError, parse_record
from git_mlops.experiments.tree import Trees
from git_mlops.experiments.values import labelled
from git_mlops.git import objects
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.lineage import build, taints
from git_mlops.lineage.graph import MAY_HAVE_READ
from git_mlops.lineage.taints import Taint
from git_mlops.models.diff import packages
from git_mlops.registry import read
from git_mlops.registry.read import Version


class Datum(NamedTuple):
    """A file or directory of data that the model came from."""

    path: str
    algorithm: str
    hash: str
    size: int | None
    profile: Profile | None
    """Of a table, as its pointer had it at the registration."""
    way: str = MAY_HAVE_READ
    """What the run had to do with it, as `lineage` says it."""


class Dossier(NamedTuple):
    """One version."""

    version: Version
    record: Record | None
    """Of the experiment, where it is in this clone."""
    experiment: str | None
    data: tuple[Datum, ...]
    packages: Mapping[str, str]
    """Of its environment.lock; empty where that is not in this clone."""
    approvals: tuple[str, ...]
    """Who approved the stages that it holds."""
    taints: tuple[Taint, ...]
    params: Mapping[str, object] = {}  # the default of a frozen tuple, never changed
    """Of the experiment; where that is not in this clone, of the tree that is registered."""

    def fact(self, name: str) -> Mapping[str, Any]:
        """One of the tag's facts that is a mapping."""
        value = self.version.facts.get(name)
        return value if isinstance(value, Mapping) else {}

    @property
    def metrics(self) -> Mapping[str, object]:
        """As the tag has them."""
        return self.fact("metrics")

    @property
    def columns(self) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        """Inputs and outputs in MLflow's form."""
        contract = self.fact("contract")
        return _mappings(contract.get("inputs")), _mappings(contract.get("outputs"))


def gather(repo: Repo, text: str, params: Iterable[str] = ()) -> Dossier:
    """The dossier of `NAME[@V|#STAGE]`.

    Args:
        params: parameter files besides those that dvc.yaml names.

    Raises:
        MlopsError: there is no such version.
    """
    version = read.resolve(repo, text)
    made = version.facts.get("experiment")
    experiment = made if isinstance(made, Mapping) else {}
    record = _record(repo, experiment.get("commit"))
    return Dossier(
        version,
        record,
        str(experiment["name"]) if "name" in experiment else None,
        tuple(_data(repo, version, record)),
        packages(repo, version),
        tuple(_approvals(repo, version)),
        tuple(taints.of(repo, f"model:{version.name}@{version.version}")),
        _params(repo, (experiment.get("commit"), version.commit), params),
    )


def _params(repo: Repo, commits: Sequence[object], extra: Iterable[str]) -> Mapping[str, object]:
    """Of the first of some commits that is here."""
    with reader(repo) as git:
        known = read_experiments.commits(git, [one for one in commits if isinstance(one, str)])
        trees = [known[str(one)].tree for one in commits if one in known][:1]
        found = tree.contents(Trees(git), trees, extra)
    return next((labelled(one.values.params) for one in found.values()), {})


def _record(repo: Repo, commit: object) -> Record | None:
    name = f"{commit}:{PATH}"
    found = objects.read_blobs(repo, [name]) if isinstance(commit, str) and "\n" not in name else {}
    try:
        return parse_record(found[name]) if name in found else None
    except RecordError:
        return None


def _data(repo: Repo, version: Version, record: Record | None) -> list[Datum]:
    said = reads.parse(version.facts.get(reads.KEY))
    if record is not None:
        said = build.reads_of(record, objects.read_blobs(repo, [f"{version.commit}:dvc.lock"]))
    found = _mappings(version.facts.get("data"))
    names = {str(one.get("path")): f"{version.commit}:{one.get('path')}.dvc" for one in found}
    contents = objects.read_blobs(repo, [name for name in names.values() if "\n" not in name])
    data = []
    for one in found:
        path, hash_ = str(one.get("path")), str(one.get("hash"))
        content = contents.get(names[path])
        described = profile.read(f"{path}.dvc", content) if content and _names(path, content, hash_) else None
        size, algorithm = one.get("size"), str(one.get("algorithm") or "md5")
        data.append(
            Datum(
                path,
                algorithm,
                hash_,
                size if isinstance(size, int) else None,
                described,
                build.way(said, path),
            )
        )
    return data


def _names(path: str, content: bytes, hash_: str) -> bool:
    try:
        return any(out.hash == hash_ for out in pointers.parse(f"{path}.dvc", content).outs)
    except pointers.PointerError:
        return False


def _approvals(repo: Repo, version: Version) -> list[str]:
    found = read.artifact(repo, version.name)
    held = [event for event in found.stages.values() if event.version == version.version]
    said = read.messages(repo, [event.oid for event in held])
    who = (str(one.get("who")) for event in held for one in _mappings(said[event.oid].facts.get("approvals")))
    return list(dict.fromkeys(who))


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []
