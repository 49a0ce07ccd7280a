"""Many objects through one process: whole, in order, bounded."""

from pathlib import Path

import pytest

from git_mlops.git import objects
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run


def test_thousands_are_read_without_waiting_for_each_other(repo: Repo) -> None:
    contents = [b"%d\n" % number * 100 for number in range(3000)]
    oids = objects.write_blobs(repo, contents)
    with reader(repo) as answers:
        found = answers.read(oids)
    assert [found[oid].content for oid in oids] == contents


def test_what_is_missing_or_cannot_be_asked_for_is_left_out(repo: Repo) -> None:
    blob = objects.write_blobs(repo, [b"x"])[0]
    with reader(repo) as answers:
        found = answers.read(["0" * 40, "HEAD:nö such file", "a\nb", "HEAD with words", blob])
    assert list(found) == [blob]


def test_a_large_object_is_skipped_and_the_next_is_whole(repo: Repo) -> None:
    large, small = objects.write_blobs(repo, [b"x" * 3_000_000, b"small"])
    with reader(repo) as answers:
        found = answers.read([large, small], limit=1000)
    assert [(found[oid].size, found[oid].content) for oid in (large, small)] == [
        (3_000_000, None),
        (5, b"small"),
    ]


@pytest.mark.parametrize("format_", ["sha1", "sha256"])
def test_a_tree_written_from_entries_is_read_back(format_: str, tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", f"--object-format={format_}", tmp_path / "r", cwd=tmp_path)
    repo = discover(tmp_path / "r")
    blob = objects.write_blobs(repo, [b"x"])[0]
    inner = [objects.Entry("100755", blob, "run ü.sh"), objects.Entry("120000", blob, "link")]
    inner_text, inner_id = objects.tree_text(repo, inner)
    outer = [objects.Entry("40000", inner_id, "a"), objects.Entry("100644", blob, "a.txt")]
    outer_text, outer_id = objects.tree_text(repo, outer)
    objects.write_trees(repo, [inner_text, outer_text])
    with reader(repo) as answers:
        found = answers.trees([outer_id, inner_id])
    assert {oid: sorted(entries.values()) for oid, entries in found.items()} == {
        outer_id: sorted(outer),
        inner_id: sorted(inner),
    }
    run("git", "fsck", "--strict", cwd=repo.root)
