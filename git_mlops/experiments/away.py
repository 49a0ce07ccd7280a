"""A queued run on another machine: what it needs in one piece of bytes, what it made in another.

There this very program runs it in a small repository of its own: the entry, its baseline (as if the clone was
shallow) and nothing else. Data goes through the DVC remote; without one it travels with the bytes.
"""

import io
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops import processes
from git_mlops.data import cache, dvc
from git_mlops.data.hashes import md5
from git_mlops.data.pointers import HASH, Out
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import inputs, queue, read, recording, stores
from git_mlops.experiments.names import PREFIX as EXPERIMENTS
from git_mlops.experiments.queue import Entry, Report
from git_mlops.experiments.recording import Request
from git_mlops.experiments.tree import Trees
from git_mlops.git import refs
from git_mlops.git.objects import replace_file
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.git.run import git

_OBJECTS = "objects/"
_ABOUT, _PACK, _LOG = "about.json", "pack", "log"
_READ_ONLY = 0o444  # as DVC keeps its objects


class Sender:
    """Packs entries; what the DVC remote has got once is not offered again."""

    def __init__(self, repo: Repo, data: DataSettings) -> None:
        self._repo = repo
        self._remote = data.remote or (dvc.default_remote(repo) if dvc.initialised(repo) else None)
        self._sent: set[Out] = set()

    def pack(self, entry: Entry) -> bytes:
        """All that a worker needs.

        Raises:
            MlopsError: the DVC remote cannot be reached.
        """
        repo = self._repo
        outs = _outs(repo, entry.commit)
        name, email = repo.text("var", "GIT_AUTHOR_IDENT").rpartition(">")[0].split(" <", 1)
        about = {
            "commit": entry.commit,
            "baseline": entry.baseline,
            "ref": entry.ref,
            "format": repo.object_format,
            "identity": [name, email],
            "remote": self._remote,
            "config": _config(repo) if dvc.initialised(repo) else "",
        }
        files = {_ABOUT: json.dumps(about).encode(), _PACK: _packed(repo, entry.commit, entry.baseline)}
        if self._remote:
            stores.push(repo, [out for out in outs if out not in self._sent], self._remote)
            self._sent |= set(outs)
        else:
            found = ((out, cache.locate(repo, out)) for out in cache.expanded(repo, outs))
            files |= {_name(out): file.read_bytes() for out, file in found if file}
        return _zipped(files)


def _outs(repo: Repo, commit: str) -> list[Out]:
    with reader(repo) as answers:
        tree = read.commits(answers, [commit])[commit].tree
        return [out for out in inputs.outs(inputs.files(Trees(answers), tree)) if out.cache]


def _packed(repo: Repo, *commits: str, without: tuple[str, ...] = ()) -> bytes:
    """The commits and their trees, not what came before them."""
    walk = ("--no-walk=unsorted",) if not without else ()
    named = repo.git("rev-list", "--objects", *walk, *commits, *(f"^{one}" for one in without))
    return repo.git("pack-objects", "--stdout", "-q", stdin=named)


def _config(repo: Repo) -> str:
    """DVC's private settings, and remotes on this machine by their full paths."""
    sections = cache.read_config(repo.root / ".dvc" / "config.local")
    sections.pop("cache", None)
    for name, url in dvc.remotes(repo).items():
        if "://" not in url:
            sections.setdefault(f'remote "{name}"', {})["url"] = os.path.normpath(repo.root / ".dvc" / url)
    lines = []
    for section, values in sections.items():
        lines += [f"['{section}']" if '"' in section else f"[{section}]"]
        lines += [f"    {key} = {value}" for key, value in values.items()]
    return "".join(f"{line}\n" for line in lines)


def work(payload: bytes) -> bytes:
    """What a worker does. In a thread of it: everything is done by other processes."""
    files = _unzipped(payload)
    about = json.loads(files[_ABOUT])
    with tempfile.TemporaryDirectory(prefix="mlops-trial-") as folder:
        repo = _made(Path(folder, "repo"), about, files)
        if about["remote"]:
            _dvc(repo, "fetch", "-q", "-r", about["remote"])
        command = (sys.executable, "-m", "git_mlops", "exp", "queue", "start", "--json")
        done = processes.capture(command, cwd=repo.root)
        if not done.stdout:
            raise MlopsError(f"the worker could not run it: {done.stderr.decode('utf-8', 'replace').strip()}")
        return _answer(repo, about, files, json.loads(done.stdout)["data"][0])


