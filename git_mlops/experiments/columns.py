"""The columns of `exp list`: what they are called, what stands in them, which are shown. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import repeat
from typing import NamedTuple, cast, overload

from git_mlops.errors import MlopsError
from git_mlops.experiments.listed import Experiment, Experiments, Listing
from git_mlops.experiments.message import shorts
from git_mlops.experiments.present import age, ages, cell, varies
from git_mlops.experiments.record import Record
from git_mlops.experiments.values import labelled


class Row(NamedTuple):
    """An experiment and what is known of it besides."""

    experiment: Experiment
    belongs: str | None = None
    record: Record | None = None

    @property
    def metrics(self) -> Mapping[str, object]:
        """By the name that people use."""
        return self[0].metrics

    @property
    def params(self) -> Mapping[str, object]:
        """By the name that people use."""
        return self[0].params


class Rows(Sequence[Row]):
    """Any number of rows by column; each is made when it is asked for."""

    def __init__(
        self,
        experiments: Experiments,
        belongs: Sequence[str | None],
        records: Sequence[Record | None] | None = None,
    ) -> None:
        self.experiments = experiments
        self.belongs = belongs
        self._records = records

    @classmethod
    def of(cls, some: Sequence[Row]) -> "Rows":
        """The same by column."""
        if isinstance(some, Rows):
            return some
        experiments = Experiments.of([one.experiment for one in some])
        return cls(experiments, [one.belongs for one in some], [one.record for one in some])

    def taken(self, order: Sequence[int]) -> "Rows":
        """Some of them, in this order."""
        records = self._records and [self._records[at] for at in order]
        return Rows(self.experiments.taken(order), [self.belongs[at] for at in order], records)

    def recorded(self, records: Mapping[str, Record]) -> "Rows":
        """With what the record.json of each says, by ref."""
        return Rows(self.experiments, self.belongs, list(map(records.get, self.experiments.refs)))

    def __len__(self) -> int:
        return len(self.belongs)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> "Rows": ...
    def __getitem__(self, at: int | slice) -> "Row | Rows":
        if isinstance(at, slice):
            return self.taken(range(len(self))[at])
        return Row(self.experiments[at], self.belongs[at], self._records[at] if self._records else None)

    def __iter__(self) -> Iterator[Row]:
        every = zip(self.experiments, self.belongs, self._records or repeat(None), strict=False)
        return map(tuple.__new__, repeat(Row), every)


class Column(NamedTuple):
    """One column."""

    name: str
    """As it is asked for: `metrics.auc`."""
    label: str
    """As a table heads it: `auc`."""
    values: Callable[[Rows], Sequence[object]]
    """For programs, of each row."""
    shown: Callable[[object, float], str]
    """For people; given the value and the time."""


def rows(experiments: Sequence[Experiment], how: Mapping[str, str]) -> Rows:
    """Experiments as rows, with how each belongs by its ref."""
    found = Experiments.of(experiments)
    return Rows(found, list(map(how.get, found.refs)))


def named(name: str) -> Column:
    """The column of a full name; one of `names`."""
    kind, _, label = name.partition(".")
    if kind in ("metrics", "params") and label:
        return Column(name, label, lambda rows_: rows_.experiments.column(kind, label), _plain)
    values, shown = _FIELDS[name]
    return Column(name, name, values, shown)


def names(experiments: Sequence[Experiment]) -> list[str]:
    """Every name that there is: facts, then the metrics and parameters that some experiment has."""
    found = Experiments.of(experiments)
    return [*_FIELDS, *(f"{kind}.{label}" for kind in ("metrics", "params") for label in found.labels(kind))]


def chosen(text: str, known: Sequence[str]) -> list[Column]:
    """The columns of `--columns`: names with commas between them; `*` stands for any text.

    Raises:
        MlopsError: one that does not exist.
    """
    from git_mlops.experiments.where import full_name

    found: dict[str, None] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        pattern = f"{word}.*" if word in ("metrics", "params") else word
        if "*" not in pattern:
            found[full_name(pattern, known)] = None
            continue
        matching = [name for name in known if fnmatchcase(name, pattern)]
        if not matching and pattern not in ("metrics.*", "params.*"):
            raise MlopsError(f"no column matches `{word}`", hint=f"there are: {', '.join(known)}")
        found |= dict.fromkeys(matching)
    if not found and not text.strip(" ,"):
        raise MlopsError("`--columns` names no column", hint="for example `--columns name,metrics.*,wall`")
    return headed([named(name) for name in found])


def headed(columns: Sequence[Column]) -> list[Column]:
    """Full names where two columns would be headed alike."""
    labels = [column.label for column in columns]
    return [c._replace(label=c.name) if labels.count(c.label) > 1 else c for c in columns]


USUAL = ("name", "age", "status")


def usual(found: Listing, rows: Sequence[Row], first: Sequence[str] = USUAL) -> list[Column]:
    """What is shown unless other columns are asked for: metrics that exist, parameters that differ somewhere.

    How an experiment belongs is shown where one does not belong by its commit.
    """
    some = Rows.of(rows)
    fields = [*first, *(["belongs"] if set(some.belongs) - {None, "commit"} else [])]
    bases = [labelled(contents.values.params) for contents in found.baselines.values()]
    params = some.experiments.labels("params") | dict.fromkeys(name for base in bases for name in base)
    changed = [
        f"params.{name}"
        for name in params
        if varies([*(base.get(name) for base in bases), *some.experiments.column("params", name)])
    ]
    metrics = [f"metrics.{label}" for label in some.experiments.labels("metrics")]
    return headed([named(name) for name in (*fields, *metrics, *changed)])


def varying(columns: Iterable[Column], rows: Sequence[Row]) -> list[Column]:
    """Without metrics and parameters that are the same in every row."""
    some = Rows.of(rows)
    return [column for column in columns if column.name in _FIELDS or varies(column.values(some))]


def needs_record(columns: Iterable[Column]) -> bool:
    """Whether a column's value stands in record.json."""
    return any(column.name in _RECORDED for column in columns)


