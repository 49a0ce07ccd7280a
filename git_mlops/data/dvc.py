"""DVC, in-process: the only file that imports it. Everything it raises leaves here as `MlopsError`."""

import errno
import fcntl
import os
import re
import shlex
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from git_mlops.data import versions
from git_mlops.data.cache import config_files, default_cache, read_config
from git_mlops.data.pointers import Out
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

if TYPE_CHECKING:
    from dvc.repo import Repo as DvcRepo


class Moved(NamedTuple):
    """What a transfer did."""

    transferred: frozenset[str]
    """Hashes that were copied."""
    missing: frozenset[str]
    """Hashes that neither side has."""


def initialised(repo: Repo) -> bool:
    """Whether DVC is set up at the top of this worktree."""
    return (repo.root / ".dvc").is_dir()


def init(repo: Repo) -> list[str]:
    """Set DVC up and stage what that writes; nothing where it is set up already. Returns the staged paths."""
    if initialised(repo):
        return []
    if _ignored(repo, ".dvc"):
        raise MlopsError("`.dvc` is ignored by git", hint="add `!.dvc` to .gitignore")
    folder = repo.root / ".dvc"
    folder.mkdir()
    replace_file(folder / ".gitignore", b"/config.local\n/tmp\n/cache\n")
    replace_file(folder / "config", b"")
    if not (repo.root / ".dvcignore").exists():
        replace_file(repo.root / ".dvcignore", _DVCIGNORE)
    paths = [".dvc/.gitignore", ".dvc/config", ".dvcignore"]
    repo.git("add", "--", *paths)
    return paths


_DVCIGNORE = b"""# Add patterns of files dvc should ignore, which could improve
# the performance. Learn more at
# https://dvc.org/doc/user-guide/dvcignore
"""


def _ignored(repo: Repo, path: str) -> bool:
    return bool(repo.text("check-ignore", "--", path, ok=(0, 1)))


def prepare_worktree(repo: Repo) -> bool:
    """Let a linked worktree share one cache with the others; returns whether anything had to be written.

    A `cache.dir` that somebody configured stays. The setting is private (`.dvc/config.local`).
    """
    if not repo.linked or not initialised(repo):
        return False
    local, shared = repo.root / ".dvc" / "config.local", repo.root / ".dvc" / "config"
    if any("dir" in read_config(file).get("cache", {}) for file in (local, shared)):
        return False
    cache = default_cache(repo)
    old = local.read_bytes() if local.exists() else b""
    section = b"" if old.endswith(b"\n") or not old else b"\n"
    replace_file(local, old + section + f"[cache]\n    dir = {cache}\n".encode())
    return True


def remotes(repo: Repo) -> dict[str, str]:
    """DVC remotes of this repository (its own configuration files): name → URL as written."""
    found: dict[str, str] = {}
    for name in ("config", "config.local"):
        for section, values in read_config(repo.root / ".dvc" / name).items():
            if section.startswith('remote "') and "url" in values:
                found[section.removeprefix('remote "').rstrip('"')] = values["url"]
    return found


def every_remote(repo: Repo) -> dict[str, str]:
    """Every DVC remote that is configured, also for the user or the machine: name → URL without secrets."""
    found: dict[str, str] = {}
    for file in config_files(repo):
        for section, values in read_config(file).items():
            if section.startswith('remote "') and "url" in values:
                url = re.sub(r"(?<=://)[^/@]*@", "", values["url"])
                found.setdefault(section.removeprefix('remote "').rstrip('"'), url)
    return found


def default_remote(repo: Repo) -> str | None:
    """The remote that DVC uses when none is named, or None."""
    found = (read_config(file).get("core", {}).get("remote") for file in config_files(repo))
    return next((name for name in found if name), None)


def load() -> None:
    """Import what a checkout and a pipeline need: half a second, spent once before this process is copied.

    No thread is started by that. A module that another version of DVC has not is passed over.
    """
    import importlib

    for module in _NEEDED:
        with suppress(ImportError):
            importlib.import_module(module)


