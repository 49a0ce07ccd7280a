"""`git mlops check --merge BASE`: what a merge would do to data, without making it."""

import json
import subprocess
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import install
from tests.conftest import Run
from tests.hooks.conftest import Armed, tree

NAME = "data set.csv"
BASE = "id,n\n1,1\n2,2\n"
KEYS = 'version: 1\ndata:\n  keys:\n    "*.csv": [id]\n'


@pytest.fixture
def project(dvc_repo: Repo) -> Armed:
    """`main` and `other`, which are the same so far; git knows no driver, as on a forge."""
    armed = Armed(dvc_repo)
    armed.write("mlops.yaml", KEYS)
    armed.write(".gitattributes", "*.dvc diff=mlops merge=mlops\ndvc.lock merge=mlops\n")
    armed.write("train.py", "print(1)\n")
    armed.data(NAME, BASE)
    armed.commit("base")
    armed.git("branch", "other")
    return armed


def change(project: Armed, branch: str, data: str | None = None, code: str | None = None) -> None:
    project.git("switch", "-q", branch)
    if data is not None:
        project.data(NAME, data)
    if code is not None:
        project.write("train.py", code)
    project.commit(f"on {branch}")


def found(mlops: Run, project: Armed, base: str = "other", status: int = 0) -> list[dict[str, object]]:
    done = mlops("check", "--merge", base, "--json", cwd=project.root, status=status)
    findings: list[dict[str, object]] = json.loads(done.stdout)["data"]["findings"]
    return findings


def rules(findings: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(one["rule"], one["level"]) for one in findings]


def test_a_cell_that_both_changed_is_an_error(project: Armed, mlops: Run) -> None:
    change(project, "other", data=BASE.replace("2,2", "2,3"))
    change(project, "main", data=BASE.replace("2,2", "2,4"))
    before = tree(project.root / ".dvc"), project.git("status", "--porcelain")
    (finding,) = found(mlops, project, status=1)
    assert finding["message"] == "HEAD and `other` both changed the data: 1 conflict, the first at 2, n"
    assert finding["path"] == f"{NAME}.dvc"
    assert finding["hint"] == "in an armed clone: `git merge other`, `git mlops merge-file 'data set.csv'`"
    conflict = {"key": ["2"], "column": "n", "base": "2", "ours": "4", "theirs": "3"}
    assert finding["data"] == {"key": ["id"], "conflicts": [list(conflict.values())], "count": 1} or (
        finding["data"] == {"key": ["id"], "conflicts": [conflict], "count": 1}
    )
    assert {name for name in tree(project.root / ".dvc") if "cache" in name} == {
        name for name in before[0] if "cache" in name
    }
    assert project.git("status", "--porcelain") == before[1]


def test_what_the_driver_merges_is_a_warning_and_the_combination_is_untested(
    project: Armed, mlops: Run
) -> None:
    change(project, "other", data=BASE + "3,3\n")
    change(project, "main", data=BASE.replace("1,1", "1,0"))
    findings = found(mlops, project)
    assert rules(findings) == [("untested-combination", "warning"), ("merge-conflict", "warning")]
    said = "HEAD and `other` both changed the data; it merges (rows of `other`: 1 added), but not on a forge"
    assert findings[1]["message"] == said


def test_code_here_and_data_there_is_untested_until_an_experiment_saw_both(
    project: Armed, mlops: Run, run: Run
) -> None:
    change(project, "other", data=BASE + "3,3\n")
    change(project, "main", code="print(2)\n")
    (finding,) = found(mlops, project)
    assert str(finding["message"]).startswith(
        "HEAD changed code, `other` changed data: no recorded experiment"
    )
    run("git", "merge", "-q", "--no-edit", "other", cwd=project.root)
    project.data(NAME, BASE + "3,3\n")
    mlops("exp", "run", "--", "python", "train.py", cwd=project.root)
    project.git("reset", "-q", "--hard", "HEAD^")
    assert found(mlops, project) == []