def _plain(value: object, _now: float) -> str:
    return cell(value)


def _age(value: object, now: float) -> str:
    return age(now - value) if isinstance(value, int) else "-"


def _time(value: object, _now: float) -> str:
    if not isinstance(value, str):
        return "-"
    from datetime import datetime  # 2.5 ms, and it is rarely asked for

    return datetime.fromisoformat(value).astimezone().isoformat(" ", "minutes")[:16]


def _oid(value: object, _now: float) -> str:
    return "-" if value is None else str(value)[:7]


def _seconds(value: object, _now: float) -> str:
    return f"{value:.1f}s" if isinstance(value, int | float) else "-"


def _memory(value: object, _now: float) -> str:
    return f"{value / 2**20:.0f}MiB" if isinstance(value, int | float) else "-"


def _message(row_: Row) -> str | None:
    said = row_.experiment.commit.message
    return (said.text if said.version else f"{said.title} {said.text}".strip()) or None


def _fact(name: str) -> Callable[[Row], object]:
    return lambda row_: getattr(row_.record, name) if row_.record else None


def _command(row_: Row) -> str | None:
    command = row_.record.command if row_.record else None
    if not command:
        return None
    import shlex

    return shlex.join(map(str, command))


def _host(row_: Row) -> object:
    return (row_.record.host or {}).get("name") if row_.record else None


def _stamp(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat()


def cells(columns: Sequence[Column], rows: Sequence[Row], now: float) -> list[list[str]]:
    """The table, for people, column by column: of 100,000 rows few things are done one by one."""
    some = Rows.of(rows)
    return [_texts(column.shown, column.values(some), now) for column in columns]


def _texts(shown: Callable[[object, float], str], found: Sequence[object], now: float) -> list[str]:
    types = set(map(type, found))
    if shown is _plain and types == {float}:
        return shorts(cast("Sequence[float]", found))
    if shown is _plain and len(types) == 1 and types <= {str, int}:  # mostly few of them differ
        texts = {value: cell(value) for value in set(found)}
        return [texts[value] for value in found]
    if shown is _age and types == {int}:
        return ages(cast("list[int]", found), now)
    if shown is _said and types == {str}:
        return cast("list[str]", found)
    return [shown(value, now) for value in found]


def _said(value: object, _now: float) -> str:
    return str(value)


def _each(fact: Callable[[Row], object]) -> Callable[[Rows], list[object]]:
    """A column of what has to be looked up row by row."""
    return lambda rows_: list(map(fact, rows_))


_Field = tuple[Callable[[Rows], Sequence[object]], Callable[[object, float], str]]
_RECORDED: dict[str, _Field] = {
    "how": (_each(_fact("how")), _plain),
    "command": (_each(_command), _plain),
    "exit": (_each(_fact("exit_status")), _plain),
    "wall": (_each(_fact("wall")), _seconds),
    "cpu": (_each(_fact("cpu")), _seconds),
    "memory": (_each(_fact("peak_memory")), _memory),
    "host": (_each(_host), _plain),
    "start": (_each(_fact("start")), _time),
    "end": (_each(_fact("end")), _time),
}
_FIELDS: dict[str, _Field] = {
    "name": (lambda rows_: rows_.experiments.names, _said),
    "age": (lambda rows_: rows_.experiments.times, _age),
    "time": (lambda rows_: list(map(_stamp, rows_.experiments.times)), _time),
    "status": (lambda rows_: rows_.experiments.statuses, _plain),
    "belongs": (lambda rows_: rows_.belongs, _plain),
    "baseline": (lambda rows_: rows_.experiments.baselines, _oid),
    "commit": (_each(lambda row_: row_.experiment.oid), _oid),
    "ref": (lambda rows_: rows_.experiments.refs, _said),
    "key": (_each(lambda row_: row_.experiment.said.key), _oid),
    "message": (_each(_message), _plain),
    **_RECORDED,
}
