"""Which verdicts somebody trusted has signed: CI believes these, and makes all others anew.

A commit of `refs/mlops/verdicts` that git has signed vouches for the verdicts that it added, for no other.
Nothing here is cryptography of ours: git judges the signature, by the signers that the target branch names,
never by those that the checked branch brings along.
"""

from collections.abc import Iterable, Iterator, Mapping

from git_mlops.git import config as git_config
from git_mlops.git import objects, refs, signatures
from git_mlops.git.repo import Repo
from git_mlops.git.trust import Trust
from git_mlops.schema.subjects import REF

NOBODY = Trust()


def vouched(repo: Repo, trust: Trust, places: Iterable[str]) -> set[str]:
    """Those paths in the tree of `refs/mlops/verdicts` whose content somebody trusted has signed."""
    tip = refs.read(repo, REF)
    wanted = set(places)
    if tip is None or not wanted or trust == NOBODY:
        return set()
    there = {e.path: e.oid for e in objects.tree_entries(repo, tip) if e.path in wanted}
    adding: dict[str, set[str]] = {}
    for commit, path, oid in _additions(repo, tip):
        if there.get(path) == oid:
            adding.setdefault(commit, set()).add(path)
    good = signatures.good_commits(repo, trust, list(adding))
    return {path for commit in good for path in adding[commit]}


def _additions(repo: Repo, tip: str) -> Iterator[tuple[str, str, str]]:
    """Commit, path and blob of everything that a commit added or changed; merges add nothing."""
    options = ("--no-merges", "--raw", "--no-abbrev", "--no-renames", "--root", "--no-show-signature")
    commit = ""
    for line in repo.text("log", *options, "--format=commit %H", tip, "--").splitlines():
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        elif line.startswith(":"):
            facts, _, path = line.partition("\t")
            yield commit, path, facts.split()[3]


def signers_of(repo: Repo, tip: str, there: Mapping[str, str]) -> dict[str, str]:
    """Path of a verdict → the name or key in the signature of the commit that added it, trusted or not."""
    added = {path: commit for commit, path, oid in _additions(repo, tip) if there.get(path) == oid}
    if not added:
        return {}
    asked = "".join(f"{commit}\n" for commit in set(added.values())).encode()
    answer = repo.text("log", "--no-walk=unsorted", "--stdin", "--format=%H%x00%GS%x00%GK", stdin=asked)
    lines = [line.split("\0") for line in answer.splitlines()]
    who = {commit: name or key for commit, name, key in lines if name or key}
    return {path: who[commit] for path, commit in added.items() if commit in who}


def signs(repo: Repo) -> bool:
    """Whether this user signs verdicts: `mlops.verdicts.sign`, else whether commits are signed."""
    found = git_config.read(repo, r"^(mlops\.verdicts\.sign|commit\.gpgsign)$")
    said = found.get("mlops.verdicts.sign") or found.get("commit.gpgsign")
    return said is not None and said.value.lower() in {"", "true", "yes", "on", "1"}
