"""Runs that are recorded through MLflow's interface: begun, sealed into one experiment, edited later.

While such a run goes on it is a log (`runlog`). When it ends, the log becomes an experiment of the tree that
the project was when the run began. What is said of it later is a log again, on top of the experiment, and
becomes its next commit; the one before stays in the ref's reflog.
"""

import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import yaml

from git_mlops import trackfile
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import (
    artifacts,
    documents,
    environment,
    journal,
    message,
    names,
    reads,
    recording,
    runlog,
    snapshot,
    subject,
    tracked,
    tree,
    yaml12,
)
from git_mlops.experiments.documents import DocumentError
from git_mlops.experiments.environment import Environment
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.message import Message, Status
from git_mlops.experiments.names import ExperimentRef
from git_mlops.experiments.record import Record, RecordError, format_record, parse_record
from git_mlops.experiments.recording import Request
from git_mlops.experiments.runlog import Began, GoneError, Point, Reader, State
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.snapshot import with_files
from git_mlops.experiments.subject import Task
from git_mlops.experiments.tree import Trees
from git_mlops.git import refs
from git_mlops.git.objects import Entry
from git_mlops.git.reader import reader
from git_mlops.git.refs import Move, RefMovedError
from git_mlops.git.repo import Repo, resolve
from git_mlops.jsonable import finite

URI = "MLFLOW_TRACKING_URI"
"""Where MLflow records. Unset, the runs of an `exp run` come to us; set, they go where it says."""
FACTS = "mlflow"
"""The key of record.json."""
_STATUS: dict[str, Status] = {"FINISHED": "finished", "FAILED": "failed"}
_FILES = "files"
_MADE = "made"
"""Says which commit the ref of an experiment is moved to: who finds it there knows that it was moved."""


class Beginning(NamedTuple):
    """How a run begins."""

    run_id: str
    facts: Mapping[str, Any]
    """As `runlog` has them."""
    environment: Environment
    command: tuple[str, ...] = ()
    committed: str | None = None
    """Take this commit as the code, not the workspace: the run is somewhere else."""
    owned: bool = True
    """It ends with this process; else when somebody says so."""


class Sealed(NamedTuple):
    """An experiment that a log became."""

    ref: str
    commit: str
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()
    """What others will not have, for people."""


def uri(repo: Repo) -> str:
    """How MLflow is told of a repository, wherever its process stands."""
    return f"git-mlops://{quote(str(repo.root))}"


def folder(repo: Repo, run_id: str) -> Path:
    """Where a run under way is."""
    return repo.private / "runs" / run_id


def begin(repo: Repo, how: Beginning, settings: Settings, data: DataSettings) -> Path:
    """Take the project as it is, and start the log; its folder.

    Raises:
        MlopsError: no commit yet.
    """
    baseline = how.committed or resolve(repo, "HEAD")
    recording.check_person(repo)
    files: dict[str, bytes] = {"environment.lock": how.environment.lock}
    record = Record(
        how="mlflow",
        command=list(how.command) or None,
        directory=repo.prefix.rstrip("/") or None,
        status="interrupted",
        start=_stamp(how.facts.get("start_time")),
        host=environment.host() if not how.committed else None,
        extra={"run_id": how.run_id},
    )
    if how.committed:  # neither its packages nor its machine are known here
        root = repo.text("rev-parse", f"{baseline}^{{tree}}")
        files = {"record.json": format_record(record)}
    else:
        taken = snapshot.take(repo, data)
        task = Task(("mlflow", *how.command), repo.prefix)
        found = subject.study(repo, taken, task, settings, known=how.environment)._replace(loose={})
        record = record._replace(metrics_not_written=list(found.contents.values.metrics) or None)
        root = taken.tree
        files = recording.run_files(found, record)
    place = folder(repo, how.run_id)
    inner = place / runlog.FOLDER / _FILES
    inner.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (inner / name).write_bytes(content)
    began = Began(how.run_id, dict(how.facts), baseline, root, root=str(repo.root))
    _start(place, began, owned=how.owned)
    try:  # a log whose tree nobody holds was recorded, or never began: see `_published`
        refs.move(repo, [Move(journal.holder(how.run_id), root, None)], f"mlflow: {how.run_id} began")
    except MlopsError:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return place


def drop_holder(repo: Repo, run_id: str) -> None:
    """Let go of the tree of a run that will not be recorded."""
    held = refs.read(repo, journal.holder(run_id))
    if held:
        with suppress(RefMovedError):
            refs.move(repo, [Move(journal.holder(run_id), None, held)], "mlflow: given up")


