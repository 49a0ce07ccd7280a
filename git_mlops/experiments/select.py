"""Which experiments are meant: the options of `exp list`, and names such as `@{best:auc}`."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

from git_mlops.decode import unknown
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import belonging, columns, names, present, read, record
from git_mlops.experiments.columns import Row, Rows
from git_mlops.experiments.listed import Experiment, Experiments, Listing
from git_mlops.experiments.record import Record, RecordError, parse_record
from git_mlops.experiments.settings import Settings
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo, head, resolve


class Options(NamedTuple):
    """Which experiments to list, and in which order. The default: those of HEAD, the newest first."""

    everything: bool = False
    """Those of every commit."""
    baseline: str | None = None
    """Those of this revision's content."""
    snapshots: bool = False
    """Also what `exp apply` saved before it replaced it."""
    where: str | None = None
    since: str | None = None
    pareto: str | None = None
    sort: str | None = None
    limit: int | None = None


class Selected(NamedTuple):
    """What was chosen."""

    rows: Rows
    """In the order to show them."""
    found: Listing
    """The same experiments, and what they started from."""
    every: Experiments
    """What there was to choose from: all its columns can be asked for."""
    hidden: int
    """Snapshots that would be among them."""
    total: int
    """How many there were to choose from."""
    cut: int
    """How many `--limit` left out."""


def select(repo: Repo, options: Options, settings: Settings) -> Selected:
    """Choose experiments.

    Raises:
        MlopsError: an option that cannot be understood, or names what no experiment has.
    """
    if options.everything and options.baseline:
        raise MlopsError("either `--all` or `--baseline`, not both")
    for name in ("baseline", "where", "pareto", "sort"):
        if getattr(options, name) is not None and not getattr(options, name).strip():
            raise MlopsError(f"`--{name}` says nothing", hint="`git mlops exp list -h` shows what it takes")
    if options.where:
        from git_mlops.experiments.where import compile_where

        compile_where(options.where)  # a mistake in it is told before anything is read
    earliest = since(repo, options.since) if options.since is not None else None
    found, how = _found(repo, options, settings)
    shown: Sequence[Experiment]
    every = Experiments.of(found.experiments)
    if earliest is None and not (options.where or options.pareto or options.sort):
        shown, hidden = _newest(every, snapshots=options.snapshots)
    else:
        shown, hidden = _chosen(every, options, settings, earliest)
    kept = columns.rows(shown[: options.limit], how)
    return Selected(kept, _of(found, kept), every, hidden, len(every), len(shown) - len(kept))


def _newest(every: Experiments, *, snapshots: bool) -> tuple[Experiments, int]:
    """All, the newest first, and how many snapshots are hidden; those that are not come last."""
    order = every.newest_first()
    if not any(map(str.startswith, every.names, repeat(names.SNAPSHOT))):
        return every.taken(order), 0
    results: list[int] = []
    saved: list[int] = []
    for at in order:
        (saved if every.names[at].startswith(names.SNAPSHOT) else results).append(at)
    return every.taken(results + saved if snapshots else results), 0 if snapshots else len(saved)


def _chosen(
    every: Experiments, options: Options, settings: Settings, earliest: int | None
) -> tuple[Sequence[Experiment], int]:
    """Those that the options are about, in their order, and how many snapshots are hidden."""
    chosen = [one for one in every if earliest is None or one.time >= earliest]
    if options.where:
        true = {one.ref for one in present.holding(every, options.where)}
        chosen = [one for one in chosen if one.ref in true]
    results = [one for one in chosen if not snapshot(one)]
    hidden = 0 if options.snapshots or options.pareto else len(chosen) - len(results)
    shown = chosen if options.snapshots else results
    if options.pareto and every:
        from git_mlops.experiments import pareto

        known = columns.names(every)
        wanted = pareto.objectives(options.pareto, known, settings.metrics)
        shown = [row.experiment for row in pareto.front(columns.rows(results, {}), wanted)]
    return _ordered(shown, every, options.sort, settings), hidden


def _found(repo: Repo, options: Options, settings: Settings) -> tuple[Listing, Mapping[str, str]]:
    """Experiments, and how each belongs to HEAD or to the revision that was asked for."""
    if not options.everything:
        return belonging.listing(repo, settings, resolve(repo, options.baseline or "HEAD"))
    found, tip = read.listing(repo, settings), head(repo)
    return found, belonging.among(repo, settings, tip, found) if tip else {}


def _of(found: Listing, rows: Rows) -> Listing:
    """The rows' experiments, and only what these started from."""
    bases = set(rows.experiments.baselines)
    baselines = {oid: contents for oid, contents in found.baselines.items() if oid in bases}
    return Listing(rows.experiments, baselines)


def snapshot(experiment: Experiment) -> bool:
    """Whether it is what `exp apply` saved before it replaced it: no result."""
    return experiment.name.startswith(names.SNAPSHOT)


def _ordered(
    chosen: Sequence[Experiment], every: Sequence[Experiment], sort: str | None, settings: Settings
) -> list[Experiment]:
    """What `exp apply` saved comes last: it is no result."""
    full = None
    if sort is not None and every:
        from git_mlops.experiments.where import full_name

        full = full_name(sort, _numbers(columns.names(every)), what="metric or parameter")
        missing = all(present.number(present.value(one, full)) is None for one in chosen)
        if missing and any(present.number(present.value(one, full)) is not None for one in every):
            full = None  # it is a number, but not of those that were chosen
    ordered = present.ordered(chosen, full, settings.metrics)
    return sorted(ordered, key=snapshot) if any(map(snapshot, ordered)) else ordered


def _numbers(known: Iterable[str]) -> list[str]:
    return [name for name in known if name.startswith(("metrics.", "params."))]


