"""What is known of many commits, by column: read from git, or remembered. Pure.

A hundred thousand experiments as so many nested objects would take seconds to make. Here they are a few lists
for each thousand of them; the objects that the rest of this package uses are made when they are asked for.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, count, repeat
from typing import Any, NamedTuple, TypeVar

from git_mlops.experiments import message, shapes
from git_mlops.experiments.committed import Commit, Raw
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.message import STATUSES, Message, Status
from git_mlops.experiments.shapes import Said
from git_mlops.experiments.tree import Contents
from git_mlops.experiments.values import Values

_MARK = "\nMlops-Data: "
_UNADDED = 8
"""Added to a status."""
SIZE = 2000
"""Commits of one page at most."""

Layouts = tuple[Layout, Layout]
"""The whole layout, and the declared part of it."""

_Told = bytes | Sequence[Any]
"""JSON that nobody has looked into yet, or what it says."""

_T = TypeVar("_T")

_NAMED = {number + more: status for number, status in enumerate(STATUSES) for more in (0, _UNADDED)}
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Page:
    """Some commits, by column."""

    def __init__(self, oids: list[str], facts: Sequence[Any], values_: _Told, details: _Told) -> None:
        self.oids = oids
        self._facts = facts
        self._texts = values_, details
        self.times: list[int] = facts[0]
        self._statuses: list[int] = facts[1]
        self.statuses: list[Status] = [_NAMED[number] for number in self._statuses]
        """What the messages say."""
        self.notes: dict[str, list[str]] = facts[2]
        """Of the commits, by their number here, that have any."""
        self.telling = bool(self.notes) or max(self._statuses, default=0) >= _UNADDED
        """Whether any has notes, or used data that was changed and not added."""

    @classmethod
    def decoded(cls, *texts: bytes) -> "Page":
        """The inverse of `encoded`."""
        oids, facts, values_, details = texts
        page = cls(oids.decode().split(), json.loads(facts), values_, details)
        page.encoded = texts
        return page

    @cached_property
    def encoded(self) -> tuple[bytes, ...]:
        """As four texts: ids, what every listing needs, metrics and parameters, the rest."""
        values_, details = (one if isinstance(one, bytes) else _encode(one).encode() for one in self._texts)
        return " ".join(self.oids).encode(), _encode(self._facts).encode(), values_, details

    @cached_property
    def metrics(self) -> Said:
        """What the commits say, by their number."""
        return self._said[0]

    @cached_property
    def params(self) -> Said:
        """The same of parameters."""
        return self._said[1]

    def of(self, kind: str) -> Said:
        """`metrics` or `params`."""
        return self._said[0 if kind == "metrics" else 1]

    @cached_property
    def _said(self) -> Sequence[Said]:
        return [Said.decoded(plain) for plain in _told(self._texts[0])]

    @cached_property
    def _details(self) -> Sequence[Any]:
        return _told(self._texts[1])

    @cached_property
    def _layouts(self) -> list[Layouts]:
        return [(_layout(whole), _layout(declared)) for whole, declared in self._details[0]]

    def known(self) -> list["Known"]:
        """The commits themselves."""
        every = zip(repeat(self), range(len(self.oids)), self.times, self.statuses, strict=False)
        return list(map(tuple.__new__, repeat(Known), every))

    def raw(self, number: int) -> Raw:
        """A commit as it was read."""
        _layouts, _numbers, trees, families, parents, said = self._details
        family = tuple(families[parents[number]])
        return Raw(self.oids[number], trees[number], family, self.times[number], said[number])

    def said(self, number: int) -> Message:
        """What the commit's message says, as `raw` has it."""
        return message.parse_message(self._details[5][number])

    def unadded(self, number: int) -> bool:
        """Whether it used data that was changed and not added."""
        return self._statuses[number] >= _UNADDED

    def contents(self, number: int) -> Contents:
        """What the commit's tree says."""
        layout, declared = self._layouts[self._details[1][number]]
        found = Values(
            self.metrics.by_file(number), self.params.by_file(number), tuple(self.notes.get(str(number), ()))
        )
        return Contents(layout, declared, found)


class Known(NamedTuple):
    """One commit of a page."""

    page: Page
    number: int
    time: int
    """When it was committed."""
    status: Status
    """What its message says."""

    @property
    def commit(self) -> Commit:
        """The commit itself."""
        return self.page.raw(self.number).parsed

    @property
    def contents(self) -> Contents:
        """What its tree says."""
        return self.page.contents(self.number)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same commit, known alike."""
        if not isinstance(other, Known):
            return NotImplemented
        return (self.commit, self.contents) == (other.commit, other.contents)

    def __hash__(self) -> int:
        """By the commit alone."""
        return hash(self.page.oids[self.number])


class Book:
    """Pages one after the other; their commits by number."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self.pages = list(pages)
        self._columns: dict[tuple[str, str], list[object]] = {}

    @cached_property
    def begins(self) -> list[int]:
        """The number of each page's first commit."""
        return [0, *accumulate(len(page.oids) for page in self.pages)][:-1]

    @cached_property
    def index(self) -> dict[str, int]:
        """The numbers by id."""
        return dict(zip(chain.from_iterable(page.oids for page in self.pages), count(), strict=False))

    @cached_property
    def times(self) -> list[int]:
        """When each was committed."""
        return list(chain.from_iterable(page.times for page in self.pages))

    @cached_property
    def statuses(self) -> list[Status]:
        """What the messages say."""
        return list(chain.from_iterable(page.statuses for page in self.pages))

    @cached_property
    def every(self) -> list[Known]:
        """The commits themselves."""
        return list(chain.from_iterable(page.known() for page in self.pages))

    def known(self, number: int) -> Known:
        """One of them."""
        at = bisect_right(self.begins, number) - 1
        page, inner = self.pages[at], number - self.begins[at]
        return Known(page, inner, page.times[inner], page.statuses[inner])

    def column(self, kind: str, label: str) -> list[object]:
        """One metric or parameter of each; None where it has none."""
        found = self._columns.get((kind, label))
        if found is None:
            columns = (page.of(kind).column(label) for page in self.pages)
            found = self._columns[kind, label] = list(chain.from_iterable(columns))
        return found

    def labels(self, kind: str, numbers: Sequence[int]) -> dict[str, None]:
        """Every metric, or parameter, of some commits, in their order."""
        only = [page.of(kind).only for page in self.pages]
        if (
            numbers
            and len({None if shape is None else tuple(shape.labels) for shape in only}) == 1
            and only[0]
        ):
            return dict.fromkeys(only[0].labels)
        every = [page.of(kind).shape(inner) for page in self.pages for inner in range(len(page.oids))]
        shapes_ = dict.fromkeys(map(every.__getitem__, numbers))
        return dict.fromkeys(label for shape in shapes_ for label in shape.labels)


