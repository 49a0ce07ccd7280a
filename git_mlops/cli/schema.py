"""`git mlops schema`: infer schemas and check the workspace's data against them."""

import shlex

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.findings import exit_code
from git_mlops.reports.formats import FORMATS
from git_mlops.schema import sources, trial, workspace
from git_mlops.schema.compare import worst


@click.group()
def schema() -> None:
    """Infer and check schemas of data"""


@schema.command()
@click.argument("path")
@click.option("-o", "--output", metavar="FILE", help="Write there.  [default: schemas/NAME.yaml]")
@click.option("--force", is_flag=True, help="Replace a schema that is there.")
@json_option
def infer(path: str, *, output: str | None, force: bool, as_json: bool) -> None:
    """Write a schema of a file and bind it in mlops.yaml

    A first draft in pandera's own YAML: types, nulls, ranges, categories. Read it, then commit it.
    """
    repo, _config = open_repo()
    done = workspace.write(repo, path, output=output, force=force)
    if as_json:
        ui.emit("schema", done._asdict())
        return
    ui.out(done.schema_path)
    ui.note(f"{'bound' if done.bound else 'already bound'} to {done.path} in mlops.yaml")
    ui.note(f"read it, then `git add mlops.yaml {shlex.quote(done.schema_path)}`: what is staged counts")


@schema.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", help="Who looks; default: local."
)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster: tcp://HOST:8786.")
@json_option
def check(paths: tuple[str, ...], *, engine: str, scheduler: str | None, as_json: bool) -> int:
    """Check data of the workspace against its schemas

    Without a path everything that mlops.yaml binds is checked; a directory that is bound is one table. With
    `--engine dask` workers of a cluster look: of `--scheduler`, `MLOPS_DASK_SCHEDULER` or git's config
    `mlops.dask.scheduler`, else of this machine. Exit codes: 0 all hold, 1 findings, 2 usage or
    configuration, 3 something could not be evaluated.
    """
    repo, config = open_repo()
    if engine == "dask":
        from git_mlops.checks import on_cluster
        from git_mlops.executors import dask

        settings = on_cluster.Settings(config.schemas, config.forms)
        found, checked = on_cluster.check(repo, settings, paths, dask.scheduler(repo, scheduler))
    elif scheduler:
        raise click.UsageError("`--scheduler` goes with `--engine dask`")
    else:
        found, checked = workspace.check(repo, config.schemas, paths)
    title = f"{checked} file{'' if checked == 1 else 's'} against schemas"
    ui.write(FORMATS["json" if as_json else "text"].render(found, title=title))
    return exit_code(found)


@schema.command()
@click.argument("old", metavar="A")
@click.argument("new", metavar="[B]", required=False)
@json_option
def diff(old: str, new: str | None, *, as_json: bool) -> int:
    """Say what a change of a schema means for data

    A and B are schema files or `REV:path`; A alone is compared with what HEAD has of it. A change is
    compatible, widening (more is valid), narrowing (valid data may be refused) or breaking (exit code 1).
    """
    repo, _config = open_repo()
    done = sources.diff(repo, old, new)
    whole = worst(done.changes)
    if as_json:
        changes = [change._asdict() for change in done.changes]
        ui.emit("schema-diff", {"old": done.old, "new": done.new, "meaning": whole, "changes": changes})
    else:
        rows = [(c.meaning, c.column or "", c.message) for c in done.changes]
        ui.table(("change", "column", "what"), rows)
        ui.note(f"{whole}: {ui.count(len(rows), 'change')}" if rows else "both say the same")
    return 1 if whole == "breaking" else 0


@schema.command()
@click.argument("path", metavar="SCHEMA")
@json_option
def test(path: str, *, as_json: bool) -> int:
    """Try a schema on rows made to satisfy and to break it

    No data is needed. Exit codes: 0 every rule that was tried catches something, 1 one catches nothing, or
    rows that satisfy each rule are refused.
    """
    repo, _config = open_repo()
    done = trial.try_out(sources.read(repo, path), ui.progress("columns tried"))
    if as_json:
        good = [finding.to_json() for finding in done.good]
        ui.emit(
            "schema-test", {"sound": done.sound, "good": good, "rules": [r._asdict() for r in done.rules]}
        )
    else:
        rows = [(r.outcome, r.column or "", r.rule, r.why) for r in done.rules]
        ui.table(("outcome", "column", "rule", "why"), rows)
        if done.good:
            ui.out("rows that satisfy every rule by itself are refused:")
            ui.write(FORMATS["text"].render(done.good, title="good rows"))
    return 0 if done.sound else 1
