"""The pager, as git does it: not in `ui`, because hooks show messages too and never page."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from git_mlops import env, processes
from git_mlops.git.run import git


@contextmanager
def paged(*, wanted: bool = True) -> Iterator[None]:
    """Show data through the user's pager, as git does: only on a terminal, chosen as `git var` says."""
    command = git("var", "GIT_PAGER", cwd=".").decode().strip() if wanted and sys.stdout.isatty() else ""
    if command in ("", "cat"):
        yield
        return
    screen = sys.stdout
    screen.flush()
    # what git sets: leave when one screen holds it, pass colour, leave the screen as it is
    defaults = {name: value for name, value in (("LESS", "FRX"), ("LV", "-c")) if env.get(name) is None}
    with processes.feeding(command, defaults) as stream:
        try:
            sys.stdout = io.TextIOWrapper(stream, encoding=screen.encoding, errors=screen.errors)
            yield
            sys.stdout.close()
        except BrokenPipeError:
            pass  # the reader has seen enough
        finally:
            sys.stdout = screen
