"""The entry point of `git mlops`: the answers that are asked for most come before click is imported."""

from __future__ import annotations

import gc
import os
import sys

from git_mlops import __version__, env
from git_mlops.errors import INTERRUPTED

TYPE_CHECKING = False  # `typing` itself costs 6 ms
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> None:
    """Run the command line and exit with its documented code."""
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules are imported; `ui.guard` takes care of the rest
        sys.stderr.write("error: interrupted\n")
        sys.exit(INTERRUPTED)


def _run(words: list[str]) -> NoReturn:
    completing = env.get("_GIT_MLOPS_COMPLETE") is not None
    answer = _first_word() if completing else _quick(words)
    if answer is not None:
        print(answer)  # noqa: T201  # before ui: this answer takes no import
        sys.exit(0)
    if words[:2] == ["exp", "list"] and not completing:
        gc.disable()  # it ends before there is any garbage
        from git_mlops.cli import quick

        status = quick.listing(words[2:])
        if status is not None:
            _leave(status)
    if words[:2] == ["exp", "pull"] and not completing:
        from git_mlops.cli import quick_pull

        status = quick_pull.pulling(words[2:])
        if status is not None:
            _leave(status)
    gc.disable()  # nothing that is imported is garbage
    from git_mlops.cli.run import run

    gc.enable()
    status = run(words)
    if words[:2] == ["exp", "push"]:
        _leave(status)
    sys.exit(status)


def _leave(status: int) -> NoReturn:
    """Exit without taking apart what ends anyway: 10 ms. DVC alone has threads and files to take leave of."""
    if "dvc" in sys.modules:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _quick(words: list[str]) -> str | None:
    if words in ([], ["-h"], ["--help"]):
        from git_mlops.cli import overview

        return overview()
    return f"git-mlops {__version__}" if words == ["--version"] else None


def _first_word() -> str | None:
    """Completion of the command's own name; everything after it is click's."""
    words = (env.get("COMP_WORDS") or "").split(" ")
    if env.get("COMP_CWORD") != "1" or words[-1].startswith("-"):
        return None
    from git_mlops.cli import COMMANDS

    return "\n".join(f"plain,{name}" for name in COMMANDS if name.startswith("".join(words[1:2])))


if __name__ == "__main__":
    main()
