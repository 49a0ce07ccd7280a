"""Experiments fetched straight to their place: whatever must not stand there is taken back."""

import os
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import fetching, names, pulling
from git_mlops.experiments.offering import Rejected
from git_mlops.experiments.pulling import Pulled, What
from git_mlops.git import refs
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run

HELD = "refs/mlops/remotes/origin/exps/"


@pytest.fixture
def remote(repo: Repo, tmp_path: Path, run: Run) -> Repo:
    """A repository whose remote `origin` has two commits."""
    run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "the origin.git", cwd=tmp_path)
    repo.git("remote", "add", "origin", str(tmp_path / "the origin.git"))
    repo.git("commit", "-q", "--allow-empty", "-m", "second")
    repo.git("push", "-q", "origin", "main")
    return repo


@pytest.fixture
def clone(remote: Repo, tmp_path: Path, run: Run) -> Repo:
    run("git", "clone", "-q", tmp_path / "the origin.git", tmp_path / "clone", cwd=tmp_path)
    return discover(tmp_path / "clone")


def made(repo: Repo, said: str, parent: str = "HEAD") -> str:
    """A commit without a ref."""
    return repo.text("commit-tree", "HEAD^{tree}", "-p", parent, "-m", said)


def at(repo: Repo, name: str, baseline: str = "HEAD") -> str:
    oid = repo.text("rev-parse", baseline)
    return f"refs/exps/{oid[:2]}/{oid[2:]}/{name}"


def publish(repo: Repo, found: Mapping[str, str]) -> None:
    repo.git("push", "-q", "--force", "origin", *(f"{oid}:{ref}" for ref, oid in found.items()))


def local(repo: Repo) -> dict[str, str]:
    return {ref.name: ref.oid for ref in refs.list_refs(repo, "refs/exps/")}


def held(repo: Repo) -> dict[str, str]:
    return {ref.name.removeprefix(HELD): ref.oid for ref in refs.list_refs(repo, HELD)}


def below(ref: str) -> str:
    return ref.removeprefix("refs/exps/")


def pull(repo: Repo) -> Pulled:
    return pulling.pull(repo, What(everything=True), None, None)


def left(repo: Repo) -> list[str]:
    folder = repo.private / "fetching"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


# -- what may stand where ------------------------------------------------------------------------------------


def test_what_is_good_comes_straight_to_its_place(remote: Repo, clone: Repo) -> None:
    ref, oid = at(remote, "it's"), made(remote, "x")
    publish(remote, {ref: oid})
    done = pull(clone)
    assert (done.new, done.equal, done.held, local(clone), held(clone)) == (
        ("it's",), (), (), {ref: oid}, {}
    )  # fmt: skip
    assert (pull(clone).equal, left(clone)) == (("it's",), [])


def test_the_users_fetch_head_stays(remote: Repo, clone: Repo) -> None:
    clone.git("fetch", "-q", "origin", "main")
    before = (clone.git_dir / "FETCH_HEAD").read_bytes()
    publish(remote, {at(remote, "a"): made(remote, "x")})
    pull(clone)
    assert (clone.git_dir / "FETCH_HEAD").read_bytes() == before


@pytest.mark.parametrize("setting", ["fetch.showForcedUpdates", "none.such"])
def test_one_that_differs_stays_and_the_rest_comes(remote: Repo, clone: Repo, setting: str) -> None:
    ref, theirs, other = at(remote, "a"), made(remote, "theirs"), at(remote, "b")
    mine = made(clone, "mine")
    clone.git("update-ref", ref, mine)
    clone.git("config", setting, "false")
    publish(remote, {ref: theirs, other: theirs})
    with closing(fetching.begun(clone, "origin", [names.PREFIX], fetching.here(clone))) as fetch:
        fetch._process.wait()
        assert local(clone)[ref] == mine  # git itself refuses: not for a moment is it another
    clone.git("update-ref", "-d", other)
    for new in (("b",), ()):
        done = pull(clone)
        assert (done.new, [one.name for one in done.held], done.exit_code) == (new, ["a"], 1)
        assert (local(clone), held(clone)) == ({ref: mine, other: theirs}, {below(ref): theirs})


def test_one_that_goes_on_from_ours_does_not_replace_it(remote: Repo, clone: Repo) -> None:
    ref, first = at(remote, "a"), made(remote, "first")
    publish(remote, {ref: first})
    pull(clone)
    second = made(remote, "second", first)
    publish(remote, {ref: second})
    done = pull(clone)
    assert [one.name for one in done.held] == ["a"]
    assert (local(clone), held(clone)) == ({ref: first}, {below(ref): second})


