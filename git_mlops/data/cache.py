"""DVC's cache on disk, read without DVC: where it is, where an object is, what a directory holds."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from git_mlops import env
from git_mlops.data.pointers import Out
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.repo import Repo

_MD5 = re.compile(r"[0-9a-f]{32}")


def cache_dir(repo: Repo) -> Path:
    """Where DVC keeps the objects of this worktree.

    `cache.dir` of DVC's configuration, the most private one first; else `.dvc/cache`, which a linked worktree
    shares with the main one.
    """
    for file in config_files(repo):
        if (configured := read_config(file).get("cache", {}).get("dir")) is not None:
            return file.parent / env.expanded(configured)  # an absolute path stands for itself
    return default_cache(repo)


def default_cache(repo: Repo) -> Path:
    """The cache of a repository that configures none."""
    main = main_worktree(repo)
    return repo.common_dir / "dvc-cache" if main is None else main / ".dvc" / "cache"


def main_worktree(repo: Repo) -> Path | None:
    """The top of the main worktree; None when the repository is bare and has only linked ones."""
    if not repo.linked:
        return repo.root
    return repo.common_dir.parent if repo.common_dir.name == ".git" else None


def config_files(repo: Repo) -> Iterator[Path]:
    """DVC's configuration files, the strongest first."""
    yield repo.root / ".dvc" / "config.local"
    yield repo.root / ".dvc" / "config"
    yield from (Path(folder, "config") for folder in env.dvc_config_folders())


def read_config(file: Path) -> dict[str, dict[str, str]]:
    """A DVC configuration: section (`core`, `remote "store"`) → key → value. Missing: empty."""
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise MlopsError(f"cannot read DVC's configuration `{file}`: {error}") from error
    for line in map(str.strip, lines):
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]").strip("'"), {})
        elif line and not line.startswith("#") and "=" in line:
            key, _, value = line.partition("=")
            section[key.strip()] = _value(value.strip())
    return sections


def _value(text: str) -> str:
    """A value without its quotes, or without the comment that may follow an unquoted one."""
    if text[:1] in ("'", '"'):
        return text[1 : end if (end := text.find(text[0], 1)) > 0 else None]
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip()


def object_path(cache: Path, out: Out) -> Path:
    """Where the cache holds an object, whether it is there or not."""
    if out.algorithm == "md5":
        return cache / "files" / "md5" / out.hash[:2] / out.hash[2:]
    return cache / out.hash[:2] / out.hash[2:]


def locate(repo: Repo, out: Out) -> Path | None:
    """The object's file, or None when it is not on this machine."""
    path = object_path(cache_dir(repo), out)
    return path if path.is_file() else None


def members(repo: Repo, out: Out) -> dict[str, Out]:
    """The files of a directory object by their path in it; empty when its listing is not on this machine.

    Raises:
        MlopsError: the listing is corrupt (exit code 3).
    """
    file = locate(repo, out)
    return {} if file is None else listing(out, file.read_bytes())


def listing(out: Out, content: bytes) -> dict[str, Out]:
    """The files that a `.dir` object lists; one that leaves the directory, or is git's, makes all invalid."""
    try:
        items = json.loads(content)
        pairs = [(str(item["relpath"]), str(item["md5"])) for item in items]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _corrupt(out) from error
    if any(not _below(path) or not _MD5.fullmatch(hash_) for path, hash_ in pairs):
        raise _corrupt(out)
    return {path: Out(posixpath.join(out.path, path), out.algorithm, hash_) for path, hash_ in pairs}


def _below(path: str) -> bool:
    normal = posixpath.normpath(path)
    outside = normal.startswith(("/", "../")) or normal in (".", "..") or "\0" in path
    return normal == path and not outside and ".git" not in path.lower().split("/")


def _corrupt(out: Out) -> MlopsError:
    return MlopsError(
        f"the cached listing {out.hash} of `{out.path}` is corrupt",
        hint=f"remove it from the cache, then `git mlops pull {out.path}`",
        exit_code=CANNOT_EVALUATE,
    )


def expanded(repo: Repo, outs: Mapping[str, Out] | list[Out]) -> list[Out]:
    """The outs and, for directories whose listing is here, all their members."""
    values = list(outs.values()) if isinstance(outs, Mapping) else outs
    return [one for out in values for one in (out, *(members(repo, out).values() if out.is_dir else ()))]


def complete(repo: Repo, out: Out) -> bool:
    """Whether the object, and for a directory every file in it, is on this machine."""
    if locate(repo, out) is None:
        return False
    where = cache_dir(repo)
    return all(
        object_path(where, member).is_file() for member in (members(repo, out) if out.is_dir else {}).values()
    )
