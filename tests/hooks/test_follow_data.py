"""The data follows every git operation that changes pointers."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from git_mlops.git.repo import discover
from git_mlops.hooks import follow_data
from git_mlops.hooks.shims import OURS, python
from tests.conftest import Run
from tests.hooks.conftest import Armed


@pytest.mark.slow
def test_switch(two_versions: Armed) -> None:
    said = two_versions.git("switch", "new")
    assert (two_versions.read("data.csv"), "data follows: data.csv" in said) == ("new\n", True)
    two_versions.git("switch", "main")
    assert two_versions.read("data.csv") == "old\n"


@pytest.mark.slow
def test_checkout_of_a_commit(two_versions: Armed) -> None:
    two_versions.git("checkout", "-q", "--detach", "new")
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.slow
def test_merge_by_fast_forward(two_versions: Armed) -> None:
    two_versions.git("merge", "-q", "new")
    assert two_versions.read("data.csv") == "new\n"


HEAD_MOVES = (
    ("switch", "-q", "new"),
    ("checkout", "-q", "--detach", "new"),
    ("checkout", "-q", "-f", "-B", "main", "new"),
    ("-c", "core.quotePath=false", "-C", ".", "switch", "-q", "new"),
    ("merge", "-q", "new"),
    ("pull", "-q", "--no-rebase", ".", "new"),
    ("checked-out", "new"),
)


@pytest.mark.slow
def test_an_interruption_while_data_follows_leaves_index_and_head_agreeing(two_versions: Armed) -> None:
    """Ctrl-C reaches git and us: by then git must be done."""
    two_versions.git("config", "alias.checked-out", "checkout -q")
    program = interrupted_in_python(two_versions)
    for words in HEAD_MOVES:
        done = subprocess.run(
            ["git", *words], cwd=two_versions.root, check=False, capture_output=True, text=True,
            start_new_session=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        at = two_versions.git("rev-parse", "HEAD", "new").split()
        assert (words, done.returncode != 0, at[0] == at[1]) == (words, True, True), done.stderr
        assert two_versions.git("status", "--porcelain", "--untracked-files=no") == ""
        two_versions.git("-c", "core.hooksPath=/dev/null", "checkout", "-q", "-f", "-B", "main", "new~1")
    program.write_text(f'#!/bin/sh\nexec "{python()}" "$@"\n')
    two_versions.git("merge", "-q", "new", skip="1")
    assert two_versions.read("data.csv") == "old\n"
    two_versions.git("switch", "-q", "-c", "another")
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.slow
def test_an_interruption_says_how_to_go_on(
    two_versions: Armed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(two_versions.root)
    monkeypatch.setattr(follow_data, "bring", interrupted)
    two_versions.git("read-tree", "new")
    assert (follow_data.run("post-index-change", []), follow_data.run("post-checkout", [])) == (130, 130)
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert errors == [
        "error: interrupted: the files are the new ones, and git has not moved HEAD",
        "error: interrupted: not all data is here",
    ]


@pytest.mark.slow
def test_a_forced_checkout_of_the_same_commit_brings_data_back(project: Armed, run: Run) -> None:
    project.data("data.csv", "old\n")
    project.commit("old")
    for words in (("checkout", "-q", "-f"), ("switch", "-q", "--discard-changes", "main")):
        project.write("data.csv", "new\n")
        run("dvc", "add", "-q", "data.csv", cwd=project.root)
        project.git("add", "data.csv.dvc")
        project.git(*words)
        assert (words, project.read("data.csv")) == (words, "old\n")


@pytest.mark.slow
def test_merges_that_do_not_only_move_head(two_versions: Armed) -> None:
    for words in (("--no-ff", "--no-commit"), ("--squash",), ()):
        if not words:
            two_versions.git("config", "branch.main.mergeOptions", "--no-ff --no-commit")
        two_versions.git("merge", "-q", *words, "new")
        assert (words, two_versions.read("data.csv")) == (words, "new\n")
        two_versions.git("reset", "-q", "--hard")
        assert (words, two_versions.read("data.csv")) == (words, "old\n")


def interrupted_in_python(armed: Armed) -> Path:
    """From here on, what starts Python in a hook sends what Ctrl-C does, to git as well."""
    program = armed.root.parent / "ctrl-c"
    program.write_text("#!/bin/sh\nkill -INT 0\n")
    program.chmod(0o755)
    for name in OURS:
        hook = armed.repo.common_dir / "hooks" / name
        hook.write_text(hook.read_text().replace(python(), str(program)))
    return program


@pytest.mark.slow
def test_merge_of_two_lines(two_versions: Armed) -> None:
    two_versions.write("notes.md", "more")
    two_versions.commit("more")
    two_versions.git("merge", "-q", "-m", "merged", "new")
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.slow
def test_pull(two_versions: Armed) -> None:
    two_versions.git("pull", "-q", "--no-rebase", ".", "new")
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.slow
def test_reset_hard(two_versions: Armed) -> None:
    two_versions.git("reset", "-q", "--hard", "new")
    assert two_versions.read("data.csv") == "new\n"


def test_rebase(two_versions: Armed) -> None:
    two_versions.write("notes.md", "more")
    two_versions.commit("more")
    two_versions.git("rebase", "-q", "new")
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.slow
def test_rebase_by_patches(two_versions: Armed) -> None:
    two_versions.git("switch", "-q", "new")
    two_versions.git("switch", "-q", "-c", "side", "main")
    two_versions.write("notes.md", "more")
    two_versions.commit("more")
    two_versions.data("other.csv", "side\n")
    two_versions.commit("other data")
    two_versions.git("switch", "-q", "new")
    two_versions.git("rebase", "-q", "--apply", "side")
    assert (two_versions.read("data.csv"), two_versions.read("other.csv")) == ("new\n", "side\n")


@pytest.mark.slow
def test_patches_by_mail(two_versions: Armed) -> None:
    two_versions.git("format-patch", "-q", "-o", "../mail", "main..new")
    (patch,) = (two_versions.root.parent / "mail").iterdir()
    two_versions.git("am", "-q", str(patch))
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.parametrize("words", [("checkout", "."), ("restore", "."), ("reset", "-q", "--hard")])
@pytest.mark.slow
def test_what_dvc_did_is_taken_back_with_its_pointer(
    project: Armed, run: Run, words: tuple[str, ...]
) -> None:
    """`dvc add` or `dvc repro` moves pointer and data; the index never changes."""
    project.data("data.csv", "old\n")
    project.commit("old")
    project.write("data.csv", "new\n")
    run("dvc", "add", "-q", "data.csv", cwd=project.root)
    project.git(*words)
    assert (project.read("data.csv"), project.git("status", "--porcelain")) == ("old\n", "")


@pytest.mark.slow
def test_cherry_pick(two_versions: Armed) -> None:
    two_versions.git("cherry-pick", "new")
    assert two_versions.read("data.csv") == "new\n"


@pytest.mark.slow
def test_revert(two_versions: Armed) -> None:
    two_versions.git("switch", "-q", "new")
    two_versions.git("revert", "--no-edit", "HEAD")
    assert two_versions.read("data.csv") == "old\n"


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.slow
def test_stash_and_pop(two_versions: Armed, *, staged: bool) -> None:
    two_versions.data("data.csv", "later\n")
    if staged:
        two_versions.git("add", "data.csv.dvc")
    two_versions.git("stash", "-q")
    assert two_versions.read("data.csv") == "old\n"
    two_versions.git("stash", "pop", "-q")
    assert two_versions.read("data.csv") == "later\n"


@pytest.mark.slow
def test_restore_from_a_commit(two_versions: Armed) -> None:
    two_versions.git("restore", "--source=new", "data.csv.dvc")
    assert two_versions.read("data.csv") == "new\n"
    two_versions.git("restore", "data.csv.dvc")
    assert two_versions.read("data.csv") == "old\n"


@pytest.mark.slow
def test_checkout_of_a_path(two_versions: Armed) -> None:
    two_versions.git("checkout", "-q", "new", "--", "data.csv.dvc")
    assert two_versions.read("data.csv") == "new\n"


def test_conflict_settled_by_taking_a_side(two_versions: Armed) -> None:
    two_versions.data("data.csv", "mine\n")
    two_versions.commit("mine")
    assert "both sides changed the data" in two_versions.git("merge", "new", status=1)
    two_versions.git("checkout", "-q", "--theirs", "data.csv.dvc")
    assert two_versions.read("data.csv") == "new\n"
    two_versions.git("add", "data.csv.dvc")
    two_versions.git("commit", "-q", "--no-edit")
    assert two_versions.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_worktree_add_brings_the_data(two_versions: Armed) -> None:
    two_versions.git("worktree", "add", "-q", "../other tree", "new")
    other = Armed(discover(two_versions.root.parent / "other tree"))
    assert (other.read("data.csv"), two_versions.read("data.csv")) == ("new\n", "old\n")
    other.git("reset", "-q", "--hard", "main")
    assert other.read("data.csv") == "old\n"


def test_from_a_subdirectory_with_unusual_names(project: Armed, run: Run) -> None:
    name = 'sub dir/dätä\'s "set".csv'
    project.data(name, "old\n")
    project.commit("old")
    project.data(name, "new\n")
    project.commit("new")
    run("git", "reset", "-q", "--hard", "HEAD~1", cwd=project.root / "sub dir")
    assert project.read(name) == "old\n"


@pytest.mark.slow
def test_data_changed_here_is_kept_and_told(two_versions: Armed) -> None:
    two_versions.write("data.csv", "mine, not added\n")
    said = two_versions.git("switch", "new")
    assert "warning: kept, because it was changed here and not added: data.csv" in said
    assert two_versions.read("data.csv") == "mine, not added\n"


@pytest.mark.slow
def test_missing_data_is_told_and_the_operation_succeeds(two_versions: Armed) -> None:
    for folder in (two_versions.root / ".dvc" / "cache" / "files" / "md5").iterdir():
        for file in folder.iterdir():
            if file.read_bytes() == b"new\n":
                file.unlink()
    said = two_versions.git("switch", "new")
    assert "hint: `git mlops pull` downloads it" in said


def test_a_broken_pointer_does_not_fail_the_operation(project: Armed) -> None:
    project.write("bad.dvc", "outs: [\n")
    project.commit("bad", skip="1")
    project.git("rm", "-q", "bad.dvc")
    project.commit("gone")
    project.git("reset", "--hard", "HEAD~1")


@pytest.mark.slow
def test_python_starts_only_when_pointers_moved(two_versions: Armed) -> None:
    two_versions.git("switch", "-q", "new")
    python_starts_no_more(two_versions)
    two_versions.git("switch", "-q", "-c", "same")
    two_versions.write("notes.md", "x")
    two_versions.commit("notes")
    two_versions.git("reset", "-q", "--hard", "HEAD~1")
    two_versions.git("switch", "-q", "new")


def python_starts_no_more(armed: Armed) -> None:
    """Take the interpreter away: a hook that starts it says so."""
    for hook in (armed.repo.common_dir / "hooks").iterdir():
        if "mlops_python=" in hook.read_text():
            lines = hook.read_text().splitlines()
            hook.write_text(
                "\n".join("mlops_python=/gone" if ln.startswith("mlops_python=") else ln for ln in lines)
            )
    (Path(armed.repo.common_dir) / "mlops").mkdir(exist_ok=True)


def test_mlops_skip_leaves_the_data(two_versions: Armed) -> None:
    said = two_versions.git("switch", "new", skip="post-index-change,post-checkout")
    assert "post-checkout skipped" in said
    assert two_versions.read("data.csv") == "old\n"


@pytest.mark.slow
def test_what_was_missing_before_is_not_told_again(two_versions: Armed) -> None:
    two_versions.data("other.csv", "other\n")
    two_versions.commit("other")
    for branch in ("new", "main"):
        two_versions.git("switch", "-q", branch)
    shutil.rmtree(two_versions.root / ".dvc" / "cache")
    for name in ("data.csv", "other.csv"):
        (two_versions.root / name).unlink()
    said = two_versions.git("restore", "--source=new", "data.csv.dvc")
    assert "warning: its data is not here: data.csv\n" in said


def test_an_interruption_while_python_starts_shows_no_traceback(two_versions: Armed) -> None:
    slow = two_versions.root.parent / "slow"
    slow.mkdir()
    slow.joinpath("subprocess.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = subprocess.run(
        [python(), "-m", "git_mlops.hooks", "post-checkout", "a", "b", "1"],
        cwd=two_versions.root, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(slow)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
