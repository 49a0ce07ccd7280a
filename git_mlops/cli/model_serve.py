"""`git mlops model predict | serve | package | smoke`: registered models at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import click

from git_mlops import config, ui
from git_mlops.cli.common import find_repo, json_option
from git_mlops.cli.completion import models
from git_mlops.cli.model_context import trust_of
from git_mlops.config import Config
from git_mlops.executors import dask
from git_mlops.git.objects import read_blobs
from git_mlops.git.repo import Repo
from git_mlops.registry import read
from git_mlops.serve import cluster
from git_mlops.serve import package as packing
from git_mlops.serve import predict as scoring
from git_mlops.serve import source as serving
from git_mlops.serve.columns import Extra
from git_mlops.serve.loaded import load
from git_mlops.serve.source import Asked

model_argument = click.argument("model", metavar="NAME[@V|#STAGE]", shell_complete=models)
trust_option = click.option(
    "--trust", is_flag=True, help="Load it whatever it may run: a plain file, or a doubtful one."
)
extra_option = click.option(
    "--extra",
    type=click.Choice(["refuse", "ignore"]),
    help="What to do with columns that the model does not take.",
)


def opened(*, trust: bool) -> tuple[Repo, Config, Asked]:
    """The repository, its settings, and what the user vouches for."""
    repo = find_repo()
    settings = config.load(repo).config
    signers = trust_of(repo, settings)
    return repo, settings, Asked(trust, settings.data.model_imports, settings.serve.signed, signers)


class _Scoring(TypedDict):
    source: str
    out: str
    keep: tuple[str, ...]
    extra: Extra | None
    batch: int
    engine: str
    scheduler: str | None


@click.command()
@model_argument
@click.option("--in", "source", required=True, metavar="FILE", help="Rows: Parquet, CSV, JSON lines, Arrow.")
@click.option("--out", required=True, metavar="FILE", help="Answers: .parquet or .csv.")
@click.option(
    "--keep", multiple=True, metavar="COLUMN", help="Put this column beside the answers; repeatable."
)
@extra_option
@click.option("--batch", type=click.IntRange(1), default=50_000, show_default=True, help="Rows at a time.")
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", help="Who scores; default: local."
)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster: tcp://HOST:8786.")
@trust_option
@json_option
def predict(*, model: str, trust: bool, as_json: bool, **options: Unpack[_Scoring]) -> None:
    """Score a file with a model

    Rows must fit what the model takes (its signature): nothing is written otherwise (exit code 1). The file
    is read in pieces, so it may be larger than memory; the answers appear when all of them are there. With
    `--engine dask` workers score the pieces: of `--scheduler`, `MLOPS_DASK_SCHEDULER` or git's config
    `mlops.dask.scheduler`, else of this machine.
    """
    if options["scheduler"] and options["engine"] != "dask":
        raise click.UsageError("`--scheduler` goes with `--engine dask`")
    repo, settings, asked = opened(trust=trust)
    found = serving.find(repo, model, asked)
    extra, out = options["extra"] or settings.serve.extra, Path(options["out"])
    request = scoring.Request(Path(options["source"]), out, options["keep"], extra, options["batch"])
    with _engine(repo, options) as scored:
        done = scoring.predict(load(found), request, scored)
    if as_json:
        said = {
            "model": found.name,
            "version": found.version,
            "rows": done.rows,
            "columns": list(done.columns),
        }
        ui.emit("predictions", said)
    ui.note(f"{found.label}: {ui.count(done.rows, 'row')} scored into `{out}`")


@contextmanager
def _engine(repo: Repo, options: _Scoring) -> Iterator[scoring.Scoring]:
    if options["engine"] == "local":
        yield scoring.here
        return
    with dask.session(dask.scheduler(repo, options["scheduler"])) as session:
        yield partial(cluster.scored, session)


def _committed(repo: Repo, commit: str) -> Config:
    """The settings of a commit, without private preferences: whoever packages it gets the same."""
    name = f"{commit}:{config.FILE}"
    return config.parse(read_blobs(repo, [name]).get(name, config.MINIMAL.encode()))


class _Packing(TypedDict):
    target: str
    form: packing.Form
    base: str | None
    requirements: str | None
    image: str | None


@click.command()
@model_argument
@click.option("--to", "target", required=True, metavar="DIR", help="A directory that is not there yet.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["container", "bundle", "wheel"]),
    default="container",
    show_default=True,
    help="Also: a zip for a function service (`--to NAME.zip`), a wheel (into the directory).",
)
@click.option("--base", metavar="IMAGE", help="The image to build on; default: the recorded Python, slim.")
@click.option("--requirements", metavar="FILE", help="Packages instead of the recorded ones.")
@click.option("--image", metavar="NAME", help="What the image will be called: also write a KServe manifest.")
@trust_option
@json_option
def package(*, model: str, trust: bool, as_json: bool, **options: Unpack[_Packing]) -> None:
    """Package a version: container, bundle or wheel

    A directory to build a container from: Dockerfile, locked requirements, the model, the server and a bill
    of materials (CycloneDX), all from what the tag names: the same version gives the same bytes in every
    clone.
    """
    repo, _settings, asked = opened(trust=trust)
    named = Path(options["requirements"]) if options["requirements"] else None
    request = packing.Request(
        Path(options["target"]), options["form"], options["base"], named, options["image"]
    )
    version = read.active(read.resolve(repo, model))
    done = packing.build(repo, version, request, asked, _committed(repo, version.commit).serve)
    if as_json:
        said = {"model": done.source.name, "version": done.source.version, "path": str(done.target)}
        ui.emit("model-package", {**said, "files": done.files, "sha256": done.digest})
    ui.note(f"{done.source.label}: {ui.count(done.files, 'file')} in `{done.target}`, sha256 {done.digest}")
    if options["form"] == "container":
        ui.note(f"`docker build {done.target}` makes the image")
