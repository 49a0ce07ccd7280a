"""What the shims decide by, without Python: plain lines under the worktree's private directory.

`triage` says which paths may concern us and which data to look at; its time is when that data was last known
to be what the pointers say. `followed` holds the state of the pointers that the data was brought to last.
`pending` is there while the data waits for git to move HEAD. All can be deleted at any time: the next hook
starts Python and writes them anew.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from git_mlops.config import FILE as CONFIG
from git_mlops.config import Config
from git_mlops.data import listing, pointers
from git_mlops.data.pointers import Out
from git_mlops.git import objects
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.hooks import known
from git_mlops.schema.bindings import folder_of, schema_for, with_tables
from git_mlops.tables.forms import file_and_table, form_of

_FORMAT = "git-mlops triage 1"
_POINTERS = ("*.dvc", "dvc.lock", "*/dvc.lock")
_ATTRIBUTES = (".gitattributes", "*/.gitattributes")
_SMALL = 64 * 1024
"""Bytes of a text that git may compare line by line for the shim; of a larger file the size is asked for."""
_MOST_IN_FOLDER = 200
"""The shim looks at so many files of a directory one by one; in a larger one it sees them come and go."""


def write(repo: Repo, config: Config, *, settled: float | None) -> None:
    """Renew `triage`.

    Args:
        settled: when the data was seen to be what the pointers say; None: it is not, so every commit asks.
    """
    lines = [_FORMAT, *_lines(repo, config)]
    if any("\n" in line for line in lines):
        lines = ["sh cannot tell here: every commit asks"]
    _remember(repo, config)
    file = _write(repo, "triage", "\n".join(lines) + "\n")
    os.utime(file, (settled or 0, settled or 0))


def _remember(repo: Repo, config: Config) -> None:
    """Write `known`: the pointers whose commit can go the short way, under this configuration."""
    from git_mlops.checks import table_rules  # every rule with it: 50 ms

    content = listing.on_disk(repo.root / CONFIG) or b""
    rows = [f"{known.FORMAT} {objects.blob_id(repo, content)}"]
    # a pointer without a data sheet looks like any other, and must not pass where one is asked for
    found = {} if config.governance.require else listing.in_workspace(repo)
    for out, pointer in found.items():
        schema = schema_for(out.path, config.schemas)
        fields = (
            pointer,
            out.path,
            str(form_of(out.path)) if schema else "",
            schema or "",
            _others(out, config),
        )
        alone = table_rules.meanings(out.path, config.tables, config.data.keys) is not None
        alone &= len(list(with_tables(out.path, config.schemas))) == 1  # each table has a verdict of its own
        alone &= folder_of(out.path, config.schemas) is None  # nor has a partition one
        plain = alone and pointer.endswith(".dvc") and not out.is_dir and out.algorithm == "md5"
        if plain and not any(c in field for field in fields for c in "\t\n"):
            rows.append("\t".join(fields))
    _write(repo, "known", "\n".join(rows) + "\n")


def _others(out: Out, config: Config) -> str:
    """The rules besides the schema's that must have a verdict on this data, and by what they go."""
    from git_mlops.checks import table_rules
    from git_mlops.checks.run import LOOKING

    asked = [(name, rule.meaning(out.path, config.data)) for name, rule in LOOKING.items()]
    whole = table_rules.meanings(out.path, config.tables, config.data.keys) or ()
    asked += [(table_rules.RULE, means) for means in whole]
    return ";".join(f"{name}={means}" for name, means in asked if means and config.checks.get(name) != "off")


def forget(repo: Repo) -> None:
    """The next commit starts Python."""
    (repo.private_here / "triage").unlink(missing_ok=True)


def followed(repo: Repo, *, since: float) -> None:
    """Note that the data follows the pointers as they were at the time `since`."""
    listed = repo.git("ls-files", "-s", "--", *_POINTERS)
    file = _write(repo, "followed", objects.blob_id(repo, listed) + "\n")
    os.utime(file, (since, since))
    (repo.private_here / "pending").unlink(missing_ok=True)


def _write(repo: Repo, name: str, text: str) -> Path:
    repo.private_here.mkdir(exist_ok=True)
    file = repo.private_here / name
    replace_file(file, text.encode("utf-8", "surrogateescape"))
    return file


def _lines(repo: Repo, config: Config) -> Iterator[str]:
    from git_mlops.schema.python import split

    yield f"limit {int(config.data.size_limit)}"
    yield f"small {min(int(config.data.size_limit), _SMALL)}"
    patterns = [
        *config.data.track,
        *(file_and_table(bound)[0] for bound in config.schemas),
        *(f"{bound}/" for bound in config.schemas if not set(bound) & set("*?[#")),  # perhaps a directory
        *(split(schema)[0] for schema in config.schemas.values()),
    ]
    yield from (
        f"path {each}" for each in dict.fromkeys(p for name in patterns for p in shell_patterns(name))
    )
    listed = repo.paths(*_LISTED, "--", *_POINTERS, *_ATTRIBUTES, ":(glob)**/dvc.yaml")
    files = {path: listing.on_disk(repo.root / path) or b"" for path in listed}
    attributes = [path for path in listed if path.endswith(".gitattributes")]
    if any(_forces_text(files[path]) for path in attributes):
        yield "\n"
    yield from (f"output {path}" for path in attributes)
    # also one in conflict, which names nothing now: taking a side makes it whole again, and is seen
    yield from (f"pointer {path}" for path in listed if pointers.is_pointer(path))
    yield from (f"{_kind(repo.root / out.path)} {out.path}" for out in listing.outs(files) if out.cache)


_LISTED = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")


def _forces_text(attributes: bytes) -> bool:
    """Whether the attribute `diff` may be set by itself: git then shows no size in sh."""
    lines = (line for line in attributes.splitlines() if not line.startswith(b"#"))
    return any(b"[attr]" in line or b"diff" in line.split()[1:] for line in lines)


def _kind(path: Path) -> str:
    if not path.is_dir():
        return "output"
    with os.scandir(path) as entries:
        few = sum(1 for _ in zip(entries, range(_MOST_IN_FOLDER + 1), strict=False)) <= _MOST_IN_FOLDER
    return "folder" if few else "output"


def shell_patterns(pattern: str) -> list[str]:
    """Patterns for the shell's `case` that match at least what ours does (there `*` matches a slash, too).

    Whatever could mean something else to a shell, or looks different where git quotes a path, becomes `*`.
    """
    text = pattern.removeprefix("./")
    below = text.endswith("/")
    anchored = "/" in text.strip("/") or pattern.startswith("/")
    text = re.sub(r"\[[^]]+\]|[^A-Za-z0-9/._*-]", "*", text.strip("/")).replace("**/", "*").replace("**", "*")
    text = text + ("/*" if below else "") if text else "*"
    return [text] if anchored or text.startswith("*") else [text, f"*/{text}"]
