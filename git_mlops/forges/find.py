"""Where the report goes: flags first, then the CI's own variables, then the git remotes.

Nothing that a pull request contains has a say in where the token is sent.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from git_mlops.errors import MlopsError
from git_mlops.forges import ci, urls
from git_mlops.forges.registry import FORGES
from git_mlops.forges.values import Purpose, Secret, Target
from git_mlops.git import config
from git_mlops.git.repo import Repo

TOKENS: Mapping[str, tuple[str, ...]] = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "bitbucket": ("BITBUCKET_TOKEN",),
    "bitbucket-server": ("BITBUCKET_TOKEN",),
    "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"),
    "azure": ("SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"),
}
"""Variables that may hold the token, the first one first; `MLOPS_FORGE_TOKEN` comes before them all."""

_FLAGS = "`--forge`, `--repo OWNER/NAME`, {}and `--api URL` for an instance of your own"
_OPENED: Mapping[Purpose, str] = {"open": "pull request", "issue": "issue"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Overrides(NamedTuple):
    """What flags say; None leaves it to the environment."""

    forge: str | None = None
    repository: str | None = None
    number: int | None = None
    api: str | None = None
    head: str | None = None
    token_variable: str | None = None


def target(
    repo: Repo | None,
    environment: Mapping[str, str],
    overrides: Overrides,
    *,
    dry_run: bool,
    purpose: Purpose = "comment",
) -> Target:
    """Where a report goes, a pull request or an issue: `find` with the remotes of a repository.

    Raises:
        MlopsError: nobody says where, or there is no token.
    """
    urls = _remotes(repo) if repo else ()
    return find(environment, urls, overrides, token_needed=not dry_run, purpose=purpose)


def _remotes(repo: Repo) -> Sequence[str]:
    """The URLs of the git remotes, `origin` first."""
    found = config.read(repo, r"^remote\..*\.url$")
    return [found[key].value for key in sorted(found, key=lambda key: key != "remote.origin.url")]


def find(
    environment: Mapping[str, str],
    remote_urls: Sequence[str] = (),
    overrides: Overrides = Overrides(),  # noqa: B008  # a NamedTuple cannot change
    *,
    token_needed: bool = True,
    purpose: Purpose = "comment",
) -> Target:
    """The target of a report, or where a pull request is to be opened.

    `remote_urls`: the URLs of the git remotes, the preferred one first. Without `token_needed` (a dry
    run) a missing token is no error.

    Raises:
        MlopsError: no forge, repository, API or token is known; says which flag or variable is missing.
    """
    known = ci.facts(environment)
    name, said = known or ("", ci.Facts())
    if overrides.forge and said.forge and said.forge != overrides.forge:
        said = ci.Facts(head=said.head, run=said.run)
    forge = _forge(overrides.forge or said.forge or _of_remotes(remote_urls, None).forge, name, purpose)
    remote = _of_remotes(remote_urls, forge) if not said.repository else urls.Place()
    repository = overrides.repository or said.repository or remote.repository
    if not repository:
        raise MlopsError(f"which repository of {FORGES[forge].TITLE}?", hint="`--repo OWNER/NAME`")
    api = overrides.api or said.api or remote.api or urls.PUBLIC_API.get(forge)
    variable, token = _token(environment, forge, overrides.token_variable)
    if not token and token_needed:
        raise _no_token(forge, variable, purpose, fork=said.fork)
    return Target(
        forge=forge,
        api=_checked_api(forge, api, given=overrides.api is not None),
        repository=_checked_repository(forge, repository),
        number=overrides.number or said.number,
        head=_checked_head(overrides.head or said.head),
        token=token,
        token_variable=variable,
        run=said.run,
        source=said.source if not overrides.repository else None,
    )


def _forge(found: str | None, ci_name: str, purpose: Purpose) -> str:
    if found in FORGES:
        return found
    if found:
        raise MlopsError(f"no forge `{found}`", hint=f"there are {', '.join(f'`{name}`' for name in FORGES)}")
    where = f"{ci_name} does not say" if ci_name else "neither a CI nor a git remote says"
    if purpose in _OPENED:
        raise MlopsError(f"{where} where to open the {_OPENED[purpose]}", hint=f"say it: {_FLAGS.format('')}")
    hint = f"say it: {_FLAGS.format('`--pr NUMBER`, ')}"
    raise MlopsError(f"{where} which pull request this is for", hint=hint)


def _of_remotes(remote_urls: Sequence[str], forge: str | None) -> urls.Place:
    places = (urls.of_remote(url, forge) for url in remote_urls)
    return next((place for place in places if place.forge), urls.Place())


def _token(environment: Mapping[str, str], forge: str, named: str | None) -> tuple[str, Secret]:
    names = (named,) if named else ("MLOPS_FORGE_TOKEN", *TOKENS[forge])
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            if not value.isprintable() or not value.isascii() or " " in value:
                raise MlopsError(f"`{name}` does not hold a token: it has blanks or control characters")
            return name, Secret(value)
    return named or TOKENS[forge][0], Secret("")


def _no_token(forge: str, variable: str, purpose: Purpose, *, fork: bool) -> MlopsError:
    needs = FORGES[forge].NEEDS[purpose]
    hint = f"set `{variable}`, or name another variable with `--token-variable`; {needs}"
    if fork:
        hint = (
            "a pull request from a fork gets no secrets: keep the report as a file (`--bundle FILE`) and post"
            " it from a job of the target's own branch"
        )
    return MlopsError(f"there is no token for {FORGES[forge].TITLE}: `{variable}` is not set", hint=hint)


def _checked_api(forge: str, api: str | None, *, given: bool) -> str:
    title = FORGES[forge].TITLE
    if not api:
        raise MlopsError(f"where is the API of {title}?", hint="`--api URL`")
    api = api.rstrip("/").removesuffix("/rest/api/1.0").removesuffix("/rest/api/latest")
    parts = urlsplit(api)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise MlopsError(f"`{_shown(api)}` is no API's URL", hint="it looks like `https://HOST/PATH`")
    if parts.username or parts.password:
        raise MlopsError(
            f"`{_shown(api)}` holds a name or password", hint="the token's variable is the place"
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not given:
        raise MlopsError(
            f"`{api}` has no TLS: everybody on the way would read the token",
            hint=f"use `https://`, or, if you must, say it yourself: `--api {api}`",
        )
    return api


def _shown(api: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", api)


def _checked_repository(forge: str, repository: str) -> str:
    """Every part goes into a URL: nothing in it may lead elsewhere."""
    parts = repository.strip("/").split("/")
    number = forge == "gitlab" and repository.isdigit()
    allowed = all(re.fullmatch(r"[\w.~{}+ ()-]+", part) and part.strip(".") for part in parts)
    if number or (allowed and (len(parts) == 2 or (forge == "gitlab" and len(parts) > 2))):
        return "/".join(parts)
    form = "PROJECT/REPOSITORY" if forge in ("azure", "bitbucket-server") else "OWNER/NAME"
    raise MlopsError(f"`{repository}` is no repository of {FORGES[forge].TITLE}", hint=f"`--repo {form}`")


def _checked_head(head: str | None) -> str | None:
    if head is None or re.fullmatch(r"[0-9a-f]{7,64}", head):
        return head
    raise MlopsError(f"`{head}` is no commit id", hint="`--head` takes the full one: `git rev-parse HEAD`")
