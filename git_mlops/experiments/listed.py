"""Experiments as they are listed: one, any number of them by column, and what they started from. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import NamedTuple, TypeVar, overload

from git_mlops.experiments.committed import Commit
from git_mlops.experiments.known import Book, Known
from git_mlops.experiments.message import Message, Status
from git_mlops.experiments.tree import Contents
from git_mlops.git.refs import Ref

_T = TypeVar("_T")


class Experiment(NamedTuple):
    """One experiment, ours or DVC's."""

    ref: str
    name: str
    baseline: str
    known: Known
    status: Status

    @property
    def commit(self) -> Commit:
        """The commit that it is."""
        return self.known.commit

    @property
    def contents(self) -> Contents:
        """What its tree says."""
        return self.known.contents

    @property
    def oid(self) -> str:
        """`commit.oid`."""
        return self.known[0].oids[self.known[1]]

    @property
    def said(self) -> Message:
        """`commit.message`."""
        return self.known[0].said(self.known[1])

    @property
    def time(self) -> int:
        """`commit.time`; like what follows at hand, where `commit` and `contents` are made when asked for."""
        return self.known[2]

    @property
    def metrics(self) -> Mapping[str, object]:
        """By the name that people use."""
        return self.known[0].metrics.labelled(self.known[1])

    @property
    def params(self) -> Mapping[str, object]:
        """By the name that people use."""
        return self.known[0].params.labelled(self.known[1])

    @property
    def unadded(self) -> bool:
        """Whether it used data that was changed and not added: nobody else can have it."""
        return self.known[0].unadded(self.known[1])

    @property
    def notes(self) -> Sequence[str]:
        """`contents.values.notes`."""
        notes = self.known[0].notes
        return notes.get(str(self.known[1]), ()) if notes else ()


class Experiments(Sequence[Experiment]):
    """Any number of experiments by column; each is made when it is asked for: 100,000 take a while."""

    def __init__(
        self,
        book: Book,
        refs: Sequence[str],
        baselines: Sequence[str],
        numbers: Sequence[int],
        statuses: Sequence[Status] | None = None,
    ) -> None:
        self.book = book
        self.refs = refs
        self.baselines = baselines
        self.numbers = numbers
        """Of the commits in the book."""
        self._statuses = statuses

    @classmethod
    def found(cls, book: Book, groups: Mapping[str, Sequence[Ref]]) -> "Experiments":
        """Those of some baselines whose commits the book has."""
        refs: list[str] = []
        baselines: list[str] = []
        numbers: list[int | None] = []
        for baseline, some in groups.items():
            refs += map(itemgetter(0), some)
            baselines += repeat(baseline, len(some))
            numbers += map(book.index.get, map(itemgetter(1), some))
        here = [number for number in numbers if number is not None]
        if len(here) < len(numbers):
            refs = [ref for ref, number in zip(refs, numbers, strict=True) if number is not None]
            baselines = [base for base, number in zip(baselines, numbers, strict=True) if number is not None]
        return cls(book, refs, baselines, here)

    @classmethod
    def of(cls, some: Sequence[Experiment]) -> "Experiments":
        """The same by column."""
        if isinstance(some, Experiments):
            return some
        book = Book(dict.fromkeys(one.known.page for one in some))
        begins = dict(zip(book.pages, book.begins, strict=True))
        numbers = [begins[one.known.page] + one.known.number for one in some]
        return cls(book, [e.ref for e in some], [e.baseline for e in some], numbers, [e.status for e in some])

    @cached_property
    def names(self) -> list[str]:
        """What people call them."""
        return [ref.rpartition("/")[2] for ref in self.refs]

    @cached_property
    def times(self) -> list[int]:
        """When they were committed."""
        return list(map(self.book.times.__getitem__, self.numbers))

    @cached_property
    def statuses(self) -> Sequence[Status]:
        """How they ended, or `running`."""
        return self._statuses or list(map(self.book.statuses.__getitem__, self.numbers))

    def column(self, kind: str, label: str) -> list[object]:
        """A metric or parameter of each; None where it has none. `kind` is `metrics` or `params`."""
        return list(map(self.book.column(kind, label).__getitem__, self.numbers))

    def labels(self, kind: str) -> dict[str, None]:
        """Every metric, or parameter, that some of them has, in their order."""
        return self.book.labels(kind, self.numbers)

    def telling(self) -> Iterator[Experiment]:
        """Those that may have notes, or data that was not added: mostly none."""
        if not any(page.telling for page in self.book.pages):
            return iter(())
        return (one for one in self if one.known.page.telling)

    def taken(self, order: Sequence[int]) -> "Experiments":
        """Some of them, in this order."""
        statuses = None if self._statuses is None else _taken(self._statuses, order)
        columns = _taken(self.refs, order), _taken(self.baselines, order), _taken(self.numbers, order)
        return Experiments(self.book, *columns, statuses)

    def oldest_first(self) -> "Experiments":
        """In the order of their times; those of one second by their refs."""
        order = sorted(range(len(self)), key=self.refs.__getitem__)
        order.sort(key=self.times.__getitem__)
        return self.taken(order)

    def newest_first(self) -> list[int]:
        """Their numbers here; those of one second stay as they are."""
        return sorted(range(len(self)), key=self.times.__getitem__, reverse=True)

    def __len__(self) -> int:
        return len(self.refs)

    @overload
    def __getitem__(self, at: int) -> Experiment: ...
    @overload
    def __getitem__(self, at: slice) -> "Experiments": ...
    def __getitem__(self, at: int | slice) -> "Experiment | Experiments":
        if isinstance(at, slice):
            return self if at == slice(None) else self.taken(range(len(self))[at])
        known = self.book.known(self.numbers[at])
        return Experiment(self.refs[at], self.names[at], self.baselines[at], known, self.statuses[at])

    def __iter__(self) -> Iterator[Experiment]:
        known = map(self.book.every.__getitem__, self.numbers)
        return map(
            tuple.__new__,
            repeat(Experiment),
            zip(self.refs, self.names, self.baselines, known, self.statuses, strict=True),
        )


def _taken(some: Sequence[_T], order: Sequence[int]) -> list[_T]:
    return list(map(some.__getitem__, order))


class Listing(NamedTuple):
    """Experiments, oldest first, and what they started from."""

    experiments: Sequence[Experiment]
    baselines: dict[str, Contents]
    """By commit; commits that are not here (shallow clone) are left out."""
