"""Every object that the pointers of a range name is on the DVC remote, so that others can get it."""

import shlex
from collections.abc import Iterable, Iterator

from git_mlops.checks.context import Context
from git_mlops.checks.scope import Kind
from git_mlops.data import dvc, pointers, transfer
from git_mlops.data.pointers import Out, PointerError
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding

SUMMARY = "data of changed pointers is on the DVC remote"
KINDS: frozenset[Kind] = frozenset(("range",))


def check(context: Context) -> Iterator[Finding]:
    """Only changed pointers are asked for; the finding names who committed the pointer."""
    outs = _outs(context)
    if not outs:
        return
    repo = context.scope.repo
    remote = context.config.data.remote or dvc.default_remote(repo)
    if remote is None:
        yield Finding("data-pushed", "warning", "no DVC remote: others cannot get the data", hint=_ADD_REMOTE)
        return
    try:
        missing = transfer.missing_on_remote(repo, list(outs), remote=remote)
    except MlopsError as error:
        yield Finding(
            "data-pushed", "unknown", f"the remote `{remote}` cannot be asked: {error}", hint=error.hint
        )
        return
    for out in missing:
        yield _finding(context, out, outs[out], remote)


_ADD_REMOTE = "`dvc remote add -d NAME URL`, then `git mlops push`"


def _outs(context: Context) -> dict[Out, str]:
    """What the changed pointers name and DVC keeps, with the pointer's path."""
    changed = sorted(path for path in context.scope.paths if pointers.is_pointer(path))
    pipelines = {
        path: path.removesuffix("dvc.lock") + "dvc.yaml" for path in changed if path.endswith("dvc.lock")
    }
    contents = context.scope.read([*changed, *pipelines.values()])
    found: dict[Out, str] = {}
    for path in changed:
        try:
            pointer = pointers.parse(path, contents.get(path, b""), contents.get(pipelines.get(path, "")))
        except PointerError:
            continue  # said by the rule pointer-valid
        found |= dict.fromkeys(_kept(pointer.outs), path)
    return found


def _kept(outs: Iterable[Out]) -> list[Out]:
    return [out for out in outs if out.cache and out.push]


def _finding(context: Context, out: Out, pointer: str, remote: str) -> Finding:
    who = context.scope.repo.text(
        "log", "-1", "--format=%an in %h", f"{context.scope.base}..{context.scope.tip}", "--", pointer
    )
    message = (
        f"its data ({out.hash[:12]}) is not on the remote `{remote}`; the pointer was committed by {who}"
    )
    hint = f"whoever has the data: `git mlops push {shlex.quote(out.path)}`"
    return Finding(
        "data-pushed", "error", message, pointer, hint=hint, data={"out": out.path, "hash": out.hash}
    )
