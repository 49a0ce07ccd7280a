"""Which schema a path of the repository must satisfy."""

from git_mlops.patterns import most_specific
from git_mlops.schema.settings import Bindings


def schema_for(path: str, bindings: Bindings) -> str | None:
    """The schema file bound to a data path, or None.

    The path itself wins; then the longest pattern that matches (the most specific, as people write them);
    of equally long ones the last, as in `.gitignore`.
    """
    return most_specific(path, bindings)