def _start(place: Path, began: Began, *, owned: bool) -> None:
    """The log is there when this file is."""
    if owned:
        pid = os.getpid()
        began = began._replace(pid=pid, host=platform.node(), born=journal.born(pid))
    target = place / runlog.FOLDER / runlog.RUN_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{runlog.RUN_FILE}.{os.getpid()}")
    temporary.write_text(json.dumps(began._asdict()) + "\n", encoding="utf-8")
    with suppress(FileExistsError):  # two processes begin to edit a run: one log serves both
        target.hardlink_to(temporary)
    temporary.unlink()


def _stamp(milliseconds: object) -> str | None:
    if not isinstance(milliseconds, int):
        return None
    return recording.stamp(datetime.fromtimestamp(milliseconds / 1000, UTC))


def inside(repo: Repo, exp_run: str, run_id: str, facts: Mapping[str, Any]) -> Path | None:
    """A log in the folder of the `exp run` that this process belongs to; None where another run has it."""
    place = tracked.folder(repo, exp_run)
    if not place.parent.is_dir() or (place / runlog.FOLDER / runlog.RUN_FILE).exists():
        return None
    _start(place, Began(run_id, dict(facts), "", ""), owned=False)
    began = runlog.read_began(place)
    return place if began and began.run_id == run_id else None


def reopen(repo: Repo, ref: str, commit: str, facts: Mapping[str, Any], *, owned: bool) -> Path:
    """A log on top of an experiment."""
    run_id = str(facts["run_id"])
    place = folder(repo, run_id)
    baseline = names.parse_ref(ref)
    began = Began(run_id, dict(facts), baseline.baseline if baseline else "", "", ref, commit, str(repo.root))
    _start(place, began, owned=owned)
    return place


def dead(place: Path) -> bool:
    """Whether the process is gone that the run belongs to."""
    began = runlog.read_began(place)
    if began is None or not began.pid:
        return False
    as_journal = journal.Journal(began.run_id, "", "", "", began.pid, began.host, began.born)
    return not journal.alive(as_journal)


def recover(repo: Repo) -> list[str]:
    """Seal the runs of processes that are gone: as interrupted, where nobody said how they ended."""
    found = []
    for place in runlog.places(repo.private):
        if place.name != "track" and dead(place):
            with suppress(GoneError, OSError):
                done = seal(repo, place)
                found += [done.ref] if done else []
    return found


def seal(repo: Repo, place: Path) -> Sealed | None:
    """Turn a log into its experiment, and take the log away.

    Raises:
        GoneError: another process did. MlopsError: it cannot be recorded; the log stays.
    """
    with runlog.Sealing(place):
        began = runlog.read_began(place)
        if began is None:
            raise GoneError
        done = None if _published(repo, place, began) else _sealed(repo, place, began)
        gone = place.with_name(f".{place.name}.{os.getpid()}")
        place.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    return done


def _sealed(repo: Repo, place: Path, began: Began) -> Sealed:
    log = Reader(place, began)
    histories = log.histories()
    state = log.look()
    runlog.end(state, log.changed)
    return _Recording(repo, place, began, state, histories).publish()


def _published(repo: Repo, place: Path, began: Began) -> bool:
    """Whether a process has moved the ref and was killed before it could take the log away."""
    if began.ref is None:
        return refs.read(repo, journal.holder(began.run_id)) is None
    with suppress(OSError):
        return (place / runlog.FOLDER / _MADE).read_text(encoding="utf-8") == refs.read(repo, began.ref)
    return False


def checkpoint(repo: Repo, place: Path) -> str:
    """A commit of what a run has logged so far; no ref moves, and the log goes on.

    Raises:
        GoneError: another process sealed it. MlopsError: it cannot be recorded.
    """
    with runlog.Sealing(place):
        began = runlog.read_began(place)
        if began is None:
            raise GoneError
        log = Reader(place, began)
        histories = log.histories()
        return _Recording(repo, place, began, log.look(), histories).commit()


def preview(repo: Repo, place: Path, began: Began, name: str) -> str:
    """A commit that stands for a run under way, with nothing of what it has logged; no ref moves.

    Raises:
        OSError: it was sealed meanwhile.
    """
    return _Recording(repo, place, began, State(began.facts), {}).bare(name)


