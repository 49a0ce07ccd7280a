"""The forges we can post to: one module each."""

from git_mlops.forges import azure, bitbucket, bitbucket_server, gitea, github, gitlab
from git_mlops.forges.values import Forge

FORGES: dict[str, Forge] = {
    "github": github,
    "gitlab": gitlab,
    "bitbucket": bitbucket,
    "bitbucket-server": bitbucket_server,
    "gitea": gitea,
    "azure": azure,
}
