"""Objects, trees and commits by plumbing, in sha1 and sha256 repositories."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_mlops.git import objects
from git_mlops.git.repo import Repo, discover, head
from tests.conftest import Run


@pytest.fixture(params=["sha1", "sha256"])
def any_repo(request: pytest.FixtureRequest, tmp_path: Path, run: Run) -> Repo:
    run("git", "init", "-q", f"--object-format={request.param}", tmp_path / "r", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "first", cwd=tmp_path / "r")
    return discover(tmp_path / "r")


def test_blobs_are_written_and_read_back(any_repo: Repo) -> None:
    contents = [b"", b"one\n", b"\0\n\xff", b"x" * 200_000, b"missing\n"]
    oids = objects.write_blobs(any_repo, contents)
    assert objects.read_blobs(any_repo, [*oids, "HEAD:none", "0" * 40]) == dict(
        zip(oids, contents, strict=True)
    )


def test_a_blob_id_is_known_without_storing_it(any_repo: Repo) -> None:
    assert [objects.blob_id(any_repo, b"one\n")] == objects.write_blobs(any_repo, [b"one\n"])


@given(content=st.binary(max_size=300))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_blob_id_is_always_gits(repo: Repo, content: bytes) -> None:
    assert objects.blob_id(repo, content) == repo.text("hash-object", "--stdin", stdin=content)


def test_sizes_are_read_without_the_content_and_missing_ones_left_out(any_repo: Repo) -> None:
    oids = objects.write_blobs(any_repo, [b"", b"12345"])
    assert objects.sizes(any_repo, [*oids, any_repo.null_oid()]) == {oids[0]: 0, oids[1]: 5}


def test_a_tree_is_made_without_touching_index_or_workspace(any_repo: Repo) -> None:
    before = (any_repo.git_dir / "index").read_bytes() if (any_repo.git_dir / "index").exists() else None
    with objects.scratch_index(any_repo) as index:
        objects.put(any_repo, index, {"a/ü b.txt": b"1", "c": b"2"})
        objects.put(any_repo, index, {"d": b"3"}, removed=["c"])
        tree = objects.write_tree(any_repo, index)
    after = (any_repo.git_dir / "index").read_bytes() if (any_repo.git_dir / "index").exists() else None
    assert [entry.path for entry in objects.tree_entries(any_repo, tree)] == ["a/ü b.txt", "d"]
    assert (before == after, any_repo.text("status", "--porcelain")) == (True, "")


def test_a_commit_is_made_and_no_ref_moves(any_repo: Repo) -> None:
    old = head(any_repo)
    assert old
    commit = objects.commit_tree(any_repo, f"{old}^{{tree}}", [old], "title\n\nbody ü\n")
    assert (any_repo.text("log", "-1", "--format=%P %B", commit), head(any_repo)) == (
        f"{old} title\n\nbody ü",
        old,
    )


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_text("old")
    file.chmod(0o750)
    objects.replace_file(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777, [p.name for p in tmp_path.iterdir()]) == (
        b"new",
        0o750,
        ["run.sh"],
    )


def test_a_failed_replacement_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    with pytest.raises(IsADirectoryError):
        objects.replace_file(tmp_path / "dir", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["dir"]
