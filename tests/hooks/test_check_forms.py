"""Which mlops.yaml says how tables are written: that of the state that is checked, whatever else is read."""

from collections.abc import Iterator

import pytest

from git_mlops.checks import scope
from git_mlops.git.repo import Repo
from git_mlops.hooks.check import checked
from git_mlops.tables import forms

PLAIN = "version: 1\nschemas: {d.csv: s.yaml}\n"
DECLARED = PLAIN + "forms: {d.csv: {delimiter: ';', decimal: ','}}\n"
SCHEMA = "columns: {a: {dtype: int64}, b: {dtype: float64, le: 2}}\n"


@pytest.fixture(autouse=True)
def _nothing_stays_declared() -> Iterator[None]:
    yield
    forms.declare({})


def commit(repo: Repo, **files: str) -> None:
    for name, text in files.items():
        (repo.root / name.replace("_", ".")).write_text(text, encoding="utf-8")
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "x")


def said(repo: Repo, base: str) -> list[str]:
    found = checked(scope.commits(repo, f"{base}..HEAD"))
    return [f.message for f in found if f.rule in ("schema", "config-valid")]


@pytest.mark.parametrize("ci", [False, True])
def test_a_range_is_read_as_its_tip_declares_not_as_its_target(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, *, ci: bool
) -> None:
    if ci:
        monkeypatch.setenv("CI", "true")
    commit(repo, mlops_yaml=PLAIN, s_yaml=SCHEMA, d_csv="a,b\n1,1.5\n")
    commit(repo, mlops_yaml=DECLARED, d_csv="a;b\n1;1,5\n")
    assert said(repo, "HEAD~1") == []
    commit(repo, mlops_yaml=PLAIN)
    assert said(repo, "HEAD~1") == [
        (
            "cannot be read as csv: its columns are separated by `;`, not by commas; "
            "declare it (`forms` in mlops.yaml)"
        )
    ]


def test_another_dialect_asks_for_another_verdict(repo: Repo) -> None:
    commit(repo, mlops_yaml=DECLARED, s_yaml=SCHEMA, d_csv="a;b\n1;1,5\n")
    assert said(repo, "HEAD~1") == []
    commit(repo, mlops_yaml=DECLARED.replace("decimal: ','", "nulls: [x]"))
    (found,) = said(repo, "HEAD~1")
    assert found.startswith("column `b` is not float64 in 1 of 1 rows (1e+02 %): line 2 `1,5`")
