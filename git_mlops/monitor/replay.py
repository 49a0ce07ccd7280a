"""Logged requests through the training features: do they come to what the model was served? With Polars.

The program is the user's own, named by `monitor.skew.command` in the checked-out mlops.yaml, and started
without a shell. It reads the requests that stand in the log of what was served, and writes their features;
these are compared row by row with those that were served.
"""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from git_mlops import processes
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.monitor import samples
from git_mlops.monitor.judging import percent, short
from git_mlops.monitor.samples import Side
from git_mlops.monitor.settings import Settings, own
from git_mlops.tables import frames

if TYPE_CHECKING:
    import polars as pl

_EXAMPLES = 3
_SAID = 300
"""Characters of what a program says when it fails."""
_AGAIN = " again"


class Asked(NamedTuple):
    """What to replay."""

    requests: Side
    """Rows as they were sent, before any feature was made of them."""
    root: Path
    """Where the program is started."""


class Replayed(NamedTuple):
    """What came of it."""

    findings: tuple[Finding, ...]
    rows: int
    """That were compared."""


def compare(
    served: "pl.LazyFrame", asked: Asked, settings: Settings, columns: Sequence[str] = ()
) -> Replayed:
    """What was served beside what the training features make of the same requests.

    Args:
        served: features as the model got them, with the columns of the key.
        columns: those that the program must make; all that both have without any.

    Raises:
        MlopsError: no program or a wrong one (2), a column of the key is missing (2), or no table (3).
    """
    import polars as pl

    if not settings.skew.command:
        raise MlopsError(
            "no program makes features of requests",
            hint="`monitor.skew.command` in mlops.yaml: `python src/features.py {requests} {features}`",
        )
    try:
        key, requests = _requests(served, asked, settings)
        if not requests.height:
            said = f"no row of `{asked.requests.said}` is in the log of what was served"
            found = Finding("skew", "unknown", said, hint=f"they are told apart by {_listed(key)}")
            return Replayed((found,), 0)
        features = _features(requests, asked.root, settings)
        return _compared(served, features, requests.select(key), columns, settings)
    except (pl.exceptions.PolarsError, frames.FrameError, UnicodeDecodeError) as error:
        raise MlopsError(
            f"requests cannot be replayed: {frames.reason(error)}", exit_code=CANNOT_EVALUATE
        ) from error


