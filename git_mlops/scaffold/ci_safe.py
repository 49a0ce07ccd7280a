"""What no pipeline can hold safely is refused before anything is written.

Commands (`install`, `test`, `deploy`, `bring`) stand in `.mlops/ci.sh` alone, quoted for the shell: no
provider replaces anything in them. All that stands in a provider's own file is names of a known shape.
"""

import re
from collections.abc import Iterator, Mapping

from git_mlops.errors import MlopsError
from git_mlops.scaffold.settings import Settings

_COMMANDS = ("install", "test", "deploy", "train.bring", "monitor.bring")
_RUNNER = (r"[\w.:/\-]+( [\w.:/\-]+)*", "a runner's label: letters, digits and `. : / -`")
_MODEL = (
    r"(?:[A-Za-z0-9][\w.\-]*(?:/[A-Za-z0-9][\w.\-]*)*[:=])?[A-Za-z0-9][\w\-/]*(?:@[\w.+\-]+|#[\w\-/]+)?",
    "a model, as in `churn` or `churn#prod`",
)
_SHAPES = {
    "python": (r"[0-9][0-9A-Za-z.\-]*", "a version, as in `3.12`"),
    "runner": _RUNNER,
    "train.runner": _RUNNER,
    "monitor.runner": _RUNNER,
    "train.model": _MODEL,
    "monitor.model": _MODEL,
    "image": (r"[A-Za-z0-9][A-Za-z0-9._:/@+\-]*", "a container image, as in `python:3.12`"),
    "git_credentials": (r"[\w.\-]+", "the id of credentials in Jenkins"),
}
_SECRET = r"[A-Za-z_][A-Za-z0-9_]*"  # noqa: S105  # the shape of a name
_SECRETS = ("secrets", "deploy_secrets", "monitor.secrets", "train.token", "monitor.token")
_OURS = ("GITHUB_", "MLOPS_", "CI_", "GITLAB_")
_SHELLS = frozenset(
    ("PATH", "HOME", "IFS", "ENV", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH", "BASE", "HEAD")
)
_STAGE = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-/_]*[a-zA-Z0-9])?"
# what every provider's patterns have in common
_BRANCH = re.compile(r"[\w.\-/]*(?:\*{1,2}[\w.\-/]*)*")
_FREE = ("github", "gitea", "sh")
# minute, hour, day, month, weekday: what every provider reads alike
_CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_FIELD = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?")


def refuse_unsafe(name: str, settings: Settings) -> None:
    """Raise for a setting that the provider's file cannot hold.

    Raises:
        MlopsError: which setting, and why (exit code 2).
    """
    texts = [*_texts(settings._asdict())]
    for key, text in texts:
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
        if key in _SECRETS:
            _secret(key, text)
        if key.endswith(".schedule"):
            _schedule(key, text)
    _stages(settings)
    _models(settings)
    _rest(settings)
    if name not in _FREE:
        for branch in settings.branches:
            if not _BRANCH.fullmatch(branch):
                hint = "letters, digits, `. _ - /`, and `*` or `**` for what may be anything"
                raise _refused("branches", f"`{branch}` cannot be said to {name}", hint=hint)


def _texts(values: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    """Every text, with its key."""
    for name, value in values.items():
        key = above + name
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            for text in (*value, *value.values()):
                yield key, text
        elif isinstance(value, tuple) and hasattr(value, "_asdict"):
            yield from _texts(value._asdict(), f"{key}.")
        elif isinstance(value, tuple):
            for text in value:
                yield key, text


def _secret(key: str, secret: str) -> None:
    reserved = secret.upper().startswith(_OURS) or secret.upper() in _SHELLS
    if reserved or not re.fullmatch(_SECRET, secret):
        hint = "letters, digits and underscores, as in `AWS_ACCESS_KEY_ID`"
        if reserved:
            hint = "that name is the provider's, the shell's or ours"
        raise _refused(key, f"`{secret}` cannot be the name of a secret", hint=hint)


def _schedule(key: str, text: str) -> None:
    fields = text.split(" ")
    if len(fields) != len(_CRON) or not all(map(_field, fields, _CRON)):
        hint = (
            "five numbers, `*`, lists, ranges or steps: minute hour day month weekday, in UTC:"
            " `0 3 * * 1` is Monday at three"
        )
        raise _refused(key, f"`{text}` is not a schedule that every provider reads alike", hint=hint)


def _field(text: str, bounds: tuple[int, int]) -> bool:
    for one in text.split(","):
        found = _FIELD.fullmatch(one)
        if found is None:
            return False
        first, last = (int(number) if number else None for number in found.group(1, 2))
        if not all(bounds[0] <= number <= bounds[1] for number in (first, last) if number is not None):
            return False
        if (first is not None and last is not None and last < first) or (
            found[3] and first is not None and last is None
        ):
            return False
    return True


def _stages(settings: Settings) -> None:
    for stage, command in settings.deploy.items():
        if not re.fullmatch(_STAGE, stage) or "//" in stage:
            hint = "letters, digits, `-` and `_`, with a letter or digit at both ends"
            raise _refused("deploy", f"`{stage}` cannot be the name of a stage", hint=hint)
        if not command.strip():
            raise _refused(f"deploy.{stage}", "no command")


def _models(settings: Settings) -> None:
    train, monitor = settings.train, settings.monitor
    for key, one in (("train", train), ("monitor", monitor)):
        if one is not None and not one.model:
            raise _refused(f"{key}.model", "an empty list", hint="the name of a registered model")
    if train is None:
        return
    for model in train.model:
        if "@" in model:
            hint = "its champion holds a stage: `churn#prod`"
            raise _refused("train.model", f"`{model}` names a version", hint=hint)
    if "drift" in train.when and monitor is None:
        hint = "`ci: {monitor: {model: …, schedule: …}}`, or leave it out"
        raise _refused("train.when", "drift is found by `ci.monitor`, which is not there", hint=hint)
    if "drift" in train.when and monitor is not None:
        watched = {re.split("[#@]", model)[0] for model in monitor.model}
        if not any(model.partition("#")[0] in watched for model in train.model):
            raise _refused("train.when", f"`ci.monitor` does not watch `{train.model[0]}`")


def _rest(settings: Settings) -> None:
    for key in ("python", "branches"):
        if not getattr(settings, key):
            raise _refused(key, "an empty list", hint="leave the key out for the default")
    times = {"timeout": settings.timeout}
    if settings.train is not None:
        times["train.timeout"] = settings.train.timeout
    for key, minutes in times.items():
        if not 1 <= minutes <= _LONGEST:
            raise _refused(key, f"{minutes} minutes", hint=f"1 to {_LONGEST}")
    if settings.image and settings.python[1:]:
        hint = "leave out `ci.image`, or name one version"
        raise _refused("image", "an image has one Python, `ci.python` names several", hint=hint)


_LONGEST = 7 * 24 * 60


def _refused(key: str, why: str, hint: str | None = None) -> MlopsError:
    return MlopsError(f"mlops.yaml: `ci.{key}`: {why}", hint=hint)
