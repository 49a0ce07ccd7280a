"""Drift between two revisions, from profiles alone."""

import pytest

from git_mlops.data import profile
from git_mlops.data.profile import Profile
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.monitor import pointers
from git_mlops.monitor.settings import Settings
from tests.experiments.conftest import commit

AGE = {
    "type": "float64",
    "nulls": 0,
    "distinct": 900,
    "min": 1.0,
    "p50": 40.0,
    "max": 90.0,
    "mean": 40.0,
    "std": 10.0,
}
CITY = {"type": "string", "nulls": 0, "distinct": 3, "top": {"Ghent": 600, "Namur": 300}}


def _pointer(hash_: str, rows: int = 1000, **columns: dict[str, object]) -> str:
    text = f"outs:\n- md5: '{hash_}'\n  size: 5\n  hash: md5\n  path: a.csv\n"
    return profile.put(text, Profile(rows, columns), hash_) if columns else text


def _said(repo: Repo, after: str, *paths: str) -> list[tuple[str, str]]:
    commit(repo, {"data/a.csv.dvc": _pointer("a" * 32, age=AGE, city=CITY)})
    commit(repo, {"data/a.csv.dvc": after})
    found = pointers.compare(repo, "HEAD~1", "HEAD", paths, Settings()).findings
    assert {one.path for one in found} <= {"data/a.csv"}
    return [(one.rule, one.level) for one in found]


@pytest.mark.parametrize(
    ("age", "city", "expected"),
    [
        ({"mean": 40.2}, {}, []),
        ({"mean": 43.0}, {}, [("drift", "error")]),
        ({"std": 15.0, "p50": 36.0}, {}, [("drift", "error")]),
        ({"nulls": 200}, {}, [("nulls", "error")]),
        ({}, {"top": {"Ghent": 450, "Namur": 450}}, [("drift", "error")]),
        ({}, {"top": {"Ghent": 610, "Namur": 290}}, []),
        ({"type": "string"}, {}, [("skew", "error")]),
    ],
)
def test_what_a_profile_tells_is_found(
    repo: Repo, age: dict[str, object], city: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    assert _said(repo, _pointer("b" * 32, age={**AGE, **age}, city={**CITY, **city})) == expected


def test_a_shift_that_few_rows_may_show_by_chance_is_none(repo: Repo) -> None:
    few = {**CITY, "top": {"Ghent": 6, "Namur": 3}}
    assert _said(repo, _pointer("b" * 32, 10, age={**AGE, "mean": 43.0}, city=few)) == []


def test_a_column_that_is_gone_and_data_without_a_profile_are_said(repo: Repo) -> None:
    assert _said(repo, _pointer("b" * 32, age=AGE)) == [("skew", "error")]
    assert _said(repo, _pointer("c" * 32)) == [("drift", "unknown")]


def test_paths_narrow_it_and_what_profiles_cannot_tell_is_said(repo: Repo) -> None:
    moved = _pointer("b" * 32, age={**AGE, "mean": 60.0}, city=CITY)
    assert _said(repo, moved, "other") == []
    assert _said(repo, moved, "data") == [("drift", "error")]
    found = pointers.compare(repo, "HEAD~1", "HEAD", (), Settings())
    assert found.notes == ("1 of 1 tracked paths changed", pointers.NOT_TOLD)


def test_a_revision_that_is_none_is_an_error(repo: Repo) -> None:
    with pytest.raises(MlopsError, match="`nope` is not a commit"):
        pointers.compare(repo, "nope", "HEAD", (), Settings())
