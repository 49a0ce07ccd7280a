"""The settings of one section alone, for commands that are asked for often and need no other.

To read mlops.yaml takes 50 ms: a YAML parser, and what every feature declares. What a file said that was
found to be right is remembered beside the repository, with its text and this version.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from git_mlops import CONFIG, __version__, env
from git_mlops.git import config as git_config
from git_mlops.git.repo import Repo

_MEMORY = "config.json"

T = TypeVar("T")


def section(repo: Repo, name: str, kind: type[T]) -> T:
    """The settings of a section as they are in force.

    Args:
        kind: what the section is decoded as; all its fields have defaults.

    Raises:
        MlopsError: as `config.load`.
    """
    mine = f"mlops.{name}."
    if any(key.startswith(mine) for key in git_config.read(repo, git_config.OURS)) or env.starting_with(
        f"MLOPS_{name}_".upper()
    ):
        return cast("T", _loaded(repo, name))
    try:
        text = (repo.root / CONFIG).read_bytes().decode()
    except FileNotFoundError:
        return kind()
    except (OSError, UnicodeDecodeError):
        return cast("T", _loaded(repo, name))
    memory = repo.private / _MEMORY
    values = _remembered(memory, text)
    if values is None:
        found = _loaded(repo, name)
        _remember(memory, text)
        return cast("T", found)
    given = values.get(name)
    if not given:
        return kind()
    from git_mlops.decode import DecodeError, decode

    with suppress(DecodeError):
        return decode(kind, given, name)
    return cast("T", _loaded(repo, name))


def _loaded(repo: Repo, name: str) -> Any:
    from git_mlops import config

    return getattr(config.load(repo).config, name)


def _remembered(memory: Path, text: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(memory.read_bytes())
        if (found["by"], found["text"]) == (__version__, text) and isinstance(found["values"], dict):
            return dict(found["values"])
    return None


def _remember(memory: Path, text: str) -> None:
    from git_mlops import config
    from git_mlops.git.objects import replace_file

    values = config.values(text.encode())
    with suppress(OSError, TypeError):
        told = json.dumps({"by": __version__, "text": text, "values": values})
        if json.loads(told)["values"] == values:  # JSON has no word for dates, nor for numbers as names
            memory.parent.mkdir(parents=True, exist_ok=True)
            replace_file(memory, told.encode())
