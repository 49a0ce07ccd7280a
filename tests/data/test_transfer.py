"""Objects to and from the remote: what is named, nothing else, and every file of a directory."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from git_mlops.data import cache, listing, transfer
from git_mlops.data.pointers import Out
from git_mlops.data.transfer import Transferred
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.repo import discover
from tests.conftest import Run
from tests.data.conftest import Data


def stored(data: Data, name: str = "store") -> set[str]:
    """Hashes on a remote."""
    return {p.parent.name + p.name for p in (data.root.parent / name).rglob("*") if p.is_file()}


def remove(data: Data, out: Out) -> None:
    next((data.root.parent / "store").rglob(out.hash[2:])).unlink()


def empty_cache(data: Data) -> None:
    shutil.rmtree(data.root / ".dvc" / "cache")


def test_only_what_is_named_is_pushed(data: Data) -> None:
    wanted = data.file("a.csv", "a")
    data.file("b.csv", "b")
    assert transfer.push(data.repo, [wanted]) == Transferred(1, ())
    assert stored(data) == {wanted.hash}


def test_a_directory_is_pushed_with_its_files(data: Data) -> None:
    out = data.folder("raw", {"a": "1", "b": "2"})
    assert transfer.push(data.repo, [out]).objects == 3
    assert stored(data) == {out.hash, *(m.hash for m in cache.members(data.repo, out).values())}


def test_a_second_push_copies_nothing(data: Data) -> None:
    out = data.folder("raw", {"a": "1"})
    transfer.push(data.repo, [out])
    assert transfer.push(data.repo, [out]) == Transferred(0, ())


def test_files_that_the_remote_lost_are_found_and_pushed_again(data: Data) -> None:
    out = data.folder("raw", {"a": "1", "b": "2"})
    transfer.push(data.repo, [out])
    remove(data, cache.members(data.repo, out)["b"])
    assert transfer.missing_on_remote(data.repo, [out]) == [out]
    assert transfer.push(data.repo, [out]) == Transferred(1, ())
    assert transfer.missing_on_remote(data.repo, [out]) == []


def test_what_must_not_be_pushed_stays(data: Data) -> None:
    outs = [data.file("a.csv", "a", "push: false"), data.file("b.csv", "b", "cache: false")]
    assert transfer.push(data.repo, outs) == Transferred(0, ())
    assert transfer.missing_on_remote(data.repo, outs) == []
    assert stored(data) == set()


def test_an_output_bound_to_a_remote_goes_there(data: Data) -> None:
    (data.root.parent / "cold").mkdir()
    with (data.root / ".dvc" / "config").open("a") as file:
        file.write(f"['remote \"cold\"']\n    url = {data.root.parent / 'cold'}\n")
    bound, other = data.file("a.csv", "a", "remote: cold"), data.file("b.csv", "b")
    assert transfer.push(data.repo, [bound, other]).objects == 2
    assert (stored(data), stored(data, "cold")) == ({other.hash}, {bound.hash})


def test_what_is_neither_here_nor_there_is_said(data: Data) -> None:
    out = data.file("a.csv", "a")
    data.lose(out)
    assert transfer.push(data.repo, [out]) == Transferred(0, (out,))
    assert transfer.pull(data.repo, [out]) == Transferred(0, (out,))


def test_a_directory_that_lacks_a_file_is_said(data: Data) -> None:
    out = data.folder("raw", {"a": "1", "b": "2"})
    data.lose(cache.members(data.repo, out)["b"])
    assert transfer.push(data.repo, [out]).missing == (out,)


def test_a_relative_remote_is_beside_the_repository(data: Data) -> None:
    config = data.root / ".dvc" / "config"
    config.write_text("[core]\n    remote = near\n['remote \"near\"']\n    url = ../../near\n")
    out = data.file("a.csv", "a")
    transfer.push(data.repo, [out])
    assert stored(data, "near") == {out.hash}


def test_pull_brings_a_directory_with_its_files(data: Data) -> None:
    out = data.folder("raw", {"a": "1", "b": "2"})
    transfer.push(data.repo, [out])
    empty_cache(data)
    assert transfer.pull(data.repo, [out]) == Transferred(3, ())
    assert cache.complete(data.repo, out)


def test_pull_of_what_is_here_copies_nothing(data: Data) -> None:
    assert transfer.pull(data.repo, [data.file("a.csv", "a")]) == Transferred(0, ())


def test_a_corrupt_object_of_the_remote_is_not_taken(data: Data) -> None:
    out = data.file("a.csv", "a")
    transfer.push(data.repo, [out])
    empty_cache(data)
    object_ = next((data.root.parent / "store").rglob(out.hash[2:]))
    object_.chmod(0o644)
    object_.write_text("b")
    with (data.root / ".dvc" / "config").open("a") as file:
        file.write("    verify = true\n")
    with suppress(MlopsError):
        assert transfer.pull(data.repo, [out]).missing == (out,)
    assert not cache.complete(data.repo, out)


def test_a_clone_without_listings_knows_what_the_remote_lacks(data: Data) -> None:
    whole, holed = data.folder("raw", {"a": "1"}), data.folder("more", {"b": "2", "c": "3"})
    transfer.push(data.repo, [whole, holed])
    remove(data, cache.members(data.repo, holed)["c"])
    empty_cache(data)
    assert transfer.missing_on_remote(data.repo, [whole, holed]) == [holed]


def test_without_a_remote(data: Data) -> None:
    (data.root / ".dvc" / "config").write_text("")
    with pytest.raises(MlopsError, match="no DVC remote is configured") as caught:
        transfer.push(data.repo, [data.file("a.csv", "a")])
    assert caught.value.hint == "`dvc remote add -d NAME URL`"


def test_an_unknown_remote_is_an_error(data: Data) -> None:
    with pytest.raises(MlopsError, match="there is no DVC remote `nowhere`") as caught:
        transfer.push(data.repo, [data.file("a.csv", "a")], remote="nowhere")
    assert caught.value.hint == "`dvc remote add nowhere URL`"


def test_a_remote_whose_package_is_not_installed(data: Data) -> None:
    data.write(".dvc/config", "[core]\n    remote = r\n['remote \"r\"']\n    url = oss://bucket/key\n")
    out = data.file("a.csv", "a")
    with pytest.raises(MlopsError, match=r"the DVC remote \(oss\) needs a package") as caught:
        transfer.push(data.repo, [out])
    assert "pip install 'dvc-oss'" in str(caught.value.hint)


def test_a_remote_in_a_place_that_is_no_directory(data: Data) -> None:
    shutil.rmtree(data.root.parent / "store")
    (data.root.parent / "store").write_text("in the way")
    out = data.file("a.csv", "a")
    with pytest.raises(MlopsError) as caught:
        transfer.push(data.repo, [out])
    assert caught.value.exit_code == CANNOT_EVALUATE


# the data of a push


def zeros(data: Data) -> str:
    return data.repo.null_oid()


def named(data: Data, *lines: str, remote: str = "origin") -> set[str]:
    return {out.hash for out in transfer.pointers_of_push(data.repo, lines, remote)}


@pytest.fixture
def hub(data: Data, run: Run, tmp_path: Path) -> Data:
    """With a bare `origin` that has `main`."""
    run("git", "init", "-q", "--bare", tmp_path / "hub.git", cwd=tmp_path)
    data.git("remote", "add", "origin", str(tmp_path / "hub.git"))
    data.git("push", "-q", "origin", "main")
    return data


def test_every_version_between_is_named(hub: Data) -> None:
    old = hub.git("rev-parse", "HEAD")
    first, _ = hub.file("a.csv", "1"), hub.commit()
    second, new = hub.file("a.csv", "2"), hub.commit()
    assert named(hub, f"refs/heads/main {new} refs/heads/main {old}") == {first.hash, second.hash}


def test_a_new_branch_brings_what_the_remote_has_not(hub: Data) -> None:
    hub.file("a.csv", "1")
    hub.commit()
    hub.git("push", "-q", "origin", "main")
    mine, new = hub.file("b.csv", "2"), hub.commit()
    assert named(hub, f"refs/heads/b {new} refs/heads/b {zeros(hub)}") == {mine.hash}


def test_several_refs_are_all_read(hub: Data) -> None:
    base = hub.git("rev-parse", "HEAD")
    first, one = hub.file("a.csv", "1"), hub.commit()
    hub.git("switch", "-q", "-c", "other", base)
    second, two = hub.file("b.csv", "2"), hub.commit()
    lines = [
        f"refs/heads/{name} {oid} refs/heads/{name} {zeros(hub)}" for name, oid in (("a", one), ("b", two))
    ]
    assert named(hub, *lines) == {first.hash, second.hash}


def test_a_deletion_needs_nothing(hub: Data) -> None:
    hub.file("a.csv", "1")
    new = hub.commit()
    assert named(hub, f"(delete) {zeros(hub)} refs/heads/main {new}") == set()


def test_a_first_push_includes_the_root_commit(run: Run, tmp_path: Path) -> None:
    run("git", "init", "-q", tmp_path / "new", cwd=tmp_path)
    data = Data(discover(tmp_path / "new"))
    out, new = data.file("a.csv", "1"), data.commit()
    assert named(data, f"refs/heads/main {new} refs/heads/main {zeros(data)}") == {out.hash}


def test_data_that_only_a_merge_brings(hub: Data) -> None:
    base = hub.git("rev-parse", "HEAD")
    hub.git("switch", "-q", "-c", "side")
    hub.write("x", "x")
    hub.commit()
    hub.git("switch", "-q", "main")
    hub.git("merge", "-q", "--no-ff", "--no-commit", "side")
    evil, new = hub.file("a.csv", "evil"), hub.commit()
    assert named(hub, f"refs/heads/main {new} refs/heads/main {base}") == {evil.hash}


@pytest.mark.parametrize("options", [[], ["-a", "-m", "v1"]])
def test_a_tag(hub: Data, options: list[str]) -> None:
    out, _ = hub.file("a.csv", "1"), hub.commit()
    hub.git("tag", *options, "v1")
    tag = hub.git("rev-parse", "v1")
    assert named(hub, f"refs/tags/v1 {tag} refs/tags/v1 {zeros(hub)}") == {out.hash}


def test_a_tag_of_no_commit_needs_nothing(hub: Data) -> None:
    hub.write("x", "x")
    blob = hub.git("hash-object", "-w", "x")
    assert named(hub, f"refs/tags/b {blob} refs/tags/b {zeros(hub)}") == set()


def test_a_state_of_the_remote_that_is_unknown_here(hub: Data) -> None:
    out, new = hub.file("a.csv", "1"), hub.commit()
    assert named(hub, f"refs/heads/main {new} refs/heads/main {'1' * 40}") == {out.hash}


def test_a_remote_given_by_its_address(hub: Data, tmp_path: Path) -> None:
    out, new = hub.file("a.csv", "1"), hub.commit()
    line = f"refs/heads/main {new} refs/heads/main {zeros(hub)}"
    assert named(hub, line, remote=str(tmp_path / "hub.git")) == {out.hash}


def test_no_commits_no_data(hub: Data) -> None:
    assert named(hub) == set()


def test_a_lock_is_read_with_its_pipeline(hub: Data) -> None:
    hub.write("dvc.yaml", "stages:\n  t:\n    cmd: x\n    outs:\n    - m.bin: {push: false}\n")
    md5 = "0123456789abcdef0123456789abcdef"
    outs = f"    outs:\n    - path: m.bin\n      hash: md5\n      md5: {md5}\n"
    hub.write("dvc.lock", f"schema: '2.0'\nstages:\n  t:\n    cmd: x\n{outs}")
    new = hub.commit()
    found = transfer.pointers_of_push(hub.repo, [f"refs/heads/b {new} refs/heads/b {zeros(hub)}"], "origin")
    assert (len(found), listing.kept(found)) == (1, [])
