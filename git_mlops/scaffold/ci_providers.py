"""The providers: which files each has, and when. `PROVIDERS` is the whole list."""

from typing import NamedTuple

from git_mlops.scaffold.settings import Name, Settings


class File(NamedTuple):
    """One generated file."""

    path: str
    """In the project."""
    template: tuple[str, ...]
    comment: str = "#"
    """What starts a line that the provider does not read."""
    asked_by: str | None = None
    """The setting without which the file is not there."""
    first: str = ""
    """A line before our header."""

    def wanted(self, settings: Settings) -> bool:
        """Whether these settings ask for it."""
        return self.asked_by is None or bool(getattr(settings, self.asked_by))


class Provider(NamedTuple):
    """Somebody who runs pipelines."""

    title: str
    own: tuple[File, ...]

    @property
    def files(self) -> tuple[File, ...]:
        """Its own, and the script that they all call."""
        return (*self.own, SCRIPT)

    @property
    def path(self) -> str:
        """Of the pipeline of pull requests."""
        return self.files[0].path


SCRIPT = File(".mlops/ci.sh", ("sh", "ci.sh.jinja"), first="#!/bin/sh\n")


def _actions(folder: str, *, comment: bool) -> tuple[File, ...]:
    """Gitea and Forgejo read GitHub's workflows; they have no `workflow_run` to post with."""
    poster = File(f"{folder}/mlops-comment.yml", ("github", "comment.yml.jinja"), asked_by="comment")
    return (
        File(f"{folder}/mlops.yml", ("github", "mlops.yml.jinja")),
        *((poster,) if comment else ()),
        File(f"{folder}/mlops-deploy.yml", ("github", "deploy.yml.jinja"), asked_by="deploy"),
        File(f"{folder}/mlops-train.yml", ("github", "train.yml.jinja"), asked_by="train"),
        File(f"{folder}/mlops-monitor.yml", ("github", "monitor.yml.jinja"), asked_by="monitor"),
    )


PROVIDERS: dict[Name, Provider] = {
    "github": Provider("GitHub Actions", _actions(".github/workflows", comment=True)),
    "gitlab": Provider("GitLab CI", (File(".gitlab-ci.yml", ("gitlab", "gitlab-ci.yml.jinja")),)),
    "jenkins": Provider(
        "Jenkins",
        (
            File("Jenkinsfile", ("jenkins", "Jenkinsfile.jinja"), comment="//"),
            # jobs of their own: what a cron started cannot be told, and a training would keep pushes waiting
            File("Jenkinsfile.train", ("jenkins", "Jenkinsfile.train.jinja"), "//", asked_by="train"),
            File("Jenkinsfile.monitor", ("jenkins", "Jenkinsfile.monitor.jinja"), "//", asked_by="monitor"),
        ),
    ),
    "azure": Provider(
        "Azure Pipelines", (File("azure-pipelines.yml", ("azure", "azure-pipelines.yml.jinja")),)
    ),
    "bitbucket": Provider(
        "Bitbucket Pipelines",
        (File("bitbucket-pipelines.yml", ("bitbucket", "bitbucket-pipelines.yml.jinja")),),
    ),
    "circleci": Provider("CircleCI", (File(".circleci/config.yml", ("circleci", "config.yml.jinja")),)),
    "gitea": Provider("Gitea and Forgejo Actions", _actions(".gitea/workflows", comment=False)),
    "sh": Provider("any other", ()),
}

_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1  # v7.0.1"
_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97  # v7.0.0"
_CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae  # v5.0.5"

ACTIONS: dict[str, dict[str, str]] = {
    "github": {
        "checkout": _CHECKOUT,
        "python": _PYTHON,
        "cache": _CACHE,
        "upload": "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a  # v7.0.1",
        "download": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c  # v8.0.1",
    },
    "gitea": {
        "checkout": _CHECKOUT,
        "python": _PYTHON,
        "cache": _CACHE,
        # later ones refuse every server but GitHub's
        "upload": "actions/upload-artifact@a8a3f3ad30e3422c9c7b888a15615d19a852ae32  # v3.1.3",
        "download": "actions/download-artifact@9bc31d5ccc31df68ecc42ccf4149144866c47d8a  # v3.0.2",
    },
}
"""Actions by commit: a tag can be moved to other code."""