_REPO = "checkout reproduce graph index stage artifacts datasets metrics params plots trie"
_NEEDED = (
    *(f"dvc.repo.{name}" for name in _REPO.split()),
    *(f"dvc.{name}" for name in ("cachemgr", "data_cloud", "lock", "scm", "stage.run", "utils.strictyaml")),
    "dvc_data.hashfile.db.local", "dvc_data.index.checkout", "dvc_objects.fs.local", "dvc_render.vega",
    "dulwich.repo", "fsspec.implementations.memory", "networkx", "ruamel.yaml",
)  # fmt: skip


@contextmanager
def opened(repo: Repo, *, queue: bool = True) -> Iterator["DvcRepo"]:
    """DVC's own repository object, alone: a second command of ours or of DVC waits instead of failing.

    Args:
        queue: wait in our own line, too. Not for what runs the user's commands: one that calls us would wait
            for ever for the one that started it. DVC gives its lock away while such a command runs.

    Raises:
        MlopsError: whatever DVC says, with what to do where that is known.
    """
    if not initialised(repo):
        raise MlopsError("DVC is not set up in this repository", hint="`git mlops init`")
    from dvc.repo import Repo as DvcRepo

    prepare_worktree(repo)
    # DVC by itself gives up after 3.5 s; `_wait_for_lock` makes it wait, and say so
    options: dict[str, Any] = {"config": {"core": {"autostage": False}}, "_wait_for_lock": True}
    turn = _one_at_a_time(repo) if queue else nullcontext()
    with turn, translated(), DvcRepo(str(repo.root), **options) as dvc:
        dvc.scm_context.quiet = True  # no advice on `git add`: what is staged is ours to say
        yield dvc


@contextmanager
def _one_at_a_time(repo: Repo) -> Iterator[None]:
    """Our own commands queue here: the kernel wakes the next one and frees the lock of a killed one."""
    folder = repo.private / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "dvc").open("ab") as file:
        if not _free(file, _PATIENCE):
            import logging  # 10 ms, for hooks that need no DVC

            logging.getLogger("git_mlops").warning("waiting for another git-mlops command in this repository")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


_PATIENCE = 3.0
"""Seconds to wait before it is said."""


def _free(file: IO[bytes], seconds: float) -> bool:
    """Take the lock within so much time."""
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True


@contextmanager
def translated() -> Iterator[None]:
    """DVC's exceptions, and the system's under it, as ours."""
    import sqlite3

    from dvc.config import NoRemoteError, RemoteNotFoundError
    from dvc.exceptions import DvcException
    from dvc_objects.errors import ObjectFormatError
    from scmrepo.exceptions import SCMError

    try:
        yield
    except (NoRemoteError, RemoteNotFoundError) as error:
        raise _no_remote(error) from error
    except ImportError as error:
        raise _missing_package(error) from error
    except MlopsError:
        raise
    except (DvcException, SCMError) as error:
        raise MlopsError(_said(error)) from error
    except ObjectFormatError as error:
        raise MlopsError(f"DVC's cache is damaged: {_said(error)}", exit_code=CANNOT_EVALUATE) from error
    except OSError as error:
        raise _of_the_system(error) from error
    except sqlite3.Error as error:
        raise MlopsError(f"DVC's state cannot be used: {error}", exit_code=CANNOT_EVALUATE) from error
    except Exception as error:
        library = type(error).__module__.partition(".")[0]
        if library in ("builtins", "git_mlops"):
            raise  # a defect, of ours or of DVC
        # a cloud's library: no credentials, no such bucket, no permission
        raise MlopsError(
            f"the DVC remote cannot be used: {_said(error)}", exit_code=CANNOT_EVALUATE
        ) from error


def _no_remote(error: Exception) -> MlopsError:
    """None at all, or none of the name that a pointer or the user says."""
    named = re.search(r"remote '([^']+)' doesn't exist", str(error))
    if named is None:
        return MlopsError("no DVC remote is configured", hint="`dvc remote add -d NAME URL`")
    hint = f"`dvc remote add {shlex.quote(named[1])} URL`"
    return MlopsError(f"there is no DVC remote `{named[1]}`", hint=hint)


