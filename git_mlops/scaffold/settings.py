"""The `ci:` section of mlops.yaml."""

from typing import Literal, NamedTuple

Name = Literal["github", "gitlab", "jenkins", "azure", "bitbucket", "circleci", "gitea", "sh"]
"""A provider; `gitea` is Forgejo, too, `sh` the plain script alone."""


class Train(NamedTuple):
    """When models are trained again, and proposed: `git mlops retrain … --pull-request`."""

    model: tuple[str, ...]
    """Names; `churn#prod` says whose holder is the champion."""
    schedule: str | None = None
    """Five fields of cron, in UTC: `0 3 * * 1`."""
    when: tuple[Literal["data", "drift"], ...] = ()
    """Also when a push to the main branch changes pointers of data, or when `ci.monitor` finds drift."""
    bring: str | None = None
    """A command that brings new data, for `--data` among the options."""
    options: tuple[str, ...] = ()
    """More words for `git mlops retrain`: `[--data, data/train.csv=new.csv, --register]`."""
    token: str | None = None
    """The name of a secret that may push and open pull requests, in place of the provider's own."""
    runner: tuple[str, ...] = ()
    """Labels of another runner than `ci.runner`."""
    timeout: int = 360


class Monitor(NamedTuple):
    """When what is served is watched: `git mlops monitor … --alert`."""

    model: tuple[str, ...]
    """`churn`, `churn@v1.2.0` or `churn#prod`."""
    schedule: str | None = None
    bring: str | None = None
    """A command that brings the log of what was served, where the job cannot read it where it is."""
    options: tuple[str, ...] = ()
    """More words for `git mlops monitor`: `[--log, serve-log, --since, 7d]`."""
    secrets: tuple[str, ...] = ()
    """Names of CI secrets for that command and for alerts."""
    token: str | None = None
    """The name of a secret that may push the history and open issues, in place of the provider's own."""
    runner: tuple[str, ...] = ()


class Settings(NamedTuple):
    """What the generated pipelines do."""

    providers: tuple[Name, ...] = ()
    """Whose files `git mlops ci generate` writes when none is named."""
    python: tuple[str, ...] = ("3.11",)
    """Versions; the first one checks and reports, the tests run with each."""
    branches: tuple[str, ...] = ("main",)
    """Branches whose pushes are checked, beside every pull request; the first one is the main branch."""
    install: str = "python -m pip install -r requirements.txt"
    """The command that installs the project, git-mlops included."""
    secrets: tuple[str, ...] = ()
    """Names of CI secrets that the DVC remote needs, as environment variables (`AWS_ACCESS_KEY_ID`)."""
    pull: tuple[str, ...] = ()
    """Data that the tests need, beside what the checked commits change."""
    test: str | None = None
    """A command that runs the project's tests after the checks."""
    comment: bool = False
    """Whether the report becomes a comment on the pull request, kept up to date."""
    cache: bool = True
    """Whether downloaded packages and DVC's cache are kept between runs."""
    runner: tuple[str, ...] = ()
    """Labels of the runner, as the provider calls them: `[self-hosted, gpu]`."""
    image: str | None = None
    """A container image that brings Python, git and whatever else (CUDA), in place of the provider's."""
    timeout: int = 60
    """Minutes after which a job is ended."""
    deploy: dict[str, str] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    """Stage of a model → the command that deploys it, run when a version gets the stage (`NAME#STAGE#N`)."""
    deploy_secrets: tuple[str, ...] = ()
    """Names of CI secrets for that command alone."""
    train: Train | None = None
    monitor: Monitor | None = None
    git_credentials: str | None = None
    """Jenkins: the id of the credentials that `git fetch` needs there."""