def test_configured_pruning_deletes_no_experiment(remote: Repo, clone: Repo) -> None:
    ref = at(clone, "mine")
    clone.git("update-ref", ref, made(clone, "mine"))
    clone.git("config", "fetch.prune", "true")
    clone.git("config", "remote.origin.prune", "true")
    publish(remote, {at(remote, "a"): made(remote, "x")})
    pull(clone)
    assert ref in local(clone)


def test_names_that_mean_something_else_here_are_held(remote: Repo, clone: Repo) -> None:
    oid = made(remote, "x")
    clone.git("branch", "topic")
    clone.git("tag", "v1")
    mine = at(clone, "used", "HEAD~1")
    clone.git("update-ref", mine, made(clone, "mine"))
    bad = [at(remote, name) for name in ("topic", "v1", "used", "-x", "abcd")]
    twice = [at(remote, "twice"), at(remote, "twice", "HEAD~1")]
    publish(remote, dict.fromkeys([*bad, *twice], oid))
    done = pull(clone)
    assert done.new == ("twice",)
    assert sorted(one.name for one in done.held) == ["-x", "abcd", "topic", "twice", "used", "v1"]
    assert local(clone).keys() == {mine, min(twice)}
    assert held(clone) == dict.fromkeys(map(below, [*bad, max(twice)]), oid)


def test_what_is_no_experiment_at_all_is_held(remote: Repo, clone: Repo) -> None:
    blob = remote.text("hash-object", "-w", "--stdin", stdin=b"x")
    nested, odd = at(remote, "a/b"), "refs/exps/odd"
    publish(remote, {at(remote, "hostile"): blob, nested: made(remote, "x"), odd: blob})
    done = pull(clone)
    assert (done.new, done.held) == ((), (Rejected("hostile", "it is no commit, so no experiment"),))
    assert local(clone) == {}
    assert sorted(held(clone)) == sorted([below(at(remote, "hostile")), below(nested), "odd"])


@pytest.mark.parametrize("below_it", [True, False])
def test_one_that_has_no_room_does_not_stop_the_rest(remote: Repo, clone: Repo, *, below_it: bool) -> None:
    ref, oid = at(remote, "a"), made(remote, "x")
    other = f"{ref}/deeper" if below_it else ref.rpartition("/")[0]
    clone.git("update-ref", other, "HEAD")
    publish(remote, {ref: oid, at(remote, "b", "HEAD~1"): oid})
    done = pull(clone)
    place = HELD + below(ref)
    assert (done.new, done.held) == (("b",), (Rejected("a", f"`{other}` is in its way; it is at `{place}`"),))
    assert held(clone) == {below(ref): oid}


def test_what_is_held_goes_when_there_is_no_reason_any_more(remote: Repo, clone: Repo) -> None:
    oid, ref, gone = made(remote, "x"), at(remote, "topic"), at(remote, "v1")
    clone.git("branch", "topic")
    clone.git("tag", "v1")
    publish(remote, {ref: oid, gone: oid})
    pull(clone)
    assert held(clone) == {below(ref): oid, below(gone): oid}
    clone.git("branch", "-D", "topic")
    remote.git("push", "-q", "origin", f":{gone}")
    assert (pull(clone).new, local(clone), held(clone)) == (("topic",), {ref: oid}, {})


def test_what_was_held_may_have_become_a_folder(remote: Repo, clone: Repo) -> None:
    oid, ref = made(remote, "x"), at(remote, "topic")
    clone.git("branch", "topic")
    publish(remote, {ref: oid})
    pull(clone)
    remote.git("push", "-q", "origin", f":{ref}")
    publish(remote, {f"{ref}/deeper": oid})
    pull(clone)
    assert held(clone) == {f"{below(ref)}/deeper": oid}


def test_the_repository_is_tidied_as_after_every_fetch(remote: Repo, clone: Repo) -> None:
    for key, value in {"fetch.unpackLimit": 1, "gc.autoPackLimit": 1, "gc.autoDetach": "false"}.items():
        clone.git("config", key, str(value))
    for name in ("a", "b"):
        publish(remote, {at(remote, name): made(remote, name)})
        pull(clone)
    assert "refs/exps/" in (clone.common_dir / "packed-refs").read_text()
    assert left(clone) == []


# -- the other way agrees ------------------------------------------------------------------------------------


