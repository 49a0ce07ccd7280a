"""What `exp push` and `exp pull` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from git_mlops import ui

if TYPE_CHECKING:
    from collections.abc import Sequence

    from git_mlops.experiments.offering import Rejected
    from git_mlops.experiments.pulling import Pulled
    from git_mlops.experiments.stores import Moved
    from git_mlops.experiments.sync import Pushed


def pushed(done: Pushed, *, as_json: bool, chosen: bool) -> int:
    """What `exp push` did; returns the exit code.

    Args:
        chosen: of those that there are, by `--where` or because all were meant.
    """
    _data(done.data, "uploaded")
    _rejected(done.rejected, "not pushed")
    ui.note(f"{done.remote}: {len(done.sent)} pushed, {len(done.equal)} were there")
    if done.unasked:
        ui.note(f"not sent, being no results (name them to send them): {ui.few(done.unasked)}")
    if done.twice:
        ui.warn(
            f"several are called {ui.listed(done.twice)}: a colleague gets one of each by that name",
            hint="`git mlops exp list --all --columns name,baseline` shows them",
        )
    if not (done.sent or done.equal or done.rejected or done.unasked):
        every = "no experiments of this commit; `git mlops exp push --all` sends those of every commit"
        ui.note(_NONE if chosen else every)
    if as_json:
        ui.emit("pushed", _moved(done))
    return done.exit_code


def pulled(done: Pulled, *, as_json: bool, chosen: bool = False) -> int:
    """What `exp pull` did; returns the exit code.

    Args:
        chosen: of those that there are, by `--where` or because all were meant.
    """
    _data(done.data, "downloaded")
    _rejected(done.held, "held back")
    ui.note(f"{done.remote}: {len(done.new)} new, {len(done.equal)} were here")
    if done.archived:
        ui.note(f"{len(done.archived)} archived here left out; `git mlops exp restore NAME` brings one back")
    if not (done.new or done.equal or done.held or done.archived):
        every = "no experiments of this commit; `git mlops exp pull --all` gets those of every commit"
        ui.note(_NONE if chosen else every)
    if done.new:
        ui.note(f"new: {ui.few(done.new)}")
    if as_json:
        ui.emit("pulled", _moved(done))
    return done.exit_code


_NONE = "no experiment is chosen"


def _moved(done: Pushed | Pulled) -> dict[str, object]:
    data = {**done.data._asdict(), "missing": sorted(done.data.missing)}
    lists = {n: [r._asdict() for r in v] for n, v in done._asdict().items() if n in ("rejected", "held")}
    return {**done._asdict(), **lists, "data": data}


def _data(done: Moved, verb: str) -> None:
    if done.skipped:
        ui.warn(done.skipped, hint="`dvc remote add -d NAME URL`")
    if done.transferred:
        ui.note(f"{ui.count(done.transferred, 'data object')} {verb}")
    if done.missing:
        ui.warn(f"neither here nor on the DVC remote: {ui.count(len(done.missing), 'data object')}")


def _rejected(found: Sequence[Rejected], verb: str) -> None:
    for one in found:
        ui.warn(f"{verb}: `{one.name}`: {one.reason}", hint=one.hint)
