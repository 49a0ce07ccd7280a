"""Patterns of mlops.yaml against what git itself says of the same pattern in .gitignore."""

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_mlops.git.repo import Repo
from git_mlops.patterns import matches

CASES = [
    ("a/b.parquet", "*.parquet", True),
    ("b.parquet.bak", "*.parquet", False),
    ("models/x/y", "models/**", True),
    ("models", "models/**", False),
    ("data/a.csv", "data/*.csv", True),
    ("data/b/a.csv", "data/*.csv", False),
    ("x/models/y", "models/", True),
    ("a/b/c.csv", "a/**/c.csv", True),
    ("a/c.csv", "a/**/c.csv", True),
    ("q.csv", "/q.csv", True),
    ("z/q.csv", "/q.csv", False),
    ("fold1.csv", "fold[0-9].csv", True),
    ("foldx.csv", "fold[!0-9].csv", True),
    ("fold1.csv", "fold[!0-9].csv", False),
    ("ä b.csv", "ä ?.csv", True),
    ("a+b.csv", "a+b.csv", True),
    ("aab.csv", "a+b.csv", False),
    ("!.csv", "[!].csv", True),
    ("[.csv", "[[].csv", True),
    ("a.csv", "[b-a].csv", False),
    ("a]b", "a]b", True),
]


@pytest.mark.parametrize(("path", "pattern", "expected"), CASES)
def test_a_pattern_matches_like_gitignore(path: str, pattern: str, expected: bool) -> None:
    assert matches(path, [pattern]) is expected


names = st.text(alphabet="ab.*?" + string.digits[:2], min_size=1, max_size=4).filter(lambda n: set(n) - {"."})
plain = st.text(alphabet="ab.1", min_size=1, max_size=4).filter(lambda n: set(n) - {"."})


@given(
    pattern=st.lists(st.one_of(names, st.just("**")), min_size=1, max_size=3).map("/".join),
    path=st.lists(plain, min_size=1, max_size=4).map("/".join),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_patterns_agree_with_git_on_files(repo: Repo, pattern: str, path: str) -> None:
    if "***" in pattern or pattern.endswith("**") or any("**" in p and p != "**" for p in pattern.split("/")):
        return  # runs of stars mean different things to different versions of git
    (repo.root / ".git" / "info" / "exclude").write_text(pattern + "\n", encoding="utf-8")
    ignored = bool(repo.git("check-ignore", "--no-index", "--", path, ok=(0, 1)))
    # git also ignores what lies below a matching directory: so do all prefixes of the path
    parts = path.split("/")
    ours = any(matches("/".join(parts[: n + 1]), [pattern]) for n in range(len(parts)))
    assert ours is ignored
