"""What the generated pipelines do: what runs when, with which permissions and secrets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.ci_safe import refuse_unsafe
from git_mlops.scaffold.settings import Monitor, Name, Settings, Train


class Step(NamedTuple):
    """One step of `.mlops/ci.sh`."""

    step: str
    does: str
    secrets: tuple[str, ...] = ()
    """That are given to it, by name."""


class Job(NamedTuple):
    """What runs on one machine."""

    provider: Name
    file: str
    job: str
    when: str
    permissions: tuple[str, ...]
    """Of the token that the job has without being given any."""
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    todo: str = ""
    """What a person has to do once, because no file can say it."""


_TOKENS: dict[Name, tuple[str, str]] = {
    "github": ("contents: read", "github.token"),
    "gitlab": ("CI_JOB_TOKEN: as the project allows it", ""),
    "jenkins": ("what the agent may", ""),
    "azure": ("System.AccessToken: as the project allows it", "System.AccessToken"),
    "bitbucket": ("reads the repository", ""),
    "circleci": ("the deploy key of the checkout", ""),
    "gitea": ("contents: read", "github.token"),
    "sh": ("what its caller may", ""),
}
"""What the job's own token may do, and its name where a step is given it."""

_POSTERS: dict[Name, str] = {
    "github": "github.token",
    "gitlab": "GITLAB_TOKEN",
    "jenkins": "MLOPS_FORGE_TOKEN",
    "azure": "System.AccessToken",
    "bitbucket": "BITBUCKET_TOKEN",
    "circleci": "GITHUB_TOKEN",
    "gitea": "github.token",
    "sh": "MLOPS_FORGE_TOKEN",
}

_EVERY = "the provider gives the project's variables to every step; install and test run without them"
_NOTES: dict[Name, tuple[str, ...]] = {
    "github": ("a pull request from a fork gets no secrets, and a token that only reads",),
    "gitlab": (_EVERY, "a merge request from a fork runs in the fork, without the project's variables"),
    "jenkins": (
        "secrets are credentials of these ids, of the kind secret text; a pull request from a fork gets none",
        "its multibranch job has to be set up, and says there whose Jenkinsfile it trusts in forks",
    ),
    "azure": ("a pull request from a fork gets no secrets", "in Azure Repos a branch policy starts it"),
    "bitbucket": (_EVERY, "a fork's pull requests run no pipeline of the target"),
    "circleci": (
        _EVERY,
        "builds of forks get no variables as long as the project does not pass secrets to them",
        "it does not say where a pull request goes to: the first of `ci.branches` is taken",
    ),
    "gitea": (
        "a pull request from a fork gets no secrets, and a token that only reads: it is not commented",
    ),
    "sh": ("BASE and HEAD say what is checked",),
}


def jobs(name: Name, settings: Settings) -> Iterator[Job]:
    """What runs for one provider.

    Raises:
        MlopsError: a setting that no pipeline can hold (exit code 2).
    """
    refuse_unsafe(name, settings)
    file, token = PROVIDERS[name].path, _TOKENS[name]
    yield Job(name, file, "check", _when(name, settings), (token[0],), _check(name, settings), _NOTES[name])
    if settings.comment and name == "github":
        yield _poster()
    if settings.test and settings.python[1:] and name != "sh":
        steps = (_RANGE, _INSTALL, Step("data", "the data for the tests", settings.secrets), _TEST)
        versions = f"the same, with Python {', '.join(settings.python[1:])}"
        yield Job(name, file, "test", versions, (token[0],), steps)
    for stage in settings.deploy:
        yield _deploy(name, stage, settings)
    if settings.train is not None:
        yield _train(name, settings, settings.train)
    if settings.monitor is not None:
        yield _monitor(name, settings, settings.monitor)


_RANGE = Step("range", "finds the two commits; checks out the one that was pushed")
_INSTALL = Step("install", "your command `ci.install`")
_TEST = Step("test", "your command `ci.test`")


def _when(name: Name, settings: Settings) -> str:
    if name == "sh":
        return "when it is called"
    if name == "circleci":
        return "a push to any branch"
    return f"a pull request; a push to {', '.join(settings.branches)}"


