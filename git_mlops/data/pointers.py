"""Pointers: `*.dvc` files and `dvc.lock` ↔ what they name. Pure: neither DVC nor git, for the commit's path.

Content comes from anyone's branch, so nothing in it is trusted: no path leaves the repository, no YAML alias
makes a file larger than a pointer can be, nothing nests deeper than a pointer does.

Outputs elsewhere that DVC allows (URLs; with `cache: false` also paths outside the repository) are left out:
nothing of them is in the cache, and they are never read. So are outputs of a stage whose `wdir` is a template
that its name does not settle.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from git_mlops.data.written import split
from git_mlops.errors import MlopsError

PATHSPECS = (":(glob)**/*.dvc", ":(glob)**/dvc.lock")
"""For git: every pointer of the repository (what lies below `.dvc/` matches neither)."""

LARGEST = 16 * 1024 * 1024
"""Bytes; a dvc.lock of 50,000 outputs is smaller."""

HASH = re.compile(r"[0-9a-f]{32}(\.dir)?")
"""What names an object of DVC's cache, whole; anything else could become a path elsewhere."""
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_CONFLICT = re.compile(rb"^(<{7} |={7}$|>{7} )", re.MULTILINE)
_DEEPEST = 50
_MOST_NODES = 4_000_000
_UNUSUAL = re.compile(rb"[&*\[{?]|-[ \t]+-")
"""What anchors, flow collections and collections nested on one line need: DVC writes none of it."""


class Out(NamedTuple):
    """One object that a pointer names: an output, or a dependency that is in the repository."""

    path: str
    """Repository path of the data."""
    algorithm: str
    """`md5`, or `md5-dos2unix` for what DVC 2 wrote."""
    hash: str
    """Hexadecimal; ends with `.dir` for a directory."""
    size: int | None = None
    nfiles: int | None = None
    cache: bool = True
    """False: DVC keeps no copy (git may hold the file)."""
    push: bool = True
    """False: the object never goes to a remote."""
    remote: str | None = None
    """The one remote it goes to, where it is bound to one."""
    sensitive: bool = False
    """Whether its pointer's data sheet says that it is for sensitive remotes alone."""

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory of files."""
        return self.hash.endswith(".dir")


class Pointer(NamedTuple):
    """A pointer file: what it makes known, and what that was made from."""

    path: str
    outs: tuple[Out, ...]
    deps: tuple[Out, ...]


class PointerError(MlopsError):
    """A pointer that cannot be read, or must not be followed."""

    def __init__(self, path: str, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}", hint=hint)
        self.path = path
        self.line = line


def is_pointer(path: str) -> bool:
    """Whether a repository path is a pointer's (`x.dvc`, `dvc.lock`), by its name alone."""
    *folders, name = path.split("/")
    return (name == "dvc.lock" or (name.endswith(".dvc") and name != ".dvc")) and ".dvc" not in folders


def never_data(path: str) -> bool:
    """Whether the file is git's, DVC's or our own: those may stand among data and never become data."""
    return is_pointer(path) or posixpath.basename(path) in _OWN


_OWN = frozenset(
    (".gitattributes", ".gitignore", ".gitkeep", ".gitmodules", ".dvcignore", "dvc.yaml", "mlops.yaml")
)


def parse(path: str, content: bytes, pipeline: bytes | None = None) -> Pointer:
    """The pointer at repository path `path`.

    Args:
        pipeline: for a dvc.lock, the dvc.yaml beside it: it says which outputs are not cached or not pushed,
            and where a stage works.

    Raises:
        PointerError: not to be read, or it names something outside the repository.
    """
    value = _load(path, content)
    reader = _Reader(path, content)
    if posixpath.basename(path) == "dvc.lock":
        return reader.lock(value, _stages(pipeline))
    return reader.single(value)


