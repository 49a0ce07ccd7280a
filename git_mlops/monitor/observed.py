"""One run of the monitor: what was compared, what was found; for programs, for the record. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from git_mlops.data import profile
from git_mlops.data.profile import Profile, rounded
from git_mlops.findings import Finding, exit_code
from git_mlops.monitor.drift import Drift, Moved
from git_mlops.monitor.judging import facts
from git_mlops.monitor.quality import Quality
from git_mlops.reports.document import Outcome, Section
from git_mlops.reports.html import OUTCOMES

VERSION = 1


class Subject(NamedTuple):
    """What is watched."""

    name: str
    """Of the history: the model, or what the user said."""
    version: str | None = None
    stage: str | None = None
    reference: str = ""
    """Where it is from, for people."""
    current: str = ""
    hashes: tuple[str, ...] = ()
    """Objects of the reference: `md5:…`."""
    since: str | None = None
    """The times of the first and last request, in ISO 8601."""
    until: str | None = None


class Observation(NamedTuple):
    """One run."""

    subject: Subject
    time: str
    """ISO 8601, UTC."""
    findings: tuple[Finding, ...]
    drift: Drift | None = None
    quality: Quality | None = None
    numbers: Mapping[str, float] = {}
    """Latencies, ages, counts."""
    notes: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    """What else a report shows."""
    seed: int = 0
    private: frozenset[str] = frozenset()
    """Columns whose values must not be told."""

    @property
    def outcome(self) -> Outcome:
        """By the findings."""
        return OUTCOMES[exit_code(self.findings)]


def plain(one: Observation) -> dict[str, object]:
    """Everything, as JSON has it."""
    subject = {name: value for name, value in one.subject._asdict().items() if value}
    said: dict[str, object] = {
        "version": VERSION, "time": one.time, **{k: v for k, v in subject.items() if k != "version"},
        "model_version": one.subject.version, "outcome": one.outcome, "notes": list(one.notes),
        "numbers": dict(one.numbers),
        "findings": [without_values(found, one.private).to_json() for found in one.findings],
    }  # fmt: skip
    if one.drift is not None:
        said |= _drift(one.drift, one)
    if one.quality is not None:
        said["quality"] = _quality(one.quality, one.private)
    return said


def _quality(quality: Quality, private: frozenset[str]) -> dict[str, object]:
    slices = [
        part._asdict() | {"value": None if part.column in private else part.value} for part in quality.slices
    ]
    return quality._asdict() | {"bins": [list(row) for row in quality.bins], "slices": slices}


def _drift(drift: Drift, one: Observation) -> dict[str, object]:
    both = drift.both
    return {
        "rows": {"reference": both.rows[0], "current": both.rows[1]},
        "compared": {"reference": both.kept[0], "current": both.kept[1]},
        "false_alarms": drift.alpha, "shuffles": drift.shuffles, "seed": one.seed,
        "columns": {moved.column.name: _column(moved, one.private) for moved in drift.moved},
        "together": None if drift.pair is None else {
            "columns": list(drift.pair.columns), "correlations": list(drift.pair.correlations),
            "p": drift.pair.answer.p, "adjusted": drift.pair.answer.adjusted, "alarm": drift.pair.alarm,
        },
        "slices": [
            {"column": part.column, "value": None if part.column in one.private else part.value,
             "rows": list(part.rows), "alarms": [m.column.name for m in part.moved if m.alarm]}
            for part in drift.parts
        ],
        "left": {left.name: left.why for left in both.left}, "missing": list(both.missing),
        "extra": list(both.extra), "newest": {name: list(times) for name, times in both.times.items()},
    }  # fmt: skip


def _column(moved: Moved, private: frozenset[str]) -> dict[str, object]:
    column = moved.column
    hidden = column.name in private
    said = {"kind": column.kind, "alarm": moved.alarm, **facts(moved)}
    said |= {"new": sum(column.new.values()), "outside": column.outside}
    said |= {"infinite": column.current.infinite, "unreadable": column.current.unreadable}
    return {name: value for name, value in said.items() if not (hidden and name in ("mean", "std"))}


def without_values(found: Finding, private: frozenset[str]) -> Finding:
    """As anybody may read it: where the values of a column are nobody's business, they are not in it."""
    names = {found.data.get("column"), *_names(found.data.get("columns")), *_names(found.data.get("slice"))}
    if not names & private:
        return found
    column = found.data.get("column") or ", ".join(map(str, _names(found.data.get("columns"))))
    return found._replace(message=f"`{column}`: {found.rule}", hint=None, data={"column": column})


def _names(value: object) -> Sequence[object]:
    return list(value) if isinstance(value, list | tuple | dict) else []


# -- profiles -----------------------------------------------------------------------------------------------


def profiles(one: Observation) -> dict[str, bytes]:
    """File name → the profile of a side, in the form that pointers have."""
    if one.drift is None:
        return {}
    found = {}
    for number, name in enumerate(("reference", "current")):
        columns = {m.column.name: _profile(m, number, one.private) for m in one.drift.moved}
        made = Profile(one.drift.both.rows[number], columns)
        found[f"{name}.yaml"] = ("\n".join(profile.lines(made, "sample")) + "\n").encode()
    return found


def _profile(moved: Moved, side: int, private: frozenset[str]) -> dict[str, object]:
    column, figures = moved.column, moved.figures
    counted = (column.reference, column.current)[side]
    said: dict[str, object] = {
        "type": {"number": "float64", "text": "length"}.get(column.kind, "string"), "nulls": counted.nulls
    }  # fmt: skip
    if column.name in private:
        return said
    if column.kind == "category":
        values = (column.values.reference, column.values.current)[side]
        counts = np.bincount(values[values >= 0].astype(np.int64), minlength=1)
        top = np.argsort(-counts, kind="stable")[:10]
        names = {profile.shortened(column.categories[n]): int(counts[n]) for n in top if counts[n]}
        return {**said, "top": names} if names else said
    if figures.quantiles is not None and figures.mean is not None and figures.std is not None:
        low, p05, p25, p50, p75, p95, high = map(rounded, figures.quantiles[side])
        said |= {"min": low, "p05": p05, "p25": p25, "p50": p50, "p75": p75, "p95": p95, "max": high}
        said |= {"mean": rounded(figures.mean[side]), "std": rounded(figures.std[side])}
    return said
