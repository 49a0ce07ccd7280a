"""The columns of `exp list`: what they are called, what stands in them, which are shown. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import repeat
from operator import itemgetter
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.experiments.known import Known, Page
from git_mlops.experiments.message import SHORT
from git_mlops.experiments.present import age, cell, varies
from git_mlops.experiments.read import Experiment, Listing
from git_mlops.experiments.record import Record
from git_mlops.experiments.shapes import Said, Shape
from git_mlops.experiments.values import labelled


class Row(NamedTuple):
    """An experiment and what is known of it besides."""

    experiment: Experiment
    belongs: str | None = None
    record: Record | None = None

    @property
    def known(self) -> Known:
        """The experiment's."""
        return self[0][3]

    @property
    def metrics(self) -> Mapping[str, object]:
        """By the name that people use."""
        return self[0].metrics

    @property
    def params(self) -> Mapping[str, object]:
        """By the name that people use."""
        return self[0].params


class Column(NamedTuple):
    """One column."""

    name: str
    """As it is asked for: `metrics.auc`."""
    label: str
    """As a table heads it: `auc`."""
    value: Callable[[Row], object]
    """For programs."""
    shown: Callable[[object, float], str]
    """For people; given the value and the time."""


def rows(experiments: Sequence[Experiment], how: Mapping[str, str]) -> list[Row]:
    """Experiments as rows, with how each belongs by its ref."""
    belongs = map(how.get, map(itemgetter(0), experiments))
    return list(map(tuple.__new__, repeat(Row), zip(experiments, belongs, repeat(None), strict=False)))


def named(name: str) -> Column:
    """The column of a full name; one of `names`."""
    kind, _, rest = name.partition(".")
    if kind == "metrics" and rest:
        return Column(name, rest, lambda row_: row_.metrics.get(rest), _plain)
    if kind == "params" and rest:
        return Column(name, rest, lambda row_: row_.params.get(rest), _plain)
    value, shown = _FIELDS[name]
    return Column(name, name, value, shown)


def names(rows: Sequence[Row | Experiment]) -> list[str]:
    """Every name that there is: facts, then the metrics and parameters that some experiment has."""
    known = [row_.known for row_ in rows]
    return [
        *_FIELDS,
        *(f"{kind}.{label}" for kind in ("metrics", "params") for label in _labels(known, kind)),
    ]


def _labels(known: Sequence[Known], kind: str) -> dict[str, None]:
    """Every metric, or parameter, that some of them has, in their order."""
    said: dict[Page, Said] = {page: getattr(page, kind) for page in dict.fromkeys(map(itemgetter(0), known))}
    shapes: Iterable[Shape | None] = [one.only for one in said.values()]
    if None in shapes:
        shapes = dict.fromkeys(said[one[0]].shape(one[1]) for one in known)
    return dict.fromkeys(label for shape in shapes if shape for label in shape.labels)


def _said(known: Sequence[Known], kind: str, label: str) -> list[object]:
    """One metric or parameter of each; None where it has none."""
    pages = set(map(itemgetter(0), known))
    columns: dict[Page, Sequence[object]] = {page: getattr(page, kind).column(label) for page in pages}
    return [columns[one[0]][one[1]] for one in known]


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
    elsewhere = {row_[1] for row_ in rows} - {None, "commit"}
    fields = [*first, *(["belongs"] if elsewhere else [])]
    known = [row_[0][3] for row_ in rows]
    metrics = [f"metrics.{label}" for label in _labels(known, "metrics")]
    bases = [labelled(contents.values.params) for contents in found.baselines.values()]
    params = _labels(known, "params") | dict.fromkeys(name for base in bases for name in base)
    changed = [
        f"params.{name}"
        for name in params
        if varies([*(base.get(name) for base in bases), *_said(known, "params", name)])
    ]
    return headed([named(name) for name in (*fields, *metrics, *changed)])


def varying(columns: Iterable[Column], rows: Sequence[Row]) -> list[Column]:
    """Without metrics and parameters that are the same in every row."""
    known = [row_[0][3] for row_ in rows]
    return [c for c in columns if c.name in _FIELDS or varies(_values(c, rows, known))]


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
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def cells(columns: Sequence[Column], rows: Sequence[Row], now: float) -> list[list[str]]:
    """The table, for people, column by column: of 100,000 rows few things are done one by one."""
    known = [row_[0][3] for row_ in rows]
    return [_texts(column, _values(column, rows, known), now) for column in columns]


def _values(column: Column, rows: Sequence[Row], known: Sequence[Known]) -> list[object]:
    kind, _, label = column.name.partition(".")
    return _said(known, kind, label) if label else list(map(column.value, rows))


def _texts(column: Column, found: Sequence[object], now: float) -> list[str]:
    shown, types = column.shown, set(map(type, found))
    if shown is _plain and types == {float}:
        return list(map(SHORT, found))
    if shown is _plain and len(types) == 1 and types <= {str, int}:  # mostly few of them differ
        texts = {value: cell(value) for value in set(found)}
        return [texts[value] for value in found]
    return [shown(value, now) for value in found]


_Field = tuple[Callable[[Row], object], Callable[[object, float], str]]
_RECORDED: dict[str, _Field] = {
    "how": (_fact("how"), _plain),
    "command": (_command, _plain),
    "exit": (_fact("exit_status"), _plain),
    "wall": (_fact("wall"), _seconds),
    "cpu": (_fact("cpu"), _seconds),
    "memory": (_fact("peak_memory"), _memory),
    "host": (_host, _plain),
    "start": (_fact("start"), _time),
    "end": (_fact("end"), _time),
}
_FIELDS: dict[str, _Field] = {
    "name": (lambda row_: row_.experiment.name, lambda value, _now: str(value)),
    "age": (lambda row_: row_.experiment.time, _age),
    "time": (lambda row_: _stamp(row_.experiment.time), _time),
    "status": (lambda row_: row_.experiment.status, _plain),
    "belongs": (lambda row_: row_.belongs, _plain),
    "baseline": (lambda row_: row_.experiment.baseline, _oid),
    "commit": (lambda row_: row_.experiment.commit.oid, _oid),
    "ref": (lambda row_: row_.experiment.ref, lambda value, _now: str(value)),
    "key": (lambda row_: row_.experiment.commit.message.key, _oid),
    "message": (_message, _plain),
    **_RECORDED,
}
