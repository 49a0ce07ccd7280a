"""What the generated pipelines do: what runs when, with which permissions and secrets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.settings import Name, Settings


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
    """What runs for one provider."""
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
