"""Objects and pointers: what is merged, what is left alone and why."""

import pytest

from git_mlops.data import cache, pointers
from git_mlops.data.merging import Texts, keys_of, merge_data, outs_of
from git_mlops.data.settings import Settings
from git_mlops.git.repo import Repo
from tests.hooks.conftest import pointer, store

BASE, OURS, THEIRS = b"id,n\n1,1\n2,2\n", b"id,n\n1,0\n2,2\n", b"id,n\n1,1\n2,2\n3,3\n"
KEYED = Settings(keys={"*.csv": ("id",)})


def texts(repo: Repo, *contents: bytes, name: str = "t.csv") -> Texts:
    base, ours, theirs = (pointer(name, store(repo, one), len(one)) for one in contents)
    return Texts(base, ours, theirs)


def test_the_pointer_keeps_what_else_it_says_of_both_sides(dvc_repo: Repo) -> None:
    sides = texts(dvc_repo, BASE, OURS, THEIRS)
    sides = sides._replace(ours="desc: mine\n" + sides.ours, theirs=sides.theirs + "meta:\n  owner: ada\n")
    result = merge_data(dvc_repo, "t.csv.dvc", sides, KEYED)
    merged = b"id,n\n1,0\n2,2\n3,3\n"
    md5 = store(dvc_repo, merged)
    assert result.text is not None
    assert result.text.replace("'", "").replace('"', "") == (
        f"desc: mine\nouts:\n- md5: {md5}\n  size: {len(merged)}\n  hash: md5\n  path: t.csv\n"
        "meta:\n  owner: ada\n"
    )


def test_what_else_both_changed_is_left_to_a_person(dvc_repo: Repo) -> None:
    sides = texts(dvc_repo, BASE, OURS, THEIRS)
    sides = sides._replace(ours="desc: mine\n" + sides.ours, theirs="desc: other\n" + sides.theirs)
    result = merge_data(dvc_repo, "t.csv.dvc", sides, KEYED)
    assert (result.text, result.reason) == (None, "both sides changed what the pointer says beside the data")


def test_a_preview_keeps_nothing(dvc_repo: Repo) -> None:
    sides = texts(dvc_repo, BASE, OURS, THEIRS)
    cache = dvc_repo.root / ".dvc" / "cache"
    before = sorted(cache.rglob("*"))
    assert merge_data(dvc_repo, "t.csv.dvc", sides, KEYED, keep=False).text is not None
    assert sorted(cache.rglob("*")) == before


def test_a_missing_object_is_named(dvc_repo: Repo) -> None:
    sides = texts(dvc_repo, BASE, OURS, THEIRS)._replace(base=pointer("t.csv", "f" * 32, 1))
    result = merge_data(dvc_repo, "t.csv.dvc", sides, KEYED)
    assert [out.hash for out in result.missing] == ["f" * 32]


GOOD = pointer("t.csv", "a" * 32, 1)


@pytest.mark.parametrize(
    ("base", "said"),
    [
        (
            "<<<<<<<<< a\n=========\n>>>>>>>>> b\n",
            "the commits that both sides come from conflict with each other",
        ),
        ("outs: []\n", "a side names more than one output"),
        (pointer("u.csv", "a" * 32, 1), "the sides name different files"),
        (GOOD.replace("  hash: md5\n", ""), "its hash is of DVC 2"),
        ("x: 1\n", "`outs` is missing"),
        (pointer("../t.csv", "a" * 32, 1), "`../t.csv` is outside the repository"),
    ],
)
def test_pointers_that_are_not_merged_say_why(base: str, said: str) -> None:
    found = outs_of("t.csv.dvc", Texts(base, GOOD, GOOD))
    assert isinstance(found, str)
    assert found.startswith(said)


def test_a_declared_key_counts_alone_and_a_known_one_before_none() -> None:
    meta = "meta:\n  mlops:\n    version: 1\n    of: {}\n    rows: 1\n    key: [nr]\n    columns: {{}}\n"
    sides = Texts(GOOD, GOOD + meta.format("a" * 32), GOOD)
    assert keys_of("t.csv.dvc", "t.csv", sides, KEYED) == [("id",)]
    assert keys_of("t.csv.dvc", "t.csv", sides, Settings()) == [("nr",), ()]


@pytest.mark.parametrize("said", [("id",), ()])
def test_a_table_that_both_sides_added_is_merged_by_its_key(dvc_repo: Repo, said: tuple[str, ...]) -> None:
    sides = texts(dvc_repo, b"", b"id,n,x\n1,1,a\n2,2,a\n", b"id,y,n\n2,b,2\n3,b,3\n")._replace(base="")
    result = merge_data(dvc_repo, "t.csv.dvc", sides, Settings(), key=said)
    if not said:
        assert result.reason == "both sides added it, and no key tells its rows apart"
        return
    assert result.text is not None
    merged = cache.locate(dvc_repo, pointers.parse("t.csv.dvc", result.text.encode()).outs[0])
    assert merged is not None
    assert merged.read_bytes() == b"id,n,x,y\n1,1,a,\n2,2,a,b\n3,3,,b\n"


def test_a_key_that_is_no_column_is_named_where_both_sides_added_a_table(dvc_repo: Repo) -> None:
    sides = texts(dvc_repo, b"", b"id\n1\n", b"id\n2\n")._replace(base="")
    result = merge_data(dvc_repo, "t.csv.dvc", sides, Settings(), key=("nr",))
    assert result.reason == "theirs has no column `nr`, which the key needs"