def _load(path: str, content: bytes) -> Mapping[Any, Any]:
    if len(content) > LARGEST:
        raise PointerError(path, f"{len(content)} bytes are no pointer")
    if match := _CONFLICT.search(content):
        line = content.count(b"\n", 0, match.start()) + 1
        raise PointerError(
            path, "it holds conflict markers", line=line, hint=f"choose a side: `git checkout --ours {path}`"
        )
    if b"\0" in content:
        raise PointerError(path, "it is no text", line=1)
    import yaml

    content, _of = split(content)  # a profile is long, and nothing of it is needed here
    try:
        if _UNUSUAL.search(content):
            # DVC writes aliases into dvc.lock where parameters share a list; people write them into dvc.yaml
            _refuse_traps(path, content, aliases=posixpath.basename(path) in ("dvc.lock", "dvc.yaml"))
        value = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe
    except (yaml.YAMLError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        # beside YAMLError whatever PyYAML lets through: `!!bool x` is a KeyError, `!!int ''` an IndexError
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise PointerError(path, f"not valid YAML: {said}", line=mark.line + 1 if mark else None) from error
    if not isinstance(value, Mapping):
        raise PointerError(path, "it is no mapping", line=1)
    return value


def _refuse_traps(path: str, content: bytes, *, aliases: bool) -> None:
    """No deep nesting: the loader in C ends the whole process when its stack is full. No bomb of aliases."""
    import yaml

    size = 0
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    for event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        line, anchor = event.start_mark.line + 1 if event.start_mark else None, getattr(event, "anchor", None)
        if anchor and not aliases:
            raise PointerError(path, "YAML anchors are not allowed in a pointer", line=line)
        size += 1
        if isinstance(event, yaml.AliasEvent):
            size += sizes.get(str(anchor), _MOST_NODES)  # not closed yet: it would hold itself
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((anchor, size))
        elif isinstance(event, yaml.CollectionEndEvent):
            name, start = open_.pop()
            sizes |= {name: size - start} if name else {}
        elif anchor:
            sizes[anchor] = 1
        if len(open_) > _DEEPEST:
            raise PointerError(path, f"nested deeper than {_DEEPEST} levels", line=line)
        if size > _MOST_NODES:
            raise PointerError(path, "its YAML aliases make it too large", line=line)


def _stages(pipeline: bytes | None) -> Mapping[Any, Any]:
    """The stages of a dvc.yaml; a broken one only loses its flags: DVC itself says what is wrong with it."""
    try:
        value = _load("dvc.yaml", pipeline) if pipeline is not None else {}
    except PointerError:
        return {}
    stages = value.get("stages")
    return stages if isinstance(stages, Mapping) else {}


class _Flags(NamedTuple):
    """What dvc.yaml says of one output."""

    cache: bool = True
    push: bool = True
    remote: str | None = None


class _Reader:
    """Reads one file; knows its place for paths and for error lines."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        self.folder = posixpath.dirname(path)

    def single(self, value: Mapping[Any, Any]) -> Pointer:
        if "outs" not in value:
            raise PointerError(self.path, "`outs` is missing", line=1, hint="`dvc add` writes pointers")
        wdir = self._text(value.get("wdir", "."), "wdir")
        outs = tuple(self._outs(value["outs"], wdir, _no_flags))
        if sensitive(value):
            outs = tuple(out._replace(sensitive=True) for out in outs)
        return Pointer(self.path, outs, tuple(self._deps(value.get("deps"), wdir)))

    def lock(self, value: Mapping[Any, Any], stages: Mapping[Any, Any]) -> Pointer:
        # the first version of the format had the stages at the top
        locked = value.get("stages", value if "schema" not in value else {})
        outs: list[Out] = []
        deps: list[Out] = []
        for name, stage in self._mapping(locked, "stages").items():
            declared = stages.get(name, stages.get(str(name).partition("@")[0]))
            body = declared.get("do", declared) if isinstance(declared, Mapping) else {}
            body = body if isinstance(body, Mapping) else {}
            stage_ = self._mapping(stage, str(name))
            wdir = _settled(str(body.get("wdir") or "."), str(name))
            if wdir is None:
                continue
            flags = dict(_flags(body))
            outs += self._outs(stage_.get("outs"), wdir, lambda place, flags=flags: _flag_of(place, flags))
            deps += self._deps(stage_.get("deps"), wdir)
        return Pointer(self.path, tuple(outs), tuple(deps))

    def _outs(self, items: object, wdir: str, flags: Any) -> Iterator[Out]:
        for item in self._items(items, "outs"):
            place = self._text(item.get("path"), "path")
            if _URL.match(place):
                continue  # DVC keeps it elsewhere: nothing of it is in the cache
            inside, said = self._inside(wdir, place), flags(place)
            cached = said.cache and item.get("cache", True) is not False
            if inside is None and not cached:
                continue  # DVC watches it there and keeps nothing of it
            if inside is None:
                raise self._error(f"`{place}` is outside the repository", place)
            if f"{self.path}/".startswith(f"{inside}/"):
                raise self._error(f"`{place}` holds the pointer itself", place)
            out = self._out(item, inside)
            if out is not None:
                yield out._replace(
                    cache=cached,
                    push=said.push and item.get("push", True) is not False,
                    remote=said.remote or (str(item["remote"]) if item.get("remote") else None),
                )

    def _deps(self, items: object, wdir: str) -> Iterator[Out]:
        """Dependencies in the repository; those elsewhere (imports, absolute paths) are not ours."""
        for item in self._items(items, "deps"):
            place = item.get("path")
            if "repo" in item or not isinstance(place, str) or _URL.match(place):
                continue
            inside = self._inside(wdir, place)
            out = self._out(item, inside) if inside else None
            if out is not None:
                yield out

    def _out(self, item: Mapping[Any, Any], path: str) -> Out | None:
        found = item.get("md5")
        if found is None:
            return None  # not made yet (`--no-exec`), or versioned by the cloud
        if not isinstance(found, str) or not HASH.fullmatch(found):
            raise self._error(f"`md5: {found}` is no hash", str(found))
        algorithm = "md5" if item.get("hash") == "md5" else "md5-dos2unix"
        return Out(path, algorithm, found, _number(item.get("size")), _number(item.get("nfiles")))

    def _inside(self, wdir: str, place: str) -> str | None:
        """The repository path, or None for one outside it or inside `.git` or `.dvc`."""
        if place.startswith("/") or wdir.startswith("/") or "\0" in place or "\n" in place:
            return None
        path = posixpath.normpath(posixpath.join(self.folder, wdir, place))
        parts = path.split("/")
        # `.GIT` is the same directory where the file system ignores case
        inner = {".git", ".dvc"} & {part.lower() for part in parts}
        return None if parts[0] in ("..", ".") or inner else path

    def _items(self, items: object, key: str) -> Iterator[Mapping[Any, Any]]:
        if items is None:
            return
        if not isinstance(items, list):
            raise self._error(f"`{key}` is no list", f"{key}:")
        for item in items:
            yield self._mapping(item, key)

    def _mapping(self, value: object, key: str) -> Mapping[Any, Any]:
        if not isinstance(value, Mapping):
            raise self._error(f"`{key}` is no mapping", key)
        return value

    def _text(self, value: object, key: str) -> str:
        if not isinstance(value, str) or not value:
            raise self._error(f"`{key}` is missing" if value is None else f"`{key}: {value}` is no path", key)
        return value

    def _error(self, message: str, near: str) -> PointerError:
        at = self.content.find(near.encode("utf-8", "surrogatepass"))
        line = self.content.count(b"\n", 0, at) + 1 if at >= 0 else None
        return PointerError(self.path, message, line=line)


SENSITIVE = ("high", "personal")
"""What the key `sensitivity` of a data sheet has where data must not lie just anywhere."""


def sensitive(value: Mapping[Any, Any]) -> bool:
    """Whether a pointer's data sheet (`meta: sheet:`) says so."""
    meta = value.get("meta")
    sheet = meta.get("sheet") if isinstance(meta, Mapping) else None
    return isinstance(sheet, Mapping) and sheet.get("sensitivity") in SENSITIVE


def _settled(wdir: str, stage: str) -> str | None:
    """A stage's working directory; None where it holds more than what a stage `name@value` says itself."""
    value = stage.partition("@")[2]
    text = re.sub(r"\$\{\s*(item|key)\s*\}", lambda found: value or found[0], wdir)
    return None if "${" in text else text


def _no_flags(_place: str) -> _Flags:
    return _Flags()


def _flags(stage: Mapping[Any, Any]) -> Iterator[tuple[str, _Flags]]:
    """What a stage of dvc.yaml says of its outputs, by path as written there."""
    for key in ("outs", "metrics", "plots"):
        items = stage.get(key)
        for item in items if isinstance(items, list) else ():
            for place, said in item.items() if isinstance(item, Mapping) else ():
                if isinstance(said, Mapping):
                    remote = str(said["remote"]) if said.get("remote") else None
                    yield (
                        str(place),
                        _Flags(said.get("cache") is not False, said.get("push") is not False, remote),
                    )


def _flag_of(place: str, flags: Mapping[str, _Flags]) -> _Flags:
    if place in flags:
        return flags[place]
    for pattern, said in flags.items():
        # `models/${item}.bin`: what stands in its place is not known here
        literal = [re.escape(part) for part in re.split(r"\$\{[^}]*\}", pattern)]
        if len(literal) > 1 and re.fullmatch(".+".join(literal), place):
            return said
    return _Flags()


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
