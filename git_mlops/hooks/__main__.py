"""`python -P -m git_mlops.hooks NAME ARGS…`: what shims and drivers start. No click: it costs time."""

import sys

from git_mlops.hooks import known


def main(words: list[str]) -> int:
    """Run a hook; a commit that is certainly fine ends here, before anything is imported."""
    if words == ["pre-commit"] and known.certainly_fine():
        return 0
    from git_mlops.hooks.dispatch import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
