"""The short way of a commit: pointers whose data has a verdict, and nothing else staged.

It imports next to nothing, because the imports of the whole check cost ten times the commit. It answers only
"certainly fine"; whatever is not plain goes the long way, so it may know less than the rules but never allow
more: a test holds that. What it needs of mlops.yaml stands in the private file `known`, written by `triage`
after a whole check and bound to the configuration by its blob id.
"""

import json
import os

from git_mlops import env
from git_mlops.data.written import split
from git_mlops.git.run import GitError, conversation, git
from git_mlops.schema.subjects import REF, place, subject, subject_of

FORMAT = "git-mlops known 2"
_LARGEST_POINTER = 1024 * 1024
_LARGEST_MEMORY = 256 * 1024

Row = tuple[str, str, str, str]
"""Path of the data, its form, path of its schema (these two empty where none is bound), and by which other
rules it needs a verdict: `rule=meaning`, separated by `;`."""


def certainly_fine() -> bool:
    """Whether the staged changes are certainly fine; False means that nobody knows yet."""
    folder = os.path.join(env.get("GIT_DIR") or ".git", "mlops")
    if env.starting_with("MLOPS_"):
        return False
    try:
        config, rows = _table(os.path.join(folder, "known"))
        settled = os.stat(os.path.join(folder, "triage")).st_mtime_ns
        staged = _staged(rows)
        if not staged or not settled or _touched(folder, settled, {rows[path][0] for path in staged}):
            return False
        return _judged(folder, config, {path: rows[path] for path in staged})
    except (OSError, ValueError, KeyError, TypeError, GitError):
        return False


def _table(file: str) -> tuple[str, dict[str, Row]]:
    """The configuration's blob id, and a row for every pointer that is plain enough."""
    with open(file, encoding="utf-8", errors="surrogateescape") as stream:
        head, *lines = stream.read().splitlines()
    if not head.startswith(f"{FORMAT} "):
        raise ValueError(head)
    fields = (line.split("\t") for line in lines)
    rows = {pointer: (data, form, schema, others) for pointer, data, form, schema, others in fields}
    return head.removeprefix(f"{FORMAT} "), rows


def _staged(rows: dict[str, Row]) -> list[str]:
    """The staged paths, if all of them are pointers that we know and that only changed; else none."""
    options = ("--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules")
    records = os.fsdecode(git("diff-index", *options, "HEAD", "--", cwd=".")).split("\0")
    heads, paths = records[:-1:2], records[1::2]
    plain = all(head.startswith(":100644 100644 ") and head.endswith(" M") for head in heads)
    return paths if plain and all(path in rows for path in paths) else []


def _touched(folder: str, settled: int, named: set[str]) -> bool:
    """Whether data or configuration changed since it was last seen to be right, as the shim asks."""
    if os.stat("mlops.yaml").st_mtime_ns >= settled:
        return True
    with open(os.path.join(folder, "triage"), encoding="utf-8", errors="surrogateescape") as stream:
        lines = stream.read().splitlines()
    outputs = [line.partition(" ")[2] for line in lines if line.startswith(("output ", "folder "))]
    return any(_newest(path) >= settled for path in outputs if path not in named)


def _newest(path: str) -> int:
    try:
        times = [os.stat(path).st_mtime_ns]
    except FileNotFoundError:
        return 0
    if os.path.isdir(path):
        with os.scandir(path) as entries:
            times += [entry.stat().st_mtime_ns for entry in entries]
    return max(times)


def _judged(folder: str, config: str, rows: dict[str, Row]) -> bool:
    """Whether the configuration is the known one, the data is the pointers', and its verdict is `pass`."""
    schemas = sorted({schema for _data, _form, schema, _others in rows.values() if schema})
    with conversation("cat-file", "--batch", cwd=".") as (questions, answers):

        def ask(names: list[str]) -> list[tuple[str, bytes]]:
            questions.write(b"".join(os.fsencode(f"{name}\n") for name in names))
            questions.flush()
            return [_answer(answers.readline(), answers.read) for _name in names]

        (found, _text), *blobs = ask([":mlops.yaml", *(f":{path}" for path in (*rows, *schemas))])
        if found != config:
            return False
        oids = dict(zip(schemas, (oid for oid, _content in blobs[len(rows) :]), strict=True))
        places, hashes = [], []
        for (data, form, schema, others), (_oid, content) in zip(rows.values(), blobs, strict=False):
            hash_ = _plain(content, os.path.basename(data))
            if not _is_data(folder, data, hash_):
                return False
            hashes.append(hash_)
            places += [place(subject("md5", hash_, oids[schema], form))] if schema else []
            for rule, _, meaning in (each.partition("=") for each in others.split(";") if each):
                places.append(place(subject_of(rule, meaning, "md5", hash_), rule))
        withdrawn = [os.fsencode(f"refs/mlops/purges:objects/{one[:2]}/{one[2:]}\n") for one in hashes]
        questions.write(b"".join(withdrawn))
        questions.flush()
        if not all(answers.readline().endswith(b" missing\n") for _hash in hashes):
            return False
        return all(_passed(content) for _oid, content in ask([f"{REF}:{each}" for each in places]))


def _answer(header: bytes, read) -> tuple[str, bytes]:  # type: ignore[no-untyped-def]  # Callable lives in `typing`
    oid, kind, size = header.decode().split()  # `… missing` has two words: a ValueError, the long way
    content = read(int(size) + 1)[:-1]
    if kind != "blob":
        raise ValueError(kind)
    return oid, content


def _plain(content: bytes, name: str) -> str:
    """The hash in a pointer of exactly the lines that DVC writes for one file, and at most its profile."""
    if len(content) > _LARGEST_POINTER:
        raise ValueError(name)
    plain_part, of = split(content)
    lines = plain_part.decode("ascii").split("\n")
    head, size, algorithm, path, end = lines[1:] if lines[0] == "outs:" else []
    hash_ = head.removeprefix("- md5: ")
    hexadecimal = len(hash_) == 32 and set(hash_) <= set("0123456789abcdef")
    numbered = size.startswith("  size: ") and size[8:].isdigit()
    named = algorithm == "  hash: md5" and path == f"  path: {name}" and not end
    plain = hexadecimal and numbered and named
    # a hash such as 1e10… is quoted in YAML, and only then text
    if not plain or not (set(hash_) - set("0123456789e")) or of not in (None, hash_):
        raise ValueError(content)
    return hash_


def _is_data(folder: str, path: str, hash_: str) -> bool:
    """Whether the file has this hash, by what is remembered of it; a missing one is nobody's change."""
    try:
        stat = os.stat(path)
    except FileNotFoundError:
        return True
    memory = os.path.join(folder, "hashes.json")
    if os.stat(memory).st_size > _LARGEST_MEMORY:
        return False
    with open(memory, "rb") as stream:
        known = json.loads(stream.read())["files"][path]
    return bool(known == [stat.st_size, stat.st_mtime_ns, stat.st_ino, hash_])


def _passed(content: bytes) -> bool:
    value = json.loads(content)
    return value["version"] == 1 and value["outcome"] == "pass" and not value["failures"]
