"""What a repository keeps of its template: a commit of exactly what was rendered, found by its trailers.

That commit is what later versions are merged against, so it must be the template alone. Its message states
its own tree: after an amend or a rebase it is something else, and is not taken for it.
"""

from pathlib import Path

from git_mlops import __version__
from git_mlops.git import histories, refs
from git_mlops.git.objects import scratch_index, write_tree
from git_mlops.git.repo import Repo
from git_mlops.scaffold.copier import ANSWERS

REFS = "refs/mlops/templates/"
_FORMAT = "%H %T %(trailers:key=Mlops-Template-Tree,valueonly,separator=%x2C)"


def tree(repo: Repo, folder: Path) -> str:
    """The tree of a rendered project, wherever it stands; no index or ignore rule of the user has a part."""
    with scratch_index(repo) as index:
        repo.git(f"--work-tree={folder}", "add", "--all", "--force", "--", ".", index=index)
        return write_tree(repo, index)


def record(repo: Repo, rendered: str, template: str, *parents: str, version: str = __version__) -> str:
    """Write the commit of a rendered tree, and keep it: a merge that is squashed would lose it."""
    text = (
        f"template: {template} {version}\n\nWhat `git mlops` rendered, and nothing else: "
        "`git mlops update` merges later versions of it.\n\n"
        f"Mlops-Template: {template} {version}\nMlops-Template-Tree: {rendered}\nMlops-Version: 1\n"
    )
    commit = histories.commit(repo, rendered, parents, text)
    name = f"{REFS}{template}"
    refs.move(repo, [refs.Move(name, commit, refs.read(repo, name))], f"mlops template: {template} {version}")
    return commit


def find(repo: Repo) -> str | None:
    """The commit of the template that HEAD's project was rendered from: merged, or known otherwise."""
    for commit in _recorded(repo, "HEAD"):
        return commit
    answers = refs.read(repo, f"HEAD:{ANSWERS}")
    others = _recorded(repo, f"--glob={REFS}*", "--branches", "--remotes")
    return next((one for one in others if answers and refs.read(repo, f"{one}:{ANSWERS}") == answers), None)


def _recorded(repo: Repo, *starts: str) -> list[str]:
    how = ("--no-show-signature", "--topo-order", "--grep=^Mlops-Template-Tree: ", f"--format={_FORMAT}")
    words = (line.split(" ") for line in repo.text("log", *how, *starts, "--").splitlines())
    return [found[0] for found in words if len(found) == 3 and found[1] == found[2]]
