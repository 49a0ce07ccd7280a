"""GitPython, imported here alone: clone with progress, and what is configured for a remote."""

from collections.abc import Callable, Mapping
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

    def update(op_code: int, done: str | float, total: str | float | None, _message: str = "") -> None:
        phase = _PHASES.get(op_code & RemoteProgress.OP_MASK)
        if phase and total:
            progress(phase, int(float(done)), int(float(total)))

    try:
        Repo.clone_from(url, target, progress=update, **dict[str, Any](options)).close()
    except (UnsafeProtocolError, UnsafeOptionError) as error:
        raise MlopsError(f"refused to clone {url}: {error}", hint="`git clone` asks no questions") from error
    except GitCommandError as error:
        raise MlopsError(_said(url, str(error.stderr)), exit_code=CANNOT_EVALUATE) from error


_PHASES = {4: "counting", 8: "compressing", 32: "receiving", 64: "resolving", 256: "checking out"}


def _said(url: str, stderr: str) -> str:
    lines = [line for line in stderr.replace("stderr:", "").strip(" \n'").splitlines() if line.strip()]
    fatal = [line for line in lines if line.strip().startswith(("fatal:", "error:"))]
    reason = (fatal or lines or ["git failed"])[0].strip().removeprefix("fatal: ").removeprefix("error: ")
    return f"cannot clone {url}: {reason}"
