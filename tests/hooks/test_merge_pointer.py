"""The merge driver: whole outputs, whole stages, and markers where a person must choose."""

import pytest

from git_mlops.data.merging import Texts
from git_mlops.data.pointer_text import Merged, merge, merge_lock
from git_mlops.hooks.merge_pointer import announce
from tests.hooks.conftest import Armed, pointer

BASE, OURS, THEIRS = (pointer("data.csv", digit * 32, int(digit)) for digit in "123")
META = "meta:\n  owner: ada\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(BASE, THEIRS, THEIRS), (OURS, BASE, OURS), (OURS, OURS, OURS), (OURS, BASE + META, OURS + META)],
)
def test_what_one_side_changed_is_taken(ours: str, theirs: str, expected: str) -> None:
    assert merge(BASE, ours, theirs) == Merged(expected, conflict=False)


def test_what_both_changed_is_marked_line_by_line() -> None:
    merged = merge(BASE, OURS, THEIRS)
    assert merged.conflict
    assert merged.text.splitlines() == [
        "outs:",
        "<<<<<<< ours",
        f'- md5: "{"2" * 32}"',
        "  size: 2",
        "=======",
        f'- md5: "{"3" * 32}"',
        "  size: 3",
        ">>>>>>> theirs",
        "  hash: md5",
        '  path: "data.csv"',
    ]


def test_one_sides_hash_never_joins_the_others_size() -> None:
    spread = "outs:\n- md5: {}\n  a: 1\n  b: 1\n  c: 1\n  size: {}\n  path: d\n"
    ours, theirs = spread.format("b" * 32, 1), spread.format("a" * 32, 2)
    assert merge(spread.format("a" * 32, 1), ours, theirs).conflict


def test_a_side_that_is_no_pointer_is_a_conflict() -> None:
    assert merge("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n").conflict


def lock(**stages: str) -> str:
    body = (f"  {name}:\n    cmd: {cmd}\n    outs:\n    - path: {name}\n" for name, cmd in stages.items())
    return "schema: '2.0'\nstages:\n" + "".join(body)


def test_a_lock_is_merged_stage_by_stage() -> None:
    merged = merge_lock(lock(a="1", b="1"), lock(a="2", b="1", c="1"), lock(a="1", b="3", d="1"))
    assert merged == Merged(lock(a="2", b="3", c="1", d="1"), conflict=False)


def test_a_stage_that_one_side_removed_is_removed() -> None:
    assert merge_lock(lock(a="1", b="1"), lock(a="1"), lock(a="2", b="1")) == Merged(
        lock(a="2"), conflict=False
    )


def test_a_stage_that_both_ran_is_marked_as_a_whole() -> None:
    merged = merge_lock(lock(a="1"), lock(a="2"), lock(a="3"))
    stage = "  a:\n    cmd: {}\n    outs:\n    - path: a\n"
    body = f"<<<<<<< ours\n{stage.format(2)}=======\n{stage.format(3)}>>>>>>> theirs\n"
    assert merged == Merged(f"schema: '2.0'\nstages:\n{body}", conflict=True)


def test_a_lock_that_dvc_did_not_lay_out_is_left_to_the_merge_by_line() -> None:
    assert merge_lock(lock(a="1"), "stages: {}\n", lock(a="2")) is None


@pytest.fixture
def diverged(armed: Armed) -> Armed:
    """`main` and `other` changed the same pointer; drivers are registered, hooks out of the way."""
    for name in ("pre-commit", "post-index-change", "post-checkout", "pre-merge-commit"):
        (armed.repo.common_dir / "hooks" / name).unlink()
    armed.write(".gitattributes", "*.dvc diff=mlops merge=mlops\ndvc.lock merge=mlops\n")
    armed.write("data set.csv.dvc", BASE)
    armed.write("dvc.lock", lock(a="1", b="1"))
    armed.commit("base")
    armed.git("switch", "-q", "-c", "other")
    armed.write("data set.csv.dvc", THEIRS)
    armed.write("dvc.lock", lock(a="1", b="2"))
    armed.commit("theirs")
    armed.git("switch", "-q", "main")
    armed.write("data set.csv.dvc", OURS)
    armed.write("dvc.lock", lock(a="2", b="1"))
    armed.commit("ours")
    return armed


def test_git_merge_leaves_markers_and_says_what_to_do(diverged: Armed) -> None:
    said = diverged.git("merge", "other", status=1)
    assert (
        "warning: `data set.csv.dvc`: both sides changed the data, and it was not merged: "
        "its data is not on this machine (111111111111, 222222222222, 333333333333)\n"
    ) in said
    assert "`git mlops pull 'data set.csv'`" in said
    assert diverged.read("data set.csv.dvc") == merge(BASE, OURS, THEIRS).text
    assert diverged.read("dvc.lock") == lock(a="2", b="2")
    diverged.git("checkout", "--theirs", "data set.csv.dvc")
    assert diverged.read("data set.csv.dvc") == THEIRS


def test_git_diff_shows_facts(diverged: Armed) -> None:
    diverged.write("data set.csv.dvc", OURS + META)
    assert diverged.git("diff", "--", "*.dvc").splitlines()[4:] == [
        "@@ -1,3 +1,5 @@",
        " path:  data.csv",
        " size:  2 (2 B)",
        f" md5:   {'2' * 32}",
        "+meta:",
        "+  owner: ada",
    ]


def test_git_diff_shows_a_broken_pointer_as_it_is(diverged: Armed) -> None:
    diverged.write("data set.csv.dvc", "outs: [\n")
    assert "+outs: [" in diverged.git("diff", "--", "*.dvc")


def test_a_merge_that_takes_long_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    for size in (1, 20_000_000):
        sides = [pointer("data.csv", digit * 32, size) for digit in "123"]
        announce("data.csv.dvc", Texts(*sides))
    assert capsys.readouterr().err == "merging `data.csv`, 57.2 MiB of three versions\n"