def _missing_package(error: ImportError) -> MlopsError:
    """A remote whose library is not installed: RemoteMissingDepsError, or DVC's plain ImportError."""
    match = re.match(r"([a-z0-9]+) is supported, but requires '([^']+)'", str(error))
    scheme = str(getattr(error, "protocol", None) or (match[1] if match else ""))
    package = f"git-mlops[{scheme}]" if scheme in _EXTRAS else match[2] if match else f"dvc-{scheme}"
    if not scheme:
        return MlopsError(f"DVC cannot be loaded: {_said(error)}", exit_code=CANNOT_EVALUATE)
    return MlopsError(
        f"the DVC remote ({scheme}) needs a package that is not installed",
        hint=f"`{shlex.quote(sys.executable)} -m pip install '{package}'`",
    )


_EXTRAS = ("s3", "gs", "azure", "ssh")


def _of_the_system(error: OSError) -> MlopsError:
    """A full disk, a missing permission: what the system says, and of which file."""
    hint = "make room, then run it again: nothing was lost" if error.errno in _FULL else None
    said = f"`{error.filename}`: {error.strerror}" if error.filename and error.strerror else _said(error)
    return MlopsError(said, hint=hint, exit_code=CANNOT_EVALUATE)


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _said(error: BaseException) -> str:
    """DVC's message on one line; what caused it where that says more."""
    text = " ".join(str(error).split()) or type(error).__name__
    cause = error.__cause__
    return (
        f"{text} ({' '.join(str(cause).split())})"
        if cause and str(cause) and str(cause) not in text
        else text
    )


def add(repo: Repo, paths: Sequence[str]) -> list[str]:
    """Hash, cache and link files or directories (repository paths); returns the pointers' paths.

    What plain git holds is taken as well: the caller takes it out of the index.
    """
    with opened(repo) as dvc, _standing_at(repo.root), _swept(repo.root):
        # DVC refuses what is in .git/index, also where the commit under way has an index of its own
        dvc.scm.is_tracked = lambda _path: False
        stages = dvc.add(list(paths), relink=_links(repo, dvc))
        return [Path(stage.path).relative_to(repo.root).as_posix() for stage in stages]


def _links(repo: Repo, dvc: "DvcRepo") -> bool:
    """Whether the workspace gets links to the cache. Where it would be a copy, the user's own file stays."""
    from dvc.fs import localfs
    from dvc_objects.fs.generic import test_links

    cache = dvc.cache.local
    Path(cache.path).mkdir(parents=True, exist_ok=True)
    # what is tried is a file beside this one, so let that be where git does not look
    beside = str(repo.root / ".dvc" / "tmp" / "link")
    works = test_links(cache.cache_types, localfs, cache.path, localfs, beside)
    return list(works[:1]) != ["copy"]


@contextmanager
def _swept(folder: Path) -> Iterator[None]:
    """Take away the file by which DVC tries links, if an interruption leaves it behind."""
    before = _tried(folder)
    try:
        yield
    except BaseException:
        for file in _tried(folder) - before:
            file.unlink(missing_ok=True)
        raise


def _tried(folder: Path) -> set[Path]:
    return {file for file in folder.glob(".*.tmp") if re.fullmatch(r"\.[0-9A-Za-z]{22}\.tmp", file.name)}


