"""`git mlops model serve | smoke`: a registered model behind HTTP."""

from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import click

from git_mlops import ui
from git_mlops.cli import model_serving
from git_mlops.cli.common import json_option
from git_mlops.cli.model_serve import extra_option, model_argument, opened, trust_option
from git_mlops.config import Config
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.registry import grammar
from git_mlops.serve import server, source
from git_mlops.serve import smoke as trying
from git_mlops.serve.app import Limits
from git_mlops.serve.columns import Extra
from git_mlops.serve.live import Fleet, log_folder
from git_mlops.serve.log import Keeping
from git_mlops.serve.slots import Wanted


class _Listening(TypedDict):
    host: str
    port: int
    workers: int
    timeout: float
    client_timeout: float
    grace: float
    poll: float
    fetch: str | None


class _Logging(TypedDict):
    folder: str | None
    no_log: bool
    sample: float | None
    redact: tuple[str, ...]


class _Serving(_Listening, _Logging):
    canary: tuple[str, ...]
    shadow: tuple[str, ...]
    extra: Extra | None


_seconds = click.FloatRange(0, min_open=True)


@click.command()
@model_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=5001, show_default=True, help="The port; 0: any."
)
@click.option(
    "--canary", multiple=True, metavar="NAME#STAGE=N", help="A version that answers N % of the requests."
)
@click.option(
    "--shadow",
    multiple=True,
    metavar="NAME[@V|#STAGE]",
    help="A version that is asked, too, for the log alone.",
)
@extra_option
@click.option(
    "--workers", type=click.IntRange(0, 64), default=0, help="Threads that score; default: one per processor."
)
@click.option(
    "--log", "folder", metavar="DIR", help="Where requests and answers are kept; default: privately."
)
@click.option("--no-log", is_flag=True, help="Keep no requests.")
@click.option(
    "--sample", type=click.FloatRange(0, 1), help="The share of requests that is kept; default: all."
)
@click.option(
    "--redact", multiple=True, metavar="COLUMN", help="A column, or pattern, that is not kept; repeatable."
)
@click.option(
    "--poll", type=_seconds, default=2.0, show_default=True, help="Seconds between two looks at a stage."
)
@click.option("--fetch", metavar="REMOTE", help="Also fetch the model's tags from this git remote.")
@click.option("--timeout", type=_seconds, default=60.0, show_default=True, help="Seconds for an answer.")
@click.option(
    "--client-timeout",
    type=_seconds,
    default=30.0,
    show_default=True,
    help="Seconds for a request to arrive.",
)
@click.option(
    "--grace",
    type=_seconds,
    default=30.0,
    show_default=True,
    help="Seconds for requests under way at the end.",
)
@trust_option
def serve(*, model: str, trust: bool, **options: Unpack[_Serving]) -> None:
    """Serve a model over HTTP

    MLflow's scoring protocol: POST /invocations with `dataframe_split`, `dataframe_records`, `instances`,
    `inputs` or CSV; /ping, /health, /version, and /metrics for Prometheus. Who can reach it can ask it: it
    listens on this machine alone unless told otherwise. Served by a stage, it changes over to the version
    that gets the stage, without losing a request.
    """
    repo, settings, asked = opened(trust=trust)
    fleet = Fleet(repo, _wanted(model, options), asked, ui.note)
    client = options["client_timeout"]
    where = server.Where(
        options["host"], options["port"], options["workers"], min(client, 10.0), options["grace"],
        options["poll"], options["fetch"],
    )  # fmt: skip
    limits = Limits(settings.serve.body, client, options["timeout"])
    extra = options["extra"] or settings.serve.extra
    server.serve(
        fleet, where, limits, extra=extra, keeping=_keeping(repo, model, settings, options), say=ui.note
    )


def _wanted(model: str, options: _Serving) -> list[Wanted]:
    found = [Wanted(model)]
    for text in options["canary"]:
        name, _, share = text.rpartition("=")
        if not name or not share.replace(".", "", 1).isdigit() or not 0 < float(share) <= 100:
            raise MlopsError(
                f"`--canary {text}`: expected a version and its share", hint="`--canary churn#canary=10`"
            )
        found.append(Wanted(name, "canary", float(share)))
    if sum(one.weight for one in found[1:]) > 100:
        raise MlopsError("the shares of the canaries are more than 100 %")
    return [*found, *(Wanted(text, "shadow") for text in options["shadow"])]


def _keeping(repo: Repo, model: str, settings: Config, options: _Logging) -> tuple[Path, Keeping] | None:
    chosen = options["folder"] is not None or settings.serve.log
    if options["no_log"] or not chosen:
        return None
    name = Path(model).name if source.is_file(model) else grammar.parse_spec(model).name
    folder = Path(options["folder"]) if options["folder"] else log_folder(repo, name)
    given = options["sample"]
    sample = settings.serve.sample if given is None else given
    redact = (*settings.serve.redact, *options["redact"])
    return folder, Keeping(sample, redact, settings.serve.log_size)


class _Trying(TypedDict):
    rows: str | None
    most: int
    latency: bool
    requests: int
    clients: int
    p50: float | None
    p95: float | None
    p99: float | None


_limit = partial(click.option, type=_seconds, metavar="MS")


@click.command()
@model_argument
@click.option("--in", "rows", metavar="FILE", help="Rows to ask about; default: the model's input example.")
@click.option("--rows", "most", type=click.IntRange(1), default=100, show_default=True, help="How many.")
@click.option("--latency", is_flag=True, help="Also measure how long an answer takes.")
@click.option("--requests", type=click.IntRange(1), default=500, show_default=True, help="For the latency.")
@click.option("--clients", type=click.IntRange(1, 500), default=1, show_default=True, help="Who ask at once.")
@_limit("--p50", help="Fail if half of the answers take longer.")
@_limit("--p95", help="Fail if one in twenty takes longer.")
@_limit("--p99", help="Fail if one in a hundred takes longer.")
@extra_option
@trust_option
@json_option
def smoke(
    *, model: str, trust: bool, extra: Extra | None, as_json: bool, **options: Unpack[_Trying]
) -> int:  # fmt: skip
    """Try whether a model answers as it should

    Serves it on a port of its own and asks: /ping, /version, rows (the answers must be those of a batch), a
    request that breaks the contract. With `--latency`, `--p95` and the like: percentiles of one-row requests.
    """
    repo, settings, asked = opened(trust=trust)
    at_most = {name: limit for name in ("p50", "p95", "p99") if (limit := options[name]) is not None}
    count = options["requests"] if options["latency"] or at_most else 0
    rows = Path(options["rows"]) if options["rows"] else None
    request = trying.Request(rows, options["most"], count, options["clients"], at_most)
    fleet = Fleet(repo, [Wanted(model)], asked, ui.note)
    done = trying.smoke(fleet, request, extra=extra or settings.serve.extra, say=lambda _text: None)
    return model_serving.smoked(model, done, as_json=as_json)
