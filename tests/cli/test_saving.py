"""`--save FORMAT=FILE` of `check` and `report`: one run, many formats."""

import json

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run


def test_a_check_is_saved_in_every_format_that_is_named(mlops: Run, repo: Repo) -> None:
    (repo.root / "mlops.yaml").write_text("version: 1\nmodel: {}\n")
    saved = ("--save", "json=a.json", "--save", "junit=a.xml", "--save", "json=b.json")
    done = mlops("check", *saved, cwd=repo.root, status=1)
    assert "`model`: unknown key" in done.stdout
    rules = {f["rule"] for f in json.loads((repo.root / "a.json").read_text())["data"]["findings"]}
    assert "config-valid" in rules
    assert "<failure" in (repo.root / "a.xml").read_text()
    assert (repo.root / "b.json").exists()


def test_a_report_is_saved_with_its_findings(mlops: Run, repo: Repo) -> None:
    saved = [word for name in ("json", "html", "sarif") for word in ("--save", f"{name}=r.{name}")]
    mlops("report", "HEAD...HEAD", *saved, cwd=repo.root)
    kind = json.loads((repo.root / "r.json").read_text())["kind"]
    runs = json.loads((repo.root / "r.sarif").read_text())["runs"]
    assert (kind, len(runs), (repo.root / "r.html").read_text()[:15]) == ("report", 1, "<!doctype html>")


@pytest.mark.parametrize("words", ["json", "=a", "json=", "yaml=a"])
def test_what_is_no_format_and_file_is_exit_code_2(mlops: Run, repo: Repo, words: str) -> None:
    said = mlops("check", "--save", words, cwd=repo.root, status=2).stderr
    assert f"`{words}` is not FORMAT=FILE, with one of the formats text, json" in said
    assert sorted(path.name for path in repo.root.iterdir()) == [".git"]
