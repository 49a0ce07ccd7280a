"""Drift between two revisions, told from the profiles in their pointers alone: no data is needed."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from git_mlops.data import pointers, profile, shift
from git_mlops.data.profile import Column, Profile
from git_mlops.findings import Finding, ordered
from git_mlops.git import objects
from git_mlops.git.repo import Repo, resolve
from git_mlops.monitor.chances import sidak, two_sided
from git_mlops.monitor.judging import short
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.settings import Settings, own
from git_mlops.monitor.watch import now
from git_mlops.reports.document import Cell, Section, Table

_KURTOSIS = 9.0
"""Of what is not known to be bell-shaped: how much a standard deviation may differ by chance."""
NOT_TOLD = (
    "told from profiles alone: means, spreads, gaps and the most frequent values; what leaves these as they"
    " are (another shape, rare values, how columns go together) is not seen: `git mlops monitor --reference"
    " FILE --current FILE` compares the data"
)


class Tested(NamedTuple):
    """A column of a path."""

    path: str
    column: str
    log: float
    """Of the smallest p, for all of its tests."""
    effect: float
    said: str
    floor: float


def compare(repo: Repo, old: str, new: str, paths: tuple[str, ...], settings: Settings) -> Observation:
    """Every table whose pointer has a profile in both revisions.

    Args:
        paths: only these and what is below them; all without any.

    Raises:
        MlopsError: no such revision.
    """
    sides = [_profiles(repo, resolve(repo, one), paths) for one in (old, new)]
    both = [path for path in sides[0] if path in sides[1]]
    changed = [path for path in both if sides[0][path] != sides[1][path]]
    tested: list[Tested] = []
    findings: list[Finding] = []
    for path in changed:
        a, b = sides[0][path].profile, sides[1][path].profile
        if a is None or b is None:
            said = "its pointer has no profile of its data" + (
                " now" if a else " in the reference" if b else ""
            )
            findings.append(
                Finding("drift", "unknown", said, path, hint=f"`git mlops add {path}` writes one")
            )
            continue
        findings += _form(path, a, b)
        tested += _tests(path, a, b, settings)
    findings += _holm(tested, settings.false_alarms)
    subject = Subject("profiles", reference=old, current=new)
    notes = (_counted(len(changed), len(both)), NOT_TOLD)
    return Observation(
        subject, now(), tuple(ordered(findings)), notes=notes, sections=tuple(_sections(tested))
    )


def _counted(changed: int, both: int) -> str:
    if not both:
        return "no path has a pointer in both revisions"
    return f"{changed} of {both} tracked paths changed"


class _Side(NamedTuple):
    hash: str
    profile: Profile | None


def _profiles(repo: Repo, commit: str, paths: tuple[str, ...]) -> dict[str, _Side]:
    names = [e.path for e in objects.tree_entries(repo, commit) if e.path.endswith(".dvc")]
    wanted = [n for n in names if "\n" not in n and _asked(n.removesuffix(".dvc"), paths)]
    contents = objects.read_blobs(repo, [f"{commit}:{name}" for name in wanted])
    found = {}
    for name in wanted:
        content = contents.get(f"{commit}:{name}", b"")
        try:
            outs = pointers.parse(name, content).outs
        except pointers.PointerError:
            continue
        if len(outs) == 1:
            found[outs[0].path] = _Side(outs[0].hash, profile.read(name, content))
    return found


def _asked(path: str, paths: tuple[str, ...]) -> bool:
    plain = [one.removesuffix(".dvc").rstrip("/") for one in paths]
    return not plain or any(path == one or path.startswith(f"{one}/") for one in plain)


def _form(path: str, a: Profile, b: Profile) -> Iterator[Finding]:
    for name in a.columns:
        if name not in b.columns:
            yield Finding(
                "skew", "error", f"the column `{short(name)}` is missing", path, data={"column": name}
            )
        elif a.columns[name].get("type") != b.columns[name].get("type"):
            types = [str(side.columns[name].get("type")) for side in (a, b)]
            said = f"`{short(name)}` was {types[0]} and is {types[1]}"
            yield Finding("skew", "error", said, path, data={"column": name, "types": types})


def _tests(path: str, a: Profile, b: Profile, settings: Settings) -> Iterator[Tested]:
    moved = {one.column: one for one in shift.shifts(a, b, least=0.0)}
    for name, column in b.columns.items():
        other = a.columns.get(name)
        if other is None or other.get("type") != column.get("type") or own(settings, name).skip:
            continue
        if name in (*a.key, *b.key) or not a.rows or not b.rows:
            continue
        logs = [log for log, _what in _column(other, column, a.rows, b.rows)]
        if logs:
            one = moved.get(name)
            asked = own(settings, name).effect
            yield Tested(
                path, name, float(sidak(np.array([min(logs)]), len(logs))[0]), one.score if one else 0.0,
                one.said if one else "", settings.effect if asked is None else asked,
            )  # fmt: skip


def _column(a: Column, b: Column, n: int, m: int) -> Iterator[tuple[float, str]]:
    nulls = _number(a, "nulls"), _number(b, "nulls")
    if nulls[0] is not None and nulls[1] is not None:
        yield _log(_shares(nulls[0] / n, nulls[1] / m, n, m)), "nulls"
    means, stds = (tuple(_number(side, name) for side in (a, b)) for name in ("mean", "std"))
    if None not in (*means, *stds):
        error = math.sqrt(stds[0] ** 2 / n + stds[1] ** 2 / m)  # type: ignore[operator]  # none is None
        off = means[1] - means[0]  # type: ignore[operator]  # as above
        yield _log(off / error if error else math.inf if off else 0.0), "mean"
        if stds[0] and stds[1]:
            spread = math.sqrt((_KURTOSIS - 1) / 4 * (1 / n + 1 / m))
            yield _log(math.log(stds[1] / stds[0]) / spread), "std"
    tops = a.get("top"), b.get("top")
    if isinstance(tops[0], Mapping) and isinstance(tops[1], Mapping):
        old, new = tops[0], tops[1]
        for value in sorted(old.keys() & new.keys()):
            counts = [_number(top, value) or 0.0 for top in (old, new)]
            yield _log(_shares(counts[0] / n, counts[1] / m, n, m)), value


def _shares(p: float, q: float, n: int, m: int) -> float:
    every = (p * n + q * m) / (n + m)
    error = math.sqrt(max(every * (1 - every), 0.0) * (1 / n + 1 / m))
    return (q - p) / error if error else 0.0


def _log(z: float) -> float:
    return float(two_sided(np.array([min(abs(z), 1e6)]))[0])


def _number(column: Mapping[str, object], name: str) -> float | None:
    value = column.get(name)
    plain = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if plain else None  # type: ignore[arg-type]  # it is a number


def _holm(tested: list[Tested], alpha: float) -> Iterator[Finding]:
    """The clearest against a share of the rate, each next one against a larger share, until one fails."""
    for number, one in enumerate(sorted(tested, key=lambda each: each.log)):
        if math.exp(one.log) > alpha / (len(tested) - number):
            return
        if one.effect >= one.floor:
            said = f"`{short(one.column)}` moved: {one.said} (p = {math.exp(one.log):.2g})"
            data = {"column": one.column, "effect": one.effect, "p": math.exp(one.log)}
            rule = "nulls" if one.said.startswith("nulls ") else "drift"
            yield Finding(rule, "error", said, one.path, data=data)


def _sections(tested: list[Tested]) -> Iterator[Section]:
    if tested:
        rows: list[list[str | Cell]] = [
            [one.path, short(one.column), Cell(f"{one.effect:.3g}", number=True),
             Cell(f"{math.exp(one.log):.2g}", number=True), one.said]
            for one in sorted(tested, key=lambda each: each.log)[:100]
        ]  # fmt: skip
        yield Section("Columns", (Table(("path", "column", "effect", "p", "moved"), rows),))
