"""Pipelines compiled from the `ci:` section of mlops.yaml: write them, and find where they drifted."""

import difflib
from collections.abc import Iterator
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.scaffold.ci_blocks import blocks, filled
from git_mlops.scaffold.ci_compile import compiled, ours
from git_mlops.scaffold.ci_providers import PROVIDERS, File
from git_mlops.scaffold.settings import Name, Settings

RULE = "ci-current"
_FOREIGN = "was edited by hand, or is not a file that git-mlops generated"


class _State(NamedTuple):
    """One file: as it is, and as it has to be (None: not there)."""

    file: File
    present: str | None
    text: str | None
    lost: tuple[str, ...] = ()
    """Blocks of the user's that have no place in it any more."""


def chosen(repo: Repo, names: tuple[Name, ...], settings: Settings) -> tuple[Name, ...]:
    """The providers that are meant: those named, else `ci.providers`, else those whose file is there.

    Raises:
        MlopsError: none of them (exit code 2).
    """
    found = (
        names
        or settings.providers
        or tuple(name for name, one in PROVIDERS.items() if one.own and _is_ours(repo, one.path))
    )
    if not found and _is_ours(repo, PROVIDERS["sh"].path):
        return ("sh",)
    if not found:
        raise MlopsError(
            "which provider?",
            hint=f"name it, or set `ci.providers` in mlops.yaml: {', '.join(PROVIDERS)}",
        )
    return tuple(dict.fromkeys(found))


def generate(repo: Repo, name: Name, settings: Settings, *, force: bool = False) -> tuple[str, ...]:
    """Write the provider's files, and remove those that the settings ask for no more; the paths that changed.

    Nothing is written unless all can be.

    Raises:
        MlopsError: a file was edited by hand or is not ours, and `force` was not given; a block of the user's
            has no place any more; a setting that no pipeline can hold safely; a path leads out of the
            repository (exit code 2).
    """
    states = [state for state in _states(repo, name, settings) if state.present != state.text]
    for state in states:
        if not force:
            _refuse_loss(name, state)
    for state in states:
        file = repo.root / state.file.path
        if state.text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, state.text.encode())
    return tuple(state.file.path for state in states)


def remove_others(repo: Repo, settings: Settings) -> tuple[str, ...]:
    """Remove files of providers that `ci.providers` does not name: two CIs would run; the paths.

    One that was edited, or has a block of the user's, stays.
    """
    found = tuple(state for state in _others(repo, settings) if not state.lost)
    for state in found:
        (repo.root / state.file.path).unlink()
    return tuple(state.file.path for state in found)


def others(repo: Repo, settings: Settings) -> list[Finding]:
    """Files of providers that `ci.providers` does not name."""
    return [
        Finding(
            RULE,
            "error",
            "is there, though `ci.providers` does not name its provider",
            state.file.path,
            hint="`git mlops ci generate` removes it, unless something in it is yours",
        )
        for state in _others(repo, settings)
    ]


def _others(repo: Repo, settings: Settings) -> Iterator[_State]:
    for name, provider in PROVIDERS.items():
        if not settings.providers or name in settings.providers:
            continue
        for file in provider.own:
            try:
                present = _present(repo, file.path)
            except MlopsError:
                continue  # a link is none of ours
            if present is not None and ours(present):
                yield _State(file, present, None, tuple(blocks(present)))


def drift(repo: Repo, name: Name, settings: Settings) -> list[Finding]:
    """What is wrong with the files on disk, each with its difference as `data["diff"]`."""
    states = _states(repo, name, settings)
    return [_finding(name, state) for state in states if state.present != state.text]


def _states(repo: Repo, name: Name, settings: Settings) -> list[_State]:
    found = []
    for file in PROVIDERS[name].files:
        present = _present(repo, file.path)
        if not file.wanted(settings):
            # somebody else's file of that name is none of our business
            if present is not None and ours(present):
                found.append(_State(file, present, None, tuple(blocks(present))))
            continue
        text = compiled(name, settings, file)
        whole = filled(text, present or "")
        found.append(_State(file, present, whole.text, whole.lost))
    return found


def _refuse_loss(name: Name, state: _State) -> None:
    if state.present is not None and not ours(state.present):
        raise MlopsError(
            f"`{state.file.path}` {_FOREIGN}",
            hint="move what you changed to `ci:` in mlops.yaml or between markers of `yours`, then"
            f" `git mlops ci generate {name} --force`",
        )
    if state.lost:
        raise MlopsError(
            f"`{state.file.path}`: there is no place any more for what is yours in `{state.lost[0]}`",
            hint=f"move it elsewhere, then `git mlops ci generate {name} --force`",
        )


def _finding(name: Name, state: _State) -> Finding:
    path = state.file.path
    names = (f"{path} (on disk)", f"{path} (as mlops.yaml says)")
    before, after = (state.present or "").splitlines(), (state.text or "").splitlines()
    lines = difflib.unified_diff(before, after, *names, lineterm="")
    option = ""
    if state.present is None:
        message = "does not exist"
    elif not ours(state.present):
        message, option = _FOREIGN, " --force"
    elif state.text is None:
        message = "is there, though mlops.yaml asks for it no more"
    else:
        message = "is not what mlops.yaml says"
    hint = f"`git mlops ci generate {name}{option}`"
    return Finding(RULE, "error", message, path, hint=hint, data={"diff": "\n".join(lines)})


def _is_ours(repo: Repo, path: str) -> bool:
    """Whether the file has our header, edited since or not."""
    present = _present(repo, path)
    return present is not None and " mlops-ci: 1 sha256:" in present[:2000]


def _present(repo: Repo, path: str) -> str | None:
    """The file on disk, with the line ends that git stores."""
    file = repo.root / path
    if file.is_symlink() or not file.parent.resolve().is_relative_to(repo.root.resolve()):
        raise MlopsError(
            f"`{path}` is or lies behind a symbolic link", hint="make it a plain file, or remove it"
        )
    if not file.exists():
        return None
    return file.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
