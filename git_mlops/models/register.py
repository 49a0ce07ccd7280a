"""A version of a model: from an experiment or a commit into an annotated tag."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from git_mlops import __version__
from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.experiments import reads
from git_mlops.experiments.message import short
from git_mlops.git.repo import Repo
from git_mlops.models import facts, subject
from git_mlops.models.context import Context
from git_mlops.models.facts import Facts, Wanted
from git_mlops.models.subject import Subject
from git_mlops.registry import grammar, read, write
from git_mlops.registry.grammar import Bump, Tag
from git_mlops.registry.message import Message
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact
from git_mlops.registry.write import Made

FIRST = "v0.1.0"


class Request(NamedTuple):
    """What to register."""

    name: str
    of: str | None = None
    """An experiment or a revision; None: HEAD."""
    version: str | None = None
    bump: Bump | None = None
    """Of the greatest version; without both `patch`, and `v0.1.0` at first."""
    path: str | None = None
    """The model's file or directory, as a repository path."""
    message: str = ""
    more: Mapping[str, object] = {}  # the default of a frozen tuple, never changed
    """Further facts, e.g. of MLflow; they do not replace ours."""


class Registration(NamedTuple):
    """What was registered."""

    version: Version
    made: Made
    copied: bool
    """Whether the commit is another version already, so that the tag points to a copy of it."""
    doubts: tuple[str, ...] = ()
    """What others will not have, or not find as it was, for people."""


def register(repo: Repo, request: Request, context: Context) -> Registration:
    """Make the tag of a new version.

    Raises:
        MlopsError: the name, version or model is wrong (2); the version exists already (1).
    """
    name = grammar.checked_name(request.name)
    found = read.artifact(repo, name)
    version = _version(found, request)
    what = subject.find(repo, request.of, context.experiments)
    _refuse_unfinished(what)
    wanted = Wanted(name, request.path, None if request.path else _path_before(repo, found))
    known = facts.collect(repo, what, wanted, context.experiments, context.schemas)
    target = write.place(repo, found, what.commit, version)
    said = _said(request, version, what, known)
    made = write.tag(repo, Tag("register", name, version), target, said, found)
    doubts = tuple(_doubts(repo, request, what))
    return Registration(read.resolve(repo, f"{name}@{version}"), made, target != what.commit, doubts)


def _doubts(repo: Repo, request: Request, what: Subject) -> Iterator[str]:
    if request.of is None and repo.text("status", "--porcelain", "--untracked-files=no"):
        yield "HEAD is registered; what is changed in the workspace and not committed is not in it"
    if what.experiment is not None and what.experiment.unadded:
        dirty = ", ".join(map(str, (what.record and what.record.data_dirty) or ())) or "data"
        yield f"the experiment used {dirty} as it was then, changed and not added: nobody else can have it"


def _version(found: Artifact, request: Request) -> str:
    if request.version is not None and request.bump is not None:
        raise MlopsError("either `--version` or `--bump`, not both")
    if request.version is None:
        greatest = found.versions[0].version if found.versions else None
        return grammar.bumped(greatest, request.bump or "patch") if greatest else FIRST
    version = grammar.checked_version(request.version)
    if found.find(version) is not None:
        raise MlopsError(
            f"{found.name} {version} is registered already",
            hint=f"`git mlops model show {found.name}@{version}`; `--bump patch` makes the next one",
            exit_code=FINDINGS,
        )
    return version


def _refuse_unfinished(what: Subject) -> None:
    """A run that failed, or that goes on, made no model."""
    if what.experiment is not None and what.experiment.status != "finished":
        raise MlopsError(
            f"the experiment `{what.experiment.name}` is {what.experiment.status}: it has no result",
            hint="`git mlops exp list` shows those that are finished",
            exit_code=FINDINGS,
        )


def _path_before(repo: Repo, found: Artifact) -> str | None:
    """Where the greatest version had its model."""
    if found.latest is None:
        return None
    said = read.version_of(repo, found, found.latest).facts.get("object")
    path = said.get("path") if isinstance(said, Mapping) else None
    return path if isinstance(path, str) else None


def _said(request: Request, version: str, what: Subject, known: Facts) -> Message:
    name = grammar.checked_name(request.name)
    shown = [f"{label}={short(v)}" for label, v in known.metrics.items() if isinstance(v, int | float)]
    title = "  ".join([f"model: {name} {version}", *([" ".join(shown[:4])] if shown else [])])
    trailers = [
        *([("Mlops-Run", what.key)] if what.key else []),
        ("Mlops-Model", f"{known.model.algorithm}:{known.model.hash}"),
        *(("Mlops-Data", f"{out.algorithm}:{out.hash} {out.path}") for out in known.data[:_MOST]),
        *(("Mlops-Schema", f"{oid} {path}") for path, oid in known.schemas.items()),
        *([("Mlops-Contract", known.contract.hash)] if known.contract else []),
    ]
    said: dict[str, object] = {
        **request.more,
        "version": 1,
        "kind": "registration",
        "model": name,
        "model_version": version,
        "commit": what.commit,
        "run": what.key,
        "experiment": dict(what.made) if what.made else None,
        **known.to_json(),
        **(reads.plain(reads.parse(what.record.extra.get(reads.KEY))) if what.record else {}),
        "data_dirty": what.record.data_dirty if what.record else None,
        "git_mlops": __version__,
    }
    return Message(title, request.message, tuple(trailers), {k: v for k, v in said.items() if v is not None})


_MOST = 20
"""Trailers of data; the facts name all."""
