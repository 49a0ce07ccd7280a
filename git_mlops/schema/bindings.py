"""Which schema a path of the repository must satisfy."""

from git_mlops.patterns import matches
from git_mlops.schema.settings import Bindings


def schema_for(path: str, bindings: Bindings) -> str | None:
    """The schema file bound to a data path, or None.

    The path itself wins; then the longest pattern that matches (the most specific, as people write them);
    of equally long ones the last, as in `.gitignore`.
    """
    exact = bindings.get(path)
    if exact is not None:
        return exact
    found = [pattern for pattern in bindings if matches(path, (pattern,))]
    return bindings[max(reversed(found), key=len)] if found else None
