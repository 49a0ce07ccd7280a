"""What a URL says of its forge: a pull request's page as the CI names it, or a git remote."""

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from git_mlops.forges.client import same_origin


class Place(NamedTuple):
    """What is known of a target; None is not known."""

    forge: str | None = None
    api: str | None = None
    repository: str | None = None
    number: int | None = None


PUBLIC_API = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.com/api/v4",
    "bitbucket": "https://api.bitbucket.org/2.0",
}
_PUBLIC_HOSTS = {
    "github.com": "github",
    "ssh.github.com": "github",
    "gitlab.com": "gitlab",
    "altssh.gitlab.com": "gitlab",
    "bitbucket.org": "bitbucket",
    "altssh.bitbucket.org": "bitbucket",
    "codeberg.org": "gitea",
    "gitea.com": "gitea",
    "dev.azure.com": "azure",
    "ssh.dev.azure.com": "azure",
}
# the path of a pull request's page, from the end; the order decides
_PAGES = (
    ("gitlab", re.compile(r"/(?P<repository>.+?)/-/merge_requests/(?P<number>\d+)")),
    (
        "bitbucket-server",
        re.compile(
            r"(?P<root>.*)/(?P<kind>projects|users)/(?P<owner>[^/]+)/repos/(?P<name>[^/]+)/pull-requests/(?P<number>\d+)"
        ),
    ),
    (
        "azure",
        re.compile(
            r"(?P<root>.*)/(?P<owner>[^/]+)/_git/(?P<name>[^/]+)/pullrequest/(?P<number>\d+)", re.IGNORECASE
        ),
    ),
    ("bitbucket", re.compile(r"/(?P<repository>[^/]+/[^/]+)/pull-requests/(?P<number>\d+)")),
    ("github", re.compile(r"(?P<root>)/(?P<repository>[^/]+/[^/]+)/pull/(?P<number>\d+)")),
    ("gitea", re.compile(r"(?P<root>.*)/(?P<repository>[^/]+/[^/]+)/pulls/(?P<number>\d+)")),
)


def of_page(url: str) -> Place:
    """The place of a pull request's page; nothing where no forge has such pages."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return Place()
    host = parts.netloc.rpartition("@")[2]
    for forge, pattern in _PAGES:
        match = pattern.match(unquote(parts.path))
        if match is None or (forge == "bitbucket" and host != "bitbucket.org"):
            continue
        found = match.groupdict()
        owner = ("~" if found.get("kind") == "users" else "") + (found.get("owner") or "")
        repository = found.get("repository") or f"{owner}/{found['name']}"
        base = f"{parts.scheme}://{host}{found.get('root') or ''}"
        return Place(forge, api_of(forge, base), repository, int(found["number"]))
    return Place()


def api_of(forge: str, base: str) -> str:
    """The API of an instance, from its own address."""
    public = PUBLIC_API.get(forge)
    if public and (same_origin(base, "https://github.com") or same_origin(base, "https://gitlab.com")):
        return public
    if forge == "bitbucket":
        return PUBLIC_API["bitbucket"]
    return base.rstrip("/") + {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1"}.get(forge, "")


def of_remote(url: str, forge: str | None = None) -> Place:
    """The place of a git remote: of a public forge by its host, of another where `forge` says what it is."""
    match = re.fullmatch(r"(?:[^@/:]+@)?([^/:]+):(?!/)(.+)", url)
    host, path = (match[1], match[2]) if match and "://" not in url else _split(url)
    host = host.lower()
    known = _PUBLIC_HOSTS.get(host.partition(":")[0])
    if not host or (known is None and forge is None) or (known and forge and known != forge):
        return Place()
    forge = known or forge or ""
    path = unquote(path).strip("/").removesuffix(".git")
    scheme = "http" if url.startswith("http://") else "https"
    if forge == "azure":
        return _azure(path)
    if forge == "bitbucket-server":
        path = path.removeprefix("scm/")
    base = f"{scheme}://{host.removeprefix('ssh.').removeprefix('altssh.') if known else host}"
    return Place(forge, api_of(forge, base), path if "/" in path else None)


def _split(url: str) -> tuple[str, str]:
    """Host and path; the port only where it is the web server's."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ssh", "git+ssh", "git"):
        return "", ""
    web = parts.scheme in ("http", "https")
    return (parts.netloc.rpartition("@")[2] if web else parts.hostname or ""), parts.path


def _azure(path: str) -> Place:
    """`ORG/PROJECT/_git/REPOSITORY`, over SSH `v3/ORG/PROJECT/REPOSITORY`."""
    parts = [part for part in path.split("/") if part not in ("_git", "v3")]
    if len(parts) != 3:
        return Place()
    return Place("azure", f"https://dev.azure.com/{parts[0]}", f"{parts[1]}/{parts[2]}")
