"""What a comparison comes to, as findings. Pure."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from git_mlops.findings import Finding
from git_mlops.monitor.drift import Drift, Moved, Pair, Part
from git_mlops.monitor.samples import Compared
from git_mlops.monitor.settings import Settings
from git_mlops.monitor.shuffled import Column

RULES = (
    "drift", "new-category", "nulls", "range", "skew", "health", "staleness", "quality", "calibration",
    "latency", "throughput", "dependency", "data-source", "vulnerability",
)  # fmt: skip
_NAMED = 5
_EXTREMES = 0.02
"""Of the rate of false alarms: what numbers beyond the ends of the reference add to it, in all columns."""
_RARE = 0.02
"""Of the smallest difference that matters: so many rows out of range matter, too."""


def judge(drift: Drift, settings: Settings, path: str | None = None) -> list[Finding]:
    """Everything that a comparison of data finds."""
    found = [*_form(drift), *_columns(drift, settings), *_too_few(drift, settings)]
    return [finding._replace(path=path) for finding in found]


def _columns(drift: Drift, settings: Settings) -> Iterator[Finding]:
    limit = _EXTREMES * drift.alpha / max(len(drift.moved), 1)
    for one in drift.moved:
        yield from _moved(one, drift)
        yield from _new(one)
        yield from _outside(one, drift, limit, settings)
    if drift.pair is not None and drift.pair.alarm:
        yield _together(drift.pair, {one.column.name for one in drift.moved if one.alarm})
    for part in drift.parts:
        yield from _part(part, drift)


def _moved(one: Moved, drift: Drift) -> Iterator[Finding]:
    if not one.alarm or one.answer is None:
        return
    data = {"column": one.column.name, **facts(one)}
    if _more_nulls(one):
        yield Finding("nulls", "error", f"{_nulls(one)} ({_chance(one, drift)})", data=data)
    if _differs(one):
        yield Finding("drift", "error", f"{said_of(one)} ({_chance(one, drift)})", data=data)


def caption(one: Moved) -> str:
    """What an alarm is about, for below a picture."""
    parts = [_nulls(one)] if _more_nulls(one) else []
    return "; ".join([*parts, said_of(one)] if _differs(one) else parts)


def _more_nulls(one: Moved) -> bool:
    return abs(one.figures.nulls[1] - one.figures.nulls[0]) >= one.floor


def _nulls(one: Moved) -> str:
    p, q = one.figures.nulls
    return f"`{short(one.column.name)}`: nothing stands in {percent(q)} of the rows, {percent(p)} before"


def _differs(one: Moved) -> bool:
    """Whether it is more than the nulls."""
    return _without_nulls(one) >= one.floor or not _more_nulls(one)


def _without_nulls(one: Moved) -> float:
    found = [v for v in (one.figures.ks, one.figures.wasserstein) if v is not None]
    return max(found) if found else (_distance(one.column.values) if not one.column.values.numeric else 0.0)


def _distance(column: Column) -> float:
    """Of categories without nulls."""
    width = int(max(column.reference.max(initial=-1), column.current.max(initial=-1))) + 1
    counts = [np.bincount(side[side >= 0].astype(np.int64), minlength=width) for side in column[1:]]
    if not width or not counts[0].sum() or not counts[1].sum():
        return 0.0
    return float(np.abs(counts[0] / counts[0].sum() - counts[1] / counts[1].sum()).sum() / 2)


def said_of(one: Moved) -> str:
    """What moved, in one line."""
    name = (
        f"`{short(one.column.name)}`"
        if one.column.kind != "text"
        else f"the length of `{short(one.column.name)}`"
    )
    found, by = one.figures, one.answer.by if one.answer else ""
    if one.column.kind == "category":
        return f"{name} is mixed otherwise: {_mixed(one.column)}"
    if found.mean is None or found.std is None:
        return f"{name} is distributed otherwise"
    away = f", {found.wasserstein:.2g} standard deviations away" if found.wasserstein is not None else ""
    mean, std = (f"{number(a)} → {number(b)}" for a, b in (found.mean, found.std))
    if by == "scale":
        return f"{name} spreads otherwise: standard deviation {std}, mean {mean}{away}"
    if by in ("shape", "missing"):
        ks = found.ks or 0.0
        return f"{name} is distributed otherwise: {percent(ks)} of the rows, mean {mean}{away}"
    return f"{name} moved: mean {mean}, standard deviation {std}{away}"


def _mixed(column: Compared) -> str:
    """The categories that gained and lost most."""
    width = len(column.categories)
    sides = [side[side >= 0] for side in (column.values.reference, column.values.current)]
    a, b = (np.bincount(side.astype(np.int64), minlength=width) / max(len(side), 1) for side in sides)
    order = np.argsort(-np.abs(b - a), kind="stable")[:2]
    return ", ".join(f"`{short(column.categories[n])}` {percent(a[n])} → {percent(b[n])}" for n in order)


def _chance(one: Moved, drift: Drift) -> str:
    assert one.answer is not None
    least = 1 / (drift.shuffles + 1)
    sign = "<" if one.answer.adjusted <= least * 1.001 else "="
    return f"p {sign} {one.answer.adjusted:.2g}, PSI {one.figures.psi or 0.0:.2g}"


def _new(one: Moved) -> Iterator[Finding]:
    """More unknown values than the rare ones of the reference let expect."""
    if not one.column.new:
        return
    rows, every = sum(one.column.new.values()), max(one.column.current.rows, 1)
    if rows <= _expected(one.column, every):
        return
    names = [f"`{short(name)}`" for name in [*one.column.new][:_NAMED]]
    more = f" and {len(one.column.new) - _NAMED} more" if len(one.column.new) > _NAMED else ""
    said = f"`{short(one.column.name)}` has values that the reference does not have: {', '.join(names)}{more}"
    share = rows / every
    level = "error" if one.alarm and share >= one.floor else "warning"
    data = {
        "column": one.column.name,
        "rows": rows,
        "share": share,
        "values": dict([*one.column.new.items()][:50]),
    }
    yield Finding(
        "new-category",
        "error" if level == "error" else "warning",
        f"{said} ({percent(share)} of the rows)",
        data=data,
    )


def _expected(column: Compared, rows: int) -> float:
    """By Good and Turing: what stood once before is as likely as what never stood."""
    codes = column.values.reference
    counts = np.bincount(codes[codes >= 0].astype(np.int64), minlength=1)
    once = int((counts == 1).sum())
    mean = rows * once / max(len(codes), 1)
    return mean + 3 * math.sqrt(mean)


def _outside(one: Moved, drift: Drift, limit: float, settings: Settings) -> Iterator[Finding]:
    """Beyond the reference's ends: with equal rows on both sides a few are chance, and how many is known."""
    n, m = drift.both.rows
    k, infinite = one.column.outside, one.column.current.infinite
    if one.column.kind != "number":
        return
    if infinite and not one.column.reference.infinite:
        yield Finding(
            "range", "error", f"`{short(one.column.name)}` is infinite in {infinite} rows, in none before",
            data={"column": one.column.name, "infinite": infinite},
        )  # fmt: skip
    k -= infinite if not one.column.reference.infinite else 0
    if k <= 0 or n + m == 0 or math.log(k + 1) + k * math.log(m / (n + m)) > math.log(limit):
        return
    share = k / max(one.column.current.rows, 1)
    low, high = one.column.reference.low, one.column.reference.high
    now = f"{number(one.column.current.low)} to {number(one.column.current.high)}"
    said = (
        f"`{short(one.column.name)}` leaves {number(low)} to {number(high)} in {percent(share)} of the rows"
    )
    level = share >= _RARE * (one.floor or settings.effect)
    data = {"column": one.column.name, "rows": k, "share": share, "range": [low, high]}
    yield Finding("range", "error" if level else "warning", f"{said}: it is {now}", data=data)


