"""One check for the commit hook, `git mlops check` and CI: every rule, by the settings of that state."""

from collections.abc import Collection

from git_mlops import config
from git_mlops.checks import run
from git_mlops.checks.context import Context
from git_mlops.checks.scope import Scope
from git_mlops.config import Config
from git_mlops.findings import Finding


def checked(scope: Scope, *, skip: Collection[str] = ()) -> list[Finding]:
    """Run every rule over the scope under the mlops.yaml of that same scope, staged or committed.

    A mlops.yaml that is itself wrong gives its finding alone: nothing else could be judged by it.
    """
    settings, wrong = settings_of(scope)
    return wrong or run.check(Context(scope, settings, config.problems), skip=skip)


def settings_of(scope: Scope) -> tuple[Config, list[Finding]]:
    """The settings of the scope's mlops.yaml; where it is wrong, the default ones and what is wrong."""
    content = scope.read([config.FILE]).get(config.FILE)
    if content is None:
        return Config(), []
    wrong = list(config.problems(content))
    return (Config() if wrong else config.load(scope.repo, content).config), wrong
