"""`git mlops taint`: say that something must not be used, and see what came from it."""

from collections.abc import Iterable

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.errors import MlopsError
from git_mlops.git import remotes
from git_mlops.git.repo import Repo
from git_mlops.lineage import build, find, show, sources, taints
from git_mlops.lineage.graph import KINDS, Node, part
from git_mlops.lineage.taints import Taint


@click.command()
@click.argument("subject", required=False, metavar="[MODEL|EXPERIMENT|FILE|HASH]")
@click.option("-m", "--message", "why", metavar="WHY", help="Why; it is kept.")
@click.option("--lift", is_flag=True, help="It may be used again.")
@click.option("--list", "list_", is_flag=True, help="List what is tainted.")
@click.option("--pull", is_flag=True, help="First get what others have tainted.")
@click.option("--push", is_flag=True, help="Then send it to others.")
@click.option("--remote", metavar="NAME", help="The git remote, for --pull and --push.")
@json_option
def taint(  # noqa: PLR0913  # one parameter per option
    *,
    subject: str | None,
    why: str | None,
    lift: bool,
    list_: bool,
    pull: bool,
    push: bool,
    remote: str | None,
    as_json: bool,
) -> None:
    """Mark what must not be used

    Data that was withdrawn, an experiment that was wrong: every model that came from it is refused for
    promotion from now on, and the list of what came from it is printed. SUBJECT is as for
    `git mlops lineage`. Kept under refs/mlops/taints.
    """
    repo, _config = open_repo()
    if subject is None and not (list_ or pull or push):
        raise click.UsageError("name what is tainted, or `--list`")
    if pull:
        taints.pull(repo, remotes.chosen(repo, remote))
    if subject is not None:
        _say(repo, subject, why, lift=lift, as_json=as_json)
    if push:
        taints.push(repo, to := remotes.chosen(repo, remote))
        ui.note(f"sent to {to}")
    if list_:
        _list(repo, as_json=as_json)


def _say(repo: Repo, subject: str, why: str | None, *, lift: bool, as_json: bool) -> None:
    if not why:
        raise MlopsError("nobody will know why", hint="`-m WHY`")
    found = sources.gather(repo)
    start = find.node(repo, found, subject)
    whole = build.around(repo, found, start, up=False, added=False)
    under = part(whole, start, up=False, down=True, beside=False)
    every = part(whole, start, up=False, down=True)
    taints.say(repo, start, under.nodes[start].label, why, tainted=not lift)
    reached = _ordered(node for node in under.nodes.values() if node.id != start)
    beside = _ordered(node for node in every.nodes.values() if node.id not in under.nodes)
    if as_json:
        lists = {"reached": [_plain(node) for node in reached], "beside": [_plain(node) for node in beside]}
        ui.emit("taint", {"node": start, "lifted": lift, **lists})
        return
    ui.note(f"{'lifted' if lift else 'tainted'}: {show.said(under.nodes[start])}")
    if reached:
        ui.note(f"{'no longer ' if lift else ''}under it, because it came from it:")
        ui.out("\n".join(show.said(node) for node in reached))
    if beside:
        ui.note("not under it: it was in the tree, and the run said what it read")
        ui.out("\n".join(show.said(node) for node in beside))


def _ordered(found: Iterable[Node]) -> list[Node]:
    return sorted(found, key=lambda node: (KINDS.index(node.kind), node.label))


def _said(one: Taint) -> dict[str, object]:
    words = [word._asdict() for word in one.words]
    return {"node": one.node, "label": one.label, "holds": one.holds, "words": words}


def _plain(node: Node) -> dict[str, object]:
    return {"id": node.id, "kind": node.kind, "label": node.label}


def _list(repo: Repo, *, as_json: bool) -> None:
    found = taints.listed(repo)
    if as_json:
        ui.emit("taints", [_said(one) for one in found])
        return
    header = ("what", "tainted", "why", "who", "when")
    rows = [(one.label, "yes" if one.holds else "lifted", *one.words[-1][1:]) for one in found]
    ui.table(header, rows)
    if not rows:
        ui.note("nothing is tainted")