def _together(pair: Pair, moved: set[str]) -> Finding:
    a, b = pair.columns
    old, new = pair.correlations
    said = f"`{short(a)}` and `{short(b)}` go together otherwise: correlation {old:.2f} → {new:.2f}"
    besides = sorted({a, b} & moved)
    hint = f"`{short(besides[0])}` moved, too: that may be why" if besides else None
    data = {
        "columns": [a, b],
        "correlation": [old, new],
        "p": pair.answer.p,
        "adjusted": pair.answer.adjusted,
    }
    return Finding("drift", "warning" if besides else "error", said, hint=hint, data=data)


def _part(part: Part, drift: Drift) -> Iterator[Finding]:
    everywhere = {one.column.name for one in drift.moved if one.alarm}
    for one in part.moved:
        if one.alarm and one.column.name not in everywhere:
            said = f"where `{part.column}` is `{short(part.value)}`: {said_of(one)} ({_chance(one, drift)})"
            data = {"slice": {part.column: part.value}, "column": one.column.name, **facts(one)}
            yield Finding("drift", "error", said, data=data)


def _form(drift: Drift) -> Iterator[Finding]:
    both = drift.both
    for name in both.missing:
        yield Finding("skew", "error", f"the column `{short(name)}` is missing", data={"column": name})
    for name, (old, new) in both.types.items():
        said = f"`{short(name)}` is {new}, and holds nothing of what it was: {old}"
        yield Finding("skew", "error", said, data={"column": name, "types": [old, new]})
    for one in drift.moved:
        bad, every = one.column.current.unreadable, max(one.column.current.rows, 1)
        if bad and not one.column.reference.unreadable:
            said = (
                f"`{short(one.column.name)}` holds what is no number in {bad} rows ({percent(bad / every)})"
            )
            yield Finding("skew", "error", said, data={"column": one.column.name, "rows": bad})
    if both.extra:
        names = ", ".join(f"`{short(name)}`" for name in both.extra[:_NAMED])
        more = f" and {len(both.extra) - _NAMED} more" if len(both.extra) > _NAMED else ""
        said = f"columns that the reference does not have: {names}{more}"
        yield Finding("skew", "note", said, data={"columns": list(both.extra)})


