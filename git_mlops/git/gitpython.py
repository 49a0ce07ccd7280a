"""GitPython, imported here alone: clone with progress, and what is configured for a remote."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from git_mlops.errors import CANNOT_EVALUATE, MlopsError


def clone(
    url: str, target: Path, options: Mapping[str, str], progress: Callable[[str, int, int], None]
) -> None:
    """Clone with a checkout; nothing of the cloned content is run.

    GitPython adds what `git clone` lacks: progress as numbers, and a refusal of transports that run
    commands (`ext::`) and of options that do.

    Args:
        options: of `git clone` by their long names, e.g. `{"branch": "main"}`.
        progress: called with (phase, done, total).
    """
    from git import GitCommandError, RemoteProgress, Repo, UnsafeOptionError, UnsafeProtocolError

    class Progress(RemoteProgress):
        """Numbers for the caller; GitPython keeps git's error lines here, not in its exception."""

        def update(self, op_code: int, cur_count: Any, max_count: Any = None, message: str = "") -> None:
            phase = _PHASES.get(op_code & self.OP_MASK)
            if phase and max_count:
                progress(phase, int(float(cur_count)), int(float(max_count)))

    heard: Any = Progress()
    try:
        Repo.clone_from(url, target, progress=heard, **dict[str, Any](options)).close()
    except (UnsafeProtocolError, UnsafeOptionError) as error:
        raise MlopsError(
            f"refused to clone {url}: {error}", hint="`git clone` takes any transport"
        ) from error
    except GitCommandError as error:
        raise MlopsError(_said(url, heard.error_lines), exit_code=CANNOT_EVALUATE) from error


_PHASES = {4: "counting", 8: "compressing", 32: "receiving", 64: "resolving", 256: "checking out"}


def _said(url: str, lines: Sequence[str]) -> str:
    """git's last `fatal:` says what happened; what follows it is advice."""
    reasons = [line.strip() for line in lines if line.strip()] or ["git failed"]
    fatal = next((line for line in reversed(reasons) if line.startswith("fatal:")), reasons[-1])
    return f"cannot clone {url}: {fatal.removeprefix('fatal: ').removeprefix('error: ')}"
