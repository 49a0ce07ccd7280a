"""What the words of `git mlops diff` mean: revisions and paths, told apart as git does."""

from collections.abc import Sequence
from pathlib import Path

from git_mlops.data import listing, places
from git_mlops.data.diff import Request
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo, resolve


def request(repo: Repo, words: Sequence[str], paths: Sequence[str] = (), *, rows: int = 0) -> Request:
    """At most two revisions (`A B`, `A..B`, `A...B`), then paths.

    Args:
        repo: where they are looked up.
        words: what stands before `--`.
        paths: what stands behind it: nothing but paths.
        rows: how many rows of each sort to show.

    Raises:
        MlopsError: a word that is neither, or too many revisions.
    """
    revisions: list[str] = []
    for number, word in enumerate(words):
        found = _revisions(repo, word)
        if not found:
            paths = [*words[number:], *paths]
            break
        revisions += found
    if len(revisions) > 2:
        raise MlopsError(f"two revisions at most, not {len(revisions)}", hint="paths come after `--`")
    a, b = [*revisions, None, None][:2]
    top = any((Path.cwd() / word).resolve() == repo.root.resolve() for word in paths)
    known = [] if top else [_path(repo, word, sure=word not in words) for word in paths]
    return Request(a, b, tuple(known), rows)


def _revisions(repo: Repo, word: str) -> list[str]:
    """The commits a word names: none if it is none."""
    if "..." in word:
        left, right = (_revisions(repo, part or "HEAD") for part in word.split("...", 1))
        if not left or not right:
            return []
        base = repo.text("merge-base", resolve(repo, left[0]), resolve(repo, right[0]), ok=(0, 1))
        if not base:
            raise MlopsError(f"no merge base for `{word}`", hint="are the histories related?")
        return [base, *right]
    if ".." in word and not (Path.cwd() / word).exists():
        left, right = (_revisions(repo, part or "HEAD") for part in word.split("..", 1))
        return [*left, *right] if left and right else []
    try:
        resolve(repo, word)
    except MlopsError:
        return []
    return [word]


def _path(repo: Repo, word: str, *, sure: bool) -> str:
    path = places.relative(repo, Path.cwd() / word)
    if sure or (repo.root / path).exists() or _is_data(repo, path):
        return path
    raise NotFoundError(
        f"`{word}` is neither a revision nor data", hint="paths of an older commit come after `--`"
    )


def _is_data(repo: Repo, path: str) -> bool:
    return any(out.path == path or out.path.startswith(f"{path}/") for out in listing.in_workspace(repo))
