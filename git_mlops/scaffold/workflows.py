"""The generated pipelines of a project just rendered or merged; the template's own commit has none."""

from typing import NamedTuple

import yaml

from git_mlops.decode import DecodeError, decode
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.scaffold import ci
from git_mlops.scaffold.settings import Settings


class Written(NamedTuple):
    """What became of them."""

    paths: tuple[str, ...]
    refused: tuple[str, ...]
    """Why some were not written."""


def write(repo: Repo) -> Written:
    """Generate those of `ci.providers` in the workspace's mlops.yaml, and stage them.

    A file that is not ours, or was edited by hand, stays; one of a provider that is named no more goes.
    """
    settings = _settings(repo)
    paths: list[str] = []
    refused: list[str] = []
    for name in settings.providers:
        try:
            paths += ci.generate(repo, name, settings)
        except MlopsError as error:
            refused.append(str(error))
    paths += ci.remove_others(repo, settings)
    if paths:
        repo.git("add", "--all", "--force", "--", *paths)
    return Written(tuple(dict.fromkeys(paths)), tuple(refused))


def _settings(repo: Repo) -> Settings:
    """Of that section alone: the rest of the file is not our business."""
    try:
        values = yaml.safe_load((repo.root / "mlops.yaml").read_bytes())
        section = values.get("ci") if isinstance(values, dict) else None
        return decode(Settings, section or {}, "ci")
    except (OSError, yaml.YAMLError, DecodeError):
        return Settings()  # `git mlops check` says what is wrong with it
