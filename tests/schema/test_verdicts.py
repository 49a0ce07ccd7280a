import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_mlops.findings import Finding
from git_mlops.git import objects, refs
from git_mlops.git.repo import Repo, discover
from git_mlops.schema import verdicts
from git_mlops.schema.verdicts import REF, Verdict

A, B, C = (letter * 64 for letter in "abc")


def passed(subject: str, when: str = "2025-01-01T00:00:00+00:00") -> Verdict:
    return Verdict(subject, "pass", (), when, {"pandera": "0.35.0"})


def failed(subject: str, when: str = "2025-01-01T00:00:00+00:00") -> Verdict:
    finding = Finding(
        "schema", "error", "column `größe` has nulls", None, 3, None, {"column": "größe", "rows": 9}
    )
    return Verdict(subject, "fail", (finding,), when, {"pandera": "0.35.0"})


hex_ = st.text("0123456789abcdef", min_size=4, max_size=64)
parts = st.tuples(
    st.sampled_from(["md5", "git", "sha256"]), hex_, hex_, st.sampled_from(["csv", "parquet", "jsonl"])
)


@given(parts, parts)
def test_a_subject_is_the_same_for_the_same_parts_alone(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (verdicts.subject(*one) == verdicts.subject(*other)) == (one == other)


def test_a_subject_never_changes_by_accident() -> None:
    found = verdicts.subject("md5", "d41d8cd98f00b204e9800998ecf8427e", "e" * 40, "csv")
    assert found == "9575243ecea03c11ab04d296674577f88d711991e53d222f73e859d29c42ba50"


scalars = st.none() | st.booleans() | st.integers() | st.text()
findings = st.builds(
    Finding,
    rule=st.just("schema"),
    level=st.sampled_from(["error", "warning", "note"]),
    message=st.text(),
    path=st.none(),
    line=st.none() | st.integers(min_value=1),
    hint=st.none() | st.text(),
    data=st.dictionaries(
        st.text(), scalars | st.lists(st.dictionaries(st.text(), scalars), max_size=2), max_size=3
    ),
)


@given(hex_, st.lists(findings, max_size=3), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_what_is_rendered_is_parsed_back(
    subject: str, found: list[Finding], when: str, by: dict[str, str]
) -> None:
    outcome = "fail" if any(finding.level == "error" for finding in found) else "pass"
    verdict = Verdict(subject, outcome, tuple(found), when, by)  # type: ignore[arg-type]  # a literal
    assert verdicts.parse(subject, verdicts.render(verdict)) == verdict


values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_verdict_is_none(content: bytes) -> None:
    assert verdicts.parse(A, content) is None


def test_a_pass_that_holds_errors_is_no_verdict() -> None:
    content = verdicts.render(failed(A)).replace(b'"outcome": "fail"', b'"outcome": "pass"')
    assert verdicts.parse(A, content) is None


def test_nothing_is_known_before_the_first_verdict(repo: Repo) -> None:
    assert verdicts.lookup(repo, [A]) == {}


def test_recorded_verdicts_are_found_again_whole(repo: Repo) -> None:
    verdicts.record(repo, [passed(A), failed(B)])
    assert verdicts.lookup(repo, [A, B, C]) == {A: passed(A), B: failed(B)}


def test_the_tree_is_laid_out_as_promised(repo: Repo) -> None:
    verdicts.record(repo, [passed(A)])
    assert [entry.path for entry in objects.tree_entries(repo, REF)] == [f"aa/{'a' * 62}/schema.json"]
    assert repo.text("log", "--format=%s", REF) == "verdicts: 1 pass, 0 fail"


def test_recording_touches_neither_index_nor_workspace(repo: Repo) -> None:
    (repo.root / "staged.txt").write_text("x")
    repo.git("add", "staged.txt")
    before = (repo.git_dir / "index").read_bytes()
    verdicts.record(repo, [passed(A)])
    assert (repo.git_dir / "index").read_bytes() == before
    assert repo.text("status", "--porcelain") == "A  staged.txt"


def test_a_known_verdict_is_not_recorded_again(repo: Repo) -> None:
    verdicts.record(repo, [passed(A)])
    before = refs.read(repo, REF)
    verdicts.record(repo, [failed(A)])
    assert (refs.read(repo, REF), verdicts.lookup(repo, [A])) == (before, {A: passed(A)})


def test_a_verdict_of_a_later_version_is_left_alone_and_not_used(repo: Repo) -> None:
    path = f"aa/{'a' * 62}/schema.json"
    with objects.scratch_index(repo) as index:
        objects.put(repo, index, {path: b'{"version": 2, "new": "shape"}'})
        tree = objects.write_tree(repo, index)
    refs.move(repo, [refs.Move(REF, objects.commit_tree(repo, tree, [], "x"), None)], "test")
    verdicts.record(repo, [passed(A), passed(B)])
    assert verdicts.lookup(repo, [A, B]) == {B: passed(B)}
    assert objects.read_blobs(repo, [f"{REF}:{path}"]) == {f"{REF}:{path}": b'{"version": 2, "new": "shape"}'}


def test_parallel_writers_lose_nothing(repo: Repo) -> None:
    subjects = [f"{number:02d}" * 32 for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda subject: verdicts.record(repo, [passed(subject)]), subjects))
    assert sorted(verdicts.lookup(repo, subjects)) == sorted(subjects)


def test_a_machine_without_identity_records_too(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    repo.git("config", "user.useConfigOnly", "true")
    verdicts.record(repo, [passed(A)])
    assert verdicts.lookup(repo, [A]) == {A: passed(A)}


def test_sha256_repositories_and_linked_worktrees_share_verdicts(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--object-format=sha256", tmp_path / "r"], check=True)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "r", check=True)
    subprocess.run(["git", "worktree", "add", "-q", "../w"], cwd=tmp_path / "r", check=True)
    verdicts.record(discover(tmp_path / "w"), [failed(A)])
    assert verdicts.lookup(discover(tmp_path / "r"), [A]) == {A: failed(A)}


@pytest.fixture
def theirs(repo: Repo) -> str:
    """A history beside ours that knows A (as failed, later) and C."""
    verdicts.record(repo, [failed(A, "2025-02-02T00:00:00+00:00"), passed(C)])
    tip = refs.read(repo, REF)
    assert tip
    refs.move(repo, [refs.Move(REF, None, tip)], "test")
    return tip


def test_merging_into_nothing_takes_theirs(repo: Repo, theirs: str) -> None:
    assert verdicts.merge(repo, theirs) == []
    assert refs.read(repo, REF) == theirs


def test_a_merge_is_the_union(repo: Repo, theirs: str) -> None:
    verdicts.record(repo, [passed(B)])
    ours = refs.read(repo, REF)
    assert verdicts.merge(repo, theirs) == []
    assert sorted(verdicts.lookup(repo, [A, B, C])) == [A, B, C]
    assert repo.text("log", "-1", "--format=%P", REF) == f"{ours} {theirs}"


def test_merging_again_changes_nothing(repo: Repo, theirs: str) -> None:
    verdicts.record(repo, [passed(B)])
    verdicts.merge(repo, theirs)
    tip = refs.read(repo, REF)
    assert verdicts.merge(repo, theirs) == []
    assert refs.read(repo, REF) == tip


def test_contradicting_verdicts_are_a_finding_and_the_failure_stays(repo: Repo, theirs: str) -> None:
    verdicts.record(repo, [passed(A)])
    (finding,) = verdicts.merge(repo, theirs)
    assert (finding.level, finding.data) == ("error", {"subject": A})
    assert verdicts.lookup(repo, [A])[A].outcome == "fail"


def test_of_two_equal_outcomes_the_older_stays_whoever_merges(repo: Repo, theirs: str) -> None:
    verdicts.record(repo, [failed(A)])
    ours = refs.read(repo, REF)
    assert ours
    assert verdicts.merge(repo, theirs) == []
    one = repo.text("rev-parse", f"{REF}^{{tree}}")
    refs.move(repo, [refs.Move(REF, theirs, refs.read(repo, REF))], "test")
    assert verdicts.merge(repo, ours) == []
    assert repo.text("rev-parse", f"{REF}^{{tree}}") == one
    assert verdicts.lookup(repo, [A]) == {A: failed(A)}


def test_reading_verdicts_loads_no_heavy_library(repo: Repo) -> None:
    verdicts.record(repo, [passed(A)])
    program = (
        "import sys; from git_mlops.schema import gate, verdicts; from git_mlops.git.repo import discover;"
        f"assert verdicts.lookup(discover('.'), ['{A}']);"
        "heavy = {'pandas', 'pandera', 'pyarrow', 'numpy', 'dataclasses', 'inspect'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], cwd=repo.root, check=True)