def _scenario(remote: Repo, clone: Repo) -> dict[str, str]:
    """Of everything one; what is here before."""
    oid, blob = made(remote, "x"), remote.text("hash-object", "-w", "--stdin", stdin=b"x")
    first, mine = made(remote, "first"), made(clone, "mine")
    publish(remote, {at(remote, "first"): first})
    clone.git("fetch", "-q", "origin", at(remote, "first"))
    before = {
        at(clone, "equal"): first,
        at(clone, "differs"): mine,
        at(clone, "goes-on"): first,
        at(clone, "elsewhere", "HEAD~1"): mine,
        at(clone, "lost"): mine,
    }
    for ref, old in before.items():
        clone.git("update-ref", ref, old)
    clone.git("branch", "topic")
    remote.git("push", "-q", "origin", f":{at(remote, 'first')}")
    publish(
        remote,
        {
            **dict.fromkeys(
                (at(remote, name) for name in ("new", "differs", "elsewhere", "topic", "-x")), oid
            ),
            at(remote, "equal"): first,
            at(remote, "goes-on"): made(remote, "second", first),
            at(remote, "hostile"): blob,
            at(remote, "nested/one"): oid,
            at(remote, "new", "HEAD~1"): oid,
        },
    )
    return before


def test_both_ways_come_to_the_same(remote: Repo, clone: Repo, tmp_path: Path, run: Run) -> None:
    before = _scenario(remote, clone)
    run("cp", "-r", clone.root, tmp_path / "other", cwd=tmp_path)
    other = discover(tmp_path / "other")
    other.git("update-ref", f"{names.ARCHIVE}2026-01", "HEAD")  # then everything is held first
    for again in range(2):
        done = [pull(clone), pull(other)]
        assert done[0] == done[1]
        assert (local(clone), held(clone)) == (local(other), held(other))
        assert done[0].new == (() if again else ("new",))
        assert {ref: local(clone)[ref] for ref in before} == before
    assert len(done[0].held) == 7


# -- interrupted, killed, refused ----------------------------------------------------------------------------


def test_what_came_before_ctrl_c_is_looked_at(remote: Repo, clone: Repo) -> None:
    oid = made(remote, "x")
    clone.git("branch", "topic")
    publish(remote, {at(remote, "topic"): oid, at(remote, "good"): oid})
    with pytest.raises(KeyboardInterrupt):
        _interrupted(clone)
    assert (local(clone), held(clone)) == (
        {at(remote, "good"): oid}, {below(at(remote, "topic")): oid}
    )  # fmt: skip
    assert left(clone) == []


def _interrupted(clone: Repo) -> None:
    with closing(fetching.begun(clone, "origin", [names.PREFIX], fetching.here(clone))) as fetch:
        fetch._process.wait()
        assert len(local(clone)) == 2
        raise KeyboardInterrupt


def _killed(clone: Repo) -> None:
    """A fetch whose process ends before it looks at what came."""
    fetch = fetching.Coming(clone, "origin", (names.PREFIX,), fetching.here(clone))
    fetch._process.wait()
    fetch._said.close()
    fetch._lock.close()


def test_what_a_killed_fetch_left_is_taken_back_by_the_next(remote: Repo, clone: Repo) -> None:
    oid, first = made(remote, "x"), made(remote, "first")
    publish(remote, {at(remote, "goes-on"): first})
    pull(clone)
    second = made(remote, "second", first)
    blob = remote.text("hash-object", "-w", "--stdin", stdin=b"x")
    clone.git("branch", "topic")
    publish(
        remote,
        {
            at(remote, "goes-on"): second,
            at(remote, "topic"): oid,
            at(remote, "good"): oid,
            at(remote, "hostile"): blob,
        },
    )
    _killed(clone)
    assert len(local(clone)) == 4
    assert len(left(clone)) == 1
    done = pull(clone)
    assert (done.new, done.equal) == ((), ("good",))
    assert sorted(one.name for one in done.held) == ["goes-on", "hostile", "topic"]
    assert local(clone) == {at(remote, "goes-on"): first, at(remote, "good"): oid}
    assert left(clone) == []


def _locked(clone: Repo, ref: str) -> Path:
    """As a git leaves it that was killed between making a lock and writing it."""
    lock = clone.common_dir / f"{ref}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    return lock


def test_locks_that_a_killed_fetch_left_go_with_the_next(remote: Repo, clone: Repo) -> None:
    oid = made(remote, "x")
    publish(remote, {at(remote, "good"): oid, at(remote, "other"): oid})
    _killed(clone)
    clone.git("update-ref", "-d", at(remote, "good"))
    lock = _locked(clone, at(remote, "good"))
    done = pull(clone)
    assert (done.new, done.equal, done.held, lock.exists()) == (("good",), ("other",), (), False)


def test_locks_that_ctrl_c_leaves_are_gone_at_once(remote: Repo, clone: Repo) -> None:
    publish(remote, {at(remote, "good"): made(remote, "x")})
    fetch = fetching.begun(clone, "origin", [names.PREFIX], fetching.here(clone))
    lock = _locked(clone, at(remote, "cut-off"))
    fetch.close()
    assert not lock.exists()
    assert pull(clone).exit_code == 0


