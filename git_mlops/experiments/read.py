"""Experiments read: any number with one `for-each-ref` and one `cat-file --batch`; names resolved."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import committed, journal, listed, names
from git_mlops.experiments.cache import Cache
from git_mlops.experiments.known import Book, alone
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.record import Record, RecordError, parse_record
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import refs
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo, resolve
from git_mlops.git.run import forget

if TYPE_CHECKING:
    from git_mlops.experiments.underway import Live

Commit = committed.Commit
commits = committed.commits


Experiment = listed.Experiment
Experiments = listed.Experiments
Listing = listed.Listing


def recorded(repo: Repo) -> dict[str, list[Ref]]:
    """Every experiment by the commit that it started from; what killed recorders left is recorded first."""
    if journal.left_over(repo):
        from git_mlops.experiments import recovery

        with suppress(MlopsError):  # a full disk: to read is possible all the same
            recovery.recover(repo)
        forget()
    return by_baseline(refs.list_refs(repo, names.PREFIX))


def listing(
    repo: Repo,
    settings: Settings,
    baseline: str | None = None,
    *,
    every: Mapping[str, Sequence[Ref]] | None = None,
    cache: Cache | None = None,
) -> Listing:
    """The experiments of one commit, or of all; those of killed recorders and those under way included.

    Args:
        every: what `recorded` said, where it was asked already.
        cache: one that is open.
    """
    if cache is None:
        with Cache(repo, settings.params) as own_:
            return listing(repo, settings, baseline, every=every, cache=own_)
    if every is None:
        cache.ahead()
        every = recorded(repo)
    own = every.get(baseline or "", ())
    groups = every if baseline is None else {baseline: own} if own else {}
    prefix = names.PREFIX if baseline is None else names.baseline_prefix(baseline)
    running = live(repo, groups, prefix)
    coming = _coming(running.values(), groups)
    read_ = _load(repo, groups, coming, settings, cache, everything=baseline is None)
    if not running:
        return read_
    return read_._replace(experiments=[with_newest(repo, e, running) for e in read_.experiments])


def live(repo: Repo, groups: Mapping[str, Sequence[Ref]], prefix: str = names.PREFIX) -> dict[str, Live]:
    """Runs under way by their ref, as `underway.runs` finds them; `groups` is what is recorded."""
    if journal.quiet(repo):
        return {}
    from git_mlops.experiments import underway  # 3 ms

    return {one.ref: one for one in underway.runs(repo, _names(groups), prefix)}


def _coming(running: Iterable[Live], groups: Mapping[str, Sequence[Ref]]) -> list[Ref]:
    """Runs under way that are not recorded yet."""
    some = list(running)
    present = _names(groups) if some else ()
    return [Ref(one.ref, one.commit) for one in some if one.ref not in present]


def _names(groups: Mapping[str, Sequence[Ref]]) -> set[str]:
    return {ref[0] for some in groups.values() for ref in some}


def with_newest(repo: Repo, one: Experiment, running: Mapping[str, Live]) -> Experiment:
    """What a run under way has said until now, from its files: no commit has it yet."""
    known_ = running.get(one.ref)
    if known_ is None:
        return one
    from git_mlops.experiments import underway

    newest = underway.newest(repo, known_)
    contents, values = one.contents, one.contents.values
    metrics, params = dict(values.metrics), dict(values.params)
    if newest.metrics:
        metrics[f"{RUN}metrics.json"] = newest.metrics
    known = {name for file, found in params.items() if file != f"{RUN}params.yaml" for name in found}
    if said := {name: value for name, value in newest.params.items() if name not in known}:
        params[f"{RUN}params.yaml"] = {**params.get(f"{RUN}params.yaml", {}), **said}
    page, number = one.known[:2]
    newest_ = contents._replace(values=values._replace(metrics=metrics, params=params))
    raw = page.raw(number)
    raw = raw._replace(time=newest.start) if newest.start is not None else raw
    return one._replace(status="running", known=alone(raw, page.statuses[number], newest_))


def running(repo: Repo, text: str, settings: Settings) -> Experiment | None:
    """A run under way, by its name or by the id that it has in MLflow."""
    running_ = live(repo, by_baseline(refs.list_refs(repo, names.PREFIX)))
    meant_ = [one for one in running_.values() if text in (one.ref, one.ref.rpartition("/")[2], one.id)]
    found = load(repo, [Ref(one.ref, one.commit) for one in meant_], settings)
    return with_newest(repo, found[0], running_) if len(found) == 1 else None


def all_refs(repo: Repo, prefix: str = names.PREFIX) -> list[Ref]:
    """Every experiment below a prefix; DVC's own bookkeeping is none."""
    return [ref for some in by_baseline(refs.list_refs(repo, prefix)).values() for ref in some]


