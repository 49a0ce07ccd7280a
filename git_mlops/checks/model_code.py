"""What loading a model file would run, looked at without loading it: pickles, joblib, PyTorch, Keras, NumPy.

Programs, evaluated text, connections and the like are errors; imports that nobody vouches for are warnings;
a harmless pickle is a note, since loading any pickle runs what it says.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from git_mlops.checks import judged
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.checks.judged import Item
from git_mlops.data.imports import ENGINE
from git_mlops.data.modelnames import certainly, maybe
from git_mlops.data.pointers import Out
from git_mlops.data.settings import Settings
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo

RULE = "model-code"
SUMMARY = "model files run nothing dangerous when they are loaded"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """Looks at data whose name could be a model's, and at plain files of git whose name is."""
    repo, settings = context.scope.repo, context.config.data
    means = meaning("", settings) or ""
    items = [
        Item(out.path, out.algorithm, out.hash, means, partial(_of_out, repo, out, settings), _needed(out))
        for out in judged.outs(context)
        if out.is_dir or maybe(out.path)
    ]
    items += [
        Item(path, "git", oid, means, partial(_of_plain, path, content, settings))
        for path, oid, content in judged.plain(context, certainly)
    ]
    yield from judged.judged(context, RULE, items)


def meaning(path: str, settings: Settings) -> str | None:
    """What else decides on data of this name; None where the rule has nothing to say of it."""
    if path and not maybe(path):
        return None
    return f"{ENGINE} {judged.digest(settings.model_imports)}"


def _of_out(repo: Repo, out: Out, settings: Settings) -> list[Finding] | None:
    files = judged.files_of(repo, out, maybe)
    if files is None:
        return None
    return [finding for member, file in files.items() for finding in _of_file(out, member, file, settings)]


def _needed(out: Out) -> bool:
    return out.is_dir or certainly(out.path)


def _of_file(out: Out, member: str, file: Path, settings: Settings) -> Iterator[Finding]:
    from git_mlops.data import modelfindings

    name = f"{out.path}/{member}" if member else out.path
    for finding in modelfindings.of_file(file, name, settings.model_imports):
        yield finding._replace(data={**finding.data, "member": member}) if member else finding


def _of_plain(path: str, content: bytes, settings: Settings) -> list[Finding]:
    from git_mlops.data import modelfindings

    return modelfindings.of_bytes(content, path, settings.model_imports)
