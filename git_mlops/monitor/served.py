"""A served model against what it was trained on: the data of its tag, and the log of its requests.

The log is that of `git mlops model serve` (docs/formats.md, "Served models").
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from git_mlops.data import cache, profile, transfer
from git_mlops.data.pointers import HASH, Out
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding, ordered
from git_mlops.git.repo import Repo
from git_mlops.monitor import (
    drift,
    health,
    history,
    joined,
    judging,
    replay,
    samples,
    speed,
    surroundings,
    worse,
)
from git_mlops.monitor.drift import Drift
from git_mlops.monitor.joined import Asked
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.quality import Quality
from git_mlops.monitor.samples import Part, Side
from git_mlops.monitor.settings import Settings, own, seconds
from git_mlops.monitor.watch import now, side
from git_mlops.registry import grammar
from git_mlops.registry import read as registry
from git_mlops.registry.read import Version
from git_mlops.tables import frames
from git_mlops.tables.forms import form_of
from git_mlops.tables.frames import FrameError

if TYPE_CHECKING:
    import polars as pl

_OUT = "out."
_IN = "in."


class Request(NamedTuple):
    """What to compare, where it is not what the registry and the log say."""

    model: str
    """`NAME[@V|#STAGE]`"""
    reference: Side | None = None
    current: Side | None = None
    """A table in place of the log."""
    log: Path | None = None
    """Where the log is."""
    data: str | None = None
    """Which of the model's data is the reference."""
    since: str | None = None
    """How far the log is looked back: `7d`."""
    labels: Asked | None = None
    requests: Side | None = None
    """Logged requests, to be replayed; where `monitor.skew.requests` says otherwise."""


class _Served(NamedTuple):
    frame: "pl.LazyFrame"
    """Inputs under their own names."""
    whole: "pl.LazyFrame"
    """The log as it is; the same frame for a table."""
    answers: tuple[str, ...]
    said: str
    logged: bool


def compare(repo: Repo, request: Request, settings: Settings, data: DataSettings) -> Observation:
    """Everything that can be told of a served model.

    Raises:
        MlopsError: no such model (2); its data or its log is not to be had (3).
    """
    import polars as pl

    version = registry.resolve(repo, request.model)
    try:
        served = _current(repo, request, version)
        reference = _reference(repo, request, version)
        return _Comparison(repo, request, settings, data, version, served, reference).observed()
    except (pl.exceptions.PolarsError, FrameError, UnicodeDecodeError) as error:
        raise MlopsError(
            f"{version.name} {version.version} cannot be compared: {frames.reason(error)}",
            exit_code=CANNOT_EVALUATE,
        ) from error


class _Reference(NamedTuple):
    side: Side
    path: str
    """The one that settings go by."""
    hash: str = ""


class _Comparison(NamedTuple):
    """What was found so far."""

    repo: Repo
    request: Request
    settings: Settings
    data: DataSettings
    version: Version
    served: _Served
    reference: _Reference

    def observed(self) -> Observation:
        """The rest."""
        version, served, said = self.version, self.served, self.reference.side.said
        settings = self.settings
        if served.logged and served.answers:  # two tables are judged: each gets half of the rate
            settings = settings._replace(false_alarms=settings.false_alarms / 2)
        old = samples.scan(self.reference.side.parts)
        names = frames.names(old)
        features = _features(version) or [n for n in frames.names(served.frame) if n in names]
        notes = [f"`{n}` is a column of the model, and not of its data" for n in features if n not in names]
        findings: list[Finding] = []
        found = self._drift(old, [n for n in features if n in names], settings, findings)
        numbers: dict[str, float] = {}
        span: tuple[str | None, str | None] = (None, None)
        if served.logged:
            span = _span(served.whole)
            past = history.read(self.repo, version.name)
            findings += speed.judge(served.whole, settings, speed.baseline(version, past), numbers)
            findings += _stale(span[1], settings, numbers)
            findings += health.judge(served.whole, served.answers, settings)
            findings += _answers(served, settings, notes)
        findings += _ages(self.repo, version, self.reference.path, settings, numbers)
        findings += surroundings.judge(self.repo, version, [*_data(version)], settings, notes)
        findings += self._replayed(features, numbers, notes)
        measured = self._quality(findings)
        levels = profile.levels(self.data, self.reference.path, names)
        hashes = (self.reference.hash,) if self.reference.hash else ()
        stage = self.request.model.partition("#")[2] or None
        subject = Subject(version.name, version.version, stage, said, served.said, hashes, *span)
        private = frozenset(name for name, level in levels.items() if level != "full")
        return Observation(
            subject, now(), tuple(ordered(findings)), found, measured, numbers, tuple(notes), private=private
        )

    def _drift(
        self, old: "pl.LazyFrame", wanted: Sequence[str], settings: Settings, findings: list[Finding]
    ) -> Drift | None:
        if not wanted:
            said = f"`{self.reference.side.said}` has none of the columns that the model takes"
            hint = "`--reference FILE` names what it was trained on"
            findings.append(Finding("drift", "unknown", said, hint=hint))
            return None
        skip = [name for name in wanted if own(settings, name).skip]
        both = samples.read(old.select(wanted), self.served.frame, skip=skip)
        found = drift.compare(both, settings)
        findings += judging.judge(found, settings)
        return found

    def _replayed(
        self, features: Sequence[str], numbers: dict[str, float], notes: list[str]
    ) -> Sequence[Finding]:
        skew, root = self.settings.skew, self.repo.root
        requests = self.request.requests
        if requests is None and skew.command and skew.requests is not None:
            requests = side(root / skew.requests)
        if requests is None:
            return ()
        found = replay.compare(
            _keyed(self.served),
            replay.Asked(requests, root),
            self.settings,
            _features(self.version) or features,
        )
        numbers["replayed"] = float(found.rows)
        notes += _other_code(self.repo, self.version, skew.command)
        return found.findings

    def _quality(self, findings: list[Finding]) -> Quality | None:
        if self.request.labels is None:
            return None
        measured = joined.measure(
            _keyed(self.served), self.request.labels, self.served.answers, self.settings.slices
        )
        recorded = self.version.facts.get("metrics")
        known = recorded if isinstance(recorded, Mapping) else {}
        findings += worse.judge(measured, known, self.settings)
        return measured