def _check(name: Name, settings: Settings) -> tuple[Step, ...]:
    token = tuple(filter(None, (_TOKENS[name][1],)))
    if name == "jenkins" and settings.git_credentials:
        token = (settings.git_credentials,)
    steps = [
        _RANGE,
        _INSTALL,
        Step("fetch", "known verdicts (refs/mlops/verdicts) and experiments, without data", token),
        Step("check", "the data of the range, every rule, the report; decides the result", settings.secrets),
    ]
    if settings.comment and name not in ("github", "sh"):
        steps.append(Step("post", "the report as a comment; a failure of it is told only", (_POSTERS[name],)))
    return (*steps, _TEST) if settings.test else tuple(steps)


def _poster() -> Job:
    return Job(
        "github",
        next(file.path for file in PROVIDERS["github"].own if file.asked_by == "comment"),
        "comment",
        "after `check` of a pull request, from a branch or a fork",
        ("actions: read", "contents: read", "pull-requests: write"),
        (
            _INSTALL._replace(does="your command `ci.install`, of the default branch"),
            Step("post", "the report that `check` left, as hostile text", (_POSTERS["github"],)),
        ),
        ("it checks out the default branch: nothing of the pull request is run",),
    )


def _deploy(name: Name, stage: str, settings: Settings) -> Job:
    found = [file.path for file in PROVIDERS[name].own if file.asked_by == "deploy"]
    return Job(
        name,
        (found or [PROVIDERS[name].path])[0],
        f"deploy to {stage}",
        f"a tag NAME#{stage}#N (`git mlops model promote` and `rollback` make it)",
        (_TOKENS[name][0],),
        (
            _INSTALL,
            Step("promoted", "verifies the tag by the main branch's rules; gets the model", settings.secrets),
            Step("deploy", f"your command `ci.deploy.{stage}`", settings.deploy_secrets),
        ),
    )


# -- of models ----------------------------------------------------------------------------------------------

_WRITERS: dict[Name, str] = {**_POSTERS, "jenkins": "MLOPS_FORGE_TOKEN"}
_MAY_WRITE: dict[Name, str] = {
    "gitlab": "GITLAB_TOKEN: a project access token, Developer, with api and write_repository",
    "jenkins": "the credentials may push and open pull requests",
    "azure": "the build service may contribute, create branches, propose pull requests, edit work items",
    "bitbucket": "BITBUCKET_TOKEN: repository:write, pullrequest:write, issue:write",
    "circleci": "GITHUB_TOKEN: contents, issues and pull requests, to write",
    "sh": "the token may push and open pull requests",
}
_TODO: dict[Name, str] = {
    "gitlab": "make a schedule of `{branch}`: `{cron}` (UTC), with the variable MLOPS_SCHEDULE={what}",
    "bitbucket": "make a schedule of `{branch}`, `{cron}` (UTC), for the custom pipeline mlops-{what}",
    "circleci": "make a schedule trigger named mlops-{what} for `{branch}`: `{cron}` (UTC)",
    "jenkins": "make a pipeline job of `{branch}` with the script path `{file}`, and start it once",
    "sh": "let cron call it: `{cron}` (UTC)",
}
_SAME_JOB = ("bitbucket", "circleci", "jenkins", "sh")
"""Where what drifted is trained again in the monitor's own job."""
_PUSHES = (
    "this token's pull requests start no workflow: name another by `ci.train.token` to have them checked"
)
_MODEL_NOTES: dict[Name, tuple[str, ...]] = {
    "github": (
        "it does not run in forks",
        "Settings, Actions, General: let GitHub Actions create pull requests",
    ),
    "gitea": ("it does not run in forks",),
    "gitlab": ("a fork has neither the schedule nor the token",),
    "bitbucket": ("a fork has neither the schedule nor the token",),
    "circleci": ("a fork has neither the schedule nor the token",),
    "azure": (
        "schedules that somebody sets on the page of the pipeline take the place of these",
        "two may run at once if a push and a schedule meet",
    ),
    "jenkins": ("it builds that branch alone, never a pull request",),
}


def _model_file(name: Name, what: str) -> str:
    found = [file.path for file in PROVIDERS[name].own if file.asked_by == what]
    return (found or [PROVIDERS[name].path])[0]


