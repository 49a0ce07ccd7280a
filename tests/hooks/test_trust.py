"""CI believes no verdict that a checked branch could have brought along."""

import json
from pathlib import Path

import pytest

from git_mlops.checks import scope
from git_mlops.git.repo import Repo
from git_mlops.hooks import check
from git_mlops.schema import verdicts
from git_mlops.schema.settings import Trust
from git_mlops.schema.verdicts import Verdict
from tests.conftest import Run
from tests.schema.test_trust import key, signer

SCHEMA = """schema_type: dataframe
version: 0.20.4
columns:
  age:
    dtype: int64
    nullable: false
    checks:
    - value: 0
      options: {check_name: greater_than_or_equal_to}
"""


def commit(repo: Repo, files: dict[str, str]) -> None:
    for name, text in files.items():
        (repo.root / name).parent.mkdir(parents=True, exist_ok=True)
        (repo.root / name).write_text(text)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "change")


@pytest.fixture
def bad(repo: Repo) -> Repo:
    """A branch with a bad table, its schema on the target branch."""
    commit(repo, {"s.yaml": SCHEMA, "mlops.yaml": "version: 1\nschemas: {t.csv: s.yaml}\n"})
    repo.git("switch", "-q", "-c", "topic")
    commit(repo, {"t.csv": "age\n1\n-5\n"})
    return repo


def claim(repo: Repo, mlops: Run) -> None:
    """What CI finds, recorded here, and then as a pass."""
    mlops("check", "--range", "main...topic", cwd=repo.root, status=1)
    rows = json.loads(mlops("verdicts", "list", "--json", cwd=repo.root).stdout)["data"]
    (row,) = (row for row in rows if row["rule"] == "schema")
    repo.git("update-ref", "-d", verdicts.REF)
    verdicts.record(
        repo, [Verdict(row["subject"], "pass", (), "2025-01-01T00:00:00+00:00", {"git-mlops": "1"})]
    )


@pytest.mark.slow
def test_a_verdict_that_nobody_signed_is_made_anew_in_ci(
    bad: Repo, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(bad, mlops)
    mlops("check", "--range", "main...topic", cwd=bad.root, status=0)
    for name, value in (("CI", "true"), ("JENKINS_URL", "https://ci")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            mlops("check", "--range", "main...topic", cwd=bad.root, status=1)


@pytest.mark.slow
def test_the_signers_are_those_of_the_target_branch(
    bad: Repo, mlops: Run, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = key(tmp_path, run, "eve")
    signer(bad, file)
    claim(bad, mlops)
    monkeypatch.setenv("CI", "true")
    line = f"eve {file.with_suffix('.pub').read_text()}"
    commit(bad, {".mlops/allowed_signers": line})
    mlops("check", "--range", "main...topic", cwd=bad.root, status=1)
    bad.git("switch", "-q", "main")
    commit(bad, {".mlops/allowed_signers": line})
    mlops("check", "--range", "main...topic", cwd=bad.root, status=0)


def test_whom_to_trust_is_said_by_the_target_alone(bad: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(bad, {"mlops.yaml": "version: 1\nverdicts: {trust: all}\n"})
    found = scope.commits(bad, "main...topic")
    target = check.target_of(found)
    assert check.trust_of(found, target) is None
    monkeypatch.setenv("CI", "1")
    assert check.trust_of(found, target) == Trust()
    assert check.trust_of(scope.workspace(bad), None) == Trust()
    monkeypatch.setenv("CI", "false")
    assert check.trust_of(found, target) is None
