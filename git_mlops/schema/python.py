"""Schemas written in Python: pandera's models and schemas with checks that YAML cannot carry.

To read one is to run it. So it is read only in a clone whose user has said so, in git's own config: nothing
that a repository carries can say it.
"""

import sys
import types
from typing import Any

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git import config as git_config
from git_mlops.git.repo import Repo
from git_mlops.schema.load import Schema

KEY = "mlops.schema.python"


def split(binding: str) -> tuple[str, str | None]:
    """`schemas/orders.py:Orders` → file and name; a YAML file has no name."""
    file, colon, name = binding.rpartition(":")
    return (file, name) if colon and file.endswith(".py") else (binding, None)


def is_python(binding: str) -> bool:
    """Whether the schema that data is bound to would have to be run."""
    return split(binding)[0].endswith(".py")


def allowed(repo: Repo) -> bool:
    """Whether the user of this clone lets schemas run."""
    found = git_config.read(repo, rf"^{KEY.replace('.', '[.]')}$").get(KEY)
    return found is not None and found.value.lower() in {"", "true", "yes", "on", "1"}


def load(repo: Repo, content: bytes, binding: str) -> Schema:
    """Run the file and take its schema.

    Raises:
        MlopsError: it may not run here (exit code 3); it fails, has no such schema, or checks nothing.
    """
    file, name = split(binding)
    if not allowed(repo):
        raise MlopsError(
            f"`{file}` is Python, and to check by it is to run it: that is not allowed in this clone",
            hint=f"read it; `git config {KEY} true` allows it",
            exit_code=CANNOT_EVALUATE,
        )
    module = _run(repo, content, file)
    found = _schemas(module, name)
    if len(found) != 1:
        said = f"`{name}` in it is no schema" if name else f"it has {len(found)} schemas"
        there = ", ".join(sorted(_schemas(module, None))) or "none"
        raise MlopsError(f"{file}: {said}", hint=f"bind it as `{file}:NAME`; there are: {there}")
    built = next(iter(found.values()))
    if not built.columns and not built.checks:
        raise MlopsError(f"{file}: it checks nothing", hint="declare columns")
    columns = {
        key: {"dtype": str(column.dtype) if column.dtype else None} for key, column in built.columns.items()
    }
    return Schema(file, {"columns": columns}, built)


def _run(repo: Repo, content: bytes, file: str) -> types.ModuleType:
    module = types.ModuleType("mlops_schema")
    module.__file__ = str(repo.root / file)
    before = list(sys.path)
    sys.path.insert(0, str(repo.root))
    sys.modules[module.__name__] = module  # pandera's models look their annotations up in it
    try:
        exec(compile(content, file, "exec"), module.__dict__)  # noqa: S102  # what the user has allowed
    except Exception as error:
        raise MlopsError(f"{file}: it fails: {type(error).__name__}: {error}") from error
    finally:
        sys.path[:] = before
    return module


def _schemas(module: types.ModuleType, name: str | None) -> dict[str, Any]:
    """Name → pandera's schema, of those that the file itself defines."""
    from pandera.pandas import DataFrameModel, DataFrameSchema

    found = {}
    for key, value in vars(module).items():
        if name not in (None, key):
            continue
        own = getattr(value, "__module__", None) == module.__name__
        if isinstance(value, DataFrameSchema):
            found[key] = value
        elif isinstance(value, type) and issubclass(value, DataFrameModel) and own:
            found[key] = value.to_schema()  # type: ignore[attr-defined]  # mypy sees `type`
    return found
