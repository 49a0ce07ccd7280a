"""`git mlops merge-file`: show the conflicts of a pointer's data, and end them."""

import shlex
from typing import Literal, NamedTuple

from git_mlops import config, processes
from git_mlops.data import dvc, places, transfer
from git_mlops.data.merging import Result, Texts, left_out, merge_data, whole
from git_mlops.data.threeway import Choice, Choose, Conflict, nothing_chosen
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError, NotFoundError
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.hooks import conflicts_file, follow_data, triage
from git_mlops.hooks.merge_pointer import announce
from git_mlops.hooks.merge_sides import Named, named

Take = Literal["ours", "theirs", "union", "edit"]


class Done(NamedTuple):
    """What became of a conflict."""

    pointer: str
    result: Result
    sides: Named
    file: str = ""
    """The conflicts file, where conflicts are left."""
    whole: str = ""
    """The side that was taken as a whole, because the data could not be merged."""
    left_out: int | None = None
    """Rows of the other side that it lacks; None: nobody knows."""
    undecided: bool = False
    """Whether nothing was filled in, in the editor."""
    removed: bool = False
    """Whether the side that was taken has no such data."""

    @property
    def resolved(self) -> bool:
        """Whether the pointer is staged now."""
        return bool(self.whole) or self.removed or self.result.text is not None


def merge_file(repo: Repo, word: str, take: Take | None, key: tuple[str, ...] = ()) -> Done:
    """Merge the data of a pointer in conflict; `take` ends what conflicts. The pointer is staged then.

    What is not on this machine is downloaded first.

    Raises:
        MlopsError: not in conflict; or the data cannot be merged, and no whole side was asked for (1).
    """
    pointer = _pointer(repo, word)
    texts = _stages(repo, pointer)
    sides = named(repo)
    if not texts.ours or not texts.theirs:
        return _kept_or_removed(repo, pointer, texts, take, sides)
    loaded = config.load(repo).config
    announce(pointer, texts)
    result = merge_data(repo, pointer, texts, loaded.data, key=key)
    if result.missing:
        _fetch(repo, result, loaded.data.remote)
        result = merge_data(repo, pointer, texts, loaded.data, key=key)
    before = len(result.conflicts)
    if result.conflicts and take is not None:
        choose = _chosen(repo, pointer, result, take)
        result = merge_data(repo, pointer, texts, loaded.data, key=key, choose=choose)
    elif take == "union" and result.text is None:
        result = merge_data(repo, pointer, texts, loaded.data, key=key, union=True)
    if result.text is not None:
        _finish(repo, pointer, result.text)
        return Done(pointer, result, sides)
    if result.conflicts:
        undecided = take == "edit" and len(result.conflicts) == before
        if take != "edit":  # what was filled in stays
            conflicts_file.write(repo, pointer, result)
        return Done(pointer, result, sides, file=conflicts_file.path_of(pointer), undecided=undecided)
    if take in ("ours", "theirs") and not key:
        lost = left_out(repo, pointer, texts, take)
        _finish(repo, pointer, whole(pointer, texts, take))
        return Done(pointer, result, sides, whole=take, left_out=lost)
    raise MlopsError(
        f"`{pointer}` was not merged: {result.reason}", hint=_hint(pointer, result), exit_code=FINDINGS
    )


def _kept_or_removed(repo: Repo, pointer: str, texts: Texts, take: Take | None, sides: Named) -> Done:
    """One side removed the data, the other changed it."""
    remover = "theirs" if texts.ours else "ours"
    if take not in ("ours", "theirs"):
        name = shlex.quote(pointer.removesuffix(".dvc"))
        keeper = "ours" if texts.ours else "theirs"
        raise MlopsError(
            f"{remover} removed `{pointer}`, {keeper} changed it",
            hint=f"`git mlops merge-file --{keeper} {name}` keeps it, `--{remover}` removes it",
            exit_code=FINDINGS,
        )
    if take != remover:
        _finish(repo, pointer, whole(pointer, texts, take))
        return Done(pointer, Result(reason=f"{remover} removed it"), sides, whole=take)
    repo.git("--literal-pathspecs", "rm", "--quiet", "--", pointer)
    conflicts_file.remove(repo, pointer)
    triage.forget(repo)
    follow_data.bring(repo)
    return Done(pointer, Result(reason=f"{remover} removed it"), sides, removed=True)