@contextmanager
def _standing_at(folder: Path) -> Iterator[None]:
    """DVC takes its targets relative to the current directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def checkout(repo: Repo, pointers: Sequence[str]) -> list[str]:
    """Bring the data of these pointers into the workspace, as DVC links it; never over unsaved data.

    Returns the paths whose objects are not in the cache.
    """
    from dvc.exceptions import CheckoutError

    # not both at once: of pointers beside other targets DVC 3.67 brings the last one, and says nothing
    files = [path for path in pointers if path.endswith(".dvc")]
    others = [path for path in pointers if not path.endswith(".dvc")]
    failed: list[str] = []
    with opened(repo) as dvc, _standing_at(repo.root):
        for targets in filter(None, (files, others)):
            try:
                dvc.checkout(targets=targets)
            except CheckoutError as error:
                failed += map(str, error.target_infos)
    return failed


def checkout_files(repo: Repo, directories: Mapping[Out, Mapping[str, Out]]) -> list[str]:
    """Make workspace directories of these files (path in it → object) of the cache, as DVC links them.

    Never over unsaved data. Returns the paths of directories that could not be made.
    """
    from dvc_data.hashfile.checkout import CheckoutError, LinkError, PromptError
    from dvc_data.hashfile.checkout import checkout as make
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    failed: list[str] = []
    with opened(repo) as dvc, _standing_at(repo.root), dvc.lock:
        for out, files in directories.items():
            cache = dvc.cache.legacy if out.algorithm == "md5-dos2unix" else dvc.cache.local
            tree = Tree()
            for name, one in files.items():
                tree.add(tuple(name.split("/")), None, HashInfo(one.algorithm, one.hash))
            tree.digest()
            place = str(repo.root / out.path)
            try:
                make(place, dvc.fs, tree, cache, state=dvc.state, ignore=dvc.dvcignore, quiet=True)
            except (CheckoutError, LinkError, PromptError):
                failed.append(out.path)
    return failed


def reproduce(repo: Repo, targets: Sequence[str] = (), *, force: bool = False) -> list[str]:
    """Run the pipeline of dvc.yaml where something changed; stages print on the user's terminal.

    Returns the stages that ran or were restored.

    Raises:
        MlopsError: a stage failed (exit code 1), or the pipeline is wrong.
        KeyboardInterrupt: the user interrupted it; DVC itself lets only the stage's command see that.
    """
    import logging

    from dvc.exceptions import ReproductionError

    logging.getLogger("dvc").setLevel(logging.INFO)  # which stage runs, and what it runs
    with opened(repo, queue=False) as dvc, _standing_at(repo.root):
        try:
            stages = dvc.reproduce(targets=list(targets) or None, all_pipelines=not targets, force=force)
        except ReproductionError as error:
            if re.search(r", exited with (?:-2|130)$", str(error.__cause__)):
                raise KeyboardInterrupt from error
            raise MlopsError(_said(error), hint="its own output is above", exit_code=1) from error
        return [str(stage.addressing) for stage in stages]


def set_params(repo: Repo, overrides: Iterable[str]) -> list[str]:
    """Change parameter files of the workspace: `train.lr=0.1` or `other.yaml:train.lr=0.1`.

    Comments and layout stay. Returns the paths of the files.

    Raises:
        MlopsError: no such file, no such parameter, or a value that cannot be read.
    """
    from dvc.utils.hydra import apply_overrides

    by_file = _by_file(overrides)
    for file, values in by_file.items():
        path = repo.root / file
        if not path.is_file():
            raise MlopsError(
                f"there is no parameter file `{file}`", hint="name it: `-S path/to/params.yaml:key=value`"
            )
        with translated():
            try:
                apply_overrides(str(path), values)
            except KeyError as error:
                raise MlopsError(f"`{file}` is no parameter file that DVC can change") from error
            except MlopsError:
                raise
            except Exception as error:
                raise _of_override(file, values, f"{error} {error.__cause__}") from error
    return sorted(by_file)


def parameter_files(overrides: Iterable[str]) -> list[str]:
    """The files that overrides name."""
    return sorted(_by_file(overrides))


def _by_file(overrides: Iterable[str]) -> dict[str, list[str]]:
    by_file: dict[str, list[str]] = {}
    for override in overrides:
        head, _, _value = override.partition("=")
        file, colon, _key = head.rpartition(":")
        by_file.setdefault(file or "params.yaml", []).append(override[len(file) + 1 :] if colon else override)
    return by_file


def _of_override(file: str, values: Sequence[str], said: str) -> MlopsError:
    """Hydra's words, for which the user never asked, as ours."""
    shown = ", ".join(values)
    unknown = re.search(r"Could not override '([^']+)'", said)
    if unknown:
        return MlopsError(
            f"`{file}` has no parameter `{unknown[1]}`", hint=f"`-S +{unknown[1]}=VALUE` adds it"
        )
    return MlopsError(
        f"cannot set `{shown}` in `{file}`: it is no `KEY=VALUE` that can be read",
        hint="a list is `[1,2]`, a map `{a: 1}`; text with such characters is quoted: `-S 'key=\"a, b\"'`",
    )


