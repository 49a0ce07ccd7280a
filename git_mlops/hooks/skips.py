"""`MLOPS_SKIP`: what a person leaves out once. The shims know hooks' names; here are the rules."""

from git_mlops import env, ui


def rules() -> frozenset[str]:
    """Rules to leave out, said aloud: a check that is silently off is worse than none."""
    names = frozenset(name.strip() for name in (env.get("MLOPS_SKIP") or "").split(",") if name.strip())
    if names:
        ui.note(f"git-mlops: skipped {', '.join(sorted(names))} (MLOPS_SKIP)")
    return names