def by_baseline(found: Iterable[Ref]) -> dict[str, list[Ref]]:
    """Refs by the commit that they started from, as `names.parse_ref` says; others are left out."""
    some = list(found)
    folders = [ref[0].rpartition("/")[0] for ref in some]
    groups: dict[str, list[Ref]] = {}
    for folder, pairs in groupby(zip(folders, some, strict=True), key=itemgetter(0)):
        place = names.parse_ref(f"{folder}/x")
        if place is not None:
            groups.setdefault(place.baseline, []).extend(map(itemgetter(1), pairs))
    return groups


def _load(
    repo: Repo,
    groups: Mapping[str, Sequence[Ref]],
    live: Sequence[Ref],
    settings: Settings,
    cache: Cache,
    *,
    everything: bool = False,
) -> Listing:
    under_way = by_baseline(live)
    bases = groups.keys() | under_way.keys()
    places = (*groups.values(), *under_way.values())
    wanted = dict.fromkeys(chain(*(map(itemgetter(1), some) for some in places), bases))
    book = _known(repo, list(wanted), settings, cache, everything=everything)
    found = Experiments.found(book, groups)
    if under_way:
        more = (one._replace(status="running") for one in Experiments.found(book, under_way))
        found = Experiments.of([*found, *more])
    contents = {oid: book.known(book.index[oid]).contents for oid in bases if oid in book.index}
    return Listing(found.oldest_first(), contents)


def _known(repo: Repo, wanted: Sequence[str], settings: Settings, cache: Cache, *, everything: bool) -> Book:
    """From the cache, and what it lacks from git."""
    with uncollected():
        book = Book(cache.get(wanted))
        new = [oid for oid in wanted if oid not in book.index]
        if new:
            from git_mlops.experiments import bulk  # 6 ms, and mostly everything is known

            with reader(repo) as objects:
                pages = bulk.load(repo, Trees(objects), new, settings.params)
            cache.put(pages, wanted if everything else None)
            book = Book([*book.pages, *pages])
    return book