def test_another_ones_lock_stops_its_own_ref_alone(remote: Repo, clone: Repo) -> None:
    oid = made(remote, "x")
    publish(remote, {at(remote, "good"): oid, at(remote, "stuck"): oid})
    lock = _locked(clone, at(remote, "stuck"))
    os.utime(lock, (1, 1))
    done = pull(clone)
    assert (done.new, done.exit_code, lock.exists()) == (("good",), 1, True)
    assert [(one.name, str(lock) in str(one.hint)) for one in done.held] == [("stuck", True)]
    lock.unlink()
    assert pull(clone).new == ("stuck",)


def test_while_another_fetch_lives_no_lock_is_touched(remote: Repo, clone: Repo) -> None:
    with closing(fetching.begun(clone, "origin", [names.PREFIX], fetching.here(clone))):
        fetch = fetching.begun(clone, "origin", [names.PREFIX], fetching.here(clone))
        lock = _locked(clone, at(remote, "theirs"))
        fetch.close()
        assert lock.exists()


def test_one_under_way_is_left_alone(remote: Repo, clone: Repo) -> None:
    clone.git("branch", "topic")
    publish(remote, {at(remote, "topic"): made(remote, "x")})
    with closing(fetching.begun(clone, "origin", [names.PREFIX], fetching.here(clone))) as fetch:
        fetch._process.wait()
        assert [one.name for one in pull(clone).held] == []
        assert len(left(clone)) == 1
        assert [one.name for one in fetch.offered().held] == ["topic"]
    assert local(clone) == {}


def test_a_folder_of_a_fetch_that_never_began_goes_after_a_day(remote: Repo, clone: Repo) -> None:
    old, new = (clone.private / "fetching" / name for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "HEAD").write_bytes(b"x")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    pull(clone)
    assert left(clone) == ["new"]


def test_a_hook_that_refuses_is_an_error(remote: Repo, clone: Repo) -> None:
    publish(remote, {at(remote, "a"): made(remote, "x")})
    hook = clone.common_dir / "hooks" / "reference-transaction"
    hook.write_text(
        '#!/bin/sh\n[ "$1" != prepared ] || ! grep -q refs/exps || { echo not today >&2; exit 1; }\n'
    )
    hook.chmod(0o755)
    with pytest.raises(MlopsError, match="a hook refused the experiments of `origin`: not today"):
        pull(clone)
    assert (local(clone), left(clone)) == ({}, [])


def test_a_remote_that_is_away_is_an_error(remote: Repo, clone: Repo, tmp_path: Path) -> None:
    (tmp_path / "the origin.git").rename(tmp_path / "away")
    with pytest.raises(MlopsError, match="`origin` cannot be used") as caught:
        pull(clone)
    assert (caught.value.exit_code, left(clone)) == (CANNOT_EVALUATE, [])


# -- kinds of repositories -----------------------------------------------------------------------------------


def test_a_linked_worktree_with_settings_of_its_own(
    remote: Repo, clone: Repo, tmp_path: Path, run: Run
) -> None:
    oid = made(remote, "x")
    publish(remote, {at(remote, "a"): oid})
    clone.git("config", "extensions.worktreeConfig", "true")
    clone.git("remote", "remove", "origin")
    clone.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = discover(tmp_path / "linked")
    linked.git("config", "--worktree", "remote.origin.url", "../the origin.git")
    assert (pull(linked).new, local(clone)) == (("a",), {at(remote, "a"): oid})


def test_a_shallow_clone(remote: Repo, tmp_path: Path, run: Run) -> None:
    publish(remote, {at(remote, "a"): made(remote, "x")})
    url = (tmp_path / "the origin.git").as_uri()
    run("git", "clone", "-q", "--depth=1", url, tmp_path / "shallow", cwd=tmp_path)
    shallow = discover(tmp_path / "shallow")
    assert (pull(shallow).new, shallow.shallow) == (("a",), True)


def test_a_sha256_repository(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "-b", "main", "--object-format=sha256", tmp_path / "a", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path / "a")
    one = discover(tmp_path / "a")
    oid, ref = made(one, "x"), at(one, "a")
    one.git("update-ref", ref, oid)
    run("git", "clone", "-q", tmp_path / "a", tmp_path / "b", cwd=tmp_path)
    other = discover(tmp_path / "b")
    assert (pull(other).new, local(other)) == (("a",), {ref: oid})


def test_where_settings_depend_on_the_git_directory_it_is_not_changed(repo: Repo) -> None:
    assert fetching.possible(repo)
    repo.git("config", f"includeIf.gitdir:{repo.root.parent}/.path", "some")
    assert fetching.possible(repo)
    repo.git("config", f"includeIf.gitdir:{repo.git_dir}.path", "some")
    assert not fetching.possible(repo)
