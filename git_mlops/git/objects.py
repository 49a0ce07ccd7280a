"""Objects: many read in one process, trees and commits written without the user's index or workspace."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from git_mlops.git.repo import Repo


class Entry(NamedTuple):
    """One line of a tree or of the index."""

    mode: str
    oid: str
    path: str


def read_blobs(repo: Repo, names: Iterable[str]) -> dict[str, bytes]:
    """Contents by name (an id, `REV:path`, `:path` for the index), in one process.

    Names that do not exist, or are no blobs, are left out. Names must hold no newline.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    stdin = "".join(f"{name}\n" for name in wanted).encode("utf-8", "surrogateescape")
    output = repo.git("cat-file", "--batch=%(objecttype) %(objectsize)", stdin=stdin)
    found: dict[str, bytes] = {}
    at = 0
    for name in wanted:
        end = output.index(b"\n", at)
        header = output[at:end].rsplit(b" ", 1)
        at = end + 1
        if not header[-1].isdigit():
            continue
        size = int(header[-1])
        if header[0] == b"blob":
            found[name] = output[at : at + size]
        at += size + 1
    return found


def sizes(repo: Repo, oids: Iterable[str]) -> dict[str, int]:
    """Sizes in bytes of the blobs that are here, in one process and without reading them."""
    stdin = "".join(f"{oid}\n" for oid in oids).encode()
    if not stdin:
        return {}
    answer = repo.git("cat-file", "--batch-check=%(objecttype) %(objectname) %(objectsize)", stdin=stdin)
    words = (line.split(" ") for line in answer.decode().splitlines())
    return {found[1]: int(found[2]) for found in words if found[0] == "blob"}


def commits(repo: Repo, oids: Iterable[str]) -> set[str]:
    """Those that are commits and are here, in one process and without reading them."""
    stdin = "".join(f"{oid}\n" for oid in oids).encode()
    if not stdin:
        return set()
    answer = repo.git("cat-file", "--batch-check=%(objecttype) %(objectname)", "--buffer", stdin=stdin)
    words = (line.split(" ") for line in answer.decode().splitlines())
    return {found[1] for found in words if found[0] == "commit"}


def write_blobs(repo: Repo, contents: Sequence[bytes]) -> list[str]:
    """Store each as a blob, in one process; ids in the same order. No filters are applied."""
    if not contents:
        return []
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mlops-", dir=_scratch(repo)) as folder:
        files = {content: Path(folder, str(n)) for n, content in enumerate(dict.fromkeys(contents))}
        for content, file in files.items():
            file.write_bytes(content)
        stdin = "".join(f"{file}\n" for file in files.values()).encode("utf-8", "surrogateescape")
        answer = repo.text("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=stdin)
        oids = dict(zip(files, answer.splitlines(), strict=True))
        return [oids[content] for content in contents]


def blob_id(repo: Repo, content: bytes) -> str:
    """The id the content has as a blob, without storing it and without a process."""
    import hashlib

    digest = hashlib.sha256 if repo.object_format == "sha256" else hashlib.sha1
    return digest(b"blob %d\0" % len(content) + content).hexdigest()  # git's ids, not a safeguard


def tree_entries(repo: Repo, treeish: str, *pathspecs: str) -> list[Entry]:
    """Every blob below a tree. Paths are literal prefixes, as for `git ls-tree`."""
    lines = repo.paths("ls-tree", "-r", "-z", "--full-tree", treeish, "--", *pathspecs)
    heads = ((line.partition("\t")[0].split(" "), line.partition("\t")[2]) for line in lines)
    return [Entry(mode, oid, path) for (mode, _kind, oid), path in heads]


def index_entries(repo: Repo, *pathspecs: str) -> list[Entry]:
    """Every unconflicted entry of the index that matches."""
    lines = repo.paths("ls-files", "-s", "-z", "--full-name", "--", *pathspecs)
    heads = ((line.partition("\t")[0].split(" "), line.partition("\t")[2]) for line in lines)
    return [Entry(mode, oid, path) for (mode, oid, stage), path in heads if stage == "0"]


@contextmanager
def scratch_index(repo: Repo, *, start: Path | None = None) -> Iterator[Path]:
    """A private index file: empty, or a copy of `start` (its stat data keep `git add` quick)."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mlops-", dir=_scratch(repo)) as folder:
        index = Path(folder, "index")
        if start is not None and start.exists():
            shutil.copy2(start, index)  # with its time: git tells racily clean entries by it
        yield index


def put(repo: Repo, index: Path, files: Mapping[str, bytes], *, removed: Iterable[str] = ()) -> None:
    """Set and remove entries of a private index, as regular files."""
    oids = write_blobs(repo, list(files.values()))
    null = repo.null_oid()
    lines = [f"100644 {oid}\t{path}\0" for path, oid in zip(files, oids, strict=True)]
    lines += [f"0 {null}\t{path}\0" for path in removed]
    if lines:
        stdin = "".join(lines).encode("utf-8", "surrogateescape")
        repo.git("update-index", "-z", "--add", "--index-info", stdin=stdin, index=index)


def write_tree(repo: Repo, index: Path) -> str:
    """The tree of a private index."""
    return repo.git("write-tree", index=index).decode().strip()


def commit_tree(repo: Repo, tree: str, parents: Sequence[str], message: str, *, sign: bool = False) -> str:
    """A commit object; no ref moves. `sign`: as git signs the user's commits."""
    options = [*(["-S"] if sign else []), *(word for parent in parents for word in ("-p", parent))]
    return repo.text(
        "commit-tree", tree, *options, "-F", "-", stdin=message.encode("utf-8", "surrogateescape")
    )


def _scratch(repo: Repo) -> Path:
    """Where temporary files go: inside the git directory, so that a rename stays on one file system."""
    folder = repo.private_here / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file by a synced atomic rename, keeping its mode: readers see the old or the new whole."""
    import tempfile

    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def tree_text(repo: Repo, entries: Iterable[Entry]) -> tuple[bytes, str]:
    """A tree as `write_trees` takes it, and the id it will have. Paths are single names."""
    import hashlib

    ordered = sorted(entries, key=lambda e: _bytes(e.path) + (b"/" if e.mode == "40000" else b""))
    raw = b"".join(b"%s %s\0%s" % (e.mode.encode(), _bytes(e.path), bytes.fromhex(e.oid)) for e in ordered)
    kinds = {"40000": b"tree", "160000": b"commit"}
    lines = (
        b"%s %s %s\t%s\0" % (e.mode.encode(), kinds.get(e.mode, b"blob"), e.oid.encode(), _bytes(e.path))
        for e in ordered
    )
    digest = hashlib.sha256 if repo.object_format == "sha256" else hashlib.sha1
    return b"".join(lines), digest(b"tree %d\0" % len(raw) + raw).hexdigest()


def write_trees(repo: Repo, texts: Sequence[bytes]) -> None:
    """Store trees in one process; a tree must come after those it holds."""
    repo.git("mktree", "-z", "--batch", "--missing", stdin=b"".join(text + b"\0" for text in texts))


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
