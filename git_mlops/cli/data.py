"""`git mlops add | status | push | pull`: data and its pointers."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.sensitive import warn_of_values
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK
from git_mlops.governance import sheets
from git_mlops.hooks import data as work
from git_mlops.hooks import follow_data

remote_option = click.option("-r", "--remote", help="The DVC remote, instead of the default one.")


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Also over a pointer that somebody else moved on since.")
@click.option("--meta", multiple=True, metavar="KEY=VALUE", help="For its data sheet: licence=CC-BY-4.0.")
def add(paths: tuple[str, ...], meta: tuple[str, ...], *, force: bool) -> None:
    """Put data under version control

    PATHS are files, directories or patterns. Each becomes a pointer (`PATH.dvc`), which is staged; the data
    goes to DVC's cache and into .gitignore.
    """
    repo, config = open_repo()
    said = sheets.parsed(meta)
    done = work.add(repo, paths, config.data, force=force)
    sheets.write(repo, done.pointers if said else [], said, config.governance.sensitive)
    warn_of_values(repo, done.pointers)
    for path in done.pointers:
        ui.note(f"staged {path}")
    for path, reason in list(done.unprofiled.items())[:5]:
        ui.note(f"no profile of `{path}`: {reason}")
    for path in done.untracked[:5]:
        hint = (
            f"to take it back: `git restore --staged {path}`; delete `{path}.dvc` and its line in .gitignore"
        )
        ui.warn(
            f"`{path}` was a file of git and is data now; git's history keeps what was committed", hint=hint
        )
    if len(done.untracked) > 5:
        ui.warn(f"so were {len(done.untracked) - 5} more files")


@click.command()
@click.option("--remote", "ask_remote", is_flag=True, help="Also ask whether the data is on the DVC remote.")
@json_option
def status(*, ask_remote: bool, as_json: bool) -> int:
    """Show how data and pointers differ

    Exit code 0 also when data is changed; with --remote it is 1 when the remote lacks data; 3 when a pointer
    cannot be read.
    """
    repo, config = open_repo()
    rows = work.status(repo, config.data.remote, ask_remote=ask_remote)
    if as_json:
        ui.emit("data-status", [row._asdict() for row in rows])
    else:
        ui.table(("state", "data", "pointer", "last committed by"), [row.cells for row in rows])
    if not rows:
        ui.note("data and pointers agree")
    return work.exit_code(rows)


@click.command()
@click.argument("paths", nargs=-1)
@remote_option
@click.option("--all", "everything", is_flag=True, help="The data of all commits of all branches and tags.")
@click.option("--range", "range_", metavar="BASE..HEAD", help="The data that the commits of a range name.")
def push(paths: tuple[str, ...], remote: str | None, range_: str | None, *, everything: bool) -> int:
    """Upload data to the DVC remote

    Without PATHS all data of the checked-out pointers. `git push` does this by itself for what it sends;
    --all also brings what was pushed before there was a DVC remote.
    """
    repo, config = open_repo()
    remote = remote or config.data.remote
    allowed = config.governance.sensitive
    done = work.push(repo, paths, remote, everything=everything, range_=range_, sensitive=allowed)
    if done.objects or not (done.missing or done.purged):
        ui.note(
            f"pushed {ui.count(done.objects, 'object')}" if done.objects else "everything is on the remote"
        )
    follow_data.tell_purged(repo, done.purged)
    for out in done.missing:
        ui.error(f"`{out.path}`: its data ({out.hash}) is neither here nor on the remote")
    return FINDINGS if done.missing else OK


@click.command()
@click.argument("paths", nargs=-1)
@remote_option
@click.option(
    "--range", "range_", metavar="BASE...HEAD", help="Only the data of pointers that a range changes."
)
def pull(paths: tuple[str, ...], remote: str | None, range_: str | None) -> int:
    """Download data from the DVC remote

    Without PATHS all data of the checked-out pointers. The data in the workspace then follows its pointers.
    """
    repo, config = open_repo()
    done = work.pull(repo, paths, remote or config.data.remote, range_, config.schemas)
    if done.objects or not (done.missing or done.purged):
        ui.note(f"pulled {ui.count(done.objects, 'object')}" if done.objects else "nothing to download")
    for out in done.missing:
        ui.error(
            f"`{out.path}`: its data ({out.hash}) is not on the remote",
            hint="whoever has it: `git mlops push`, with `--all` for that of earlier commits",
        )
    return CANNOT_EVALUATE if done.missing else OK