def since(repo: Repo, text: str) -> int:
    """The second that git means by a date; `2w` is `2 weeks ago`.

    Raises:
        MlopsError: no date: git itself takes any text, and makes it the present.
    """
    short = re.fullmatch(r"(\d{1,6}) ?(s|m|h|d|w|mo|y)", text.strip())
    said = f"{short[1]} {_UNITS[short[2]]} ago" if short else text
    answer = repo.text("rev-parse", f"--since={said}").removeprefix("--max-age=")
    present_ = not re.search(r"\d", text) and text.strip().lower() not in _WORDS
    if not answer.isdigit() or (present_ and abs(time.time() - int(answer)) <= 2):
        raise MlopsError(f"`{text}` is no date", hint="for example `2w`, `2026-01-31`, `yesterday`")
    return int(answer)


_UNITS = {
    "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months", "y": "years"
}  # fmt: skip
_WORDS = ("now", "today")


def records(repo: Repo, experiments: Iterable[Experiment]) -> dict[str, Record]:
    """The record.json of each, by ref, in one process; those without one (DVC's) are left out."""
    made = ((e.ref, e.commit) for e in experiments)
    files = {ref: f"{one.tree}:{record.PATH}" for ref, one in made if one.message.version is not None}
    with reader(repo) as objects:
        texts = objects.read(files.values())
    found = {}
    for ref, name in files.items():
        content = texts[name].content if name in texts else None
        try:
            if content is not None:
                found[ref] = parse_record(content)
        except RecordError:
            continue
    return found


_CHOICE = re.compile(r"@\{(?:(?P<last>last)|(?P<word>[a-z]+):(?P<metric>.+))\}")
_CHOICES = ("best", "worst", "max", "min")


def pick(repo: Repo, texts: Iterable[str], settings: Settings) -> list[Ref]:
    """Exactly one experiment for each text: as `read.pick`, and `@{last}`, `@{best:auc}`, `@{min:loss}`.

    Raises:
        NotFoundError: there is none. MlopsError: there are several, or no direction is declared.
    """
    return read.pick(repo, expanded(repo, texts, settings))


def one(repo: Repo, text: str | None, settings: Settings) -> Experiment:
    """The experiment that is meant, also one under way; without a text the one recorded last.

    Raises:
        NotFoundError: there is none. MlopsError: there are several, or no direction is declared.
    """
    try:
        ref = read.last(repo) if text is None else pick(repo, [text], settings)[0]
    except NotFoundError:
        live = read.running(repo, text, settings) if text else None
        if live is None:
            raise
        return live
    from git_mlops.experiments import underway

    found = read.load(repo, [ref], settings)[0]
    return read.with_newest(repo, found, {run.ref: run for run in underway.runs(repo, {ref.name})})


def expanded(repo: Repo, texts: Iterable[str], settings: Settings) -> list[str]:
    """The texts, with the full ref instead of each `@{…}`: of finished experiments that `exp list` shows.

    Raises:
        NotFoundError: there is none to choose from. MlopsError: no such choice, metric or direction.
    """
    words = list(texts)
    if not any(_CHOICE.fullmatch(word) for word in words):
        return words
    rows = [
        row
        for row in select(repo, Options(), settings).rows
        if row.experiment.status == "finished" and not snapshot(row.experiment)
    ]
    return [_choice(repo, word, rows, settings) for word in words]


def _choice(repo: Repo, text: str, rows: Sequence[Row], settings: Settings) -> str:
    match = _CHOICE.fullmatch(text)
    if match is None:
        return text
    if match["word"] and match["word"] not in _CHOICES:
        raise MlopsError(
            f"`{text}` is no choice of an experiment", hint=unknown(match["word"], _CHOICES, "").hint
        )
    if not rows:
        raise NotFoundError(
            f"`{text}`: no finished experiment of HEAD", hint="`git mlops exp list --all` lists the others"
        )
    if match["last"]:
        return _last(repo, rows).ref
    from git_mlops.experiments.where import full_name

    full = full_name(
        match["metric"], _numbers(columns.names([row.experiment for row in rows])), what="metric or parameter"
    )
    sign = _sign(match["word"], full, text, settings)
    values = map(present.number, columns.named(full).values(Rows.of(rows)))
    numbers = [(found, row) for found, row in zip(values, rows, strict=True) if found is not None]
    if not numbers:
        raise NotFoundError(f"`{text}`: `{full}` is a number in no finished experiment of HEAD")
    # rows come newest first: of equals the newest
    return min(numbers, key=lambda pair: sign * pair[0])[1].experiment.ref


def _last(repo: Repo, rows: Sequence[Row]) -> Experiment:
    """Commits know seconds only; record.json has milliseconds."""
    time_ = max(row.experiment.time for row in rows)
    newest = [row.experiment for row in rows if row.experiment.time == time_]
    ends = records(repo, newest) if len(newest) > 1 else {}
    return max(newest, key=lambda one: ends[one.ref].end or "" if one.ref in ends else "")


def _sign(word: str, full: str, text: str, settings: Settings) -> int:
    """1: the least is meant; -1: the greatest."""
    if word in ("max", "min"):
        return 1 if word == "min" else -1
    from git_mlops.experiments import pareto

    bare = full.partition(".")[2]
    try:
        direction = pareto.declared_for(full, settings.metrics)
    except MlopsError as error:
        raise MlopsError(
            f"`{text}`: is more of `{bare}` better, or less?",
            hint=f"`@{{max:{bare}}}` or `@{{min:{bare}}}`; or in mlops.yaml:"
            f" `experiments: {{metrics: {{{bare}: {{direction: max}}}}}}`",
        ) from error
    return 1 if (direction == "min") == (word == "best") else -1
