"""Tags to a git remote: all or none, and never past an event of the model that is not here yet.

Two people may promote at once. Each push also moves `refs/mlops/registry/NAME@last` of the remote from the
event that was seen last to the new one: the second of two finds it moved, and is told so.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError
from git_mlops.git import refs, remotes
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError, heard
from git_mlops.registry import grammar, write
from git_mlops.registry.write import Made

T = TypeVar("T")

_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules")


class Seen(NamedTuple):
    """A remote's registry of one model, as it was looked at."""

    remote: str
    name: str
    last: str | None
    """The tag object that the last push from here or elsewhere ended with."""
    unsent: tuple[str, ...]
    """Refs of tags that are here and not there: they go along."""


class Sent(NamedTuple):
    """What a push did besides."""

    remote: str
    said: str
    """What git's hooks printed."""
    along: tuple[str, ...]
    """Tags of the model that were here alone."""
    left: tuple[str, ...] = ()
    """Those that still are, since there was nothing new to send."""


def shared(
    repo: Repo, remote: str, name: str, work: Callable[[], T], made: Callable[[T], Sequence[Made]]
) -> tuple[T, Sent]:
    """Make tags on top of what the remote has, and send them, or neither.

    A model's events are a history: those before the new one that are only here go along.

    Args:
        work: what makes the tags, after the remote's are here.
        made: which tags a result made.

    Raises:
        MlopsError: somebody else was quicker (1); the remote refuses or cannot be reached (3).
    """
    seen = look(repo, remote, grammar.checked_name(name))
    done = work()
    tags = made(done)
    before = tuple(ref.removeprefix("refs/tags/") for ref in seen.unsent)
    return done, Sent(remote, push(repo, seen, tags), before) if tags else Sent(remote, "", (), before)


def guard(name: str) -> str:
    """The ref of a remote that says which event of a model was pushed last."""
    # not the name alone: `nlp` and `nlp/churn` could not both be refs
    return f"refs/mlops/registry/{grammar.in_tag(name)}@last"


def look(repo: Repo, remote: str, name: str) -> Seen:
    """Bring the tags of one model, and what else a decision on it needs, to this clone.

    Raises:
        MlopsError: the remote cannot be reached (3); a tag of it is another one here (1).
    """
    plain = grammar.in_tag(name)
    patterns = [f"refs/tags/{plain}@*", f"refs/tags/{plain}#*", f"refs/tags/{grammar.APPROVALS}{plain}@*"]
    try:
        listed = repo.text("ls-remote", remote, *patterns, guard(name))
    except GitError as error:
        raise remotes.unreachable(remote, error) from error
    pairs = [line.split("\t") for line in listed.split("\n") if line]
    last = next((oid for oid, ref in pairs if ref == guard(name)), None)
    # git matches the ends of names: `refs/other/refs/tags/…` would be among them
    there = {ref: oid for oid, ref in pairs if ref.startswith("refs/tags/") and not ref.endswith("^{}")}
    # for `for-each-ref`, unlike for `ls-remote`, `*` ends at a slash, which a stage may have
    below = [f"{pattern}/**" for pattern in patterns]
    here = {ref.name: ref.oid for ref in refs.list_refs(repo, *patterns, *below)}
    other = next((ref for ref, oid in there.items() if here.get(ref, oid) != oid), None)
    if other is not None:
        tag = other.removeprefix("refs/tags/")
        raise MlopsError(
            f"the tag `{tag}` is another one on `{remote}`: somebody was quicker",
            hint=f"`git tag -d '{tag}'`, then `git fetch {remote} --tags`, and look at what it did",
            exit_code=FINDINGS,
        )
    new = [ref for ref in there if ref not in here]
    if new:
        _fetch(repo, remote, new)
    return Seen(remote, name, last, tuple(ref for ref in here if ref not in there))


def _fetch(repo: Repo, remote: str, names: Sequence[str]) -> None:
    # refspecs on standard input: there may be thousands
    stdin = "".join(f"{name}:{name}\n" for name in names).encode()
    try:
        repo.git(*_FETCH, "--stdin", remote, stdin=stdin)
    except GitError as error:
        raise remotes.unreachable(remote, error) from error


def push(repo: Repo, seen: Seen, made: Sequence[Made]) -> str:
    """Send tags that were just made; if that fails they are taken back here. What hooks said meanwhile.

    Raises:
        MlopsError: somebody else was quicker (1); the remote refuses or cannot be reached (3).
    """
    names = dict.fromkeys((*seen.unsent, *(f"refs/tags/{one.tag}" for one in made)))
    specs = [f"{name}:{name}" for name in names]
    options = ["--quiet", "--atomic"]
    events = [one for one in made if not one.tag.startswith(grammar.APPROVALS)]
    if events:  # an approval is no event: whoever promotes meanwhile need not be stopped
        options.append(f"--force-with-lease={guard(seen.name)}:{seen.last or ''}")
        specs.append(f"{events[-1].oid}:{guard(seen.name)}")
    try:
        status, said = heard("push", *options, seen.remote, *specs, cwd=repo.root)
    except BaseException:
        _take_back(repo, made)
        raise
    if status == 0:
        return said
    _take_back(repo, made)
    shown = ", ".join(f"`{one.tag}`" for one in made)
    if any(word in said for word in _QUICKER):
        raise MlopsError(
            f"somebody else changed the model `{seen.name}` on `{seen.remote}` meanwhile: {shown} was not"
            " pushed, and is taken back here",
            hint=f"`git fetch {seen.remote} --tags`, then `git mlops model history {seen.name}`",
            exit_code=FINDINGS,
        )
    raise MlopsError(
        f"{shown} was not pushed to `{seen.remote}`, and is taken back here: {' '.join(said.split())}",
        hint=f"is `git remote get-url {seen.remote}` right, and may you write there?",
        exit_code=CANNOT_EVALUATE,
    )


def _take_back(repo: Repo, made: Sequence[Made]) -> None:
    for one in made:
        write.remove(repo, one)


_QUICKER = ("stale info", "already exists", "cannot lock ref", "fetch first", "non-fast-forward")