class _Recording:
    """One log on its way into history."""

    def __init__(
        self, repo: Repo, place: Path, began: Began, state: State, histories: Mapping[str, list[Point]]
    ) -> None:
        self.repo, self.place, self.began, self.state = repo, place, began, state
        self.histories = histories
        self.notes: tuple[str, ...] = ()
        self.status: Status = _STATUS.get(str(state.info.get("status")), "interrupted")
        self._read()

    def _read(self) -> None:
        """What the tree holds, and the files of the run as they are until now."""
        base = self.began.commit
        root = f"{base}^{{tree}}" if base else self.began.tree
        if base:
            root = self.repo.text("rev-parse", root)
        with reader(self.repo) as objects_:
            trees = Trees(objects_)
            self.entries = trees.entries(root)
            self.inner = trees.entries(self.entries[".mlops"].oid) if ".mlops" in self.entries else {}
            known = tree.contents(trees, [root])[root]
            self.known = {
                name
                for path, found in known.values.params.items()
                if path != f"{RUN}params.yaml"
                for name in found
            }
            below: list[Entry] = list(trees.files(root, RUN[:-1])) if base else []
            texts = objects_.read(entry.oid for entry in below)
            said = objects_.read([base])[base].content if base else b""
            self.files = {
                e.path.removeprefix(RUN): texts[e.oid].content or b"" for e in below if e.oid in texts
            }
            if not base:
                where = self.place / runlog.FOLDER / _FILES
                self.files = {file.name: file.read_bytes() for file in where.iterdir()}
            self.reads = self._reads(trees, root)
        self.said = (said or b"").decode("utf-8", "replace").partition("\n\n")[2]

    def _reads(self, trees: Trees, root: str) -> reads.Read | None:
        """What the datasets say; those of before count as they were seen where the run was."""
        record = _parsed(self.files)
        old = reads.parse(record.extra.get(reads.KEY))
        older = self.began.facts.get("datasets") or [] if self.began.commit else []
        fresh = [one for one in self.state.datasets if one not in older]
        if not fresh:
            return old
        at = reads.Where(trees, root, Path(self.began.root or self.repo.root), record.directory or "")
        new = reads.find(record.data or (), fresh, at)
        return reads.added(old, new) if older else new

    def commit(self) -> str:
        """The commit alone."""
        make, facts = self._maker()
        return make(experiment_name(facts))

    def bare(self, name: str) -> str:
        """The commit without what was logged, artifacts least of all: they are still being written."""
        record = self._record(self.files)
        files = {**self.files, "record.json": format_record(record._replace(name=name))}
        whole = with_files(self.repo, self.entries, self.inner, files)
        return recording.commit_tree(self.repo, whole, self.began.baseline, self._message(name, {}, record))

    def _maker(self) -> tuple[Callable[[str], str], dict[str, Any]]:
        """Makes the commit for a name; and the facts in it."""
        files, facts, metrics = self._files()
        record = self._record(files)
        made: dict[str, str] = {}

        def make(name: str) -> str:
            if name not in made:
                extra = {
                    **record.extra, **reads.plain(self.reads), FACTS: {"version": runlog.VERSION, **facts}
                }  # fmt: skip
                files["record.json"] = format_record(record._replace(name=name, extra=extra))
                whole = with_files(self.repo, self.entries, self.inner, files)
                said = self._message(name, metrics, record)
                made[name] = recording.commit_tree(self.repo, whole, self.began.baseline, said)
            return made[name]

        return make, facts

    def publish(self) -> Sealed:
        """The experiment; its ref is moved from where the log found it, or made."""
        make, facts = self._maker()
        began = self.began
        if began.ref and began.commit:
            new = make(began.ref.rpartition("/")[2])
            (self.place / runlog.FOLDER / _MADE).write_text(new, encoding="utf-8")
            with suppress(RefMovedError):
                refs.move(self.repo, [Move(began.ref, new, began.commit)], "mlflow: edited", reflog=True)
                return Sealed(began.ref, new, facts, self.notes)
        held = refs.read(self.repo, journal.holder(began.run_id)) if not began.ref else None
        also = [Move(journal.holder(began.run_id), None, held)] if held else []
        name = began.ref.rpartition("/")[2] if began.ref else experiment_name(facts)
        ref, oid, _kept = recording.publish(self.repo, began.baseline, make, Request(name, late=True), also)
        return Sealed(names.format_ref(ExperimentRef(*ref)), oid, facts, self.notes)

    def _files(self) -> tuple[dict[str, bytes], dict[str, Any], dict[str, object]]:
        files = dict(self.files)
        metrics = self._metrics(files)
        self._params(files)
        named = add_histories(files, self.state, self.histories)
        self.notes = tuple(add_artifacts(self.repo, self.place, files, self.state))
        if declaration := _declaration(files):
            files["dvc.yaml"] = declaration
        return files, {**self.state.facts(), **({"files": named} if named else {})}, metrics

    def _metrics(self, files: dict[str, bytes]) -> dict[str, object]:
        """metrics.json, the last value of each; those of this run by name."""
        if not self.state.latest:
            return {}
        found = _json(files.get("metrics.json"))
        for name, point in self.state.latest.items():
            trackfile.nest(found, name, point[0])
        files["metrics.json"] = trackfile.text(finite(found))
        return {name: point[0] for name, point in self.state.latest.items()}

    def _params(self, files: dict[str, bytes]) -> None:
        """params.yaml, what no file of the project says."""
        new = {n: runlog.typed(text) for n, text in self.state.params.items() if n not in self.known}
        if not new:
            return
        old: object = {}
        with suppress(DocumentError):
            old = documents.load("params.yaml", files.get("params.yaml", b"{}"))
        files["params.yaml"] = yaml12.dump({**(old if isinstance(old, dict) else {}), **new})

    def _record(self, files: Mapping[str, bytes]) -> Record:
        """The record of before, with what the log adds. What is older than the run is not its result."""
        record = _parsed(files)
        mine = {f"{RUN}metrics.json"} if self.state.latest else set()
        older = [path for path in record.metrics_not_written or [] if path not in mine]
        start, end = self.state.info.get("start_time"), self.state.info.get("end_time")
        if record.how == "mlflow" and isinstance(start, int) and isinstance(end, int):
            record = record._replace(end=_stamp(end), wall=round((end - start) / 1000, 3))
        return record._replace(status=self.status, metrics_not_written=older or None)

    def _message(self, name: str, metrics: Mapping[str, object], record: Record) -> str:
        old = message.parse_message(self.said) if self.said else Message("")
        title = message.title(name, metrics) if metrics or not old.title else old.title
        return message.format_message(
            Message(
                title,
                self.state.tags.get("mlflow.note.content", old.text),
                (record.key or {}).get("run") or old.key,
                self.status,
                message.VERSION,
                bool(record.metrics_not_written),
                bool(record.data_dirty),
            )
        )


