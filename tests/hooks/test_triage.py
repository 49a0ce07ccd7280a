"""What the shims decide by matches at least what the settings mean."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_mlops.hooks.triage import shell_patterns
from git_mlops.patterns import matches


def in_shell(path: str, patterns: list[str]) -> bool:
    script = "path=$1; shift; for p; do case $path in $p) exit 0 ;; esac; done; exit 1"
    return subprocess.run(["sh", "-c", script, "sh", path, *patterns], check=False).returncode == 0


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.parquet", "a/b/c.parquet"), ("data/*.csv", "data/a.csv"), ("models/**", "models/a/b"),
        ("models/", "x/models/a"), ("**/raw", "a/b/raw"), ("a/**/b", "a/b"), ("/top.csv", "top.csv"),
        ("data.csv", "sub/data.csv"), ("?.csv", "ä.csv"), ("[!a].csv", "b.csv"), ("my data/*", "my data/x"),
        ("$HOME", "$HOME"), ("./x.csv", "x.csv"),
    ],
)  # fmt: skip
def test_known_patterns(pattern: str, path: str) -> None:
    assert matches(path, [pattern])
    assert in_shell(path, shell_patterns(pattern))


PATHS = st.lists(st.text("ab.-", min_size=1, max_size=4), min_size=1, max_size=3).map("/".join)


@given(pattern=st.text("ab/*?.-", min_size=1, max_size=8), path=PATHS)
def test_whatever_ours_matches_the_shells_match(pattern: str, path: str) -> None:
    if matches(path, [pattern]):
        assert in_shell(path, shell_patterns(pattern))


@given(st.text(min_size=1))
def test_a_pattern_holds_nothing_that_a_shell_runs(pattern: str) -> None:
    assert not set("".join(shell_patterns(pattern))) & set("`$()\\\"' \n;|&<>")
