"""The columns of `exp list`: what they are called, what stands in them, which are shown. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.experiments import key
from git_mlops.experiments.present import age, cell, changed_params
from git_mlops.experiments.read import Experiment, Listing
from git_mlops.experiments.record import Record


class Row(NamedTuple):
    """An experiment and what is known of it besides."""

    experiment: Experiment
    metrics: Mapping[str, object]
    params: Mapping[str, object]
    belongs: str | None = None
    record: Record | None = None


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


def row(experiment: Experiment, belongs: str | None = None, record: Record | None = None) -> Row:
    """An experiment as a row."""
    return Row(experiment, experiment.metrics, experiment.params, belongs, record)


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
    metrics = dict.fromkeys(f"metrics.{name}" for row_ in rows for name in row_.metrics)
    return [*_FIELDS, *metrics, *dict.fromkeys(f"params.{name}" for row_ in rows for name in row_.params)]


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
    return labelled([named(name) for name in found])


def labelled(columns: Sequence[Column]) -> list[Column]:
    """Full names where two columns would be headed alike."""
    labels = [column.label for column in columns]
    return [c._replace(label=c.name) if labels.count(c.label) > 1 else c for c in columns]


USUAL = ("name", "age", "status")


def usual(found: Listing, rows: Sequence[Row], first: Sequence[str] = USUAL) -> list[Column]:
    """What is shown unless other columns are asked for: metrics that exist, parameters that differ somewhere.

    How an experiment belongs is shown where one does not belong by its commit.
    """
    fields = [*first, *(["belongs"] if any(r.belongs not in (None, "commit") for r in rows) else [])]
    metrics = dict.fromkeys(f"metrics.{name}" for row_ in rows for name in row_.metrics)
    params = [f"params.{name}" for name in changed_params(found, (row_.params for row_ in rows))]
    return labelled([named(name) for name in (*fields, *metrics, *params)])


def varying(columns: Iterable[Column], rows: Sequence[Row]) -> list[Column]:
    """Without metrics and parameters that are the same in every row."""
    return [
        column
        for column in columns
        if column.name in _FIELDS
        or any(key.canonical(column.value(row_)) != key.canonical(column.value(rows[0])) for row_ in rows)
    ]


def needs_record(columns: Iterable[Column]) -> bool:
    """Whether a column's value stands in record.json."""
    return any(column.name in _RECORDED for column in columns)


def _plain(value: object, _now: float) -> str:
    return cell(value)


def _age(value: object, now: float) -> str:
    return age(now - value) if isinstance(value, int | float) else "-"


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


def cells(columns: Sequence[Column], rows: Iterable[Row], now: float) -> list[list[str]]:
    """The table, for people."""
    return [[column.shown(column.value(row_), now) for column in columns] for row_ in rows]


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
