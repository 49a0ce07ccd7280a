"""What the parts of this package hand to each other: where to post, what is there, what became of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from git_mlops.forges.client import Client

State = Literal["pending", "success", "failure", "error"]
"""Of a commit status. `error` is for what could not be evaluated: it is never shown as passed."""

Purpose = Literal["read", "comment", "status", "annotate", "open", "issue"]
"""What a request is for: a refusal names the permission that this needs."""


class Secret:
    """A token that no message, representation or log shows by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The token itself: for the one header that carries it."""
        return self._value

    def hide(self, text: str) -> str:
        """`text` with the token as `***`, wherever somebody repeated it."""
        return text.replace(self._value, "***") if self._value else text

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


class Target(NamedTuple):
    """Where a report goes."""

    forge: str
    """A key of `FORGES`."""
    api: str
    """The API's base URL, without a slash at the end."""
    repository: str
    """`owner/name`; GitLab: the project's path or number; Azure: `project/repository`."""
    number: int | None
    """The pull request; None where it is to be found by its head commit."""
    head: str | None
    """The commit that was judged; None where nobody says it."""
    token: Secret
    token_variable: str
    """The environment variable that held the token, for messages."""
    run: str | None = None
    """The CI run's own page."""
    source: str | None = None
    """`owner:branch` of the head, where the CI says it: finds the pull request in one request."""


class Comment(NamedTuple):
    """A comment on a pull request, as its forge gives it."""

    id: int
    """Grows with time on every forge: the smallest is the oldest."""
    author: str | None
    body: str
    url: str | None = None
    version: int = 0
    """Bitbucket Server's lock; Azure: the comment's number within its thread."""


class Pull(NamedTuple):
    """An open pull request."""

    number: int
    head: str
    """The head commit; Bitbucket Cloud tells the first twelve digits."""

    def is_at(self, commit: str) -> bool:
        """Whether `commit` is its head."""
        return bool(self.head) and (commit.startswith(self.head) or self.head.startswith(commit))


class Posted(NamedTuple):
    """What became of a report."""

    action: Literal["created", "updated", "unchanged", "outdated", "dry run"]
    """`outdated`: the pull request has moved on to another commit; nothing was written."""
    number: int | None
    url: str | None = None
    removed: int = 0
    """Comments of ours that another writer left at the same time, now gone."""
    requests: tuple[str, ...] = ()
    """Of a dry run: every request as text, the token hidden."""


class Status(NamedTuple):
    """A commit status."""

    state: State
    name: str
    summary: str
    link: str | None


class Forge(Protocol):
    """A module of this package."""

    TITLE: str
    """The forge's name for people."""
    LIMIT: int
    """Characters (UTF-16 units) of a comment."""
    HIDDEN: bool
    """Whether an HTML comment stays and is not shown; if not, the marker is a visible last line."""
    NEEDS: Mapping[Purpose, str]
    """The permission that each purpose needs, in the forge's own words."""

    def headers(self, target: Target) -> dict[str, str]:
        """What authorises a request."""

    def whoami(self, client: "Client") -> str | None:
        """Who we are, as `Comment.author` says it; None where the token may not ask."""

    def pull(self, client: "Client", target: Target) -> Pull:
        """The pull request of the target, as it is now."""

    def pulls(self, client: "Client", target: Target) -> list[Pull]:
        """Every open pull request, or those of the target's source branch."""

    def comments(self, client: "Client", target: Target) -> list[Comment]:
        """Every comment of the pull request, all pages."""

    def create(self, client: "Client", target: Target, body: str) -> Comment:
        """Write a comment; sent once."""

    def update(self, client: "Client", target: Target, comment: Comment, body: str) -> None:
        """Replace a comment's text."""

    def delete(self, client: "Client", target: Target, comment: Comment) -> None:
        """Remove a comment."""

    def status(self, client: "Client", target: Target, status: Status) -> None:
        """Set the status of the target's head commit; the same name replaces."""

    def fit(self, markdown: str) -> str:
        """Our Markdown as this forge shows it."""
