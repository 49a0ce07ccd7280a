"""What the commands of `git mlops exp` print."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from git_mlops import ui
from git_mlops.experiments import present

if TYPE_CHECKING:  # 100 ms together, and each command shows one of them
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from git_mlops.experiments.apply import Applied
    from git_mlops.experiments.diff import Difference
    from git_mlops.experiments.inputs import Dirty
    from git_mlops.experiments.recording import Recorded
    from git_mlops.experiments.remove import Removed
    from git_mlops.experiments.run import Ended, Known


def stale(dirty: Iterable[Dirty], *, pipeline: bool) -> set[str]:
    """Data that is not what its pointer says, before it is used; the paths that were warned of."""
    told = set()
    for one in dirty:
        if one.input and pipeline:
            ui.note(f"`{one.path}` changed since it was added: DVC adds it before the pipeline runs")
        elif one.input:
            _other_bytes(one, "changed since it was added; the experiment names the old data")
            told.add(one.path)
    return told


def kept_overrides(overrides: Sequence[str]) -> None:
    """After a run that did not finish: what it was started with is there for the next one, too."""
    if overrides:
        ui.note(f"the workspace keeps {' '.join(overrides)}")


def _other_bytes(one: Dirty, said: str) -> None:
    """The experiment would name other bytes than those used."""
    said = "is older than its pointer; the experiment names the newer data" if one.outdated else said
    said = "is without what was purged; the experiment names the whole" if one.purged else said
    ui.warn(f"`{one.path}` {said}", hint=f"`{one.mend}`")


def ran(result: Ended | Known, *, as_json: bool, asked: str | None = None, told: Collection[str] = ()) -> int:
    """The end of `exp run`; returns the exit code.

    Args:
        asked: the name that was wished for.
        told: data that was warned of when the run began.
    """
    from git_mlops.experiments.run import Known

    if isinstance(result, Known):
        name = result.experiment.name
        ui.note(f"not run: `{name}` is the same code, data, parameters, environment and command")
        if asked not in (None, name):
            ui.warn(f"so there is no `{asked}`")
        ui.note(f"hint: `git mlops exp apply {name}` brings its files; `--force` runs it again")
        if as_json:
            ui.emit("experiment", present.plain(result.experiment))
        else:
            values(result.experiment.metrics, result.experiment.params)
        return 0
    recorded(result.recorded, as_json=as_json, told=told)
    for path in result.old_metrics:
        ui.warn(f"`{path}` was not written by this run: its metrics are older and do not count")
    if result.problem:
        ui.error(
            result.problem,
            hint=f"recorded as {result.recorded.status}: `git mlops exp show {result.recorded.name}`",
        )
    return result.exit_code


def recorded(done: Recorded, *, as_json: bool, told: Collection[str] = ()) -> None:
    """A new experiment."""
    for one in (one for one in done.dirty if one.path not in told):
        _other_bytes(one, "is not what its pointer says; the experiment names the old data")
    for large in done.left_out:
        size = f"{large.size / 2**20:.1f} MiB"
        ui.warn(
            f"left out: `{large.path}` ({size}, untracked)", hint=f"`git mlops add {shlex.quote(large.path)}`"
        )
    notes(done.notes)
    if as_json:
        data = {
            **done._asdict(),
            "dirty": [d.path for d in done.dirty],
            "left_out": [f._asdict() for f in done.left_out],
        }
        ui.emit("recorded", data)
        return
    ui.note(f"recorded {done.name} ({done.status}, {done.commit[:7]})")
    if done.replaced:
        ui.note(f"the one it replaces is kept: {done.replaced}")
    values(done.metrics, {})


def notes(found: Iterable[str]) -> None:
    """What was skipped."""
    for note in found:
        ui.warn(note)


def values(metrics: Mapping[str, object], params: Mapping[str, object], *, gap: bool = False) -> None:
    for title, found in (("metric", metrics), ("parameter", params)):
        if found and gap:
            ui.out()
        ui.table((title, "value"), [(name, present.cell(value)) for name, value in found.items()])


def compared(found: Difference) -> None:
    """The tables of `exp diff`."""
    tables = present.difference_rows(found)
    for number, (_title, header, cells) in enumerate(tables):
        if number:
            ui.out()
        ui.table(header, cells)
    if not tables:
        ui.note(f"{found.a} and {found.b} do not differ")
    notes(found.notes)


def applied(done: Applied, *, as_json: bool) -> None:
    """What `exp apply` did."""
    if done.saved:
        ui.note(f"what was in the workspace is recorded: `git mlops exp apply {done.saved}` brings it back")
    written = ui.count(len(done.written), "file")
    ui.note(f"applied {done.name}: {written} written, {len(done.deleted)} deleted")
    for path in done.missing_data:
        ui.warn(f"the data of `{path}` is not on this machine", hint="`git mlops pull`")
    for path in done.without:
        ui.warn(f"`{path}` is without what was purged", hint="`git mlops status`")
    for path in done.kept_data:
        ui.warn(f"`{path}` was left alone: it changed and was not added", hint="`git mlops status`")
    if done.older:
        ui.warn(
            f"older than HEAD's, as the experiment saw them: {ui.few(done.older)}",
            hint="`git diff` shows it; `git restore PATH` takes HEAD's; or apply it on its own baseline",
        )
    if as_json:
        ui.emit("applied", done._asdict())


def removed(gone: Sequence[Removed], *, as_json: bool) -> None:
    """What `exp rm` did, and how to undo it."""
    for one in gone:
        ui.note(f"removed {one.name}; undo: `{one.undo}`")
    if as_json:
        ui.emit("removed", [{**one._asdict(), "undo": one.undo} for one in gone])