def push(
    repo: Repo, outs: Iterable[Out], remote: str | None, *, without: Collection[str] = frozenset()
) -> Moved:
    """Upload objects. Every one is asked for: a directory on the remote does not vouch for its files.

    Args:
        without: hashes that are never sent, also where a directory lists them.
    """
    return _by_algorithm(repo, outs, remote, frozenset(without), upload=True)


def fetch(
    repo: Repo, outs: Iterable[Out], remote: str | None, *, without: Collection[str] = frozenset()
) -> Moved:
    """Download objects into the cache, verified; a directory's files arrive before its listing."""
    return _by_algorithm(repo, outs, remote, frozenset(without), upload=False)


def _by_algorithm(
    repo: Repo, outs: Iterable[Out], remote: str | None, without: frozenset[str], *, upload: bool
) -> Moved:
    hashes: dict[str, set[str]] = {}
    for out in outs:
        hashes.setdefault(out.algorithm, set()).add(out.hash)
    transferred: set[str] = set()
    missing: set[str] = set()
    with opened(repo) as dvc:
        for algorithm, wanted in hashes.items():
            store_ = dvc.cloud.get_remote_odb(remote, "push" if upload else "fetch", hash_name=algorithm)
            cache = dvc.cache.legacy if algorithm == "md5-dos2unix" else dvc.cache.local
            if upload:
                _say_if_made(dvc.cloud.get_remote(remote, "push"))
            ends = (cache, store_) if upload else (store_, cache)
            moved = _transfer(*ends, wanted, without)
            transferred |= moved.transferred
            missing |= moved.missing
    return Moved(frozenset(transferred), frozenset(missing))


def _say_if_made(remote: Any) -> None:
    """A local directory that is not there is made, as DVC does; it may be a disk that is not mounted."""
    if remote.fs.protocol == "local" and not Path(remote.path).exists():
        import logging

        said = "the DVC remote's directory %s was not there and is made now: is its disk mounted?"
        logging.getLogger("git_mlops").warning(said, remote.path)


def _transfer(src: Any, dest: Any, hashes: set[str], without: frozenset[str]) -> Moved:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.transfer import transfer
    from dvc_objects.errors import ObjectDBError
    from fsspec.callbacks import TqdmCallback

    absent: set[str] = set()
    every = (hashes | _members_of(src, hashes)) - without
    infos = {HashInfo(src.hash_name, hash_) for hash_ in every}
    try:
        with TqdmCallback(
            tqdm_kwargs={"desc": "data", "unit": "file", "disable": None, "leave": False}
        ) as bar:
            result = transfer(
                src,
                dest,
                infos,
                verify=bool(getattr(src, "verify", False)),
                cache_odb=src,
                validate_status=lambda status: absent.update(info.value for info in status.missing),
                callback=bar,
            )
    except (OSError, ObjectDBError) as error:
        raise MlopsError(f"the transfer failed: {_said(error)}", exit_code=CANNOT_EVALUATE) from error
    if result.failed:
        some = ", ".join(sorted(info.value for info in result.failed)[:3])
        message = f"could not be transferred: {some}" + (" …" if len(result.failed) > 3 else "")
        raise MlopsError(message, hint="run it again: what has arrived stays", exit_code=CANNOT_EVALUATE)
    return Moved(frozenset(info.value for info in result.transferred), frozenset(absent))


