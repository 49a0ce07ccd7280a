"""What is checked: the index, the workspace, or the commits of a range. Rules ask it and nothing else."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git import diff, objects
from git_mlops.git.diff import Change
from git_mlops.git.repo import Repo, resolve

Kind = Literal["staged", "workspace", "range"]

_LINK = "120000"
_SUBMODULE = "160000"


class File(NamedTuple):
    """One file in the checked state."""

    path: str
    oid: str
    """Blob id; all zeros for a workspace file, whose content is on disk."""


class Scope(NamedTuple):
    """One state of the project, and what is new in it."""

    repo: Repo
    kind: Kind
    title: str
    """What was checked, for people: `staged changes`."""
    files: tuple[File, ...]
    """What is new: changed in the index or the range; everything, for the workspace."""
    base: str | None = None
    """Commit the range starts after, for a range."""
    tip: str | None = None
    """Commit the range ends at, for a range."""
    target: str | None = None
    """Commit of the branch that the range is to enter: what is said there of whom to trust holds."""

    @property
    def paths(self) -> frozenset[str]:
        """The paths that are new."""
        return frozenset(file.path for file in self.files)

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents in the checked state; paths that do not exist there are left out."""
        if self.kind == "workspace":
            return {path: content for path in paths if (content := self._on_disk(path)) is not None}
        prefix = ":" if self.kind == "staged" else f"{self.tip}:"
        names = [f"{prefix}{path}" for path in paths if "\n" not in path]
        found = objects.read_blobs(self.repo, names)
        return {name.removeprefix(prefix): content for name, content in found.items()}

    def _on_disk(self, path: str) -> bytes | None:
        file = self.repo.root / path
        try:
            return None if file.is_symlink() else file.read_bytes()
        except OSError:
            return None

    def all_files(self, *pathspecs: str) -> list[File]:
        """Every file of the checked state, new or not."""
        if self.kind == "range":
            assert self.tip
            entries = objects.tree_entries(self.repo, self.tip)
            return [File(e.path, e.oid) for e in entries if e.mode not in (_LINK, _SUBMODULE)]
        entries = objects.index_entries(self.repo, *pathspecs)
        return [File(e.path, e.oid) for e in entries if e.mode not in (_LINK, _SUBMODULE)]

    def introduced(self) -> list[File]:
        """Every object that history would gain, trees too, also what the range itself removes again."""
        if self.kind != "range":
            return list(self.files)
        assert self.tip
        lines = self.repo.text("rev-list", "--objects", self.tip, f"^{self.base}").splitlines()
        pairs = (line.partition(" ") for line in lines)
        return [File(path, oid) for oid, _, path in pairs if path]  # a line without a path is a commit


def staged(repo: Repo) -> Scope:
    """What the next commit would add (in a hook, also of its temporary index)."""
    return Scope(repo, "staged", "staged changes", tuple(_new_files(diff.staged(repo))))


def workspace(repo: Repo) -> Scope:
    """Every file on disk that git tracks or would track."""
    listed = repo.paths("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    null = repo.null_oid()
    present = [path for path in listed if _regular(repo.root / path)]
    return Scope(repo, "workspace", "workspace", tuple(File(path, null) for path in present))


def commits(repo: Repo, text: str) -> Scope:
    """A range as git writes it: `BASE...TIP` (since their merge base) or `BASE..TIP`.

    Raises:
        MlopsError: not a range or unknown revisions (2); no merge base, e.g. in a shallow clone (3).
    """
    dots = "..." if "..." in text else ".."
    if dots not in text:
        raise MlopsError(f"`{text}` is not a range", hint="write it as `BASE...HEAD`")
    left, right = text.split(dots, 1)
    tip = resolve(repo, right or "HEAD")
    base = target = resolve(repo, left or "HEAD")
    if dots == "...":
        base = _merge_base(repo, base, tip, text)
    changes = diff.between(repo, base, tip)
    return Scope(repo, "range", text, tuple(_new_files(changes)), base, tip, target)


def _merge_base(repo: Repo, base: str, tip: str, text: str) -> str:
    found = repo.text("merge-base", base, tip, ok=(0, 1))
    if not found:
        hint = "`git fetch --unshallow` brings the history" if repo.shallow else "are the histories related?"
        raise MlopsError(f"no merge base for `{text}`", hint=hint, exit_code=CANNOT_EVALUATE)
    return found


def _new_files(changes: Iterable[Change]) -> list[File]:
    kinds = ("A", "M", "T")
    return [
        File(c.path, c.new) for c in changes if c.status in kinds and c.new_mode not in (_LINK, _SUBMODULE)
    ]


def _regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