def _too_few(drift: Drift, settings: Settings) -> Iterator[Finding]:
    n, m = drift.both.rows
    kept = drift.both.kept
    shift = f"a shift of {settings.must_find:g} standard deviations would be overlooked"
    hint = "`monitor.must_find` and `monitor.false_alarms` in mlops.yaml say what is enough"
    if not drift.moved:
        if not drift.both.missing:
            yield Finding("drift", "unknown", "there is no column that could be compared")
    elif drift.more_reference is not None:
        said = f"the reference has {_rows(n)}: {shift}; {drift.more_reference} are needed on both sides"
        yield Finding("drift", "unknown", said, hint=hint, data={"rows": m, "needed": drift.more_reference})
    elif drift.needed is not None:
        said = f"{_rows(m)} {'is' if m == 1 else 'are'} too few: {shift}; {drift.needed} are needed"
        yield Finding("drift", "unknown", said, hint=hint, data={"rows": kept[1], "needed": drift.needed})


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def facts(one: Moved) -> Mapping[str, object]:
    """All figures of a column, for programs."""
    found = one.figures
    named = {name: getattr(found, name) for name in ("effect", "psi", "js", "ks", "wasserstein", "chi2")}
    said: dict[str, object] = {name: value for name, value in named.items() if value is not None}
    if one.answer is not None:
        said |= {"p": one.answer.p, "adjusted": one.answer.adjusted, "by": one.answer.by}
    said |= {"floor": one.floor, "nulls": list(found.nulls)}
    said |= {name: list(value) for name in ("mean", "std") if (value := getattr(found, name)) is not None}
    return said


def percent(share: float) -> str:
    """A share, for people."""
    return f"{100 * share:.3g} %"


def number(value: float | None) -> str:
    """A number, for people."""
    return "nothing" if value is None else f"{value:.4g}"


def short(text: str) -> str:
    """A value of the data, as far as it is shown; nothing in it ends the quotes."""
    plain = "".join(c if c.isprintable() else " " for c in text).replace("`", "'")
    return plain if len(plain) <= 40 else plain[:39] + "…"
