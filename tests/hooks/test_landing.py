"""The commit that lands an applied experiment carries its key; the hook for it comes and goes."""

import os
import subprocess

import pytest

from git_mlops.hooks import install
from tests.conftest import Run
from tests.experiments.conftest import put, save
from tests.hooks.conftest import Armed, tree
from tests.hooks.test_install import local_path, write_hook


@pytest.fixture
def tried(armed: Armed) -> Armed:
    """Two experiments, `a` and `b`, of a project whose workspace is HEAD's again."""
    armed.write("train.py", "x = 1\n")
    armed.write("metrics.json", '{"acc": 0.1}\n')
    armed.commit("start")
    for name in ("a", "b"):
        put(
            armed.repo,
            {"train.py": f"x = '{name}'\n", "metrics.json": f'{{"acc": "{name}"}}\n', f"{name}.txt": ""},
        )
        save(armed.repo, name)
        (armed.root / f"{name}.txt").unlink()
        armed.git("checkout", "-q", "--", ".")
    return armed


def key(armed: Armed, name: str) -> str:
    return armed.git("log", "-1", "--format=%(trailers:key=Mlops-Run,valueonly)", _ref(armed, name)).strip()


def _ref(armed: Armed, name: str) -> str:
    return armed.git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").strip()


def trailers(armed: Armed, revision: str = "HEAD") -> str:
    return armed.git("log", "-1", "--format=%(trailers:only)", revision).strip()


def apply(armed: Armed, name: str, mlops: Run) -> None:
    mlops("exp", "apply", name, cwd=armed.root)


def test_the_commit_carries_the_key_and_the_hook_goes(tried: Armed, mlops: Run) -> None:
    before = tree(tried.repo.common_dir / "hooks")
    apply(tried, "a", mlops)
    assert "commit-msg" in {path.split("/")[-1] for path in tree(tried.repo.common_dir / "hooks")}
    tried.commit("the better one")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'a')}"
    tried.write("more.txt", "x")
    tried.commit("more")
    assert trailers(tried) == ""
    assert tree(tried.repo.common_dir / "hooks") == before


def test_it_survives_amend_and_rebase(tried: Armed, mlops: Run) -> None:
    tried.git("switch", "-q", "-c", "side")
    tried.git("commit", "-q", "--allow-empty", "-m", "meanwhile")
    tried.git("switch", "-q", "main")
    apply(tried, "a", mlops)
    tried.commit("one")
    tried.write("more.txt", "x")
    tried.git("add", "more.txt")
    tried.git("commit", "-q", "--amend", "--no-edit")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'a')}"
    tried.git("rebase", "-q", "side")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'a')}"


def test_a_commit_of_a_part_is_not_the_run(tried: Armed, mlops: Run) -> None:
    apply(tried, "a", mlops)
    said = tried.git("commit", "-m", "code alone", "--", "train.py")
    assert "no trailer `Mlops-Run`: not as the applied experiment has them: a.txt, metrics.json" in said
    assert trailers(tried) == ""
    tried.commit("the rest")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'a')}"


def test_another_commit_ends_the_wait(tried: Armed, mlops: Run) -> None:
    apply(tried, "a", mlops)
    for number in range(2):
        tried.git("restore", ".")
        tried.write(f"other {number}.txt", "")
        tried.git("add", f"other {number}.txt")
        tried.git("commit", "-q", "-m", "other")
        assert trailers(tried) == ""
        assert not (tried.repo.common_dir / "hooks" / "commit-msg").exists()


def test_the_experiment_applied_last_counts(tried: Armed, mlops: Run) -> None:
    apply(tried, "a", mlops)
    apply(tried, "b", mlops)
    tried.git("add", "-A")
    tried.git("rm", "-q", "-f", "--cached", "--ignore-unmatch", "a.txt")
    tried.git("commit", "-q", "-m", "b")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'b')}"


def test_an_empty_message_still_calls_the_commit_off(tried: Armed, mlops: Run) -> None:
    apply(tried, "a", mlops)
    tried.git("add", "-A")
    environment = {**os.environ, "GIT_EDITOR": "true"}
    for words in ((), ("-v",)):
        done = subprocess.run(
            ["git", "commit", *words], cwd=tried.root, env=environment, capture_output=True, check=False
        )
        assert (done.returncode, b"empty commit message" in done.stderr) == (1, True)


def test_a_hook_of_the_users_runs_and_is_put_back(tried: Armed, mlops: Run) -> None:
    hook = write_hook(tried.repo.common_dir / "hooks" / "commit-msg", "echo theirs")
    before = hook.read_bytes()
    apply(tried, "a", mlops)
    assert "theirs" in tried.commit("one")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'a')}"
    assert "theirs" in tried.git("commit", "--allow-empty", "-m", "two")
    assert hook.read_bytes() == before


def test_hooks_of_another_directory(tried: Armed, mlops: Run) -> None:
    local_path(tried.repo)
    install.install(tried.repo)
    write_hook(tried.root / ".githooks" / "commit-msg", "echo theirs")
    apply(tried, "a", mlops)
    assert "theirs" in tried.git("commit", "-a", "-m", "part")
    tried.git("add", "a.txt")
    said = tried.git("commit", "-m", "rest")
    assert ("theirs" in said, trailers(tried)) == (True, f"Mlops-Run: {key(tried, 'a')}")
    assert "theirs" in tried.git("commit", "--allow-empty", "-m", "later")
    assert "exec" in (tried.repo.common_dir / "mlops-hooks" / "commit-msg").read_text()


def test_a_linked_worktree_waits_for_itself(tried: Armed, mlops: Run) -> None:
    tried.git("worktree", "add", "-q", "../other", "-b", "other")
    apply(tried, "a", mlops)
    other = tried.root.parent / "other"
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=other, check=True)
    assert trailers(tried, "other") == ""
    tried.commit("one")
    assert trailers(tried) == f"Mlops-Run: {key(tried, 'a')}"


def test_an_unarmed_clone_gets_no_hook(tried: Armed, mlops: Run) -> None:
    install.remove(tried.repo)
    apply(tried, "a", mlops)
    assert not (tried.repo.common_dir / "hooks" / "commit-msg").exists()
