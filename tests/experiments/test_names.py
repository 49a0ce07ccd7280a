"""Names of experiments: refs and back, what git and DVC would take for something else."""

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from git_mlops.experiments import names
from git_mlops.experiments.names import ExperimentRef
from git_mlops.git.repo import Repo

OID = "0123456789abcdef0123456789abcdef01234567"
ids = st.sampled_from([40, 64]).flatmap(lambda n: st.text("0123456789abcdef", min_size=n, max_size=n))


@given(ids, st.text(min_size=1, max_size=40))
def test_a_ref_comes_back_from_its_text(baseline: str, name: str) -> None:
    assume(names.problem(name) is None)
    ref = ExperimentRef(baseline, name)
    assert names.parse_ref(names.format_ref(ref)) == ref


@given(ids, st.sampled_from(["quiet-otter", "a"]), st.sampled_from(["origin", "team/fork"]))
def test_what_is_held_for_a_remote_is_offered_under_its_own_ref(
    baseline: str, name: str, remote: str
) -> None:
    ref = names.format_ref(ExperimentRef(baseline, name))
    assert names.offered(remote, names.held(remote, ref)) == ref


@pytest.mark.parametrize(
    "ref",
    [
        "refs/exps/stash",
        "refs/exps/exec/EXEC_HEAD",
        "refs/exps/celery/stash",
        f"refs/exps/{OID[:2]}/{OID[2:]}",
        f"refs/exps/{OID[:2]}/{OID[2:]}/a/b",
        f"refs/heads/{OID[:2]}/{OID[2:]}/a",
        f"refs/exps/zz/{OID[2:]}/a",
    ],
)
def test_other_refs_are_no_experiments(ref: str) -> None:
    assert names.parse_ref(ref) is None


@pytest.mark.parametrize(
    "name",
    [
        "", "a/b", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[1]", "a\\b", ".a", "a.", "a.lock",
        "-a", "@", "a@{1}", "a\nb", "deadbeef", "DEAD", OID, "v1-3-gdeadbee", "HEAD", "ORIG_HEAD",
        "workspace", "x" * 201,
    ],
)  # fmt: skip
def test_a_bad_name_has_its_reason(name: str) -> None:
    assert names.problem(name)


@pytest.mark.parametrize(
    "name", ["quiet-otter", "größer", "lr=0.1", "a.b", "run_7", "実験", "beef-stew", "xyz"]
)
def test_a_good_name_is_also_good_for_git(repo: Repo, name: str) -> None:
    assert names.problem(name) is None
    repo.git("check-ref-format", f"refs/exps/{name}")


@given(st.integers(), st.integers(0, 19))
def test_a_generated_name_is_good(seed: int, attempt: int) -> None:
    assert names.problem(names.generate(random.Random(seed), attempt=attempt)) is None


def test_what_is_plain_needs_no_further_look() -> None:
    plain = [
        "a",
        "quiet-otter",
        "_",
        "abc",
        "Z9_-",
        "HEAD1",
        "refs2",
        "a-g",
        "x-gabc",
        "x" * 200,
        "0x10",
        "beef-",
    ]
    assert [name for name in plain if names.problem(name)] == []
    other = [
        "-a",
        "abcd",
        "0" * 64,
        "x-gabcd",
        "HEAD",
        "MERGE_HEAD",
        "workspace",
        "refs",
        "x" * 201,
        "é" * 101,
        "a\n",
    ]
    assert [name for name in other if not names.problem(name)] == []
