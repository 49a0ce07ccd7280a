"""`git mlops audit` as people and CI use it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run

LOCK = {"requirements.lock": "numpy==2.1.0\n"}
"""Half a point for monitor-1."""


def commit(repo: Repo, files: dict[str, str | None]) -> None:
    for path, text in files.items():
        file = repo.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--allow-empty", "-m", "files")


def test_it_prints_score_items_levels_and_what_is_next(repo: Repo, mlops: Run) -> None:
    commit(repo, {**LOCK})
    lines = mlops("audit", cwd=repo.root).stdout.splitlines()
    assert lines[0] == "ML Test Score 0 of 7: more of a research project than a productionized system"
    assert "  0.5  monitor-1  Dependency changes result in notification" in lines
    assert "Google level 0 of 2" in "\n".join(lines)


def test_json_has_what_programs_need(repo: Repo, mlops: Run) -> None:
    commit(repo, {**LOCK})
    said = json.loads(mlops("audit", "--json", cwd=repo.root).stdout)
    data = said["data"]
    assert (said["kind"], data["score"], len(data["items"]), data["delta"]) == ("audit", 0, 28, None)
    one = next(item for item in data["items"] if item["id"] == "monitor-1")
    assert one == {
        "id": "monitor-1",
        "section": "monitor",
        "title": "Dependency changes result in notification",
        "points": 0.5,
        "evidence": [
            {
                "what": "every package has one version: a change of one is a commit",
                "where": "requirements.lock",
                "points": 0.5,
                "expires": None,
            }
        ],
        "expires": None,
        "next": "write `.github/dependabot.yml` with `package-ecosystem: pip`",
    }
    assert {*data} >= {"levels", "principles", "dora", "sections", "findings", "reading"}
    assert len(data["principles"]) == 18


def test_an_empty_repository_has_a_score(tmp_path: Path, run: Run, mlops: Run) -> None:
    run("git", "init", "-q", cwd=tmp_path)
    assert mlops("audit", cwd=tmp_path).stdout.startswith("ML Test Score 0 of 7")


def test_the_ratchet_refuses_a_step_back(repo: Repo, mlops: Run) -> None:
    commit(repo, {**LOCK})
    commit(repo, {"a": "1"})
    assert mlops("audit", "--ratchet", cwd=repo.root).stdout.startswith("ML Test Score 0, as before")
    commit(repo, {"requirements.lock": None})
    said = mlops("audit", "--ratchet", cwd=repo.root, status=1).stdout
    assert "requirements.lock: error: monitor-1 had 0.5, has 0" in said
    mlops("audit", "--ratchet", "HEAD~2", cwd=repo.root, status=1)
    mlops("audit", "--ratchet", "HEAD", cwd=repo.root)


def test_the_ratchet_holds_a_branch_against_where_it_began(repo: Repo, mlops: Run) -> None:
    commit(repo, {**LOCK})
    repo.git("switch", "-q", "-c", "topic")
    commit(repo, {"requirements.lock": None})
    commit(repo, {"a": "1"})
    said = json.loads(mlops("audit", "--ratchet", "--json", cwd=repo.root, status=1).stdout)["data"]["delta"]
    assert (said["base"], said["worse"], [one["id"] for one in said["changes"]]) == (
        "main",
        True,
        ["monitor-1"],
    )


def test_in_ci_the_ratchet_takes_a_range(repo: Repo, mlops: Run) -> None:
    commit(repo, {**LOCK})
    repo.git("switch", "-q", "-c", "topic")
    commit(repo, {"a": "1"})
    repo.git("switch", "-q", "main")
    commit(repo, {"requirements.lock": None})  # of no concern to the branch
    repo.git("switch", "-q", "topic")
    mlops("audit", "main...HEAD", "--ratchet", cwd=repo.root)
    mlops("audit", "main..HEAD", "--ratchet", cwd=repo.root)
    commit(repo, {"requirements.lock": None})
    for words in (("main...HEAD", "--ratchet"), ("--ratchet", "main...HEAD")):
        said = mlops("audit", *words, cwd=repo.root, status=1).stdout
        assert "monitor-1 had 0.5, has 0" in said
    mlops("audit", "main...HEAD", cwd=repo.root)


def test_the_first_commit_has_nothing_to_be_held_against(repo: Repo, mlops: Run) -> None:
    done = mlops("audit", "--ratchet", cwd=repo.root)
    assert "nothing was before this commit" in done.stderr


def test_a_range_prints_what_it_changes(repo: Repo, mlops: Run) -> None:
    commit(repo, {**LOCK})
    said = mlops("audit", "HEAD^...HEAD", cwd=repo.root).stdout
    assert "0 → 0.5  monitor-1" in said
    markdown = mlops("audit", "HEAD^...HEAD", "--format", "markdown", cwd=repo.root).stdout
    assert "### Maturity" in markdown
    back = mlops("audit", "HEAD..HEAD^", cwd=repo.root)
    assert "0.5 → 0  monitor-1" in back.stdout


@pytest.mark.parametrize(
    "words", [("NOPE",), ("NOPE...HEAD",), ("--ratchet", "NOPE"), ("HEAD...HEAD", "--ratchet", "HEAD")]
)
def test_what_is_no_revision_is_said(repo: Repo, mlops: Run, words: tuple[str, ...]) -> None:
    done = mlops("audit", *words, cwd=repo.root, status=2)
    assert "Traceback" not in done.stderr


def test_the_badge_is_a_drawing_with_a_text(repo: Repo, mlops: Run, tmp_path: Path) -> None:
    file = tmp_path / "badge.svg"
    assert mlops("audit", "--badge", file, cwd=repo.root).stdout == ""
    drawing = ET.fromstring(file.read_bytes())
    assert drawing.get("aria-label") == "ML Test Score: 0 / 7"


def test_html_is_one_file(repo: Repo, mlops: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.html"
    mlops("audit", "--format", "html", "-o", file, cwd=repo.root)
    assert "Model specs are reviewed and submitted" in file.read_text(encoding="utf-8")


def test_what_is_declared_counts_once_it_is_committed(repo: Repo, mlops: Run) -> None:
    commit(repo, {"docs/costs.md": "x"})
    mlops("audit", "--declare", "data-3", "costs.md", cwd=repo.root / "docs")
    mlops("audit", "--declare", "data-2", "https://example.com/a", cwd=repo.root)
    commit(repo, {})
    items = json.loads(mlops("audit", "--json", cwd=repo.root).stdout)["data"]["items"]
    points = {one["id"]: one["points"] for one in items}
    assert (points["data-2"], points["data-3"]) == (0.5, 0.5)
    assert [one["expires"] is not None for one in items if one["id"] == "data-3"] == [True]


def test_what_cannot_be_declared_is_refused(repo: Repo, mlops: Run) -> None:
    assert (
        "there is no item `data-8`"
        in mlops("audit", "--declare", "data-8", "a", cwd=repo.root, status=2).stderr
    )
    assert (
        "there is no file `a`" in mlops("audit", "--declare", "data-1", "a", cwd=repo.root, status=2).stderr
    )
    assert not (repo.root / "docs").exists()


def test_a_declaration_that_is_wrong_is_a_finding(repo: Repo, mlops: Run) -> None:
    commit(
        repo, {"docs/readiness.yaml": "version: 1\ndeclared:\n- {item: data-3, who: ada, when: 2026-01-01}\n"}
    )
    done = mlops("audit", cwd=repo.root, status=1)
    assert "docs/readiness.yaml: error: entry 1: `path` or `url` is missing" in done.stdout


def test_a_shallow_clone_cannot_say_what_was_before(repo: Repo, run: Run, mlops: Run, tmp_path: Path) -> None:
    commit(repo, {**LOCK})
    run("git", "clone", "-q", "--depth=1", repo.root.as_uri(), tmp_path / "shallow", cwd=tmp_path)
    done = mlops("audit", "--ratchet", cwd=tmp_path / "shallow", status=3)
    assert "`git fetch --unshallow`" in done.stderr


def test_it_works_in_a_sha256_repository_from_a_subdirectory(run: Run, mlops: Run, tmp_path: Path) -> None:
    run("git", "init", "-q", "--object-format=sha256", cwd=tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "requirements.lock").write_text("numpy==2.1.0\n", encoding="utf-8")
    run("git", "add", "-A", cwd=tmp_path)
    run("git", "commit", "-q", "-m", "a", cwd=tmp_path)
    assert "0.5  monitor-1" in mlops("audit", cwd=tmp_path / "sub").stdout
