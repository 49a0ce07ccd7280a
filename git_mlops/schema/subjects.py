"""What a verdict is about, and where it is kept. On the path of every commit: imports next to nothing."""

import hashlib

REF = "refs/mlops/verdicts"
RULE = "schema"

ENGINE = "pandas-1"
"""The meaning of a check: raised when ours or pandera's meaning changes; old verdicts then no longer count.

Not pandera's version: asking for it costs every commit 15 ms, and two colleagues one patch release apart
would never share a verdict. What really computed one is written in it (`by`).
"""


def subject(algorithm: str, data_hash: str, schema_oid: str, form: str) -> str:
    """What a verdict is about: these bytes, read as this form, under this schema and this engine.

    The form (`csv`, `parquet`, …) is in it because the same bytes under another name may mean another table.
    """
    lines = ("mlops verdict 1", RULE, ENGINE, form, f"{algorithm}:{data_hash}", f"schema:{schema_oid}")
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def subject_of(rule: str, meaning: str, algorithm: str, data_hash: str) -> str:
    """What a verdict of another rule is about: these bytes, and all else it goes by (`meaning`)."""
    lines = ("mlops verdict 1", rule, meaning, f"{algorithm}:{data_hash}")
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def place(subject_: str, rule: str = RULE) -> str:
    """The path of a verdict in the tree of `REF`."""
    return f"{subject_[:2]}/{subject_[2:]}/{rule}.json"
