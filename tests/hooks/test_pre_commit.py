"""What is staged is what is judged."""

import subprocess
from pathlib import Path

import pytest

from git_mlops.git.repo import discover
from git_mlops.hooks import install
from git_mlops.hooks.shims import OURS
from tests.conftest import Run
from tests.hooks.conftest import Armed, pointer, store

LARGE = "x" * (1024 * 1024 + 1)


def python_is_gone(armed: Armed) -> None:
    """From here on, a hook that starts Python fails."""
    for name in OURS:
        hook = armed.repo.common_dir / "hooks" / name
        lines = hook.read_text().splitlines()
        hook.write_text(
            "\n".join("mlops_python=/gone" if "mlops_python=" in li else li for li in lines) + "\n"
        )


def test_a_commit_with_nothing_for_us_starts_no_python(project: Armed) -> None:
    project.write("first.py", "x = 1\n")
    project.commit("renews what sh decides by")
    python_is_gone(project)
    project.write("train.py", "x = 1\n")
    project.write('figure "ü".png', "\0" * 100_000)
    project.commit("code and a small picture")
    project.git("rm", "-q", "train.py")
    project.git("commit", "-m", "a deletion")
    project.git("commit", "--allow-empty", "-m", "nothing at all")


@pytest.mark.parametrize(
    "name",
    ["data.csv.dvc", "sub/dvc.lock", "mlops.yaml", "schemas/a.yaml", 'ä "b".dvc', "sub/.gitattributes"],
)
def test_a_path_of_ours_starts_python(project: Armed, name: str) -> None:
    project.write("first.py", "x = 1\n")
    project.commit("renews what sh decides by")
    python_is_gone(project)
    project.write(name, "new")
    project.git("add", ".")
    assert "can't be started" in project.git("commit", "-m", "x", status=1)


@pytest.mark.parametrize(("content", "name"), [("x", "text"), ("\0", "binary"), ("x\n", "lines")])
def test_a_large_file_is_refused_with_the_command_that_mends_it(
    project: Armed, content: str, name: str
) -> None:
    project.write(f"my {name}.bin", content * (1024 * 1024 + 1))
    project.git("add", ".")
    said = project.git("commit", "-m", "large", status=1)
    assert f"my {name}.bin: error: " in said
    assert f"hint: `git mlops add 'my {name}.bin'`" in said


def test_a_large_file_that_attributes_call_text_is_refused(project: Armed) -> None:
    project.write(".gitattributes", "*.csv diff\n")
    project.commit("text")
    project.write("large.csv", "x\n" * 1024 * 1024)
    project.git("add", ".")
    assert "[large-file]" in project.git("commit", "-m", "large", status=1)


