"""`MLOPS_SKIP`: what a person leaves out once. The shims know hooks' names; here are the rules."""

import difflib
from collections.abc import Collection

from git_mlops import env, ui

_SHIMS = ("1", "all")
"""What the shims alone act on."""


def rules(known: Collection[str] | None = None) -> frozenset[str]:
    """Rules to leave out, said aloud: a check that is silently off is worse than none.

    Args:
        known: the rules there are and the hooks; another name is said to be none.
    """
    names = frozenset(name.strip() for name in (env.get("MLOPS_SKIP") or "").split(",") if name.strip())
    for name in sorted(names.difference(known, _SHIMS) if known is not None else ()):
        near = difflib.get_close_matches(name, known or (), n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`git mlops check --list` lists the rules"
        ui.warn(f"MLOPS_SKIP: there is no rule `{name}`", hint=hint)
    kept = names if known is None else names.intersection(known)
    if kept:
        ui.note(f"git-mlops: skipped {', '.join(sorted(kept))} (MLOPS_SKIP)")
    return names