def _members_of(src: Any, hashes: set[str]) -> set[str]:
    """The files of the directories among the hashes, as far as the source has their listings."""
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree
    from dvc_objects.errors import ObjectFormatError

    found: set[str] = set()
    for hash_ in (hash_ for hash_ in hashes if hash_.endswith(".dir")):
        try:
            tree = Tree.load(src, HashInfo(src.hash_name, hash_))
        except (FileNotFoundError, ObjectFormatError):
            continue
        found |= {info.value for _key, _meta, info in tree if info.value}
    return found


def absent(repo: Repo, outs: Sequence[Out], remote: str | None) -> list[Out]:
    """Outputs of which the remote lacks anything. A directory does not vouch for its files: all are asked.

    DVC lists the remote or asks one by one, whichever is cheaper. Where the listing of a directory is not in
    the cache (a fresh clone in CI), it is read from the remote, and nothing else is.
    """
    lacking: list[Out] = []
    with opened(repo) as dvc:
        for algorithm in sorted({out.algorithm for out in outs}):
            odb = dvc.cloud.get_remote_odb(remote, "status", hash_name=algorithm)
            cache = dvc.cache.legacy if algorithm == "md5-dos2unix" else dvc.cache.local
            some = [out for out in outs if out.algorithm == algorithm]
            parts = {
                out: {out.hash} | (_members_of(cache, {out.hash}) or _members_of(odb, {out.hash}))
                for out in some
            }
            try:
                here = set(odb.oids_exist(set().union(*parts.values())))
            except OSError as error:
                message = f"the remote cannot be read: {_said(error)}"
                raise MlopsError(message, exit_code=CANNOT_EVALUATE) from error
            lacking += [out for out in some if not parts[out] <= here]
    return lacking


class Removed(NamedTuple):
    """What a remote said before and after a removal."""

    before: frozenset[str]
    """Hashes that it had."""
    after: frozenset[str]
    """Hashes that it has still, asked anew."""


def remove(repo: Repo, hashes: Collection[str], remote: str, *, dry: bool = False) -> Removed:
    """Remove objects from a remote, in both of DVC's layouts, and ask for each of them again.

    Args:
        dry: only ask.

    Raises:
        MlopsError: the remote cannot be asked, or lets nothing be removed (exit code 3).
    """
    before: set[str] = set()
    after: set[str] = set()
    with opened(repo) as dvc:
        _refuse_missing(dvc.cloud.get_remote(remote, "purge"), remote)
        for algorithm in ("md5", "md5-dos2unix"):
            odb = dvc.cloud.get_remote_odb(remote, "purge", hash_name=algorithm)
            try:
                there = _there(odb, hashes)
                if not dry:
                    _delete(odb, sorted(there))
                before |= there
                after |= _there(odb, hashes) if there and not dry else there
            except (OSError, NotImplementedError) as error:
                message = f"the remote `{remote}` cannot be used for this: {_said(error)}"
                raise MlopsError(message, exit_code=CANNOT_EVALUATE) from error
            if there and not dry:
                _forget(odb)
    return Removed(frozenset(before), frozenset(after))


def _delete(odb: Any, hashes: Sequence[str]) -> None:
    """Many at once, where the storage has a request for that; with every version that it keeps."""
    every = {odb.oid_to_path(hash_): hash_ for hash_ in hashes}
    with_versions = versions.kept(odb.fs.fs, every) if odb.fs.protocol == "s3" else {}
    if with_versions:
        versions.remove(odb.fs.fs, with_versions)
    left = [path for path in every if path not in with_versions]
    for start in range(0, len(left), _AT_ONCE):
        paths = left[start : start + _AT_ONCE]
        try:
            odb.fs.rm(paths)
        except FileNotFoundError:  # somebody else was quicker with one of them
            for path in paths:
                with suppress(FileNotFoundError):
                    odb.fs.rm(path)


_AT_ONCE = 1000


