"""`git mlops exp gc | archive | restore`: keep the refs few, lose nothing."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.data import unused
from git_mlops.errors import OK
from git_mlops.experiments import archive as archiving
from git_mlops.experiments import gc as collecting
from git_mlops.experiments.gc import Policy
from git_mlops.git.refs import Ref

failed_option = click.option("--failed", is_flag=True, help="Failed and interrupted runs.")
snapshots_option = click.option("--snapshots", is_flag=True, help="What `exp apply` saved before it wrote.")
where_option = click.option("--where", metavar="EXPR", help="Those it is true of, as for `exp list`.")
older_option = click.option(
    "--older-than", metavar="DATE", help="As git reads it: '3 months ago', 2026-01-31."
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Do it; without, it is only shown.")


@click.command()
@failed_option
@snapshots_option
@where_option
@older_option
@click.option("--data", is_flag=True, help="Instead: objects in DVC's cache that nothing names any more.")
@click.option("--backups", is_flag=True, help="Instead: what removals kept, older than --older-than.")
@yes_option
@json_option
def gc(  # noqa: PLR0913  # one parameter per option
    *,
    failed: bool,
    snapshots: bool,
    where: str | None,
    older_than: str | None,
    data: bool,
    backups: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Remove experiments that nobody needs

    Shows what would go; `--yes` does it. What a commit has landed (trailer `Mlops-Run`) stays. Removed
    experiments are kept as backups under refs/mlops/backup, and so is the data that they name, until
    `--backups` removes those, too (by default from two weeks of age).
    """
    repo, config = open_repo()
    if data:
        return _data(yes=yes, as_json=as_json)
    if backups:
        return _backups(older_than or "2 weeks ago", yes=yes, as_json=as_json)
    found = collecting.plan(repo, config.experiments, Policy(failed, snapshots, where, older_than))
    gone = collecting.collect(repo, found.go) if yes else []
    if as_json:
        ui.emit(
            "gc",
            {"done": yes, "go": [one.ref for one in found.go], "kept": [k._asdict() for k in found.kept]},
        )
        return OK
    for kept in found.kept:
        ui.note(f"kept {kept.name}: {kept.reason}")
    for one in gone:
        ui.note(f"removed {one.name}; undo: `{one.undo}`")
    if not yes:
        ui.table(("would go", "status"), [(one.name, one.status) for one in found.go])
        ui.note(f"{ui.count(len(found.go), 'experiment')} would go; `--yes` does it")
    return OK


def _backups(older_than: str, *, yes: bool, as_json: bool) -> int:
    repo, _config = open_repo()
    found = collecting.backups(repo, older_than)
    if yes:
        collecting.forget(repo, found)
    if as_json:
        ui.emit("gc-backups", {"done": yes, "go": [ref.name for ref in found]})
    else:
        ui.table(("backup", "commit"), [(ref.name, ref.oid[:12]) for ref in found])
        ui.note(
            f"{ui.count(len(found), 'backup')} {'removed for good' if yes else 'would go; `--yes` does it'}"
        )
    return OK


def _data(*, yes: bool, as_json: bool) -> int:
    repo, _config = open_repo()
    found = unused.unused(repo)
    size = unused.delete(found) if yes else sum(one.size for one in found)
    if as_json:
        ui.emit("gc-data", {"done": yes, "objects": len(found), "size": size})
    else:
        verb = "removed" if yes else "would go (`--yes` does it)"
        ui.note(f"{ui.count(len(found), 'object')}, {size / 2**20:.1f} MiB: {verb}")
    return OK


@click.command()
@failed_option
@snapshots_option
@where_option
@older_option
@click.option("--list", "list_", is_flag=True, help="Instead: list what is archived.")
@yes_option
@json_option
def archive(  # noqa: PLR0913  # one parameter per option
    *,
    failed: bool,
    snapshots: bool,
    where: str | None,
    older_than: str | None,
    list_: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Fold experiments under one ref per month

    Shows what would be folded; `--yes` does it. `git mlops exp restore NAME` brings one back. To share
    archives: `git push origin 'refs/mlops/archive/*'`.
    """
    repo, config = open_repo()
    if list_:
        rows = archiving.listing(repo)
    else:
        found = collecting.plan(
            repo, config.experiments, Policy(failed, snapshots, where, older_than), landed=True
        )
        chosen = [Ref(one.ref, one.commit.oid) for one in found.go]
        rows = archiving.archive(repo, chosen) if yes else []
        if not yes:
            if not as_json:
                ui.table(("would be archived", "status"), [(one.name, one.status) for one in found.go])
            ui.note(f"{ui.count(len(chosen), 'experiment')} would be archived; `--yes` does it")
    if as_json:
        ui.emit("archived", [row._asdict() for row in rows])
    else:
        ui.table(("month", "name", "commit"), [(row.month, row.name, row.commit[:12]) for row in rows])
    return OK


@click.command()
@click.argument("names", nargs=-1, required=True)
def restore(names: tuple[str, ...]) -> None:
    """Bring archived experiments back"""
    repo, _config = open_repo()
    for one, new in archiving.restore(repo, names):
        ui.note(f"restored {one.name}" if new else f"{one.name} is here already")
