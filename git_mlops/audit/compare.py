"""Two audits: what became better and what worse."""

from typing import NamedTuple

from git_mlops.audit.gather import Reading
from git_mlops.audit.run import Audit, audits
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo, resolve

RULE = "audit"


class Changed(NamedTuple):
    """One item whose points are others now."""

    id: str
    title: str
    before: float
    after: float
    why: str
    """Where it was seen before, or is now; what would help."""


class Delta(NamedTuple):
    """What lies between two audits."""

    base: str
    head: str
    before: float
    after: float
    changes: tuple[Changed, ...]

    @property
    def worse(self) -> tuple[Changed, ...]:
        """Items that lost points."""
        return tuple(one for one in self.changes if one.after < one.before)

    @property
    def verdict(self) -> str:
        """In one line."""
        step = f"ML Test Score {self.before:g} → {self.after:g}" if self.before != self.after else (
            f"ML Test Score {self.after:g}, as before")  # fmt: skip
        lost, won = len(self.worse), len(self.changes) - len(self.worse)
        parts = [*([f"{won} better"] if won else []), *([f"{lost} worse"] if lost else [])]
        return step + (f": {', '.join(parts)}" if parts else "")

    def plain(self) -> dict[str, object]:
        """For `--json`."""
        return {
            **self._asdict(),
            "changes": [one._asdict() for one in self.changes],
            "worse": bool(self.worse),
        }


class Ends(NamedTuple):
    """Two commits, and how people call them."""

    base: str
    tip: str
    names: tuple[str, str]


def ends(repo: Repo, text: str) -> Ends:
    """Of a range: `BASE...TIP` since their merge base, `BASE..TIP` since BASE.

    Raises:
        MlopsError: unknown revisions (2); no merge base, as in a shallow clone (3).
    """
    dots = "..." if "..." in text else ".."
    left, _, right = text.partition(dots)
    base, tip = resolve(repo, left or "HEAD"), resolve(repo, right or "HEAD")
    if dots == "...":
        base = _merge_base(repo, base, tip, text)
    return Ends(base, tip, (left or "HEAD", right or "HEAD"))


def before(repo: Repo, tip: str, revision: str | None) -> Ends | None:
    """What a ratchet holds a commit against.

    Args:
        revision: None: where it left the main branch; on that itself, its parent.

    Returns:
        None where nothing was before it.

    Raises:
        MlopsError: no such revision (2); a shallow clone does not have what was before (3).
    """
    if revision is not None:
        return Ends(resolve(repo, revision), tip, (revision, "HEAD"))
    for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        there = repo.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", ok=(0, 1, 128))
        base = repo.text("merge-base", there, tip, ok=(0, 1)) if there else ""
        if base and base != tip:
            return Ends(base, tip, (name, "HEAD"))
    parent = repo.text("rev-parse", "--verify", "--quiet", f"{tip}^", ok=(0, 1, 128))
    if not parent and repo.shallow:
        said = "what was before this commit is not in this shallow clone"
        raise MlopsError(said, hint="`git fetch --unshallow` brings it", exit_code=CANNOT_EVALUATE)
    return Ends(parent, tip, ("HEAD^", "HEAD")) if parent else None


def _merge_base(repo: Repo, base: str, tip: str, text: str) -> str:
    found = repo.text("merge-base", base, tip, ok=(0, 1))
    if not found:
        hint = "`git fetch --unshallow` brings the history" if repo.shallow else "are the histories related?"
        raise MlopsError(f"no merge base for `{text}`", hint=hint, exit_code=CANNOT_EVALUATE)
    return found.split("\n")[0]


def between(repo: Repo, found: Ends, how: Reading, now: int) -> tuple[Audit, Delta]:
    """The audit of the tip, and what is other than at the base; refs and tags are of today for both."""
    tip, base = audits(repo, [(found.names[1], found.tip), (found.names[0], found.base)], how, now)
    return tip, compare(base, tip)


def compare(base: Audit, head: Audit) -> Delta:
    """From one to the other."""
    old = {one.id: one for one in base.items}
    changes = []
    for one in head.items:
        was = old[one.id]
        if was.points == one.points:
            continue
        lost = one.points < was.points
        why = next((each.where for each in (was if lost else one).evidence), "")
        changes.append(Changed(one.id, one.title, was.points, one.points, why))
    return Delta(base.revision, head.revision, base.score, head.score, tuple(changes))


def findings(delta: Delta) -> list[Finding]:
    """What `--ratchet` refuses: an item that lost points, and so a score that dropped."""
    return [
        Finding(
            RULE, "error", f"{one.id} had {one.before:g}, has {one.after:g}: {one.title}", one.why or None,
            hint=f"it was seen in `{one.why}`" if one.why else None,
        )
        for one in delta.worse
    ]  # fmt: skip
