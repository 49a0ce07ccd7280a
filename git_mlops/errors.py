"""The one error type, and the exit codes that the documentation promises."""

OK = 0
FINDINGS = 1
USAGE = 2
CANNOT_EVALUATE = 3
INTERRUPTED = 130


class MlopsError(Exception):
    """Something the user can act on: what happened, to what, and what to do next.

    Raised where it is known, caught once at the top (`ui.guard`), which prints `error:` and `hint:`
    on stderr and exits with `exit_code`.
    """

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code


class NotFoundError(MlopsError):
    """A name, revision, file or object that does not exist."""
