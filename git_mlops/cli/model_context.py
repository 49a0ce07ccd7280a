"""The settings that a model is registered and promoted by, and whose signatures count."""

import os
from typing import NamedTuple

import click

from git_mlops import config, env
from git_mlops.cli.common import find_repo
from git_mlops.config import Config
from git_mlops.errors import MlopsError
from git_mlops.git import objects
from git_mlops.git.repo import Repo, resolve
from git_mlops.git.trust import Trust
from git_mlops.models.context import Context

rules_option = click.option(
    "--rules",
    metavar="REV",
    help="Rules and trusted signers of this revision; default: the workspace, in CI origin's main branch.",
)


class Opened(NamedTuple):
    """The repository, and what decides in it."""

    repo: Repo
    context: Context


def opened(rules: str | None = None) -> Opened:
    """The repository the user stands in, with the rules of a revision or of the workspace."""
    repo = find_repo()
    rules = rules or (_of_ci(repo) if env.in_ci() else None)
    if rules is None:
        return Opened(repo, _context(repo, config.load(repo).config, None))
    commit = resolve(repo, rules)
    name = f"{commit}:{config.FILE}"
    content = objects.read_blobs(repo, [name]).get(name, config.MINIMAL.encode())
    return Opened(repo, _context(repo, config.load(repo, content).config, rules, commit))


def _of_ci(repo: Repo) -> str:
    """What the checked out commit says of its own rules is worth nothing beside the remote's main branch."""
    head = repo.text("rev-parse", "--verify", "--quiet", "refs/remotes/origin/HEAD^{commit}", ok=(0, 1, 128))
    return "refs/remotes/origin/HEAD" if head else "HEAD"


def _context(repo: Repo, settings: Config, rules: str | None, commit: str | None = None) -> Context:
    def trust() -> Trust | None:
        return trust_of(repo, settings, commit)

    label = "workspace" if rules is None or commit is None else f"{rules} ({commit[:12]})"
    return Context(settings.models, settings.experiments, settings.schemas, trust, rules=label)


def trust_of(repo: Repo, settings: Config, commit: str | None = None) -> Trust | None:
    """Those that `verdicts:` names; in the workspace, where it names nobody, whoever git itself trusts."""
    file = settings.verdicts.signers
    gpg = tuple(key.replace(" ", "").upper() for key in settings.verdicts.gpg)
    if commit is not None:
        name = f"{commit}:{file}"
        return Trust(objects.read_blobs(repo, [name]).get(name, b""), gpg)
    path = repo.root / file
    if path.is_file():
        return Trust(path.read_bytes(), gpg)
    return Trust(gpg=gpg) if gpg else None


def repository_path(repo: Repo, path: str) -> str:
    """A path as the user names it, from the top.

    Raises:
        MlopsError: it is outside the repository.
    """
    normal = os.path.normpath(os.path.join(repo.prefix, path))
    if normal.startswith("/") or normal.split("/")[0] in ("..", "."):
        raise MlopsError(f"`{path}` is not in this repository")
    return normal