def test_levels_come_from_the_configuration(project: Armed, mlops: Run) -> None:
    change(project, "other", data=BASE + "3,3\n")
    project.write("mlops.yaml", KEYS + "checks:\n  untested-combination: error\n")
    change(project, "main", code="print(2)\n")
    assert rules(found(mlops, project, status=1)) == [("untested-combination", "error")]
    project.write("mlops.yaml", KEYS + "checks:\n  untested-combination: off\n")
    project.commit("off")
    assert found(mlops, project) == []


@pytest.mark.parametrize("one_side", ["main", "other"])
def test_what_one_side_alone_changed_is_nothing_new(project: Armed, mlops: Run, one_side: str) -> None:
    change(project, one_side, data=BASE + "3,3\n", code="print(2)\n")
    project.git("switch", "-q", "main")
    assert found(mlops, project) == []


def test_code_in_conflict_is_said_to_be_in_the_way(project: Armed, mlops: Run) -> None:
    change(project, "other", code="print(3)\n")
    change(project, "main", code="print(2)\n")
    assert rules(found(mlops, project)) == [("untested-combination", "note")]


def test_removed_here_and_changed_there(project: Armed, mlops: Run) -> None:
    change(project, "other", data=BASE + "3,3\n")
    project.git("switch", "-q", "main")
    project.git("rm", "-q", f"{NAME}.dvc")
    project.commit("removed")
    (finding,) = found(mlops, project, status=1)
    assert finding["message"] == "one side removes it, the other changes it (other)"


def test_data_that_is_nowhere_cannot_be_judged(project: Armed, mlops: Run) -> None:
    change(project, "other", data=BASE + "3,3\n")
    change(project, "main", data=BASE.replace("1,1", "1,0"))
    for file in (project.root / ".dvc" / "cache" / "files").rglob("*"):
        if file.is_file():
            file.unlink()
    assert rules(found(mlops, project, status=3)) == [("merge-conflict", "unknown")]


@pytest.mark.slow
def test_data_is_fetched_for_a_clone_that_has_none(project: Armed, mlops: Run, tmp_path: Path) -> None:
    change(project, "other", data=BASE + "3,3\n")
    mlops("push", cwd=project.root)
    change(project, "main", data=BASE.replace("1,1", "1,0"))
    mlops("push", cwd=project.root)
    project.git("switch", "-q", "--detach", "main~1")
    project.data(NAME, BASE)
    mlops("push", cwd=project.root)
    project.git("checkout", "-q", "-f", "main")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", project.root, clone], check=True)
    other = Armed(discover(clone))
    install.install(other.repo)
    assert ("merge-conflict", "warning") in rules(found(mlops, other, "origin/other"))
    assert not (clone / NAME).exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--merge", "nope"), 2, "error: `nope` is not a commit of this repository\n"),
        (("--merge", "other", "--staged"), 2, "error: --staged, --range and --merge exclude each other\n"),
        (("--merge", "unrelated"), 3, "error: no merge base of HEAD and `unrelated`\n"),
    ],
)
def test_what_cannot_be_previewed_says_so(
    project: Armed, mlops: Run, words: tuple[str, ...], status: int, said: str
) -> None:
    empty = project.git("hash-object", "-t", "tree", "-w", "/dev/null").strip()
    oid = project.git("commit-tree", empty, "-m", "unrelated").strip()
    project.git("branch", "unrelated", oid)
    done = mlops("check", *words, cwd=project.root, status=status)
    assert said in done.stderr


def test_an_old_git_says_what_is_needed(project: Armed, mlops: Run, tmp_path: Path) -> None:
    import os
    import shutil

    change(project, "other", data=BASE + "3,3\n")
    change(project, "main", code="print(2)\n")
    folder = tmp_path / "bin"
    folder.mkdir()
    fake = folder / "git"
    fake.write_text(
        f"#!/bin/sh\ncase \" $* \" in *' merge-tree '*) echo 'usage: git merge-tree <base-tree>' "
        f'>&2; exit 129;; esac\nexec {shutil.which("git")} "$@"\n'
    )
    fake.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = mlops("check", "--merge", "other", cwd=project.root, status=3, env={**os.environ, "PATH": path})
    assert "error: a merge is previewed by git 2.38 or later; this is " in done.stderr
