"""What no pipeline can hold safely is refused before anything is written.

Commands (`install`, `test`, `deploy`) stand in `.mlops/ci.sh` alone, quoted for the shell: no provider
replaces anything in them. All that stands in a provider's own file is names of a known shape.
"""

import re
from collections.abc import Iterator

from git_mlops.errors import MlopsError
from git_mlops.scaffold.settings import Settings

_COMMANDS = ("install", "test", "deploy")
_SHAPES = {
    "python": (r"[0-9][0-9A-Za-z.\-]*", "a version, as in `3.12`"),
    "runner": (r"[\w.:/\-]+( [\w.:/\-]+)*", "a runner's label: letters, digits and `. : / -`"),
    "image": (r"[A-Za-z0-9][A-Za-z0-9._:/@+\-]*", "a container image, as in `python:3.12`"),
    "git_credentials": (r"[\w.\-]+", "the id of credentials in Jenkins"),
}
_SECRET = r"[A-Za-z_][A-Za-z0-9_]*"  # noqa: S105  # the shape of a name
_OURS = ("GITHUB_", "MLOPS_", "CI_", "GITLAB_")
_SHELLS = frozenset(
    ("PATH", "HOME", "IFS", "ENV", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "BASE", "HEAD")
)
_STAGE = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-/_]*[a-zA-Z0-9])?"
# what every provider's patterns have in common
_BRANCH = re.compile(r"[\w.\-/]*(?:\*{1,2}[\w.\-/]*)*")
_FREE = ("github", "gitea", "sh")


def refuse_unsafe(name: str, settings: Settings) -> None:
    """Raise for a setting that the provider's file cannot hold.

    Raises:
        MlopsError: which setting, and why (exit code 2).
    """
    for key, text in _texts(settings):
        if "${{" in text:
            raise _refused(
                key,
                "the forge would replace `${{` before the shell sees it",
                hint="secrets that the DVC remote needs belong to `ci.secrets`, by name",
            )
        if "\0" in text or (key not in _COMMANDS and not text.isprintable()):
            raise _refused(key, f"control characters in {text!r}")
        if key in _SHAPES and not re.fullmatch(_SHAPES[key][0], text):
            raise _refused(key, f"`{text}` is not {_SHAPES[key][1]}")
    _secrets(settings)
    _stages(settings)
    _rest(settings)
    if name not in _FREE:
        for branch in settings.branches:
            if not _BRANCH.fullmatch(branch):
                hint = "letters, digits, `. _ - /`, and `*` or `**` for what may be anything"
                raise _refused("branches", f"`{branch}` cannot be said to {name}", hint=hint)


def _texts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every text, with its key."""
    for key, value in settings._asdict().items():
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            for text in (*value, *value.values()):
                yield key, text
        elif isinstance(value, tuple):
            for text in value:
                yield key, text


def _secrets(settings: Settings) -> None:
    for key in ("secrets", "deploy_secrets"):
        for secret in getattr(settings, key):
            reserved = secret.upper().startswith(_OURS) or secret.upper() in _SHELLS
            if reserved or not re.fullmatch(_SECRET, secret):
                hint = "letters, digits and underscores, as in `AWS_ACCESS_KEY_ID`"
                if reserved:
                    hint = "that name is the provider's, the shell's or ours"
                raise _refused(key, f"`{secret}` cannot be the name of a secret", hint=hint)


def _stages(settings: Settings) -> None:
    for stage, command in settings.deploy.items():
        if not re.fullmatch(_STAGE, stage) or "//" in stage:
            hint = "letters, digits, `-` and `_`, with a letter or digit at both ends"
            raise _refused("deploy", f"`{stage}` cannot be the name of a stage", hint=hint)
        if not command.strip():
            raise _refused(f"deploy.{stage}", "no command")


def _rest(settings: Settings) -> None:
    for key in ("python", "branches"):
        if not getattr(settings, key):
            raise _refused(key, "an empty list", hint="leave the key out for the default")
    if not 1 <= settings.timeout <= _LONGEST:
        raise _refused("timeout", f"{settings.timeout} minutes", hint=f"1 to {_LONGEST}")
    if settings.image and settings.python[1:]:
        hint = "leave out `ci.image`, or name one version"
        raise _refused("image", "an image has one Python, `ci.python` names several", hint=hint)


_LONGEST = 7 * 24 * 60


def _refused(key: str, why: str, hint: str | None = None) -> MlopsError:
    return MlopsError(f"mlops.yaml: `ci.{key}`: {why}", hint=hint)
