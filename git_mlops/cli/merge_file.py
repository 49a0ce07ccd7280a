"""`git mlops merge-file`: data that both sides of a merge changed."""

import click

from git_mlops import ui
from git_mlops.cli.common import find_repo, json_option
from git_mlops.errors import FINDINGS, OK
from git_mlops.hooks import merge_file as work
from git_mlops.hooks.merge_file import Done
from git_mlops.hooks.merge_pointer import told


@click.command("merge-file")
@click.argument("path")
@click.option("--ours", "take", flag_value="ours", help="Take ours where both sides differ.")
@click.option("--theirs", "take", flag_value="theirs", help="Take theirs where both sides differ.")
@click.option("--union", "take", flag_value="union", help="Keep what one side removed and the other changed.")
@click.option("--edit", "take", flag_value="edit", help="Decide each conflict in an editor.")
@click.option("--key", multiple=True, metavar="COLUMN", help="Tell rows apart by this column (repeatable).")
@json_option
def merge_file(path: str, take: work.Take | None, key: tuple[str, ...], *, as_json: bool) -> int:
    """Merge data that both sides changed

    PATH is the data or its pointer, in conflict after `git merge`, `rebase` or `cherry-pick`. Everything that
    does not conflict is merged; the options say what becomes of the rest. Without one the conflicts are
    shown. When nothing conflicts (any more) the pointer is staged.
    """
    done = work.merge_file(find_repo(), path, take, key)
    _show(done, as_json=as_json)
    return OK if done.resolved else FINDINGS


def _show(done: Done, *, as_json: bool) -> None:
    conflicts = () if done.resolved else done.result.conflicts
    if as_json:
        ui.emit("conflicts", [one._asdict() for one in conflicts])
    else:
        rows = [[_cell(cell) for cell in ("; ".join(c.key), *c[1:])] for c in conflicts[:_SHOWN]]
        ui.table((", ".join(done.result.key) or "key", "column", "base", "ours", "theirs"), rows)
    if done.whole:
        ui.warn(f"`{done.pointer}` is {done.whole} as a whole: {done.result.reason}{_left_out(done)}")
    if done.removed:
        ui.note(f"removed {done.pointer} and its data: {done.result.reason}")
        return
    if done.resolved:
        counts = "" if done.whole else f": {told(done.result)}"
        ui.note(f"merged and staged {done.pointer}{counts}")
        return
    more = len(conflicts) - _SHOWN
    ui.note(f"ours is {done.sides.ours}\ntheirs is {done.sides.theirs}")
    ui.note(f"{more} more in {done.file}" if more > 0 else f"the same in {done.file}")
    if done.undecided:
        ui.note(f"nothing was decided: `take`, the last column of {done.file}, is empty as it was")
    ui.note("`--ours`, `--theirs` or `--edit` ends them")


def _left_out(done: Done) -> str:
    if not done.left_out:
        return ""
    other = "theirs" if done.whole == "ours" else "ours"
    return f"; it lacks {ui.count(done.left_out, 'row')} that {other} has"


_SHOWN = 50


def _cell(value: str | None) -> str:
    return "(none)" if value is None else value
