"""The verdict beside the commit, and findings at their lines."""

from collections.abc import Callable, Mapping, Sequence

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.forges import bitbucket, bitbucket_server, github
from git_mlops.forges.client import Client, Pace
from git_mlops.forges.registry import FORGES
from git_mlops.forges.values import State, Status, Target

NAME = "git-mlops"
_ANNOTATORS: Mapping[str, Callable[[Client, Target, Status, Sequence[Finding]], int]] = {
    "github": github.annotate,
    "bitbucket": bitbucket.annotate,
    "bitbucket-server": bitbucket_server.annotate,
}
"""GitLab takes a file of the job (`artifacts: reports: codequality:`); the others have nothing."""
_STATES: Mapping[int, State] = {0: "success", 1: "failure"}


def state_of(exit_code: int) -> State:
    """What a report's exit code says: what could not be evaluated is an error, never a success."""
    return _STATES.get(exit_code, "error")


def status(  # noqa: PLR0913  # what follows the first three is named and optional
    target: Target,
    state: State,
    summary: str,
    link: str | None = None,
    *,
    name: str = NAME,
    dry_run: bool = False,
    pace: Pace | None = None,
) -> tuple[str, ...]:
    """Set the head commit's status; the same name replaces. Gives the requests of a dry run.

    Raises:
        MlopsError: the head is not known, or the forge refuses.
    """
    client = _client(target, dry_run=dry_run, pace=pace)
    FORGES[target.forge].status(client, target, Status(state, name, _line(summary), link or target.run))
    return tuple(client.requests)


def annotate(
    target: Target,
    state: State,
    summary: str,
    findings: Sequence[Finding],
    *,
    name: str = NAME,
    pace: Pace | None = None,
) -> int | None:
    """Show the findings at their lines; how many, or None where the forge has no requests for that.

    Raises:
        MlopsError: the head is not known, or the forge refuses.
    """
    annotator = _ANNOTATORS.get(target.forge)
    if annotator is None:
        return None
    client = _client(target, dry_run=False, pace=pace)
    return annotator(client, target, Status(state, name, _line(summary), target.run), findings)


def _client(target: Target, *, dry_run: bool, pace: Pace | None) -> Client:
    if target.head is None:
        raise MlopsError(
            "which commit? Nobody says what the pull request's head is",
            hint="name it: `--head COMMIT`",
            exit_code=CANNOT_EVALUATE,
        )
    return Client(FORGES[target.forge], target, pace=pace, dry=dry_run)


def _line(summary: str) -> str:
    return " ".join(summary.split())
