"""One check for the commit hook, `git mlops check` and CI: every rule, by the settings of that state."""

from collections.abc import Collection

from git_mlops import config, env
from git_mlops.checks import merged, run, weaker
from git_mlops.checks.context import Context
from git_mlops.checks.scope import Scope
from git_mlops.config import Config
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.git.repo import Repo, resolve
from git_mlops.schema.settings import Trust
from git_mlops.tables import forms


def checked(scope: Scope, *, skip: Collection[str] = (), deep: bool = False) -> list[Finding]:
    """Run every rule over the scope under the mlops.yaml of that same scope, staged or committed.

    A mlops.yaml that is itself wrong gives its finding alone: nothing else could be judged by it.
    """
    settings, wrong = settings_of(scope)
    if wrong:
        return wrong
    target = target_of(scope)
    context = Context(scope, settings, config.problems, deep, trust_of(scope, target), target)
    # not by the rule itself: its level would be the change's own
    unread = scope.target is not None and target is None and weaker.RULE not in skip
    return [*([weaker.unread()] if unread else []), *run.check(context, skip=skip)]


def previewed(repo: Repo, base: str) -> list[Finding]:
    """What merging `base` into HEAD would do to data, by the settings of HEAD's mlops.yaml."""
    name = f"HEAD:{config.FILE}"
    content = objects.read_blobs(repo, [name]).get(name, config.MINIMAL.encode())
    if wrong := list(config.problems(content)):
        return wrong
    settings = config.load(repo, content).config
    ours, theirs = resolve(repo, "HEAD"), resolve(repo, base)
    preview = merged.Preview(repo, base, ours, theirs, settings.data, settings.experiments)
    return merged.check(preview, settings.checks)


def settings_of(scope: Scope) -> tuple[Config, list[Finding]]:
    """The settings of the scope's mlops.yaml; where it is wrong, the default ones and what is wrong."""
    content = scope.read([config.FILE]).get(config.FILE)
    wrong = [] if content is None else list(config.problems(content))
    if content is None or wrong:
        forms.declare({})
        return Config(), wrong
    return config.load(scope.repo, content).config, wrong


def target_of(scope: Scope) -> Config | None:
    """The settings of the branch that a range is to enter; None: there is none, or they cannot be read."""
    if scope.target is None:
        return None
    name = f"{scope.target}:{config.FILE}"
    content = objects.read_blobs(scope.repo, [name]).get(name, config.MINIMAL.encode())
    try:
        return config.load(scope.repo, content, judging=False).config
    except MlopsError:
        return None


def trust_of(scope: Scope, target: Config | None) -> Trust | None:
    """Whose verdicts count: in CI those that are signed by whom the target branch names; elsewhere all.

    Without a target (a first push) nobody's: what the checked commits say of whom to trust is worth nothing.
    """
    if not env.in_ci():
        return None
    if target is None:
        return Trust()
    if target.verdicts.trust == "all":
        return None
    name = f"{scope.target}:{target.verdicts.signers}"
    signers = objects.read_blobs(scope.repo, [name]).get(name, b"")
    return Trust(signers, tuple(key.replace(" ", "").upper() for key in target.verdicts.gpg))