def _refuse_missing(remote: Any, name: str) -> None:
    """A disk that is not mounted, a directory or bucket that is not there, proves nothing."""
    kind, message = remote.fs.protocol, ""
    if kind == "local" and not Path(remote.path).is_dir():
        message = f"the directory of the remote `{remote.name}` is not there: is its disk mounted?"
    if kind in _WITH_DIRECTORIES and not remote.fs.exists(remote.path):
        message = f"the directory of the remote `{name}` is not there"
    if kind == "s3":
        try:
            versions.refuse_missing(remote.fs.fs, remote.path)
        except OSError as error:
            message = f"the remote `{name}` cannot be used for this: {_said(error)}"
    if message:
        raise MlopsError(message, exit_code=CANNOT_EVALUATE)


_WITH_DIRECTORIES = ("ssh", "sftp", "hdfs", "webhdfs", "webdav", "webdavs")


def _there(odb: Any, hashes: Collection[str]) -> set[str]:
    """Asked of the storage itself: what a file system of fsspec remembers of it does not count."""
    with suppress(AttributeError, NotImplementedError):
        odb.fs.fs.invalidate_cache()
    if odb.fs.protocol in ("http", "https") or "https" in odb.fs.protocol:
        return {hash_ for hash_ in hashes if _answers(odb, hash_)}
    found = set(odb.oids_exist(set(hashes))) if hashes else set()
    if odb.fs.protocol == "s3":
        paths = {odb.oid_to_path(hash_): hash_ for hash_ in hashes}
        found |= {paths[path] for path in versions.kept(odb.fs.fs, paths)}
    return found


def _answers(odb: Any, hash_: str) -> bool:
    """Whether a server has an object. That it cannot be reached is no answer, as it is for `exists`."""
    try:
        odb.fs.fs.info(odb.oid_to_path(hash_))
    except FileNotFoundError as error:
        if getattr(error.__cause__, "status", None) in _GONE:
            return False
        raise OSError(f"no clear answer: {error.__cause__ or error}") from error
    return True


_GONE = (404, 410)


def _forget(odb: Any) -> None:
    """What DVC noted that the remote has."""
    from dvc_data.hashfile.db import get_index

    get_index(odb).clear()


def listings(repo: Repo, outs: Iterable[Out], remote: str) -> dict[Out, bytes]:
    """What directories hold, read from a remote; those that it does not have are left out."""
    found: dict[Out, bytes] = {}
    with opened(repo) as dvc:
        for out in outs:
            odb = dvc.cloud.get_remote_odb(remote, "fetch", hash_name=out.algorithm)
            try:
                found[out] = odb.fs.cat_file(odb.oid_to_path(out.hash))
            except FileNotFoundError:
                continue
            except OSError as error:
                message = f"the remote `{remote}` cannot be read: {_said(error)}"
                raise MlopsError(message, exit_code=CANNOT_EVALUATE) from error
    return found


class Store(NamedTuple):
    """Where a remote keeps objects, as a process on another machine can reach them."""

    settings: dict[str, object] | None
    """DVC's settings of the remote, **with its secrets**; None where it is a directory of this machine."""
    paths: dict[str, str]
    """Hash → path in it."""


def store(repo: Repo, hashes: Sequence[str], algorithm: str, remote: str | None) -> Store:
    """Where the remote has these objects, or would have them; nothing is asked of it.

    Raises:
        MlopsError: no such remote.
    """
    with opened(repo) as dvc:
        from dvc.fs import get_fs_config

        odb = dvc.cloud.get_remote_odb(remote, "fetch", hash_name=algorithm)
        paths = {hash_: str(odb.oid_to_path(hash_)) for hash_ in hashes}
        if odb.fs.protocol == "local":
            return Store(None, paths)
        settings = get_fs_config(dvc.config, name=remote or dvc.config["core"]["remote"])
        return Store({str(key): value for key, value in settings.items()}, paths)


@contextmanager
def stored(settings: Mapping[str, object], path: str) -> Iterator[IO[bytes]]:
    """An object in the storage that the settings of a remote describe; no repository is needed.

    Raises:
        MlopsError: it cannot be read; the message holds no secret.
    """
    with translated():
        from dvc.fs import get_cloud_fs

        kind, given, _path = get_cloud_fs({}, **settings)
        with kind(**given).open(path, "rb") as content:
            yield content