def _requests(served: "pl.LazyFrame", asked: Asked, settings: Settings) -> tuple[list[str], "pl.DataFrame"]:
    """The key, and an even part of the requests that were served."""
    import polars as pl

    every = samples.scan(asked.requests.parts)
    sides = [frames.names(every), frames.names(served)]
    key = list(settings.skew.key)
    if key == ["request"] and all("row" in names for names in sides):
        key.append("row")
    for names, where in zip(sides, (f"`{asked.requests.said}`", "what was served"), strict=True):
        for name in key:
            if name not in names:
                there = _listed(names[:10])
                raise MlopsError(
                    f"{where} has no column `{name}`", hint=f"`monitor.skew.key`; there are {there}"
                )
    known = served.select(pl.col(name).cast(pl.String) for name in key).unique()
    texts = [pl.col(name).cast(pl.String) for name in key]
    found = every.join(known, left_on=texts, right_on=key, how="semi", maintain_order="left").unique(
        key, keep="last", maintain_order=True
    )
    whole = found.collect(engine="streaming")
    return key, whole.gather_every(max(1, -(-whole.height // settings.skew.rows)))


def _features(requests: "pl.DataFrame", root: Path, settings: Settings) -> "pl.DataFrame":
    """What the program makes of them."""
    form = settings.skew.form
    with TemporaryDirectory(prefix="mlops-replay-") as folder:
        files = {name: Path(folder, f"{name}.{form}") for name in ("requests", "features")}
        if form == "csv":
            requests.write_csv(files["requests"])
        else:
            requests.write_parquet(files["requests"])
        started = _placed(words(settings.skew.command), files["requests"], files["features"])
        done = processes.capture(started, cwd=root, timeout=settings.skew.timeout)
        named = f"`{short(' '.join(settings.skew.command))}`"
        if done.status != 0:
            last = done.stderr.decode("utf-8", "replace").strip()[-_SAID:]
            raise MlopsError(
                f"{named} ended with status {done.status}" + (f":\n{last}" if last else ""),
                exit_code=CANNOT_EVALUATE,
            )
        if not files["features"].exists():
            raise MlopsError(
                f"{named} has written no `{{features}}`",
                hint="it reads the table `{requests}` and writes the table `{features}`",
                exit_code=CANNOT_EVALUATE,
            )
        return samples.scan(samples.parts_of(files["features"])).collect()


def _placed(plain: Sequence[str], requests: Path, features: Path) -> list[str]:
    """The words of a program with the files in their places; no shell reads them."""
    placed = [word.replace("{requests}", str(requests)) for word in plain]
    return [word.replace("{features}", str(features)) for word in placed]


def words(command: Sequence[str]) -> list[str]:
    """Of a command, which may be one line."""
    return shlex.split(command[0]) if len(command) == 1 else list(command)


# -- row by row ---------------------------------------------------------------------------------------------


def _compared(
    served: "pl.LazyFrame",
    features: "pl.DataFrame",
    keys: "pl.DataFrame",
    columns: Sequence[str],
    settings: Settings,
) -> Replayed:
    import polars as pl

    key = keys.columns
    lacking = [name for name in key if name not in features.columns]
    if lacking:
        raise MlopsError(
            f"the program's features have no column {_listed(lacking)}",
            hint="it passes on what tells the rows apart: `monitor.skew.key`",
            exit_code=CANNOT_EVALUATE,
        )
    texts = [pl.col(name).cast(pl.String) for name in key]
    ours = served.with_columns(texts).unique(key, keep="last", maintain_order=True)
    theirs = features.with_columns(texts)
    twice = theirs.height - theirs.n_unique(key)
    theirs = theirs.unique(key, keep="last", maintain_order=True)
    there = frames.names(ours)
    names = [n for n in (columns or there) if n in theirs.columns and n in there and n not in key]
    names = [name for name in names if not own(settings, name).skip]
    again = theirs.select(*key, *(pl.col(name).alias(f"{name}{_AGAIN}") for name in names))
    pairs = keys.lazy().select(texts).join(ours.select(*key, *names), on=key, maintain_order="left")
    both = pairs.join(again.lazy(), on=key, maintain_order="left").collect(engine="streaming")
    unmade = [n for n in columns if n in there and n not in (*names, *key) and not own(settings, n).skip]
    findings = [
        *_rows(keys.height, both.height, twice),
        *_unmade(unmade),
        *_columns(both, key, names, settings),
    ]
    return Replayed(tuple(findings), both.height)


def _rows(asked: int, back: int, twice: int) -> Iterator[Finding]:
    if back < asked:
        said = f"the training features make no row of {asked - back} of {asked} requests"
        yield Finding("skew", "error", said, data={"requests": asked, "rows": asked - back})
    if twice:
        said = f"the training features make more than one row of a request: {twice} too many"
        yield Finding("skew", "error", said, data={"requests": asked, "rows": twice})


def _unmade(names: Sequence[str]) -> Iterator[Finding]:
    if names:
        said = f"the training features do not make what the model takes: {_listed(names)}"
        yield Finding("skew", "warning", said, data={"columns": list(names)})


def _columns(
    both: "pl.DataFrame", key: Sequence[str], names: Sequence[str], settings: Settings
) -> Iterator[Finding]:
    for name in names:
        old, new = both[name], both[f"{name}{_AGAIN}"]
        asked = own(settings, name).tolerance
        off = differs(old, new, settings.skew.tolerance if asked is None else asked)
        count = int(off.sum())
        if count <= settings.skew.allowed * max(both.height, 1):
            continue
        places = np.flatnonzero(off)[:_EXAMPLES].tolist()
        examples = [
            {
                "key": {part: both[part][place] for part in key},
                "served": str(old[place]),
                "replayed": str(new[place]),
            }
            for place in places
        ]
        first = examples[0]
        said = (
            f"`{short(name)}` was served otherwise than the training features make it, in {count} of"
            f" {both.height} rows ({percent(count / both.height)}): {short(str(first['served']))} served,"
            f" {short(str(first['replayed']))} replayed"
        )
        data = {
            "column": name,
            "rows": count,
            "of": both.height,
            "share": count / both.height,
            "examples": examples,
        }
        yield Finding("skew", "error", said, data=data)


def differs(old: "pl.Series", new: "pl.Series", tolerance: float) -> NDArray[np.bool_]:
    """Which cells do: numbers by more than a share of them, and of one; nothing and NaN are the same."""
    import polars as pl

    a, b = _numbers(old), _numbers(new)
    if a is not None and b is not None:
        with np.errstate(invalid="ignore"):
            near = np.abs(a - b) <= tolerance * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
        same: NDArray[np.bool_] = near | (a == b) | (np.isnan(a) & np.isnan(b))
        return ~same
    texts = [side.cast(pl.String, strict=False) for side in (old, new)]
    return texts[0].ne_missing(texts[1]).to_numpy().astype(np.bool_)


def _numbers(series: "pl.Series") -> NDArray[np.float64] | None:
    """None where some of it is no number."""
    import polars as pl

    if series.dtype.is_temporal() or series.dtype.is_nested():
        return None
    found = series.cast(pl.Float64, strict=False)
    if found.null_count() != series.null_count():
        return None
    numbers: NDArray[np.float64] = found.fill_null(float("nan")).to_numpy()
    return numbers


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{short(name)}`" for name in names)
