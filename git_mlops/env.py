"""The process environment: the one file that reads it."""

import os
from collections.abc import Mapping

# what git sets for its hooks; it must not leak into a process that works on another repository
_REPOSITORY_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)


def get(name: str) -> str | None:
    """The variable's value, or None where it is unset or empty."""
    return os.environ.get(name) or None


CI = ("CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "BITBUCKET_BUILD_NUMBER", "GITLAB_CI")


def in_ci() -> bool:
    """Whether a CI service runs this, as they say it themselves."""
    return any((get(name) or "false").lower() not in ("false", "0") for name in CI)


def starting_with(prefix: str) -> dict[str, str]:
    """Every variable whose name starts with `prefix`."""
    return {name: value for name, value in os.environ.items() if name.startswith(prefix)}


def change(values: Mapping[str, str | None]) -> None:
    """Set variables of this process (None unsets): for libraries that take no argument for it."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def expanded(path: str) -> str:
    """The path with `~` as the user's home."""
    return os.path.expanduser(path)  # noqa: PTH111  # pathlib raises where there is no home


def dvc_config_folders() -> list[str]:
    """Where DVC's user-wide and system-wide configuration would be, the stronger first."""
    user = get("DVC_GLOBAL_CONFIG_DIR")
    base = get("XDG_CONFIG_HOME") or (f"{home}/.config" if (home := get("HOME")) else None)
    folders = [user or (f"{base}/dvc" if base else None), get("DVC_SYSTEM_CONFIG_DIR") or "/etc/xdg/dvc"]
    return [folder for folder in folders if folder]


def for_git(*, foreign: bool = False) -> dict[str, str]:
    """A git child's environment: fixed locale, no prompts' surprises, no needless index writes.

    `GIT_*` is kept for the user's own repository (a commit runs its hooks with a temporary
    `GIT_INDEX_FILE`) and stripped when the child works on a `foreign` one.
    """
    child = for_child(foreign=foreign)
    child |= {"LC_ALL": "C", "LANGUAGE": "", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "0"}
    return child


def for_child(extra: Mapping[str, str] | None = None, *, foreign: bool = True) -> dict[str, str]:
    """The environment of any other child, by default without git's own repository variables."""
    child = dict(os.environ)
    if foreign:
        for name in _REPOSITORY_VARIABLES:
            child.pop(name, None)
    return child | dict(extra or {})
