"""`git mlops hooks`."""

import json

from git_mlops.git.repo import Repo
from git_mlops.hooks.shims import OURS
from tests.conftest import Run


def test_install_status_remove(repo: Repo, mlops: Run) -> None:
    done = mlops("hooks", "install", cwd=repo.root).stderr.splitlines()
    assert done == [f"installed {', '.join(OURS)} in .git/hooks", "changed mlops-config, config in .git"]
    assert mlops("hooks", "install", cwd=repo.root).stderr == "everything is in place\n"
    lines = mlops("hooks", "status", cwd=repo.root).stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [[name, "installed"] for name in OURS]
    mlops("hooks", "remove", cwd=repo.root)
    assert mlops("hooks", "remove", cwd=repo.root).stderr == "nothing of ours is here\n"


def test_status_as_json(repo: Repo, mlops: Run) -> None:
    answer = json.loads(mlops("hooks", "status", "--json", cwd=repo.root, status=1).stdout)
    assert (answer["mlops"], answer["kind"]) == (1, "hooks")
    path = str(repo.common_dir / "hooks" / "pre-commit")
    assert answer["data"][0] == {"hook": "pre-commit", "state": "missing", "path": path, "keeps": ""}


def test_outside_of_a_repository(tmp_path: object, mlops: Run, repo: Repo) -> None:
    said = mlops("hooks", "status", cwd=repo.root.parent, status=2).stderr
    assert said.startswith("error: not a git repository: ")