@contextmanager
def uncollected() -> Iterator[None]:
    """While a hundred thousand small tuples are made, none of them garbage: looking for it takes seconds."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def load(repo: Repo, found: Sequence[Ref], settings: Settings) -> list[Experiment]:
    """Some experiments, in the order of their refs."""
    with Cache(repo, settings.params) as cache:
        by_ref = {e.ref: e for e in _load(repo, by_baseline(found), (), settings, cache).experiments}
    return [by_ref[ref.name] for ref in found if ref.name in by_ref]


def finished(repo: Repo, key: str, settings: Settings) -> Experiment | None:
    """The newest finished experiment of this content key."""
    found = all_refs(repo)
    with reader(repo) as objects:
        known = commits(objects, (ref.oid for ref in found))
    same = [
        ref
        for ref in found
        if ref.oid in known
        and known[ref.oid].message.key == key
        and known[ref.oid].message.status == "finished"
    ]
    newest = max(same, key=lambda ref: known[ref.oid].time, default=None)
    return load(repo, [newest], settings)[0] if newest else None


def record(repo: Repo, experiment: Experiment) -> Record | None:
    """Its record.json; None where there is none that can be read (DVC's experiments)."""
    return record_of(repo, experiment.commit)


def record_of(repo: Repo, commit: Commit) -> Record | None:
    """The same of an experiment's commit."""
    if commit.message.version is None:
        return None  # DVC's: a record in its tree is another one's, from `dvc exp apply`
    name = f"{commit.tree}:{RUN}record.json"
    with reader(repo) as objects:
        found = objects.read([name]).get(name)
    try:
        return parse_record(found.content) if found and found.content is not None else None
    except RecordError:
        return None


def matching(repo: Repo, text: str, *, prefixes: bool = True) -> list[Ref]:
    """What `text` may mean: a ref, a name or its beginning, a commit id, an id of MLflow, a content key."""
    found = all_refs(repo)
    hexadecimal = re.fullmatch("[0-9a-f]{4,64}", text) is not None
    kinds = (
        [ref for ref in found if ref.name == text],
        [ref for ref in found if ref.name.rpartition("/")[2] == text],
        [ref for ref in found if hexadecimal and ref.oid.startswith(text)],
        [ref for ref in found if prefixes and text and ref.name.rpartition("/")[2].startswith(text)],
    )
    named = next((refs_ for refs_ in kinds if refs_), [])
    if not named and re.fullmatch("[0-9a-f]{32}", text):
        named = _of_run(repo, found, text)
    return named or (_of_key(repo, found, text) if re.fullmatch("[0-9a-f]{7,64}", text) else [])


def _of_run(repo: Repo, found: Sequence[Ref], run_id: str) -> list[Ref]:
    """By the id that the run has in MLflow."""
    with reader(repo) as objects:
        texts = objects.read(f"{ref.oid}:{RUN}record.json" for ref in found)
    near = f'"run_id": "{run_id}"'.encode()
    for ref in found:
        content = texts[name].content if (name := f"{ref.oid}:{RUN}record.json") in texts else None
        if content is None or near not in content:
            continue
        with suppress(RecordError):
            told = parse_record(content).extra.get("mlflow")
            if isinstance(told, dict) and told.get("run_id") == run_id:
                return [ref]
    return []


def _of_key(repo: Repo, found: Sequence[Ref], text: str) -> list[Ref]:
    """By content key, as the trailer `Mlops-Run` of a commit has it; the newest of equal ones."""
    with reader(repo) as objects:
        known = commits(objects, (ref.oid for ref in found))
    same = [ref for ref in found if ref.oid in known and (known[ref.oid].message.key or "").startswith(text)]
    newest = max(same, key=lambda ref: known[ref.oid].time, default=None)
    keys = {known[ref.oid].message.key for ref in same}
    return same if len(keys) > 1 else [newest] if newest else []


def pick(repo: Repo, texts: Iterable[str]) -> list[Ref]:
    """Exactly one experiment for each text.

    Raises:
        NotFoundError: there is none. MlopsError: there are several, with the list of them.
    """
    chosen: dict[Ref, None] = {}
    for text in texts:
        found = matching(repo, text)
        if not found:
            raise NotFoundError(f"no experiment `{text}`", hint=_meant(repo, text))
        if len({ref.oid for ref in found}) > 1:
            raise MlopsError(f"`{text}` is ambiguous: {_candidates(found)}", hint="give the full name or ref")
        chosen[found[0]] = None
    _refuse_others(repo, chosen)
    return list(chosen)


def meant(repo: Repo, text: str) -> Ref | str:
    """What a name means: an experiment, else a revision (its commit), else the beginning of an experiment's.

    Raises:
        NotFoundError: it is nothing. MlopsError: it is several experiments.
    """
    if not matching(repo, text, prefixes=False):
        try:
            return resolve(repo, text)
        except MlopsError:
            if not matching(repo, text):
                raise NotFoundError(
                    f"`{text}` is neither an experiment nor a revision",
                    hint="`git mlops exp list --all` lists the experiments",
                ) from None
    return pick(repo, [text])[0]


def _meant(repo: Repo, text: str) -> str:
    if text.startswith("@{"):
        return "`@{last}`, `@{best:METRIC}`, `@{max:METRIC}` or `@{min:METRIC}`"
    every = {ref.name.rpartition("/")[2] for ref in all_refs(repo)}
    import difflib

    close = difflib.get_close_matches(text, every, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    folded = refs.list_refs(repo, "refs/mlops/archive/")
    there = ", `git mlops exp archive --list` those that are archived" if folded else ""
    return f"`git mlops exp list --all` lists them{there}"


def _refuse_others(repo: Repo, chosen: Iterable[Ref]) -> None:
    """A ref among the experiments may name anything, where a stranger pushed it."""
    with reader(repo) as objects:
        known = commits(objects, (ref.oid for ref in chosen))
    other = next((ref for ref in chosen if ref.oid not in known), None)
    if other:
        said = f"`{other.name.rpartition('/')[2]}` is no experiment: its ref names no commit"
        raise MlopsError(said, hint=f"`git update-ref -d {other.name}` removes it")


def _candidates(found: Sequence[Ref]) -> str:
    short = [ref.name.rpartition("/")[2] for ref in found]
    shown = short if len(set(short)) == len(short) else [ref.name for ref in found]
    return ", ".join(shown[:10]) + (" …" if len(shown) > 10 else "")


def last(repo: Repo) -> Ref:
    """The experiment recorded last.

    Raises:
        NotFoundError: there is none yet.
    """
    found = all_refs(repo)
    with reader(repo) as objects:
        known = commits(objects, (ref.oid for ref in found))
    times = {ref: known[ref.oid].time for ref in found if ref.oid in known}
    if not times:
        raise NotFoundError(
            "no experiments yet", hint="`git mlops exp run -- COMMAND` or `git mlops exp save`"
        )
    newest = [ref for ref, time in times.items() if time == max(times.values())]
    ends = _ends(repo, newest) if len(newest) > 1 else {}
    return max(newest, key=lambda ref: ends.get(ref, ""))


def _ends(repo: Repo, found: Sequence[Ref]) -> dict[Ref, str]:
    """When they ended, to the millisecond: commits know seconds only."""
    files = {ref: f"{ref.oid}:.mlops/run/record.json" for ref in found}
    with reader(repo) as objects:
        texts = objects.read(files.values())
    ends = {}
    for ref, name in files.items():
        try:
            ends[ref] = parse_record(texts[name].content or b"").end or ""
        except (KeyError, RecordError):
            continue
    return ends
