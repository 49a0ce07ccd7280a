"""The `ci:` section of mlops.yaml."""

from typing import NamedTuple


class Settings(NamedTuple):
    """What the generated workflows do."""

    python: str = "3.11"
    branches: tuple[str, ...] = ("main",)
    """Branches whose pushes are checked, beside every pull request."""
    install: str = "python -m pip install -r requirements.txt"
    """The command that installs the project, git-mlops included."""
    secrets: tuple[str, ...] = ()
    """Names of CI secrets that the DVC remote needs, as environment variables (`AWS_ACCESS_KEY_ID`)."""
    pull: tuple[str, ...] = ()
    """Data that the tests need, beside what the checked commits change."""
    test: str | None = None
    """A command that runs the project's tests after the checks."""
