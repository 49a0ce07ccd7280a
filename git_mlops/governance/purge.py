"""A withdrawal carried out: recorded first, so that nobody uploads it meanwhile; removed; proved."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from git_mlops.data import purges
from git_mlops.data.purges import Object, Proof, Purge, Word
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK
from git_mlops.git.repo import Repo
from git_mlops.governance import places, samples, withdraw
from git_mlops.governance.places import Asked
from git_mlops.governance.samples import Meanings
from git_mlops.governance.withdraw import Plan
from git_mlops.lineage import taints
from git_mlops.schema import trust

Told = Callable[[Asked], None]


class Done(NamedTuple):
    """What came of it."""

    purge: Purge
    places: tuple[Asked, ...]
    verdicts: int = 0
    """Verdicts that hold no values any more."""

    @property
    def exit_code(self) -> int:
        """1: something is still there; 3: a place could not be asked."""
        if any(one.after for one in self.places):
            return FINDINGS
        return CANNOT_EVALUATE if any(one.problem for one in self.places) else OK


def carry_out(repo: Repo, plan: Plan, why: str, meanings: Meanings, told: Told = lambda _: None) -> Done:
    """Do it. After an interruption the same again goes on where it stopped.

    Args:
        meanings: by which other rules there may be verdicts on data.
        told: called with each place when it is done.
    """
    before = withdraw.recorded(repo, plan)
    if before is None:
        word = Word(purged=True, why=why, who=_who(repo), time=withdraw.now())
        kept = tuple(one.object for one in plan.kept)
        purge = Purge(purges.name(plan.label, word, plan.objects), plan.label, (word,), plan.objects, kept)
        purges.write(repo, purge, f"purge: {plan.label}", sign=trust.signs(repo))
        before = purge
    _taint(repo, plan, before.said[-1].why)
    blanked = samples.blank(repo, samples.found(repo, before.objects, meanings))
    done = _proved(repo, before, places.ask(repo, _hashes(before), remove=True), told)
    return done._replace(verdicts=blanked)


def _taint(repo: Repo, plan: Plan, why: str) -> None:
    marked = {one.node for one in taints.listed(repo) if one.holds}
    for one in plan.targets:
        node = f"object:{one.algorithm}:{one.hash}"
        if node not in marked:
            taints.say(repo, node, one.path, f"purged: {why}", tainted=True)


def _hashes(purge: Purge) -> frozenset[str]:
    return frozenset(one.hash for one in purge.objects)


def _proved(repo: Repo, purge: Purge, asked: Iterable[Asked], told: Told) -> Done:
    """Every place is recorded, also what could not be asked: a proof that is not there is no proof."""
    found, who, proof = [], _who(repo), list(purge.proof)
    try:
        for one in asked:
            told(one)
            found.append(one)
            still = tuple(sorted(one.after))
            count = len(one.before) - len(one.after)
            proof.append(
                Proof(
                    one.place,
                    one.where,
                    withdraw.moment(),
                    who,
                    len(purge.objects),
                    count,
                    still,
                    one.problem,
                )
            )
    finally:
        made = purge._replace(proof=tuple(proof))
        if found:
            purges.write(repo, made, f"proof: {purge.label}", sign=trust.signs(repo))
    return Done(made, tuple(found))


def verify(repo: Repo, purge: Purge, told: Told = lambda _: None) -> Done:
    """Ask every place again, remove nothing, and record what they say."""
    return _proved(repo, purge, places.ask(repo, _hashes(purge)), told)


class Left(NamedTuple):
    """A withdrawal of which this clone still has something."""

    purge: Purge
    places: tuple[Asked, ...]


def left(repo: Repo) -> list[Left]:
    """What this clone still has in its cache or workspaces of all that was purged, by anyone."""
    held = [one for one in purges.listed(repo) if one.holds]
    asked = (
        tuple(places.ask(repo, {hash_ for one in held for hash_ in _hashes(one)}, local=True)) if held else ()
    )
    found = [Left(one, tuple(_of(asked, _hashes(one)))) for one in held]
    return [one for one in found if any(each.before or each.problem for each in one.places)]


def _of(asked: Iterable[Asked], hashes: frozenset[str]) -> Iterator[Asked]:
    for one in asked:
        yield one._replace(before=one.before & hashes, after=one.after & hashes)


def settle(repo: Repo, some: Iterable[Left], told: Told = lambda _: None) -> list[Done]:
    """Remove from this clone what it still has, and record that."""
    return [
        _proved(repo, one.purge, places.ask(repo, _hashes(one.purge), remove=True, local=True), told)
        for one in some
    ]


def lifted(repo: Repo, text: str, why: str) -> list[Purge]:
    """Let data come back.

    Raises:
        NotFoundError: no withdrawal in force is meant.
    """
    return withdraw.lift(repo, text, why, _who(repo))


def _who(repo: Repo) -> str:
    return repo.text("var", "GIT_AUTHOR_IDENT").rpartition("> ")[0] + ">"


def rows(purge: Purge) -> Iterator[tuple[str, Object, str, str]]:
    """The proof, object by object: place, object, when it was asked last, and what it said."""
    for one in purge.last.values():
        for each in purge.objects:
            state = "unknown" if one.problem else "still there" if each.hash in one.present else "absent"
            yield one.place, each, one.time, state