def add_histories(
    files: dict[str, bytes], state: State, histories: Mapping[str, Sequence[Point]]
) -> dict[str, str]:
    """Every value of every metric among the files; which file a metric is in, where another has its name."""
    named = runlog.filed(histories, state.info.get("files", {}))
    for name, found in histories.items():
        path = f"plots/{named.get(name, name)}.tsv"
        files[path] = files.get(path, trackfile.HEADER.encode()) + runlog.lines(found).encode()
    state.info.pop("files", None)
    return named


def add_artifacts(repo: Repo, place: Path, files: dict[str, bytes], state: State) -> list[str]:
    """Pointers to what was logged as files, of the run and of each of its models."""
    notes: list[str] = []
    for name, where in (("artifacts", place / "artifacts"), *artifacts.models(place / "models")):
        found, said = artifacts.added(repo, where, name, files, DataSettings().size_limit)
        if said:  # too large for git, and no DVC: they stay on this machine
            shutil.copytree(where, local_files(repo, str(state.info["run_id"])) / name, dirs_exist_ok=True)
        files |= found
        notes += said
    artifacts.name_objects(state.models.values(), files)
    return notes


def local_files(repo: Repo, run_id: str) -> Path:
    """Where files stay that are too large for git in a project without DVC."""
    return repo.private / "artifacts" / run_id


def _parsed(files: Mapping[str, bytes]) -> Record:
    try:
        return parse_record(files.get("record.json", b"{}"))
    except RecordError:
        return Record()


def _json(content: bytes | None) -> dict[str, object]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _declaration(files: Mapping[str, bytes]) -> bytes | None:
    try:
        old = documents.load("dvc.yaml", files.get("dvc.yaml", b""))
    except DocumentError:
        old = None
    said: dict[str, list[object]] = {k: list(v) for k, v in old.items()} if isinstance(old, dict) else {}
    for kind, file in (("metrics", "metrics.json"), ("params", "params.yaml")):
        if file in files and file not in said.get(kind, []):
            said.setdefault(kind, []).append(file)
    if any(name.startswith("plots/") for name in files):
        said["plots"] = [tracked.PLOTS]
    return yaml.safe_dump(said, allow_unicode=True).encode() if said else None


def experiment_name(facts: Mapping[str, Any]) -> str:
    """A run's name as an experiment can have it."""
    return names.of_run(str(facts.get("run_name") or "run"))
