"""`python -P -m git_mlops.hooks NAME ARGS…`: what shims and drivers start. No click: it costs time."""

import signal
import sys

_interruptible = __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _interruptible:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while modules are loaded there is nothing to say

from git_mlops.hooks import known  # noqa: E402  # as above


def main(words: list[str]) -> int:
    """Run a hook; a commit that is certainly fine ends here, before anything is imported."""
    if words == ["pre-commit"] and known.certainly_fine():
        return 0
    from git_mlops.hooks.dispatch import run

    if _interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
