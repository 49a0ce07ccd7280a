"""MLflow's artifact repository on runs: files of a log, or of an experiment by its DVC pointer.

Loaded by the entry points alone. A URI names the run, not a place: `git-mlops-artifacts:/<experiment>/<run>/
artifacts`, `…/<experiment>/models/<model>/artifacts`.
"""

import os
import posixpath
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from git_mlops.data import cache, pointers, transfer
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.experiments import sealing
from git_mlops.experiments.layout import RUN
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.registry import read
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.runs import Entry
from git_mlops.tracking.store import said


class Files(NamedTuple):
    """What a run or a model has: on disk, in DVC's cache, or in git."""

    plain: dict[str, Path]
    stored: dict[str, Out]
    blobs: dict[str, str]

    def names(self) -> set[str]:
        """Paths of all."""
        return {*self.plain, *self.stored, *self.blobs}


class Artifacts(ArtifactRepository):  # type: ignore[misc]  # MLflow has no types
    """The files of one run or model, or, at the root, of all."""

    def __init__(self, artifact_uri: str, recorder: Recorder, tracking_uri: str | None = None) -> None:
        super().__init__(artifact_uri, tracking_uri)
        self._recorder = recorder
        self._recorded: dict[tuple[str, str], Files] = {}
        """What a commit has of a kind: a download asks for it once for each file."""
        self._base = unquote(urlsplit(artifact_uri).path).strip("/")

    def _parts(self, path: str | None) -> list[str]:
        """What follows the experiment."""
        whole = posixpath.normpath("/".join(part for part in (self._base, path or "") if part))
        _group, *parts = whole.split("/")
        if ".." in parts or not parts:
            raise MlflowException(f"Invalid artifact path: '{path}'", INVALID_PARAMETER_VALUE)
        return parts

    def _of_trace(self, path: str | None) -> Path | None:
        """Where files of a trace are; None where a run or model is meant. They stay on this machine."""
        parts = self._parts(path)
        return self._recorder.repo.private.joinpath("traces", *parts[1:]) if parts[0] == "traces" else None

    def _of_version(self, path: str | None) -> tuple[Files, str] | None:
        """The files of a registered version, and the path below; None where a run or model is meant."""
        parts = self._parts(path)
        if parts[0] != "versions" or len(parts) < 2:
            return None
        with said():
            return _version_files(self._recorder.repo, unquote(parts[1])), "/".join(parts[3:])

    def _split(self, path: str | None) -> tuple[Entry, str, str]:
        """The run, `artifacts` or `models/<id>`, and the path below."""
        parts = self._parts(path)
        with said():
            if parts[0] == "models" and len(parts) >= 3 and parts[2] == "artifacts":
                entry, kind, below = self._recorder.index.of_model(parts[1]), f"models/{parts[1]}", parts[3:]
            else:
                entry, kind, below = self._recorder.index.get(parts[0]), "artifacts", parts[2:]
        if entry is None:
            raise MlflowException(
                f"No run or model has artifacts at '{'/'.join(parts)}'", RESOURCE_DOES_NOT_EXIST
            )
        return entry, kind, "/".join(below)

    def _found(self, path: str | None) -> tuple[Files, str]:
        if (trace := self._of_trace(path)) is not None:
            found = Files({}, {}, {})
            _add_plain(trace.parent, found)
            return found, trace.name
        version = self._of_version(path)
        if version is not None:
            return version
        entry, kind, below = self._split(path)
        return self._files(entry, kind), below

    def _files(self, entry: Entry, kind: str) -> Files:
        repo = self._recorder.repo
        found = Files({}, {}, {})
        if entry.commit is not None:
            known = self._recorded.get((entry.commit, kind))
            if known is None:
                known = Files({}, {}, {})
                _add_recorded(repo, entry.commit, kind, known)
                if known.stored or known.blobs:  # else they may still come
                    self._recorded = {(entry.commit, kind): known}
            found = Files({}, {**known.stored}, {**known.blobs})
        _add_plain(sealing.local_files(repo, entry.run_id) / kind, found)
        if entry.log is not None:
            _add_plain(entry.log.place / kind, found)
        return found

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Keep a copy of a file."""
        if (trace := self._of_trace(artifact_path)) is not None:
            _copy(Path(local_file), trace / Path(local_file).name)
            return
        entry, kind, below = self._split(artifact_path)
        with said():
            folder = self._recorder.place(entry) / kind / below
            _copy(Path(local_file), folder / Path(local_file).name)
            self._done(entry)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Keep a copy of all files of a directory."""
        entry, kind, below = self._split(artifact_path)
        source = Path(local_dir)
        if not source.is_dir():
            raise MlflowException(f"Invalid artifact directory: '{local_dir}'", INVALID_PARAMETER_VALUE)
        with said():
            folder = self._recorder.place(entry) / kind / below
            for base, _folders, names in os.walk(source):
                for name in names:
                    file = Path(base, name)
                    _copy(file, folder / file.relative_to(source))
            self._done(entry)

    def _done(self, entry: Entry) -> None:
        """Of a run that has ended: into its experiment."""
        self._recorder.log(entry, {})

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """What stands directly below a path."""
        found, below = self._found(path)
        prefix = f"{below}/" if below else ""
        given = (path or "").strip("/")
        listed: dict[str, FileInfo] = {}
        for name in sorted(found.names()):
            if name.startswith(prefix):
                first, _, rest = name[len(prefix) :].partition("/")
                shown = f"{given}/{first}" if given else first
                listed[first] = FileInfo(shown, bool(rest), None if rest else self._size(found, name))
        return list(listed.values())

    def _size(self, found: Files, name: str) -> int | None:
        repo = self._recorder.repo
        if name in found.plain:
            return found.plain[name].stat().st_size
        if name in found.stored:
            file = cache.locate(repo, found.stored[name])
            return file.stat().st_size if file else None
        return objects.sizes(repo, [found.blobs[name]]).get(found.blobs[name])

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        found, below = self._found(remote_file_path)
        repo, target = self._recorder.repo, Path(local_path)
        with said():
            if below in found.plain:
                shutil.copyfile(found.plain[below], target)
            elif below in found.stored:
                shutil.copyfile(_object(repo, found.stored[below]), target)
            elif below in found.blobs:
                target.write_bytes(objects.read_blobs(repo, [found.blobs[below]])[found.blobs[below]])
            else:
                raise MlflowException(f"No such artifact: '{remote_file_path}'", RESOURCE_DOES_NOT_EXIST)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Of a run under way alone: what is recorded stays."""
        try:
            entry, kind, below = self._split(artifact_path)
        except MlflowException:
            return
        if entry.log is not None:
            target = entry.log.place / kind / below
            if target.is_dir():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, beside)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise MlopsError(f"`{source}` cannot be kept: {error.strerror or error}") from error


def _add_plain(folder: Path, found: Files) -> None:
    for base, _folders, names in os.walk(folder):
        for name in names:
            if not name.endswith(".tmp") or not name.startswith("."):
                file = Path(base, name)
                found.plain[file.relative_to(folder).as_posix()] = file


def _version_files(repo: Repo, name: str) -> Files:
    """As the tag says it."""
    version = read.resolve(repo, name)
    said_ = version.facts.get("object")
    facts = said_ if isinstance(said_, Mapping) else {}
    path, hash_ = str(facts.get("path", "")), str(facts.get("hash", ""))
    found = Files({}, {}, {})
    if str(facts.get("algorithm", "")).startswith("md5") and not facts.get("within"):
        out = Out(path, str(facts["algorithm"]), hash_)
        if hash_.endswith(".dir"):
            found.stored.update(_members(repo, out))
        else:
            found.stored[posixpath.basename(path)] = out
    elif path.startswith(RUN):
        kind, _, below = path.removeprefix(RUN).partition("/")
        whole = Files({}, {}, {})
        _add_recorded(repo, version.commit, kind if kind == "artifacts" else path.removeprefix(RUN), whole)
        prefix = f"{below}/" if kind == "artifacts" and below else ""
        for mine, all_ in ((found.stored, whole.stored), (found.blobs, whole.blobs)):
            chosen = {n.removeprefix(prefix): one for n, one in all_.items() if n.startswith(prefix)}
            mine.update(chosen)  # type: ignore[arg-type]  # each with its own kind
    else:
        for entry in objects.tree_entries(repo, version.commit, path):
            found.blobs[entry.path.removeprefix(f"{path}/").rpartition("/")[2]] = entry.oid
    return found


def _add_recorded(repo: Repo, commit: str, kind: str, found: Files) -> None:
    texts = objects.read_blobs(repo, [f"{commit}:{RUN}{kind}.dvc"])
    for text in texts.values():
        for out in pointers.parse(f"{kind}.dvc", text).outs:
            found.stored.update(_members(repo, out))
    if not texts:
        base = f"{RUN}{kind}/"
        for entry in objects.tree_entries(repo, commit, base):
            found.blobs[entry.path.removeprefix(base)] = entry.oid


def _members(repo: Repo, out: Out) -> dict[str, Out]:
    if cache.locate(repo, out) is None:
        with said():
            transfer.pull(repo, [out])
    return cache.members(repo, out)


def _object(repo: Repo, out: Out) -> Path:
    """In DVC's cache; asked of the DVC remote where it is not there."""
    file = cache.locate(repo, out)
    if file is None:
        transfer.pull(repo, [out])
        file = cache.locate(repo, out)
    if file is None:
        raise MlopsError(
            f"the artifact `{out.path}` is not on this machine, and no DVC remote has it",
            hint="`git mlops exp push` where it was recorded",
        )
    return file