_Columns = Mapping[str, Sequence[Mapping[str, object]]]
"""Of each file what the commits have in it."""


class Many(NamedTuple):
    """Commits with the same layout."""

    raws: Sequence[Raw]
    statuses: Sequence[Status]
    layouts: Layouts
    metrics: _Columns
    params: _Columns
    notes: Mapping[int, list[str]]
    """Of the commits, by their number here, that have any."""

    def part(self, start: int, stop: int) -> "Many":
        """Some of them."""
        metrics, params = (
            {file: names[start:stop] for file, names in found.items()}
            for found in (self.metrics, self.params)
        )
        notes = {number - start: found for number, found in self.notes.items() if start <= number < stop}
        return Many(self.raws[start:stop], self.statuses[start:stop], self.layouts, metrics, params, notes)


class Writer:
    """Makes pages."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self._begin()

    def _begin(self) -> None:
        self._oids: list[str] = []
        self._times: list[int] = []
        self._statuses: list[int] = []
        self._metrics = shapes.Writer()
        self._params = shapes.Writer()
        self._notes: dict[str, list[str]] = {}
        self._layouts: list[Layouts] = []
        self._numbers: list[int] = []
        self._trees: list[str] = []
        self._families: list[tuple[str, ...]] = []
        self._parents: list[int] = []
        self._said: list[str] = []
        self._seen: dict[object, int] = {}

    def add(self, raw: Raw, status: Status, contents: Contents) -> None:
        """One more commit."""
        layout, declared, found = contents
        metrics, params = ({file: [names] for file, names in one.items()} for one in found[:2])
        notes = {0: list(found.notes)} if found.notes else {}
        self.add_all(Many([raw], [status], (layout, declared), metrics, params, notes))

    def add_all(self, some: "Many") -> None:
        """More commits."""
        start = 0
        while start < len(some.raws):
            if len(self._oids) == SIZE:
                self.end()
            stop = start + SIZE - len(self._oids)
            self._add(some.part(start, stop) if start or stop < len(some.raws) else some)
            start = stop

    def _add(self, some: "Many") -> None:
        first, raws, count = len(self._oids), some.raws, len(some.raws)
        for number, notes in some.notes.items():
            self._notes[str(first + number)] = list(dict.fromkeys(notes))
        self._oids += [raw[0] for raw in raws]
        self._trees += [raw[1] for raw in raws]
        self._parents += [self._number(raw[2], raw[2], self._families) for raw in raws]
        self._times += [raw[3] for raw in raws]
        self._said += [raw[4] for raw in raws]
        self._statuses += [
            STATUSES.index(status) + (_UNADDED if _MARK in raw[4] and _unadded(raw) else 0)
            for raw, status in zip(raws, some.statuses, strict=True)
        ]
        self._metrics.add(some.metrics, count)
        self._params.add(some.params, count)
        # by identity: to hash a layout takes longer than all the rest, and what is alike is mostly the same
        number = self._number(tuple(map(id, some.layouts)), some.layouts, self._layouts)
        self._numbers += [number] * count

    def _number(self, key: object, value: _T, into: list[_T]) -> int:
        number = self._seen.get(key)
        if number is None:
            number = self._seen[key] = len(into)
            into.append(value)
        return number

    def end(self) -> list[Page]:
        """All pages."""
        if self._oids:
            facts = (self._times, self._statuses, self._notes)
            found = (self._metrics.end().encoded(), self._params.end().encoded())
            details = (
                self._layouts, self._numbers, self._trees, self._families, self._parents, self._said
            )  # fmt: skip
            self.pages.append(Page(self._oids, facts, found, details))
            self._begin()
        return self.pages


def _unadded(raw: Raw) -> bool:
    return message.parse_message(raw.said).unadded


def alone(raw: Raw, status: Status, contents: Contents) -> Known:
    """A commit that shares its page with none."""
    writer = Writer()
    writer.add(raw, status, contents)
    return writer.end()[0].known()[0]


def _told(text: _Told) -> Sequence[Any]:
    return json.loads(text) if isinstance(text, bytes) else text


def _layout(value: Sequence[Any]) -> Layout:
    metrics, params, plots, outs, notes = value
    files = tuple((file, tuple(keys)) for file, keys in params)
    return Layout(tuple(metrics), files, tuple(plots), tuple(outs), tuple(notes))
