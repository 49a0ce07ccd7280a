"""Which data a push needs: every version of a pointer that its commits bring to the other side."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from git_mlops.data import transfer
from git_mlops.data.pointers import Out
from git_mlops.git.repo import Repo, resolve

ZERO = "0" * 40


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def git(repo: Repo, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=repo.root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(repo: Repo, version: str, path: str = "a.csv") -> str:
    """Commit a pointer to data that is nowhere: only its name matters here."""
    pointer = repo.root / f"{path}.dvc"
    pointer.parent.mkdir(parents=True, exist_ok=True)
    pointer.write_text(f"outs:\n- md5: {md5(version)}\n  hash: md5\n  path: {Path(path).name}\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", version)
    return resolve(repo, "HEAD")


def needed(repo: Repo, *lines: str, remote: str = "origin") -> set[str]:
    return {out.hash for out in transfer.pointers_of_push(repo, lines, remote)}


def line(local: str, remote: str = ZERO, ref: str = "refs/heads/main") -> str:
    return f"{ref} {local} {ref} {remote}"


def test_every_version_since_what_the_remote_has(repo: Repo) -> None:
    base = commit(repo, "one")
    commit(repo, "two")
    tip = commit(repo, "three")
    assert needed(repo, line(tip, base)) == {md5("two"), md5("three")}


def test_each_with_the_pointer_that_names_it(repo: Repo) -> None:
    tip = commit(repo, "one", "sub dir/dätä.csv")
    expected = {Out("sub dir/dätä.csv", "md5", md5("one")): "sub dir/dätä.csv.dvc"}
    assert transfer.pointers_of_push(repo, [line(tip)], "origin") == expected


def test_all_of_a_branch_that_is_new_but_what_tracking_refs_show(repo: Repo) -> None:
    known = commit(repo, "one")
    git(repo, "update-ref", "refs/remotes/origin/main", known)
    tip = commit(repo, "two")
    assert needed(repo, line(tip)) == {md5("two")}


def test_what_another_remote_has_is_still_needed(repo: Repo) -> None:
    tip = commit(repo, "one")
    git(repo, "update-ref", "refs/remotes/other/main", tip)
    assert needed(repo, line(tip)) == {md5("one")}


def test_a_deletion_needs_nothing(repo: Repo) -> None:
    tip = commit(repo, "one")
    assert needed(repo, f"(delete) {ZERO} refs/heads/main {tip}") == set()


def test_a_pointer_that_a_pushed_commit_removes_needs_only_its_former_versions(repo: Repo) -> None:
    base = resolve(repo, "HEAD")
    commit(repo, "one")
    git(repo, "rm", "-q", "a.csv.dvc")
    git(repo, "commit", "-q", "-m", "gone")
    assert needed(repo, line(resolve(repo, "HEAD"), base)) == {md5("one")}


def test_a_branch_a_tag_and_an_experiment_in_one_push(repo: Repo) -> None:
    base = resolve(repo, "HEAD")
    one = commit(repo, "one")
    git(repo, "tag", "-a", "v1", "-m", "v1")
    tag = git(repo, "rev-parse", "v1")
    git(repo, "checkout", "-q", "--detach", base)
    experiment = commit(repo, "of an experiment")
    lines = [
        line(one, base),
        line(tag, ZERO, "refs/tags/v1"),
        line(experiment, ZERO, f"refs/exps/{base[:2]}/{base[2:]}/try-1"),
    ]
    assert needed(repo, *lines) == {md5("one"), md5("of an experiment")}


def test_a_commit_of_the_remote_that_was_never_fetched_is_no_error(repo: Repo) -> None:
    tip = commit(repo, "one")
    assert needed(repo, line(tip, "1" * 40)) == {md5("one")}


def test_both_sides_of_a_merge_and_what_the_merge_itself_says(repo: Repo) -> None:
    base = commit(repo, "base")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, "theirs")
    git(repo, "switch", "-q", "main")
    commit(repo, "ours")
    git(repo, "merge", "-q", "-s", "ours", "-m", "merged", "side")
    (repo.root / "a.csv.dvc").write_text(f"outs:\n- md5: {md5('evil')}\n  hash: md5\n  path: a.csv\n")
    git(repo, "commit", "-q", "--amend", "-a", "--no-edit")
    assert needed(repo, line(resolve(repo, "HEAD"), base)) == {md5("theirs"), md5("ours"), md5("evil")}


def test_a_side_branch_that_the_merge_drops_again(repo: Repo) -> None:
    base = commit(repo, "base")
    git(repo, "switch", "-q", "-c", "side")
    commit(repo, "dropped")
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-s", "ours", "-m", "merged", "side")
    assert needed(repo, line(resolve(repo, "HEAD"), base)) == {md5("dropped")}


def test_what_a_merge_brings_from_the_remotes_own_side_is_not_asked_for_again(repo: Repo) -> None:
    git(repo, "switch", "-q", "-c", "side")
    mine = commit(repo, "mine", "b.csv")
    git(repo, "switch", "-q", "main")
    known = commit(repo, "theirs")
    git(repo, "update-ref", "refs/remotes/origin/main", known)
    git(repo, "switch", "-q", "side")
    git(repo, "merge", "-q", "-m", "merged", "main")
    assert needed(repo, line(resolve(repo, "HEAD"), mine)) == set()


def test_a_lock_is_read_with_the_pipeline_of_its_own_commit(repo: Repo) -> None:
    lock = "schema: '2.0'\nstages:\n  s:\n    outs:\n    - {{path: m, hash: md5, md5: {}}}\n"
    for version, flag in (("one", "true"), ("two", "false")):
        (repo.root / "dvc.lock").write_text(lock.format(md5(version)))
        (repo.root / "dvc.yaml").write_text(f"stages:\n  s:\n    outs: [m: {{cache: {flag}}}]\n")
        git(repo, "add", "-A")
        git(repo, "commit", "-q", "-m", version)
    found = transfer.pointers_of_push(repo, [line(resolve(repo, "HEAD"))], "origin")
    assert {out.hash: out.cache for out in found} == {md5("one"): True, md5("two"): False}


def test_dvcs_configuration_is_no_pointer(repo: Repo) -> None:
    (repo.root / ".dvc").mkdir()
    (repo.root / ".dvc" / "config").write_text("[core]\n")
    tip = commit(repo, "one")
    assert needed(repo, line(tip)) == {md5("one")}


@pytest.mark.parametrize("setting", ["log.showSignature=true", "color.ui=always", "log.showRoot=false"])
def test_the_users_settings_change_nothing(repo: Repo, setting: str) -> None:
    git(repo, "config", *setting.split("="))
    tip = commit(repo, "one")
    assert needed(repo, line(tip)) == {md5("one")}


def test_a_hundred_versions_take_two_processes(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = "".join(
        f"commit refs/heads/many\ncommitter A <a@b> {n} +0000\ndata 0\n"
        f"M 644 inline a.dvc\ndata {len(text)}\n{text}\n"
        for n in range(100)
        for text in [f"outs:\n- {{md5: {md5(str(n))}, hash: md5, path: a}}\n"]
    )
    subprocess.run(["git", "fast-import", "--quiet"], input=stream.encode(), cwd=repo.root, check=True)
    tip = resolve(repo, "many")
    log = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(log))
    assert len(needed(repo, line(tip))) == 100
    assert log.read_text().count('"event":"cmd_name"') == 2
