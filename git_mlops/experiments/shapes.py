"""Metrics, or parameters, of many commits: column by column. Pure.

What commits say has few shapes: the files and names. Of each shape the values stand in one list for each
name, so that a column of a listing is there without a dictionary for each commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import Any

from git_mlops.experiments import values
from git_mlops.experiments.values import ByFile

_Plain = Sequence[Any]
"""As JSON has it: shapes, each files and columns; the shape of each commit (null: there is one); its row."""

_Files = Sequence[tuple[str, Sequence[str]]]
_Rows = list[tuple[object, ...]]


class Shape:
    """Files and their names, and what commits of this shape say."""

    def __init__(self, files: _Files, columns: Sequence[Sequence[object]]) -> None:
        self.files = files
        self.columns = columns

    @cached_property
    def labels(self) -> dict[str, int]:
        """The names that people use, and the column of each."""
        numbered = iter(range(len(self.columns)))
        return values.labelled({file: {name: next(numbered) for name in names} for file, names in self.files})

    def by_file(self, row: int) -> dict[str, dict[str, object]]:
        """What was given."""
        said = iter([column[row] for column in self.columns])
        return {file: {name: next(said) for name in names} for file, names in self.files}

    def labelled(self, row: int) -> dict[str, object]:
        """By the name that people use."""
        columns = self.columns
        return {label: columns[number][row] for label, number in self.labels.items()}


class Said:
    """What the commits of a page say, by their number."""

    def __init__(self, shapes: Sequence[Shape], kinds: Sequence[int] | None, rows: Sequence[int]) -> None:
        self._shapes = shapes
        self._kinds = kinds
        self._rows = rows

    @classmethod
    def decoded(cls, plain: _Plain) -> "Said":
        """The inverse of `encoded`."""
        shapes, kinds, rows = plain
        return cls([Shape(files, columns) for files, columns in shapes], kinds, rows)

    def encoded(self) -> _Plain:
        """For JSON."""
        return [(shape.files, shape.columns) for shape in self._shapes], self._kinds, self._rows

    @property
    def only(self) -> Shape | None:
        """The shape of all of them, if there is but one."""
        return None if self._kinds else self._shapes[0]

    def shape(self, number: int) -> Shape:
        """Commits of one shape have the same object."""
        return self._shapes[self._kinds[number] if self._kinds else 0]

    def by_file(self, number: int) -> ByFile:
        """By file and name."""
        return self.shape(number).by_file(self._rows[number])

    def labelled(self, number: int) -> Mapping[str, object]:
        """By the name that people use."""
        return self.shape(number).labelled(self._rows[number])

    def column(self, label: str) -> Sequence[object]:
        """One name's value of each commit; None where it has none."""
        columns = [_column(shape, label) for shape in self._shapes]
        if self._kinds:
            pairs = zip(self._kinds, self._rows, strict=True)
            return [None if (column := columns[kind]) is None else column[row] for kind, row in pairs]
        (only,) = columns
        return [None] * len(self._rows) if only is None else list(map(only.__getitem__, self._rows))


def _column(shape: Shape, label: str) -> Sequence[object] | None:
    number = shape.labels.get(label)
    return None if number is None else shape.columns[number]


class Writer:
    """Takes what commits say."""

    def __init__(self) -> None:
        self._known: dict[_Files, tuple[int, _Rows]] = {}
        self._shapes: dict[object, tuple[int, _Rows]] = {}
        self._kinds: list[int] = []
        self._rows: list[int] = []
        self._seen: dict[tuple[str, ...], dict[tuple[int, ...], tuple[int, int]]] = {}
        self._kept: list[Mapping[str, object]] = []
        """What is known by its identity must not go."""

    def add(self, found: Mapping[str, Sequence[Mapping[str, object]]], count: int) -> None:
        """What the next commits say, of each file; where one says nothing, it is as if it were not there."""
        files, columns = tuple(found), list(found.values())
        seen = self._seen.setdefault(files, {})
        # by identity: what is alike is mostly the same
        keys = zip(*[map(id, column) for column in columns], strict=True) if columns else repeat((), count)
        kinds, rows = self._kinds.append, self._rows.append
        for number, key in enumerate(keys):
            place = seen.get(key)
            if place is None:
                said = [column[number] for column in columns]
                self._kept += said
                place = seen[key] = self._placed(files, said)
            kinds(place[0])
            rows(place[1])

    def _placed(self, files: tuple[str, ...], said: Sequence[Mapping[str, object]]) -> tuple[int, int]:
        key = files, *map(tuple, said)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shape(
                {file: tuple(names) for file, names in zip(files, said, strict=True) if names}
            )
            self._shapes[key] = shape
        number, rows = shape
        rows.append(tuple(chain.from_iterable([names.values() for names in said])))
        return number, len(rows) - 1

    def _shape(self, names: dict[str, tuple[str, ...]]) -> tuple[int, _Rows]:
        """The same, whatever files say nothing."""
        key = tuple(names.items())
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = len(self._known), []
        return shape

    def end(self) -> Said:
        """What all of them say."""
        shapes = [
            Shape(files, _transposed(rows, sum(len(names) for _file, names in files)))
            for files, (_number, rows) in self._known.items()
        ]
        return Said(shapes, self._kinds if len(shapes) > 1 else None, self._rows)


def _transposed(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if width else []
