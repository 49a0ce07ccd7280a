"""What runs elsewhere than in place print."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from git_mlops import ui
from git_mlops.data import listing, purges
from git_mlops.experiments import message
from git_mlops.experiments.queue import Waiting

if TYPE_CHECKING:  # 30 ms
    from collections.abc import Iterable, Sequence

    from git_mlops.experiments.queue import Entry, Report
    from git_mlops.experiments.queue_start import Started
    from git_mlops.experiments.start import Start
from git_mlops.git.repo import Repo


def differences(found: Start) -> None:
    """How a worktree made for a run is not what the user sees."""
    for one in found.dirty:
        if one.purged:
            continue  # a worktree has nothing of it, which is said when the run begins
        said = "is older than its pointer" if one.outdated else "changed since it was added"
        ui.warn(f"`{one.path}` {said}; the run has the data that the pointer names", hint=f"`{one.mend}`")
    for large in found.left_out:
        hint = f"`git mlops add {shlex.quote(large.path)}`"
        ui.warn(f"the run does not have `{large.path}`: it is untracked and too large for git", hint=hint)


def missing(repo: Repo, paths: Iterable[str]) -> None:
    """Data that could not be brought, and what nobody can bring any more."""
    wanted = list(paths)
    outs = [out for out in listing.in_workspace(repo) if out.path in wanted]
    gone = {out.path: (out, purge) for out, purge in purges.of_outs(repo, outs).items()}
    for out, purge in gone.values():
        part = "a part of it was " if purge.part_of(out) else ""
        hint = (
            f"`git mlops add --force {shlex.quote(out.path)}` makes what is left a version" if part else None
        )
        ui.warn(f"the run does not have `{out.path}`: {part}{purge.sentence()}", hint=hint)
    for path in (path for path in wanted if path not in gone):
        hint = f"`git mlops pull {shlex.quote(path)}`"
        ui.warn(f"the run does not have `{path}`: its data is not on this machine", hint=hint)


def queued(entry: Entry, *, as_json: bool) -> int:
    """The end of `exp run --queue`."""
    ui.note(f"queued {entry.name}; `git mlops exp queue start` runs it")
    if as_json:
        plan = entry.plan
        ui.emit("queued", _line(Waiting(
            entry.name, "queued", entry.id, entry.baseline, entry.time, plan.command, plan.overrides
        )))  # fmt: skip
    return 0


def waiting(found: Sequence[Waiting], *, as_json: bool) -> None:
    """The table of `exp queue list`."""
    if as_json:
        ui.emit("queue", [_line(one) for one in found])
        return
    if not found:
        ui.note("nothing is queued; `git mlops exp run --queue` queues a run")
    rows = [
        (one.name, one.state, one.time, one.baseline[:7], " ".join(one.overrides), _command(one))
        for one in found
    ]
    ui.table(("name", "state", "since", "baseline", "parameters", "command"), rows)


def _command(one: Waiting) -> str:
    return shlex.join(one.command) if one.command else "(pipeline)"


def _line(one: Waiting) -> dict[str, object]:
    return {**one._asdict(), "command": list(one.command) or None, "overrides": list(one.overrides)}


def begun(entry: Entry) -> None:
    """A run begins."""
    ui.note(f"{entry.name}: started")


def ended(report: Report) -> None:
    """A run has ended."""
    numbers = [(k, v) for k, v in report.metrics.items() if isinstance(v, int | float)]
    shown = " ".join(f"{name}={message.short(value)}" for name, value in numbers[:4])
    name = report.name or report.id
    if report.outcome == "taken":
        ui.note(f"{name}: another process runs it")
    elif report.outcome == "queued":
        ui.error(f"{name}: still queued: {report.problem}", hint=f"`git mlops exp queue logs {name}`")
    elif report.outcome in ("failed", "interrupted"):
        ui.error(f"{name}: {report.problem or report.outcome}", hint=f"`git mlops exp queue logs {name}`")
    else:
        ui.note(f"{name}: {report.problem or report.outcome}" + (f"  {shown}" if shown else ""))
    for note in report.notes:
        ui.warn(f"{name}: {note}")


def worked(done: Started, *, as_json: bool) -> None:
    """The end of `exp queue start`."""
    if as_json:
        ui.emit("queue-started", [one._asdict() for one in done.reports])
        return
    outcomes = [one.outcome for one in done.reports]
    counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
    said = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    ui.note(said or ("nothing was run" if done.interrupted else "nothing is queued"))


def dequeued(gone: Sequence[Entry], *, as_json: bool) -> None:
    """What `exp queue rm` did, and how to undo it."""
    for entry in gone:
        ui.note(f"removed {entry.name}; undo: `git update-ref {entry.ref} {entry.commit}`")
    if as_json:
        ui.emit("dequeued", [{"name": one.name, "ref": one.ref, "commit": one.commit} for one in gone])
