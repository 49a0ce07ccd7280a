"""What a run made, as one commit on a branch of its own; the user's workspace is not touched."""

from collections.abc import Sequence
from typing import NamedTuple

from git_mlops.data import pointers
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError
from git_mlops.experiments import tree
from git_mlops.experiments.layout import RUN, Layout, covers
from git_mlops.experiments.recording import commit_tree
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import diff, objects, refs, remotes
from git_mlops.git.diff import Change
from git_mlops.git.reader import reader
from git_mlops.git.refs import Move
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError, heard

TRAILER = "Mlops-Retrain"


class Tip(NamedTuple):
    """What a branch has been until now."""

    branch: str
    here: str | None
    there: str | None
    """On the remote; None also where it was not asked."""

    @property
    def newest(self) -> str | None:
        """What a new commit stands in the place of."""
        return self.there or self.here


class Landed(NamedTuple):
    """The branch, with the result on it."""

    branch: str
    commit: str
    new: bool
    """False: it had exactly this result already."""
    left_out: tuple[str, ...]
    """New files that the run left and that are no result of the pipeline."""


def tip(repo: Repo, branch: str, base: str, remote: str | None) -> Tip:
    """Whether the branch is ours to replace.

    Args:
        remote: where it is to be pushed; None: it is not.

    Raises:
        MlopsError: it is checked out somewhere, or has commits that others made (1); the remote cannot be
            reached (3).
    """
    repo.git("check-ref-format", "--branch", branch)
    name = f"refs/heads/{branch}"
    found = Tip(branch, refs.read(repo, name), _there(repo, remote, name) if remote else None)
    if found.here is not None:
        _refuse_checked_out(repo, name)
    for commit in {found.here, found.there} - {None}:
        assert commit
        _refuse_others(repo, branch, commit, base)
    return found


def _there(repo: Repo, remote: str, name: str) -> str | None:
    try:
        listed = repo.text("ls-remote", "--refs", remote, name).splitlines()
        oid = next((line.partition("\t")[0] for line in listed if line.endswith(f"\t{name}")), None)
        if oid is not None:
            repo.git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote, name)
    except GitError as error:
        raise remotes.unreachable(remote, error) from error
    return oid


def _refuse_checked_out(repo: Repo, name: str) -> None:
    records = repo.paths("worktree", "list", "--porcelain", "-z")
    if f"branch {name}" in records:
        branch = name.removeprefix("refs/heads/")
        raise MlopsError(
            f"the branch `{branch}` is checked out: moving it would leave that workspace behind",
            hint="`git switch` to another one there, or `--branch NAME`",
            exit_code=FINDINGS,
        )


def _refuse_others(repo: Repo, branch: str, commit: str, base: str) -> None:
    """What somebody added to the branch by hand is not overwritten."""
    words = f"--format=%(trailers:key={TRAILER},valueonly,separator=%x2C)"
    said = repo.text(
        "log", "--no-show-signature", "--format=%x00%h%x01" + words.partition("=")[2], commit, f"^{base}"
    )
    for record in said.split("\0")[1:]:
        short, _, value = record.partition("\x01")
        if not value.strip():
            raise MlopsError(
                f"the branch `{branch}` has a commit that no retraining made: {short}",
                hint="merge or remove it first, or `--branch NAME`",
                exit_code=FINDINGS,
            )


class Said(NamedTuple):
    """The words of the commit."""

    title: str
    text: str
    key: str
    """Of the run."""
    why: str
    """The kind of the cause."""

    def message(self) -> str:
        """With its trailers."""
        text = f"{self.text}\n\n" if self.text else ""
        return f"{self.title}\n\n{text}Mlops-Run: {self.key}\n{TRAILER}: {self.why}\n"


def land(repo: Repo, base: str, experiment: str, said: Said, before: Tip, settings: Settings) -> Landed:
    """Commit on top of the base what the experiment changed, and move the branch there."""
    found, left_out = _tree(repo, base, experiment, settings)
    commit = before.newest
    new = commit is None or not _is(repo, commit, found, base)
    if new or commit is None:
        commit = commit_tree(repo, found, base, said.message())
    if before.here != commit:
        move = Move(f"refs/heads/{before.branch}", commit, before.here)
        refs.move(repo, [move], "mlops retrain", reflog=True)
    return Landed(before.branch, commit, new, left_out)


def _is(repo: Repo, commit: str, tree_: str, base: str) -> bool:
    return repo.text("log", "-1", "--no-show-signature", "--format=%T %P", commit) == f"{tree_} {base}"


def _tree(repo: Repo, base: str, experiment: str, settings: Settings) -> tuple[str, tuple[str, ...]]:
    """The base's, with what is a result of the run: not its litter, nor what recording added."""
    changes = [one for one in diff.between(repo, base, experiment) if not one.path.startswith(RUN)]
    with reader(repo) as answers:
        root = repo.text("rev-parse", f"{experiment}^{{tree}}")
        layout = tree.contents(Trees(answers), [root], settings.params)[root].layout
    left_out = tuple(one.path for one in changes if one.status == "A" and not _result(one.path, layout))
    kept = [one for one in changes if one.path not in left_out]
    with objects.scratch_index(repo) as index:
        repo.git("read-tree", base, index=index)
        stdin = "".join(_line(one) for one in kept).encode("utf-8", "surrogateescape")
        repo.git("update-index", "-z", "--add", "--replace", "--index-info", stdin=stdin, index=index)
        return objects.write_tree(repo, index), left_out


def _line(one: Change) -> str:
    return f"{one.new_mode} {one.new}\t{one.path}\0"


def _result(path: str, layout: Layout) -> bool:
    if pointers.is_pointer(path) or path.rpartition("/")[2] == ".gitignore":
        return True
    files = (*layout.metrics, *layout.plots, *layout.outs, *(name for name, _keys in layout.params))
    return covers(files, path)


def push(repo: Repo, landed: Landed, before: Tip, remote: str) -> None:
    """Send the branch, over exactly what was there.

    Raises:
        MlopsError: somebody pushed to it meanwhile (1); the remote refuses or cannot be reached (3).
    """
    name = f"refs/heads/{landed.branch}"
    if before.there == landed.commit:
        return
    lease = f"--force-with-lease={name}:{before.there or ''}"
    # the data has been pushed before; this is nobody's own push that hooks should judge
    status, said = heard(
        "push", "--quiet", "--no-verify", lease, remote, f"{landed.commit}:{name}", cwd=repo.root
    )
    if status == 0:
        return
    if "stale info" in said:
        raise MlopsError(
            f"somebody pushed to `{landed.branch}` meanwhile",
            hint="look at it, then run the command again",
            exit_code=FINDINGS,
        )
    raise MlopsError(
        f"the branch `{landed.branch}` was not pushed to `{remote}`: {' '.join(said.split())}",
        hint=f"is `git remote get-url {remote}` right, and may you write there?",
        exit_code=CANNOT_EVALUATE,
    )


def names(paths: Sequence[str]) -> str:
    """A few of them."""
    return ", ".join(f"`{path}`" for path in paths[:5]) + (
        f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    )
