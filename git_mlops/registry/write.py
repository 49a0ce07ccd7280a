"""Tags made: annotated, signed as git is configured to, later than every earlier event of their model."""

import time
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError
from git_mlops.git import config as git_config
from git_mlops.git import objects, refs
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError, git
from git_mlops.registry import grammar, message
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from git_mlops.registry.state import Artifact


class Made(NamedTuple):
    """A tag that was made here."""

    tag: str
    oid: str
    target: str


def tag(repo: Repo, said: Tag, target: str, text: Message, after: Artifact) -> Made:
    """Make one tag.

    GTO orders the events of a model by their seconds: a clock that is behind, or two events in one second,
    would make it read another history. So a tag is always later than those before it.

    Raises:
        MlopsError: another process made the same one first (1); git cannot sign (3).
    """
    name = grammar.render(said)
    when = max(int(time.time()), after.last_time + 1)
    sign = signs(repo)
    words = (
        "tag",
        "--annotate",
        "--sign" if sign else "--no-sign",
        "--cleanup=verbatim",
        "--file=-",
        "--end-of-options",
        name,
        target,
    )
    stdin = message.render(text).encode("utf-8", "backslashreplace")
    try:
        git(*words, cwd=repo.root, stdin=stdin, extra={"GIT_COMMITTER_DATE": f"{when} +0000"})
    except GitError as error:
        raise _refused(name, error) from error
    oid = refs.read(repo, f"refs/tags/{name}")
    assert oid
    made = Made(name, oid, target)
    if sign and not message.signed(repo.text("cat-file", "tag", oid)):
        remove(repo, made)  # git 2.39 makes the tag all the same where it does not find the SSH key
        raise _unsigned(name, "is `git config user.signingKey` right?")
    return made


def _unsigned(name: str, said: str) -> MlopsError:
    return MlopsError(
        f"git cannot sign the tag `{name}`: {' '.join(said.split())}",
        hint="mend `git config user.signingKey`, or `git config mlops.models.sign false`",
        exit_code=CANNOT_EVALUATE,
    )


def _refused(name: str, error: GitError) -> MlopsError:
    if "already exists" in error.stderr:
        return MlopsError(
            f"the tag `{name}` was made by another process meanwhile",
            hint="look with `git mlops model history`, then run the command again",
            exit_code=FINDINGS,
        )
    if "sign" in error.stderr or "gpg" in error.stderr:
        return _unsigned(name, error.stderr)
    return error


def signs(repo: Repo) -> bool:
    """Whether tags are signed: `mlops.models.sign`, else `tag.gpgSign`, else whether there is a key."""
    found = git_config.read(repo, r"^(mlops\.models\.sign|tag\.gpgsign|user\.signingkey)$")
    said = found.get("mlops.models.sign") or found.get("tag.gpgsign")
    if said is None:
        return "user.signingkey" in found
    return said.value.lower() in {"", "true", "yes", "on", "1"}


def remove(repo: Repo, made: Made) -> None:
    """Take back a tag that was made here and that nobody else has."""
    refs.move(repo, [refs.Move(f"refs/tags/{made.tag}", None, made.oid)], "mlops model: not taken")


def place(repo: Repo, found: Artifact, commit: str, version: str) -> str:
    """What the tag of a new version points at: the commit, or a copy of it.

    GTO knows a version by its commit: with two versions of one model on the same commit and any assignment
    there, it refuses to read the whole registry. So the second one gets a commit of its own: the same tree,
    the registered commit as its parent.
    """
    if all(one.commit != commit for one in found.versions):
        return commit
    tree = repo.text("rev-parse", f"{commit}^{{tree}}")
    title = f"model: {found.name} {version}\n\nThe tree of {commit[:12]}, which is another version already.\n"
    return objects.commit_tree(repo, tree, [commit], title)