def _features(version: Version) -> list[str]:
    contract = version.facts.get("contract")
    names = contract.get("features") if isinstance(contract, Mapping) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _other_code(repo: Repo, version: Version, command: Sequence[str]) -> Iterator[str]:
    """The program is that of the checkout, which may no longer be that of the training."""
    if repo.text("cat-file", "-t", version.commit, ok=(0, 128)) != "commit":
        return
    for word in replay.words(command):
        if (repo.root / word).is_file():
            changed = repo.text("diff", "--name-only", version.commit, "--", f":(top,literal){word}")
            if changed:
                yield f"`{word}` is not what it was at {version.name} {version.version}: it ran as it is now"


# -- what it was trained on ---------------------------------------------------------------------------------


def _reference(repo: Repo, request: Request, version: Version) -> _Reference:
    if request.reference is not None:
        return _Reference(request.reference, request.reference.said)
    outs = [out for out in _data(version) if out.is_dir or form_of(out.path) is not None]
    if request.data is not None:
        outs = [out for out in outs if out.path == request.data.rstrip("/")]
    if not outs:
        said = f"`{request.data}` is no table" if request.data else "there is no table"
        raise MlopsError(
            f"{said} among the data of {version.name} {version.version}",
            hint="`--reference FILE` names what it was trained on",
            exit_code=CANNOT_EVALUATE,
        )
    out = _likeliest(repo, outs, _features(version))
    side = Side(tuple(_parts(repo, out)), f"{out.path} of {version.version}")
    return _Reference(side, out.path, f"{out.algorithm}:{out.hash}")


def _data(version: Version) -> Iterator[Out]:
    """A tag may come from anyone: what is no hash could name any file of this machine."""
    found = version.facts.get("data")
    for one in found if isinstance(found, list) else ():
        path, hash_ = (one.get("path"), one.get("hash")) if isinstance(one, Mapping) else (None, None)
        if isinstance(path, str) and isinstance(hash_, str) and HASH.fullmatch(hash_):
            yield Out(path, str(one.get("algorithm") or "md5"), hash_)


def _likeliest(repo: Repo, outs: Sequence[Out], features: Sequence[str]) -> Out:
    """The one that has most of the model's columns; of several the one that is called so."""
    if len(outs) == 1:
        return outs[0]

    def rank(out: Out) -> tuple[int, bool, bool, str]:
        try:
            names = set(frames.names(samples.scan([*_parts(repo, out)])))
        except (MlopsError, FrameError, OSError):  # a directory of pictures is no table
            names = set()
        return -len(names & set(features)), not names, "train" not in out.path.lower(), out.path

    return min(outs, key=rank)


def _parts(repo: Repo, out: Out) -> Iterator[Part]:
    if not cache.complete(repo, out):
        _fetch(repo, out)
    where = cache.cache_dir(repo)
    if not out.is_dir:
        form = form_of(out.path)
        assert form is not None
        yield Part(cache.object_path(where, out), form)
        return
    for name, one in sorted(cache.members(repo, out).items()):
        if (form := form_of(name)) is not None:
            yield Part(cache.object_path(where, one), form)


def _fetch(repo: Repo, out: Out) -> None:
    try:
        missing = bool(transfer.pull(repo, [out]).missing)
    except MlopsError:
        missing = True
    if missing or not cache.complete(repo, out):
        raise MlopsError(
            f"the data that the model was trained on (`{out.path}`, {out.hash[:12]}) is not to be had",
            hint="`git mlops push` on the machine that has it, or `--reference FILE`",
            exit_code=CANNOT_EVALUATE,
        )


# -- what is served -----------------------------------------------------------------------------------------


