"""The user's repository: where it is, what it is, and the questions asked of it everywhere."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Literal, NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.git.run import GitError, git

ObjectFormat = Literal["sha1", "sha256"]


class Repo(NamedTuple):
    """One worktree of a repository. A value: it holds no handle and caches nothing."""

    root: Path
    """The top of this worktree."""
    git_dir: Path
    """This worktree's own git directory (index, HEAD)."""
    common_dir: Path
    """The git directory that all worktrees share (refs, objects, config, hooks)."""
    object_format: ObjectFormat
    prefix: str
    """Where the user stands, relative to `root`: "" or "data/raw/"."""
    shallow: bool

    @property
    def linked(self) -> bool:
        """Whether this is a linked worktree (`git worktree add`)."""
        return self.git_dir != self.common_dir

    @property
    def private(self) -> Path:
        """Our private, rebuildable state, shared by all worktrees."""
        return self.common_dir / "mlops"

    @property
    def private_here(self) -> Path:
        """Our private, rebuildable state of this worktree alone."""
        return self.git_dir / "mlops"

    def git(
        self,
        *args: str,
        stdin: bytes | None = None,
        ok: Collection[int] = (0,),
        index: Path | None = None,
    ) -> bytes:
        """Run git at the top of this worktree; `index` names another index file to use."""
        if index is None:
            return git(*args, cwd=self.root, stdin=stdin, ok=ok)
        # another index than the user's is nobody's business: no hook follows it
        words = ("-c", "core.hooksPath=/dev/null", *args)
        return git(*words, cwd=self.root, stdin=stdin, ok=ok, extra={"GIT_INDEX_FILE": str(index)})

    def text(self, *args: str, stdin: bytes | None = None, ok: Collection[int] = (0,)) -> str:
        """The output as text without its last newline (undecodable bytes survive as surrogates)."""
        return self.git(*args, stdin=stdin, ok=ok).decode("utf-8", "surrogateescape").rstrip("\n")

    def paths(self, *args: str, stdin: bytes | None = None, index: Path | None = None) -> list[str]:
        """The output of a command run with `-z`, one path (or record) each."""
        return fields(self.git(*args, stdin=stdin, index=index))

    def null_oid(self) -> str:
        """The id that stands for "no object" in this repository's object format."""
        return "0" * (40 if self.object_format == "sha1" else 64)


QUESTIONS = (
    "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir",
    "--show-object-format", "--is-shallow-repository", "--show-prefix",
)  # fmt: skip
"""What `discover` asks git."""


def discover(start: str | Path = ".") -> Repo:
    """The worktree that `start` is in.

    Raises:
        MlopsError: not in a git repository, or in a bare one (exit code 2).
    """
    try:
        answer = git(*QUESTIONS, cwd=start)
    except GitError as error:
        raise _not_a_worktree(error, start) from error
    root, git_dir, common_dir, object_format, shallow, prefix = answer.decode(
        "utf-8", "surrogateescape"
    ).split("\n")[:6]
    return Repo(
        root=Path(root),
        git_dir=Path(git_dir),
        common_dir=Path(common_dir),
        object_format="sha256" if object_format == "sha256" else "sha1",
        prefix=prefix,
        shallow=shallow == "true",
    )


def _not_a_worktree(error: GitError, start: str | Path) -> MlopsError:
    where = Path(start).absolute()
    if "not a git repository" in error.stderr:
        return MlopsError(
            f"not a git repository: {where}", hint="start one with `git init`, or `cd` into a clone"
        )
    if "must be run in a work tree" in error.stderr:
        return MlopsError(
            f"this repository has no work tree: {where}", hint="run it in a clone or a worktree of it"
        )
    return error


def resolve(repo: Repo, revision: str) -> str:
    """The commit id that a revision names.

    Raises:
        MlopsError: no such commit (exit code 2).
    """
    found = repo.text(*question(revision), ok=(0, 1, 128))
    if not found:
        raise MlopsError(f"`{revision}` is not a commit of this repository", hint=_other(repo, revision))
    return found


def question(revision: str) -> tuple[str, ...]:
    """What `resolve` asks git."""
    return "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"


def _other(repo: Repo, revision: str) -> str:
    """What to do about a revision that is none."""
    if revision == "HEAD":
        return "make a first commit: `git commit`"
    name, *_ = re.split("[~^]", revision)
    if (
        name != revision
        and head(repo)
        and repo.text("rev-parse", "--quiet", "--verify", "--end-of-options", name or "HEAD", ok=(0, 1, 128))
    ):
        if repo.shallow:
            return "`git fetch --unshallow` brings the history that this clone lacks"
        count = repo.text("rev-list", "--count", "--first-parent", "--end-of-options", name or "HEAD", "--")
        return f"`{name or 'HEAD'}` has no commit that far back: its history has {count}"
    remote, _, branch = revision.partition("/")
    if branch and repo.text("config", "--get", f"remote.{remote}.url", ok=(0, 1)):
        return f"`git fetch {remote} {branch}:refs/remotes/{revision}` brings it, if it is a branch there"
    return "`git log --oneline --all` lists them"


def head(repo: Repo) -> str | None:
    """HEAD's commit id, or None before the first commit."""
    return repo.text("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128)) or None


def empty_tree(repo: Repo) -> str:
    """The id of the tree with nothing in it."""
    return repo.text("hash-object", "-t", "tree", "--stdin", stdin=b"")


def fields(output: bytes) -> list[str]:
    """NUL-separated output as text."""
    return [part.decode("utf-8", "surrogateescape") for part in output.split(b"\0") if part]
