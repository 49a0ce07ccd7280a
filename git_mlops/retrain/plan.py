"""What a retraining is about to do: read from refs and settings, nothing changed yet."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from git_mlops import config
from git_mlops.config import Config
from git_mlops.errors import CANNOT_EVALUATE, MlopsError, NotFoundError
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.git.trust import Trust
from git_mlops.models import settings as models
from git_mlops.models.context import Context
from git_mlops.models.settings import Stage
from git_mlops.registry import grammar, read, share
from git_mlops.registry.read import Version
from git_mlops.retrain import base as bases
from git_mlops.retrain import cause as causes
from git_mlops.retrain import land, newdata
from git_mlops.retrain.base import Base
from git_mlops.retrain.cause import Cause
from git_mlops.retrain.land import Tip
from git_mlops.retrain.newdata import New

CHALLENGER = "challenger"
_LAST_STAGE = "prod"


def _nobody(_repo: Repo, _settings: Config, _commit: str) -> Trust | None:
    return None


class Request(NamedTuple):
    """What the user asks for."""

    model: str | None
    cause: Cause
    stage: str | None = None
    """Whose holder is the champion; None: the last one of mlops.yaml."""
    data: tuple[New, ...] = ()
    pull: bool = False
    """Download data that is not on this machine."""
    base: str | None = None
    branch: str | None = None
    remote: str | None = None
    """The git remote."""
    share: bool = False
    """Push, and open a pull request, where the challenger is not worse."""
    anyway: bool = False
    """Also where it is."""
    register: bool = False
    """As a version with the stage `challenger`."""
    dry: bool = False
    trust: Callable[[Repo, Config, str], Trust | None] = _nobody
    """Whose signatures count, by the settings of a commit."""


class Plan(NamedTuple):
    """All that is known before anything runs."""

    repo: Repo
    request: Request
    config: Config
    """Of the base: a retraining is judged by what is agreed on there."""
    base: Base
    champion: Version
    stage: str
    tip: Tip

    @property
    def model(self) -> str:
        """Its name."""
        return self.champion.name

    @property
    def shown_champion(self) -> str:
        """For people: `churn v1.0.0 (prod)`."""
        return f"{self.champion.name} {self.champion.version} ({self.stage})"

    @property
    def rules(self) -> Stage:
        """What the champion's stage asks for."""
        return models.stages_of(self.config.models, self.model).get(self.stage, Stage())

    @property
    def context(self) -> Context:
        """What models are registered by."""
        settings, commit = self.config, self.base.commit
        return Context(
            settings.models,
            settings.experiments,
            settings.schemas,
            lambda: self.request.trust(self.repo, settings, commit),
            rules=f"{self.base.shown} ({commit[:12]})",
        )


def prepare(repo: Repo, request: Request) -> Plan:
    """Find champion, base and branch; what is to be shared starts from what the remote has now.

    A dry run asks no remote.

    Raises:
        MlopsError: one of them cannot be found, or the branch has commits of others.
    """
    asking = request.share and not request.dry
    found = bases.find(repo, request.base, request.remote, fresh=asking)
    if request.share and found.remote is None:
        raise MlopsError("a pull request needs a git remote", hint="`git remote add origin URL`")
    name = f"{found.commit}:{config.FILE}"
    content = objects.read_blobs(repo, [name]).get(name, config.MINIMAL.encode())
    settings = config.load(repo, content).config
    remote = found.remote if asking else None
    champion, stage = _champion(repo, request, settings, remote)
    request = request._replace(cause=causes.settled(repo, request.cause, champion, stage, remote))
    newdata.check(repo, request.data, found.commit)
    _check_challenger(request, settings, champion.name)
    branch = request.branch or causes.branch(champion.name, request.cause, datetime.now(UTC))
    if branch == found.branch:
        raise MlopsError(f"`{branch}` is the branch that the model is to enter", hint="`--branch NAME`")
    return Plan(repo, request, settings, found, champion, stage, land.tip(repo, branch, found.commit, remote))


def _champion(repo: Repo, request: Request, settings: Config, remote: str | None) -> tuple[Version, str]:
    name = grammar.checked_name(request.model) if request.model else _only(repo)
    if remote is not None:
        share.look(repo, remote, name)  # somebody may have promoted another one meanwhile
    declared = [*models.stages_of(settings.models, name)]
    last = next((stage for stage in reversed(declared) if stage != CHALLENGER), _LAST_STAGE)
    stage = models.known(settings.models, name, grammar.checked_stage(request.stage or last))
    try:
        found = read.active(read.resolve(repo, f"{name}#{stage}"))
    except NotFoundError as error:
        if not read.artifact(repo, name).versions:
            raise
        raise NotFoundError(str(error), hint=f"{error.hint}; `--stage` names another one") from error
    if repo.text("cat-file", "-t", found.commit, ok=(0, 128)) != "commit":
        raise MlopsError(
            f"the commit of {found.name} {found.version} is not in this clone",
            hint=f"`git fetch origin tag '{found.tag}'`, or `git fetch --unshallow`",
            exit_code=CANNOT_EVALUATE,
        )
    return found, stage


def _only(repo: Repo) -> str:
    known = [*read.artifacts(repo)]
    if len(known) == 1:
        return known[0]
    if not known:
        raise NotFoundError(
            "no model is registered: there is no champion to compare with",
            hint="`git mlops model register NAME`, then `git mlops model promote NAME prod`",
        )
    raise MlopsError("which model?", hint=f"one of {', '.join(f'`{name}`' for name in known[:8])}")


def _check_challenger(request: Request, settings: Config, name: str) -> None:
    """What could not be registered in the end is said in the beginning."""
    stages = models.stages_of(settings.models, name)
    if request.register and stages and CHALLENGER not in stages:
        raise MlopsError(
            f"mlops.yaml has no stage `{CHALLENGER}` for the model `{name}`",
            hint=f"`models: {{stages: {{{CHALLENGER}: {{}}}}}}`, before the others; or without `--register`",
        )


def explained(plan: Plan) -> Iterator[str]:
    """What would happen, one step a line."""
    request, base = plan.request, plan.base
    yield f"why: {request.cause.text}"
    if request.cause.source:
        found = f": {len(request.cause.findings)} findings" if request.cause.findings else ""
        yield f"the monitor: {request.cause.source}{found}"
    yield f"champion: {plan.shown_champion}, registered from {plan.champion.commit[:12]}"
    yield f"starts from {base.shown} ({base.commit[:12]}), in a worktree of its own"
    for one in request.data:
        yield f"new data: `{one.path}` becomes what is in `{one.source}`"
    if not request.data:
        pulled = "; what is not on this machine is downloaded" if request.pull else ""
        yield f"data: what the pointers of {base.shown} name{pulled}"
    yield "runs the pipeline of dvc.yaml, and records it as an experiment"
    replaced = plan.tip.newest
    yield f"branch: {plan.tip.branch}" + (f", in place of {replaced[:12]}" if replaced else "")
    yield f"compares {_how(plan)}"
    if request.register:
        yield f"if it is not worse: registers it as a new version with the stage `{CHALLENGER}`"
    if request.share:
        condition = "" if request.anyway else "if it is not worse: "
        pushed = f"{condition}pushes data, experiment and branch to {base.remote}"
        yield f"{pushed}, and opens one pull request into {base.branch}"
    yield "promotes nothing"


def _how(plan: Plan) -> str:
    command = plan.config.retrain.evaluate
    if command:
        return f"champion and challenger, both measured by `{command}` on the data of now"
    return "recorded metrics, if they were measured on the same data (`retrain.evaluate` would measure both)"