def _current(repo: Repo, request: Request, version: Version) -> _Served:
    import polars as pl

    if request.current is not None:
        features = set(_features(version))
        try:
            frame = samples.scan(request.current.parts)
            names = samples.names(frame)
        except FrameError as error:
            said = f"`{request.current.said}` cannot be read: {error}"
            raise MlopsError(said, exit_code=CANNOT_EVALUATE) from error
        likely = [n for n in ("prediction", "said") if n in names]
        return _Served(
            frame,
            frame,
            (*likely, *(n for n in names if n not in features)),
            request.current.said,
            logged=False,
        )
    folder = request.log or repo.private / "serve" / quote(grammar.in_tag(version.name), safe="=")
    files = sorted((folder / quote(version.version)).glob("[!.]*.parquet"))
    if not files:
        raise MlopsError(
            f"there is no log of {version.name} {version.version} on this machine",
            hint=f"`git mlops model serve {request.model}` keeps one; or name one: `--log`, `--current`",
            exit_code=CANNOT_EVALUATE,
        )
    whole = pl.concat([pl.scan_parquet(file, glob=False) for file in files], how="diagonal_relaxed")
    whole = whole.filter(pl.col("role") != "shadow")
    said = "what is served"
    if request.since is not None:
        start = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds(request.since))
        whole, said = whole.filter(pl.col("time") >= start), f"{said} since {request.since}"
    names = whole.collect_schema().names()
    inputs = whole.select(pl.col(n).alias(n.removeprefix(_IN)) for n in names if n.startswith(_IN))
    return _Served(inputs, whole, tuple(n for n in names if n.startswith(_OUT)), said, logged=True)


def _keyed(served: _Served) -> "pl.LazyFrame":
    """With inputs, request and row under plain names: keys of labels."""
    import polars as pl

    if not served.logged:
        return served.whole
    names = served.whole.collect_schema().names()
    kept = [pl.col(n).alias(n.removeprefix(_IN)) for n in names if n.startswith(_IN)]
    taken = {n.removeprefix(_IN) for n in names if n.startswith(_IN)}
    kept += [pl.col(n) for n in ("request", "row") if n not in taken]
    return served.whole.sort("time").select(*kept, *(pl.col(n) for n in served.answers))


def _span(whole: "pl.LazyFrame") -> tuple[str | None, str | None]:
    import polars as pl

    ends = whole.select(pl.col("time").min().alias("a"), pl.col("time").max().alias("b")).collect().row(0)
    first, last = (end.isoformat(timespec="seconds") if end is not None else None for end in ends)
    return first, last


def _stale(until: str | None, settings: Settings, numbers: dict[str, float]) -> Iterator[Finding]:
    if until is not None:
        age = (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(until)).total_seconds()
        numbers["log_age_seconds"] = age
        yield from _too_old("the last answer", "log", age, settings.ages.log)


def _ages(
    repo: Repo, version: Version, path: str, settings: Settings, numbers: dict[str, float]
) -> Iterator[Finding]:
    here = dt.datetime.now(dt.UTC).timestamp()
    numbers["model_age_seconds"] = here - version.time
    yield from _too_old(
        f"{version.name} {version.version}", "model", here - version.time, settings.ages.model
    )
    known = repo.text("cat-file", "-t", version.commit, ok=(0, 128)) == "commit"
    last = (
        repo.text("log", "-1", "--format=%ct", version.commit, "--", f":(top,literal){path}.dvc")
        if known
        else ""
    )
    if last.isdigit():
        numbers["data_age_seconds"] = here - int(last)
        yield from _too_old(f"`{path}`", "data", here - int(last), settings.ages.data)


def _too_old(what: str, key: str, age: float, bound: str | None) -> Iterator[Finding]:
    if bound is not None and age > seconds(bound):
        said = f"{what} is {age / 86400:.1f} days old, allowed are {bound}"
        yield Finding("staleness", "error", said, data={"what": key, "seconds": age, "bound": bound})


def _answers(served: _Served, settings: Settings, notes: list[str]) -> Iterator[Finding]:
    """The answers of the window's later half against those before: a model's tag has none to compare with."""
    import polars as pl

    middle = served.whole.select(pl.col("time").median()).collect().item()
    if middle is None or not served.answers:
        return
    names = served.whole.collect_schema().names()
    slices = {f"{_IN}{name}": name for name in settings.slices if f"{_IN}{name}" in names}
    plain = [*map(pl.col, served.answers), *(pl.col(name).alias(slices[name]) for name in slices)]
    before, after = (
        served.whole.filter(half).select(plain)
        for half in (pl.col("time") < middle, pl.col("time") >= middle)
    )
    both = samples.read(before, after)
    found = drift.compare(both, settings)
    if found.needed is not None or found.more_reference is not None:
        notes.append("answers: too few to compare the later half with the earlier one")
        return
    for one in judging.judge(found, settings):
        about = {one.data.get("column"), *_texts(one.data.get("columns"))}
        if about & {*slices.values()} and "slice" not in one.data:  # the inputs are compared elsewhere
            continue
        said = f"answers, the later half of the log against the earlier: {one.message}"
        yield one._replace(message=said, data={**one.data, "answers": True})


def _texts(value: object) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
