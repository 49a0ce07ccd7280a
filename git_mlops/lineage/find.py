"""What a user means: a model, an experiment, a file, a commit, or the beginning of a hash."""

import posixpath
import re

from git_mlops.data import listing, pointers
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import read
from git_mlops.git import objects
from git_mlops.git.repo import Repo, resolve
from git_mlops.lineage import sources as reading
from git_mlops.lineage.sources import Sources
from git_mlops.registry import grammar
from git_mlops.registry import read as registry

_HASH = re.compile(r"(?:md5:)?([0-9a-f]{6,32})(?:\.dir)?")


def node(repo: Repo, sources: Sources, text: str) -> str:
    """The node that a text names.

    Raises:
        NotFoundError: it names nothing. MlopsError: it is the beginning of several hashes.
    """
    if grammar_like(text) or text in sources.artifacts:
        version = registry.resolve(repo, text)
        return f"model:{version.name}@{version.version}"
    revision, colon, path = text.rpartition(":")
    found = _file(repo, path, revision if colon else None) if revision != "md5" else None
    if found is not None:
        return found
    if refs := read.matching(repo, text, prefixes=False):
        return f"experiment:{refs[0].name}"
    return _hashed(repo, sources, text)


def grammar_like(text: str) -> bool:
    """Whether it is written as a version or a stage is."""
    name = re.split("[@#]", text, maxsplit=1)[0]
    if name == text or not name or text.startswith("@{"):
        return False
    try:
        grammar.parse_spec(text)
    except MlopsError:
        return False
    return True


def _file(repo: Repo, path: str, revision: str | None) -> str | None:
    """The object that a pointer names for a path, in the workspace or in a revision."""
    path = path.removesuffix(".dvc").rstrip("/")
    full = f"{repo.prefix}{path}" if revision is None else path
    outs = listing.in_workspace(repo) if revision is None else committed(repo, revision)
    out = next((one for one in outs if one.path in (full, path)), None)
    return f"object:{out.algorithm}:{out.hash}" if out is not None else None


def path_of(repo: Repo, text: str) -> str | None:
    """The repository path in a text as `node` takes it: relative to where the user stands, or `REV:PATH`."""
    revision, colon, path = text.rpartition(":")
    path = path.removesuffix(".dvc").rstrip("/")
    if colon:
        return path if revision != "md5" else None
    return posixpath.normpath(f"{repo.prefix}{path}") if path else None


def committed(repo: Repo, revision: str) -> dict[pointers.Out, str]:
    """What the pointers of a commit name; nothing where there is no such commit."""
    try:
        commit = resolve(repo, revision)
    except MlopsError:
        return {}
    paths = [e.path for e in objects.tree_entries(repo, commit)]
    wanted = [path for path in paths if pointers.is_pointer(path)]
    wanted += [path for path in map(listing.pipeline_of, wanted) if path in paths]
    contents = objects.read_blobs(repo, [f"{commit}:{path}" for path in wanted])
    return listing.outs({name.partition(":")[2]: content for name, content in contents.items()})


def _hashed(repo: Repo, sources: Sources, text: str) -> str:
    match = _HASH.fullmatch(text.lower())
    found = reading.hashes(sources, match[1]) if match else []
    if len(found) > 1:
        raise MlopsError(f"`{text}` is the beginning of several hashes: {', '.join(found[:5])}")
    if found:
        return f"object:md5:{found[0]}"
    try:
        return f"commit:{resolve(repo, text)}"
    except MlopsError:
        pass
    if match and len(match[1]) == _WHOLE:
        return f"object:md5:{text.lower().removeprefix('md5:')}"
    raise NotFoundError(
        f"`{text}` is no model, experiment, tracked file, commit or known hash",
        hint="`git mlops model list`, `git mlops exp list --all` and `git mlops status` name them",
    )


_WHOLE = 32
