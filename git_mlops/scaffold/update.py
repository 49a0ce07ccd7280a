"""A template merged into a repository: a first time (`scaffold`), and in a later version (`update`).

Both are merges by git itself: of the commit that holds the rendered template alone. What both sides changed
are ordinary conflicts; nothing is ever written over what the user has.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops import __version__
from git_mlops.errors import CANNOT_EVALUATE, MlopsError, NotFoundError
from git_mlops.git import refs
from git_mlops.git.objects import read_blobs
from git_mlops.git.repo import Repo, head, resolve
from git_mlops.git.run import GitError
from git_mlops.scaffold import copier, origin, templates, workflows


class Merged(NamedTuple):
    """What came of it."""

    template: str
    conflicts: tuple[str, ...] = ()
    """Paths to be mended; then `git commit`."""
    refused: tuple[str, ...] = ()
    """Generated pipelines that were not written, and why."""


_ARMED = {"mlops.yaml": b"version: 1\n", ".dvc/config": b""}
"""What `git mlops init` writes before anybody has settings: no conflict is about that."""


def scaffold(repo: Repo, template: str, answers: Mapping[str, str], *, ask: bool = False) -> Merged:
    """Merge a template, as a history of its own, into the user's branch.

    Raises:
        NotFoundError: no such template, or an answer to no question of it.
        MlopsError: nothing is committed yet, something is not, there is a template already, an answer is
            refused, or git cannot merge (exit code 2).
    """
    templates.refuse_unknown(template, answers)
    if head(repo) is None:
        hint = f"`git mlops new {template} DIR` starts a project"
        raise MlopsError("nothing is committed here yet", hint=hint)
    if refs.read(repo, f"HEAD:{copier.ANSWERS}"):
        raise MlopsError(
            f"this repository has a template already: `{copier.ANSWERS}`",
            hint="`git mlops update` brings its next version",
        )
    _refuse_changes(repo)
    branch = repo.text("symbolic-ref", "--short", "-q", "HEAD", ok=(0, 1)) or "main"
    given = {"project_name": _printable(repo.root.name, template), "branch": branch, **answers}
    commit = origin.record(repo, _rendered(repo, template, given, ask=ask), template)
    return _merge(repo, commit, template, f"Merge the template {template} {__version__}")


def update(
    repo: Repo, answers: Mapping[str, str], *, base: str | None = None, ask: bool = False
) -> Merged | None:
    """Merge the installed version of the project's template; None: there is nothing new in it.

    Args:
        answers: those to be changed; the others are what they were.
        base: a commit that is the template as it was rendered, where the history does not say.

    Raises:
        NotFoundError: HEAD has no template, or an answer is to no question of it.
        MlopsError: as `scaffold`; or what was rendered before is not known (exit code 3).
    """
    before = _project(repo)
    templates.refuse_unknown(before.template, answers)
    _refuse_later(before.version)
    old = _base(repo, before, base)
    rendered = _rendered(repo, before.template, before.values | dict(answers), ask=ask)
    if rendered == resolve_tree(repo, old):
        return None
    _refuse_changes(repo)
    new = origin.record(repo, rendered, before.template, old)
    if not _contains(repo, old):
        # git takes its merge base from the history: this says what the project came from, changing nothing
        _git_merge(repo, "-s", "ours", "-m", f"Record the template {before.template} {before.version}", old)
    return _merge(repo, new, before.template, f"Merge the template {before.template} {__version__}")


def resolve_tree(repo: Repo, commit: str) -> str:
    """The id of a commit's tree."""
    return repo.text("rev-parse", f"{commit}^{{tree}}")


def _project(repo: Repo) -> copier.Answers:
    blob = refs.read(repo, f"HEAD:{copier.ANSWERS}")
    if blob is None:
        raise NotFoundError(
            f"this repository comes from no template: HEAD has no `{copier.ANSWERS}`",
            hint="`git mlops scaffold TEMPLATE` brings one in",
        )
    return copier.answered(read_blobs(repo, [blob])[blob])


def _base(repo: Repo, before: copier.Answers, named: str | None) -> str:
    """The commit of what was rendered before."""
    if named is not None:
        commit = resolve(repo, named)
        return origin.record(repo, resolve_tree(repo, commit), before.template, version=before.version)
    if found := origin.find(repo):
        return found
    if before.version == __version__:
        rendered = _rendered(repo, before.template, before.values)
        return origin.record(repo, rendered, before.template)
    raise MlopsError(
        f"what {before.template} {before.version} rendered is not in this history: squashed or rebased away",
        hint="`git fetch CLONE 'refs/mlops/templates/*:refs/mlops/templates/*'` from a clone that has it, or "
        "`git mlops update --base COMMIT` with a commit that is the template as it came",
        exit_code=CANNOT_EVALUATE,
    )


def _rendered(repo: Repo, template: str, answers: Mapping[str, str], *, ask: bool = False) -> str:
    """The tree of the template with these answers."""
    with tempfile.TemporaryDirectory(prefix="mlops-rendered-") as folder:
        made = Path(folder, "project")
        copier.render(template, made, answers, ask=ask)
        return origin.tree(repo, made)


def _merge(repo: Repo, commit: str, template: str, title: str) -> Merged:
    _git_merge(repo, "--no-ff", "--no-commit", "-m", title, commit)
    conflicts = _settled(repo, commit)
    written = workflows.write(repo) if "mlops.yaml" not in conflicts else workflows.Written((), ())
    if not conflicts:
        repo.git("commit", "-q", "--no-edit")
    return Merged(template, conflicts, written.refused)


def _git_merge(repo: Repo, *words: str) -> None:
    """Until git has merged, with conflicts or without."""
    try:
        repo.git("merge", "-q", "--no-stat", "--allow-unrelated-histories", *words)
    except GitError as error:
        if error.status != 1 or not refs.read(repo, "MERGE_HEAD"):
            raise


def _settled(repo: Repo, commit: str) -> tuple[str, ...]:
    """The conflicts, without those with what `git mlops init` wrote."""
    conflicts = repo.paths("diff", "--name-only", "--diff-filter=U", "-z")
    names = {path: refs.read(repo, f"HEAD:{path}") for path in conflicts if path in _ARMED}
    contents = read_blobs(repo, [blob for blob in names.values() if blob])
    easy = [path for path, blob in names.items() if blob and contents[blob] == _ARMED[path]]
    if easy:
        repo.git("checkout", "-q", commit, "--", *easy)
    return tuple(path for path in conflicts if path not in easy)


def _contains(repo: Repo, commit: str) -> bool:
    return repo.text("merge-base", "--all", "HEAD", commit, ok=(0, 1)).split() == [commit]


def _refuse_changes(repo: Repo) -> None:
    if refs.read(repo, "MERGE_HEAD"):
        raise MlopsError("a merge is under way", hint="`git commit` ends it, `git merge --abort` drops it")
    if repo.paths("status", "--porcelain", "-z", "--untracked-files=no"):
        hint = "`git commit` or `git stash` them first"
        raise MlopsError("there are changes that are not committed", hint=hint)


def _refuse_later(version: str) -> None:
    if _order(version) > _order(__version__):
        raise MlopsError(
            f"the project's template is of git-mlops {version}, this is {__version__}",
            hint="`python -m pip install --upgrade git-mlops`",
        )


def _order(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _printable(name: str, otherwise: str) -> str:
    return name if name.strip() and name.isprintable() else otherwise
