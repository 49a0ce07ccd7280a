"""Where our plain files (hooks/, templates/) are: inside the wheel, or beside the package in a checkout."""

from pathlib import Path

from git_mlops.errors import MlopsError

_PACKAGE = Path(__file__).parent


def path(*parts: str) -> Path:
    """The resource's path on disk, e.g. `path("hooks", "pre-commit")`."""
    for base in (_PACKAGE / "_share", _PACKAGE.parent):
        found = base.joinpath(*parts)
        if found.exists():
            return found
    raise MlopsError(
        f"this installation of git-mlops lacks `{'/'.join(parts)}`",
        hint="reinstall it: `python -m pip install --force-reinstall git-mlops`",
    )