def _made(root: Path, about: dict[str, Any], files: dict[str, bytes]) -> Repo:
    """A repository with the entry in its queue and in its workspace."""
    root.mkdir()
    options = ("-c", "init.templateDir=", "-c", "init.defaultBranch=main")
    git(*options, "init", "-q", f"--object-format={about['format']}", ".", cwd=root, foreign=True)
    repo = Repo(root, root / ".git", root / ".git", about["format"], "", shallow=True)
    name, email = about["identity"]
    (root / ".git" / "shallow").write_text(f"{about['baseline']}\n", encoding="utf-8")
    for words in (("user.name", name), ("user.email", email), ("gc.auto", "0")):
        repo.git("config", *words)
    repo.git("unpack-objects", "-q", stdin=files[_PACK])
    repo.git("update-ref", about["ref"], about["commit"])
    repo.git("update-ref", "--no-deref", "HEAD", about["baseline"])
    repo.git("read-tree", "--reset", "-u", about["commit"])
    if dvc.initialised(repo):
        replace_file(root / ".dvc" / "config.local", about["config"].encode())
    _store(repo, files)
    return repo


def _dvc(repo: Repo, *words: str) -> None:
    """As far as it goes: what is missing is said by the run itself."""
    if dvc.initialised(repo):
        processes.capture((sys.executable, "-P", "-m", "dvc", *words), cwd=repo.root)


def _answer(repo: Repo, about: dict[str, Any], given: dict[str, bytes], report: dict[str, Any]) -> bytes:
    made = refs.list_refs(repo, EXPERIMENTS)
    files: dict[str, bytes] = {}
    if made:
        new = made[0].oid
        files[_PACK] = _packed(repo, new, without=(about["baseline"],))
        if about["remote"]:
            repo.git("read-tree", "--reset", "-u", new)
            _dvc(repo, "push", "-q", "-r", about["remote"])
        else:
            outs = cache.expanded(repo, _outs(repo, new))
            found = ((out, cache.locate(repo, out)) for out in outs if _name(out) not in given)
            files |= {_name(out): file.read_bytes() for out, file in found if file}
    log = queue.log_file(repo, about["ref"].removeprefix(queue.PREFIX))
    files[_LOG] = log.read_bytes() if log.is_file() else b""
    said = {"report": report, "commit": made[0].oid if made else None, "remote": about["remote"]}
    return _zipped({_ABOUT: json.dumps(said).encode(), **files})


class _Home(NamedTuple):
    report: Report
    commit: str | None
    remote: str | None
    files: dict[str, bytes]


def receive(repo: Repo, entry: Entry, answer: bytes) -> Report:
    """Take in what a worker made, and record it; the entry leaves the queue.

    Raises:
        MlopsError: the answer is not what was asked for.
    """
    home = _home(answer)
    log = queue.log_file(repo, entry.id)
    log.parent.mkdir(parents=True, exist_ok=True)
    replace_file(log, home.files.get(_LOG, b""))
    if home.commit is None:
        return home.report
    repo.git("unpack-objects", "-q", "--strict", stdin=home.files[_PACK])
    with reader(repo) as answers:
        commit = read.commits(answers, [home.commit]).get(home.commit)
    if commit is None or commit.parents != (entry.baseline,):
        raise MlopsError(f"the worker's answer for `{entry.name}` is no run of it")
    _store(repo, home.files)
    if home.remote:
        stores.pull(repo, _outs(repo, home.commit), home.remote)
    if refs.read(repo, entry.ref) is None:
        return home.report._replace(outcome="taken")
    new, request = home.commit, Request(entry.name, "", entry.force, late=True)
    ref, _oid, _kept = recording.publish(
        repo, entry.baseline, lambda _name: new, request, entry.plan.origin.claims
    )
    return home.report._replace(name=ref.name)


def _home(answer: bytes) -> _Home:
    files = _unzipped(answer)
    said = json.loads(files[_ABOUT])
    report = Report(**{**said["report"], "notes": tuple(said["report"]["notes"])})
    return _Home(report, said["commit"], said["remote"], files)


def _name(out: Out) -> str:
    return f"{_OBJECTS}{out.algorithm}/{out.hash}"


def _store(repo: Repo, files: dict[str, bytes]) -> None:
    """Objects into the cache; one that is not what its name says is left out."""
    for name, content in files.items():
        if not name.startswith(_OBJECTS):
            continue
        algorithm, _, hash_ = name.removeprefix(_OBJECTS).partition("/")
        target = cache.object_path(cache.cache_dir(repo), Out("", algorithm, hash_))
        if algorithm not in ("md5", "md5-dos2unix") or not HASH.fullmatch(hash_) or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        beside.write_bytes(content)
        if algorithm == "md5" and md5(beside) != hash_.removesuffix(".dir"):
            beside.unlink()
            continue
        beside.chmod(_READ_ONLY)
        beside.replace(target)


def _zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