def _hint(pointer: str, result: Result) -> str:
    name = shlex.quote(pointer.removesuffix(".dvc"))
    hint = f"`git mlops merge-file --ours {name}` or `--theirs` takes one side as a whole"
    return hint + ("; `--key COLUMN` merges by a key" if "no key" in result.reason else "")


def _pointer(repo: Repo, word: str) -> str:
    if word.endswith("dvc.lock"):
        raise MlopsError(
            f"`{word}` is what a pipeline made", hint="take one side with `git checkout --ours`, `dvc repro`"
        )
    path = places.relative(repo, repo.root / repo.prefix / word)
    return path if path.endswith(".dvc") else f"{path}.dvc"


def _stages(repo: Repo, pointer: str) -> Texts:
    """What git has of the three sides."""
    lines = repo.paths("ls-files", "-u", "-z", "--", f":(top,literal){pointer}")
    oids = {line.partition("\t")[0].split(" ")[2]: line.split(" ")[1] for line in lines}
    if not oids:
        raise NotFoundError(f"`{pointer}` is not in conflict", hint="`git status` lists what is")
    found = objects.read_blobs(repo, oids.values())
    texts = (found.get(oids.get(stage, ""), b"").decode("utf-8", "surrogateescape") for stage in "123")
    return Texts(*texts)


def _fetch(repo: Repo, result: Result, remote: str | None) -> None:
    """Download what the sides name."""
    if remote is None and dvc.default_remote(repo) is None:
        raise MlopsError(
            f"not merged: {result.reason}, and there is no DVC remote", exit_code=CANNOT_EVALUATE
        )
    missing = transfer.pull(repo, result.missing, remote=remote).missing
    if missing:
        hashes = ", ".join(out.hash for out in missing)
        raise MlopsError(
            f"not merged: the data ({hashes}) is neither here nor on the remote",
            hint="whoever has it: `git mlops push`",
            exit_code=CANNOT_EVALUATE,
        )


def _chosen(repo: Repo, pointer: str, result: Result, take: Take) -> Choose:
    if take == "union":
        return _union
    if take == "edit":
        return _edited(repo, pointer, result)
    choice = Choice(take)
    return lambda _conflict: choice


def _union(conflict: Conflict) -> Choice | None:
    """Nothing goes away: a changed row, column or file wins over its removal. Two values are no union."""
    if conflict.column and conflict.key:
        return None
    if conflict.ours is None or conflict.theirs is None:
        return Choice("theirs" if conflict.ours is None else "ours")
    return None


def _edited(repo: Repo, pointer: str, result: Result) -> Choose:
    """In the editor that git would start."""
    file = repo.root / conflicts_file.path_of(pointer)
    if not file.exists():
        conflicts_file.write(repo, pointer, result)
    editor = repo.text("var", "GIT_EDITOR")
    done = processes.run(("sh", "-c", f'{editor} "$@"', "sh", str(file)), cwd=repo.root)
    if done.status:
        raise MlopsError(f"the editor `{editor}` ended with status {done.status}: nothing was merged")
    found = conflicts_file.read(repo, pointer)
    return found if result.conflicts else nothing_chosen


def _finish(repo: Repo, pointer: str, text: str) -> None:
    file = places.inside(repo, pointer)
    objects.replace_file(file, text.encode("utf-8", "surrogateescape"))
    repo.git("--literal-pathspecs", "add", "--", pointer)
    conflicts_file.remove(repo, pointer)
    triage.forget(repo)
    follow_data.bring(repo)