def _permissions(name: Name, *more: str) -> tuple[str, ...]:
    """On GitHub and Gitea the workflow asks for them; elsewhere somebody gives them to a token."""
    if name in ("github", "gitea"):
        return ("contents: write", *more)
    return (_MAY_WRITE[name],)


def _todo(name: Name, settings: Settings, what: str, cron: str | None) -> str:
    if name not in _TODO or (cron is None and name != "jenkins"):
        return ""
    file = _model_file(name, what)
    return _TODO[name].format(branch=settings.branches[0], cron=cron, what=what, file=file)


def _started(name: Name, cron: str | None, *more: str) -> str:
    by_hand = {"azure": (), "sh": ("it is called",)}.get(name, ("somebody starts it",))
    timed = [f"the schedule `{cron}` (UTC)"] if cron else []
    return "; ".join([*timed, *more, *by_hand]) or "never: it has no schedule"


def _train(name: Name, settings: Settings, train: Train) -> Job:
    reasons = {
        "data": f"a push to {settings.branches[0]} changes pointers of data, and no retraining made it",
        "drift": "`monitor` found drift or decay"
        + (" (in its own job)" if name in _SAME_JOB else " (the next job of the same pipeline)"),
    }
    told = [reasons[one] for one in reasons if one in train.when]
    brings = "your command `ci.train.bring`, then " if train.bring else ""
    secrets = (train.token or _WRITERS[name], *settings.secrets)
    own = train.token is None and name in ("github", "gitea")
    steps = (
        Step("due", "whether it is due, and why"),
        _INSTALL,
        Step("fetch", "known verdicts and experiments", tuple(filter(None, (_TOKENS[name][1],)))),
        Step("retrain", f"{brings}`git mlops retrain {_names(train.model)} --pull-request`", secrets),
    )
    return Job(
        name,
        _model_file(name, "train"),
        "retrain",
        _started(name, train.schedule, *told),
        _permissions(name, "pull-requests: write"),
        steps,
        (
            "it runs the pipeline of the main branch, which sees the token: who may merge there is trusted",
            *((_PUSHES,) if own else ()),
            *_MODEL_NOTES.get(name, ()),
        ),
        _todo(name, settings, "train", train.schedule),
    )


def _monitor(name: Name, settings: Settings, monitor: Monitor) -> Job:
    brings = "your command `ci.monitor.bring`, then " if monitor.bring else ""
    secrets = (monitor.token or _WRITERS[name], *dict.fromkeys((*settings.secrets, *monitor.secrets)))
    steps = (
        _INSTALL,
        Step("monitor", f"{brings}`git mlops monitor {_names(monitor.model)} --alert`; its history", secrets),
    )
    return Job(
        name,
        _model_file(name, "monitor"),
        "monitor",
        _started(name, monitor.schedule),
        _permissions(name, "issues: write"),
        steps,
        ("it fails while something is wrong (1), or cannot be judged (3)", *_MODEL_NOTES.get(name, ())[:1]),
        _todo(name, settings, "monitor", monitor.schedule),
    )


def _names(models: tuple[str, ...]) -> str:
    return models[0] if len(models) == 1 else f"{{{','.join(models)}}}"


# -- for people and programs ---------------------------------------------------------------------------------


def plain(job: Job) -> dict[str, object]:
    """A job for `--json`."""
    return {
        **job._asdict(),
        "permissions": list(job.permissions),
        "steps": [{**step._asdict(), "secrets": list(step.secrets)} for step in job.steps],
        "notes": list(job.notes),
    }


def text(found: Sequence[Job]) -> str:
    """The jobs for people."""
    return "\n\n".join("\n".join(_lines(job)) for job in found)


def _lines(job: Job) -> Iterator[str]:
    yield f"{PROVIDERS[job.provider].title}: {job.job}  ({job.file})"
    yield f"  when   {job.when}"
    yield f"  token  {', '.join(job.permissions)}"
    width = max(len(step.step) for step in job.steps)
    for step in job.steps:
        secrets = f"  [{', '.join(step.secrets)}]" if step.secrets else ""
        yield f"  {step.step:<{width}}  {step.does}{secrets}"
    for note in job.notes:
        yield f"  * {note}"
    if job.todo:
        yield f"  to do once: {job.todo}"
