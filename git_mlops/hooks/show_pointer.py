"""The diff driver: a pointer as text for people, so that `git diff` and `git log -p` show what changed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from git_mlops import ui
from git_mlops.checks.large_file import human
from git_mlops.data import profile
from git_mlops.nesting import too_deep

_DEEPEST = 50


def run(_name: str, arguments: Sequence[str]) -> int:
    """Print the normal form of the file that git hands over."""
    ui.out(normal_form(Path(arguments[0]).read_text(encoding="utf-8", errors="replace")), end="")
    return 0


def normal_form(text: str) -> str:
    """Few facts per line, in a fixed order; what is no pointer (or in conflict) stays as it is."""
    try:
        # the loader in C ends the whole process when its stack is full
        content = None if too_deep(text.encode(), _DEEPEST) else yaml.load(text, Loader=_Loader)  # noqa: S506  # text only
    except (yaml.YAMLError, ValueError):
        return text
    outs = content.get("outs") if isinstance(content, dict) else None
    if not isinstance(outs, list) or not all(isinstance(out, dict) for out in outs):
        return text
    described = _described(content)
    others = profile.put(text, None) if described else text
    rest = [*_section(others, "deps"), *_section(others, "desc"), *_section(others, "meta")]
    found = list(_profile(described, {str(out.get("md5")) for out in outs})) if described else []
    return "\n".join([*(line for out in outs for line in _out(out)), *rest, *found]) + "\n"


_Base: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # in C where there is one
    """Every scalar as the text it is: a hash of digits is no number."""

    yaml_implicit_resolvers: dict[str, object] = {}  # noqa: RUF012  # of the loader


def _described(content: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """Our profile, if it is one."""
    meta = (content or {}).get("meta")
    ours = meta.get("mlops") if isinstance(meta, dict) else None
    return ours if isinstance(ours, dict) and isinstance(ours.get("columns"), dict | str) else None


def _out(out: dict[object, object]) -> Iterator[str]:
    known = {"path", "size", "nfiles", "hash", "md5", "etag", "checksum"}
    yield f"path:  {out.get('path')}"
    size = str(out.get("size", ""))
    yield f"size:  {size} ({human(int(size))})" if size.isdigit() else "size:  unknown"
    if "nfiles" in out:
        yield f"files: {out['nfiles']}"
    for name in ("md5", "etag", "checksum"):
        if name in out:
            yield f"{name + ':':6} {out[name]}"
    yield from (f"{name}: {value}" for name, value in out.items() if name not in known)


# what is shown on one line: a line that changed says what sort of thing did
_LINES = (
    ("type", "nulls", "nans", "distinct"),
    ("min", "p05", "p50", "p95", "max"),
    ("mean", "std"),
)


def _profile(said: Mapping[str, object], hashes: set[str]) -> Iterator[str]:
    """The figures of a profile; of one that describes other data only that it does."""
    if said.get("of") not in hashes:
        yield f"profile: of other data ({said.get('of')})"
        return
    yield f"rows:  {said.get('rows')}"
    key, columns = said.get("key"), said.get("columns")
    if isinstance(key, list):
        yield f"key:   {', '.join(map(str, key))}"
    for name, column in columns.items() if isinstance(columns, dict) else ():
        if isinstance(column, dict):
            yield from (f"column {_line(str(name))}: {facts}" for facts in _facts(column))


def _facts(column: Mapping[str, object]) -> Iterator[str]:
    known = {name for names in _LINES for name in names}
    for names in (*_LINES, tuple(name for name in column if name not in known)):
        plain = {
            name: column[name] for name in names if name in column and not isinstance(column[name], dict)
        }
        if plain:
            yield ", ".join(f"{name} {_line(str(value))}" for name, value in plain.items())
    for name, values in column.items():
        if isinstance(values, dict) and values:
            yield f"{name} " + ", ".join(f"{_line(str(value))} {count}" for value, count in values.items())


def _line(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]


def _section(text: str, key: str) -> Iterator[str]:
    """The lines of a top-level key as they stand."""
    inside = False
    for line in text.splitlines():
        if line[:1] not in {" ", "-", ""}:
            inside = line.startswith(f"{key}:")
        if inside:
            yield line