def test_a_large_file_in_the_first_commit_is_refused(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", tmp_path / "new", cwd=tmp_path)
    armed = Armed(discover(tmp_path / "new"))
    install.install(armed.repo)
    armed.write("small.txt", "x")
    armed.write("large.bin", LARGE)
    assert "[large-file]" in armed.commit("first", status=1)
    armed.git("rm", "-q", "--cached", "large.bin")
    armed.git("commit", "-m", "first")


def test_a_partial_commit_is_judged_by_what_it_commits(project: Armed) -> None:
    project.write("large.bin", "small")
    project.write("other.py", "x = 1")
    project.commit("small")
    project.write("large.bin", LARGE)
    project.write("other.py", "x = 2")
    project.git("add", "large.bin")
    project.git("commit", "-m", "the other alone", "--", "other.py")
    assert "[large-file]" in project.git("commit", "-m", "all", "-a", status=1)
    assert "[large-file]" in project.git("commit", "-m", "this", "--", "large.bin", status=1)


def test_the_staged_pointer_counts_not_the_one_on_disk(project: Armed) -> None:
    project.write("data.csv.dvc", "outs: [\n")
    project.git("add", ".")
    project.data("data.csv", "good\n")
    assert "data.csv.dvc:" in project.git("commit", "-m", "bad", status=1)
    project.commit("good")


def test_data_changed_but_not_added_is_refused(project: Armed) -> None:
    project.data("sub dir/data.csv", "old\n")
    project.commit("data")
    project.write("train.py", "x = 1\n")
    project.commit("code")
    project.write("sub dir/data.csv", "changed\n")
    project.write("train.py", "x = 2\n")
    said = project.commit("forgot the data", status=1)
    assert "hint: `git mlops add 'sub dir/data.csv'`" in said
    assert "skipped data-added" in project.commit("on purpose", skip="data-added")
    project.write("train.py", "x = 3\n")
    assert "[data-added]" in project.commit("forgot again", status=1)


def test_a_commit_of_named_files_only_tells_of_other_data(project: Armed) -> None:
    project.data("data.csv", "old\n")
    project.write("train.py", "x = 1\n")
    project.commit("data")
    project.write("data.csv", "changed\n")
    project.write("train.py", "x = 2\n")
    said = project.git("commit", "-m", "code alone", "--", "train.py")
    assert "data.csv: warning: changed since it was added; the pointer is old [data-added]" in said
    project.write("train.py", "x = 3\n")
    assert "[data-added]" in project.git("commit", "-am", "all", status=1)
    project.data("data.csv", "added\n")
    project.write("data.csv", "changed again\n")
    assert "[data-added]" in project.git("commit", "-m", "data", "--", "data.csv.dvc", status=1)


@pytest.mark.parametrize("name", ["data.csv", "sub dir/dätä.csv", "raw/deep/a.csv"])
@pytest.mark.slow
def test_data_forced_into_git_is_refused(project: Armed, name: str) -> None:
    project.write("train.py", "x = 1\n")
    if name.startswith("raw"):
        project.write(name, "a\n")
        subprocess.run(["git-mlops", "add", "raw"], cwd=project.root, check=True, capture_output=True)
    else:
        project.data(name, "a\n")
    project.commit("data")
    project.git("add", "-f", name)
    said = project.git("commit", "-m", "forced", status=1)
    assert "names it as data, and it is a plain file of git, too [data-in-git]" in said
    project.git("rm", "-q", "--cached", name)
    assert project.git("status", "--porcelain") == ""


def test_a_rule_that_does_not_exist_is_not_skipped_in_silence(project: Armed) -> None:
    project.write("large.bin", LARGE)
    said = project.commit("x", skip="larg-file,data-added", status=1)
    assert "warning: MLOPS_SKIP: there is no rule `larg-file`\nhint: did you mean `large-file`?" in said
    assert "skipped data-added (MLOPS_SKIP)" in said


def test_data_changed_in_a_directory_is_refused(project: Armed) -> None:
    project.write("data/a.csv", "a\n")
    project.write("data/b.csv", "b\n")
    subprocess.run(["git-mlops", "add", "data"], cwd=project.root, check=True, capture_output=True)
    project.commit("data")
    project.write("train.py", "x = 1\n")
    project.commit("code")
    project.write("data/a.csv", "changed\n")
    project.write("train.py", "x = 2\n")
    assert "[data-added]" in project.commit("forgot the data", status=1)


def test_files_that_the_settings_name_become_pointers(project: Armed) -> None:
    project.write("mlops.yaml", "version: 1\ndata:\n  track: ['*.parquet', 'models/**/*.pkl']\n")
    project.commit("track")
    project.write("models/deep/model ü.pkl", "weights")
    project.write("table.parquet", LARGE)
    project.commit("data")
    names = project.git("-c", "core.quotePath=off", "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert {"models/deep/model ü.pkl.dvc", "table.parquet.dvc"} <= set(names)
    assert not {"models/deep/model ü.pkl", "table.parquet"} & set(names)
    assert project.git("status", "--porcelain") == ""


def test_a_merge_is_judged_too(project: Armed) -> None:
    project.git("switch", "-q", "-c", "other")
    project.write("large.bin", LARGE)
    project.commit("large", skip="1")
    project.git("switch", "-q", "main")
    project.write("more.py", "x")
    project.commit("more")
    assert "[large-file]" in project.git("merge", "-m", "merged", "other", status=1)


def test_a_broken_configuration_is_a_finding(project: Armed) -> None:
    project.write("mlops.yaml", "version: 1\ndata:\n  trak: [a]\n")
    said = project.commit("broken", status=1)
    assert "mlops.yaml: error: `data.trak`: unknown key [config-valid]" in said
    assert "did you mean `track`?" in said


def test_skipping_is_said(project: Armed) -> None:
    project.write("large.bin", LARGE)
    project.git("add", ".")
    assert "skipped large-file" in project.git("commit", "-m", "x", skip="large-file")
    project.write("large.bin", LARGE * 2)
    assert "pre-commit skipped (MLOPS_SKIP=pre-commit)" in project.commit("x", skip="pre-commit")


@pytest.mark.slow
def test_a_schema_breach_in_the_staged_object_is_refused(project: Armed) -> None:
    project.data("people.csv", "id,age\n1,30\n2,31\n")
    for words in (["schema", "infer", "people.csv"],):
        subprocess.run(["git-mlops", *words], cwd=project.root, check=True, capture_output=True)
    project.commit("schema")
    bad = b"id,age\n1,thirty\n2,31\n"
    project.write("people.csv.dvc", pointer("people.csv", store(project.repo, bad), len(bad)))
    said = project.commit("bad data", status=1, skip="data-added")
    assert "[schema]" in said


def test_hooks_of_a_linked_worktree_judge_its_own_index(project: Armed) -> None:
    project.git("worktree", "add", "-q", "../other")
    other = Armed(discover(project.root.parent / "other"))
    other.write("large.bin", LARGE)
    assert "[large-file]" in other.commit("large", status=1)


def test_a_sha256_repository(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "--object-format=sha256", tmp_path / "new", cwd=tmp_path)
    armed = Armed(discover(tmp_path / "new"))
    install.install(armed.repo)
    armed.write("a.py", "x")
    armed.commit("first")
    armed.write("large.bin", LARGE)
    assert "[large-file]" in armed.commit("large", status=1)


def test_names_in_the_repository_are_never_run(project: Armed) -> None:
    for name in ("$(touch pwned).dvc", "`touch pwned`.csv", "-rf.py", "a;touch pwned;.py", "*"):
        project.write(name, "outs: []\n")
    project.write("mlops.yaml", "version: 1\ndata:\n  track: ['$(touch pwned)/*', '`touch pwned`']\n")
    project.commit("names", skip="pointer-valid")
    project.write("again.py", "x")
    project.commit("again")
    assert not (project.root / "pwned").exists()


def test_a_binding_that_is_not_staged_is_told(project: Armed) -> None:
    project.data("t.csv", "id\n1\n")
    project.git("add", "-A")
    project.write("schemas/t.yaml", "columns: {id: {dtype: int64}}\n")
    project.write("mlops.yaml", "version: 1\nschemas: {t.csv: schemas/t.yaml}\n")
    said = project.git("commit", "-m", "data")
    assert "not checked by `schemas/t.yaml`: mlops.yaml binds it, and that is not staged" in said
    assert "`git add mlops.yaml schemas/t.yaml`" in said
