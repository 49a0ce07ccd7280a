"""`exp save`: one commit under DVC's own ref, the whole project in it, index and workspace untouched."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.decode import Size
from git_mlops.errors import MlopsError
from git_mlops.experiments import snapshot
from git_mlops.experiments.record import parse_record
from git_mlops.git import refs
from git_mlops.git.repo import Repo, discover, head
from tests.conftest import Run
from tests.experiments.conftest import commit, files, listed, put, save


def test_the_ref_the_parent_and_the_message_are_as_documented(project: Repo) -> None:
    done = save(project, "first", "because")
    baseline = head(project)
    assert baseline
    assert done.ref == f"refs/exps/{baseline[:2]}/{baseline[2:]}/first"
    assert project.text("log", "-1", "--format=%P%n%B", done.ref).rstrip() == "\n".join([
        baseline, "exp: first  acc=0.9 loss.val=0.2", "", "because", "",
        f"Mlops-Run: {done.key}", "Mlops-Status: finished", "Mlops-Version: 1",
    ])  # fmt: skip


def test_dirty_deleted_untracked_files_modes_and_links_are_in_the_tree(project: Repo) -> None:
    commit(project, {"gone.txt": "x", ".gitignore": "*.log\n"})
    put(project, {"train.py": "print(2)\n", "new file ü.txt": "n", "noise.log": "l", "run.sh": "#!/bin/sh\n"})
    (project.root / "run.sh").chmod(0o755)
    (project.root / "link").symlink_to("train.py")
    (project.root / "gone.txt").unlink()
    ref = save(project).ref
    assert files(project, ref) == [
        ".gitignore", ".mlops/run/dvc.yaml", ".mlops/run/environment.lock", ".mlops/run/record.json",
        "link", "metrics.json", "new file ü.txt", "params.yaml", "run.sh", "train.py",
    ]  # fmt: skip
    modes = [project.text("ls-tree", ref, path).partition(" ")[0] for path in ("run.sh", "link")]
    assert (modes, project.text("show", f"{ref}:train.py")) == (["100755", "120000"], "print(2)")


def test_a_change_in_the_moment_of_the_commit_and_of_the_same_size_is_seen(project: Repo) -> None:
    project.git("config", "core.trustctime", "false")
    file = project.root / "train.py"
    moment = file.stat().st_mtime_ns - 10**10
    os.utime(file, ns=(moment, moment))
    project.git("update-index", "--refresh")
    put(project, {"train.py": "print(2)\n"})
    for path in (file, project.git_dir / "index"):
        os.utime(path, ns=(moment, moment))
    assert project.text("show", f"{save(project).ref}:train.py") == "print(2)"


def test_index_and_workspace_stay_as_they_are(project: Repo) -> None:
    put(project, {"train.py": "staged\n"})
    project.git("add", "train.py")
    put(project, {"train.py": "workspace\n", "new.txt": "n"})
    before = (project.git("status", "--porcelain=v2"), project.git("ls-files", "-s"), _contents(project))
    save(project)
    assert (
        project.git("status", "--porcelain=v2"),
        project.git("ls-files", "-s"),
        _contents(project),
    ) == before


def _contents(repo: Repo) -> dict[str, bytes]:
    paths = (p for p in repo.root.rglob("*") if p.is_file() and ".git" not in p.parts)
    return {str(p): p.read_bytes() for p in paths}


def test_a_large_untracked_file_is_left_out_and_said(project: Repo) -> None:
    put(project, {"big one.bin": b"\1" * 3000, "small.bin": b"\1" * 100, "kept.dat": b"\1" * 3000})
    taken = snapshot.take(project, DataSettings(size_limit=Size(1000), allow=("*.dat",)))
    assert taken.left_out == (("big one.bin", 3000),)
    assert files(project, taken.tree) == ["kept.dat", "metrics.json", "params.yaml", "small.bin", "train.py"]


def test_the_record_says_how_it_was(project: Repo) -> None:
    put(project, {"params.yaml": "seed: 3\n"})
    ref = save(project, "a").ref
    record = parse_record(project.git("show", f"{ref}:.mlops/run/record.json"))
    assert (record.version, record.name, record.how, record.status) == (1, "a", "save", "finished")
    assert record.seeds == {"seed": 3}
    assert record.key is not None
    assert set(record.key) == {"run", "code", "data", "params", "environment", "command"}
    lock = project.text("show", f"{ref}:.mlops/run/environment.lock").splitlines()
    assert lock == sorted(lock, key=lambda line: line.partition("==")[0])
    assert any(line.startswith("dvc==") for line in lock)


def test_a_run_folder_that_dvc_left_in_the_workspace_is_not_recorded_again(project: Repo) -> None:
    put(project, {".mlops/run/record.json": "old", ".mlops/run/plots/a.tsv": "old", ".mlops/own.txt": "mine"})
    assert [p for p in files(project, save(project).ref) if p.startswith(".mlops")] == [
        ".mlops/own.txt", ".mlops/run/dvc.yaml", ".mlops/run/environment.lock", ".mlops/run/record.json",
    ]  # fmt: skip


def test_metrics_that_git_ignores_are_recorded_in_our_own_file(project: Repo) -> None:
    project.git("rm", "-q", "--cached", "metrics.json")
    put(project, {".gitignore": "metrics.json\n"})
    done = save(project)
    assert json.loads(project.git("show", f"{done.ref}:.mlops/run/metrics.json")) == {
        "acc": 0.9,
        "loss": {"val": 0.2},
    }
    assert listed(project)[0].metrics == {"acc": 0.9, "loss.val": 0.2}


def test_the_same_content_has_the_same_key_and_any_change_another(project: Repo) -> None:
    first = save(project).key
    again = save(project).key
    put(project, {"README.md": "text"})
    documented = save(project).key
    put(project, {"params.yaml": "lr: 0.2\n"})
    params = save(project).key
    put(project, {"train.py": "other"})
    code = save(project).key
    assert (first, first) == (again, documented)
    assert len({first, params, code}) == 3


def test_a_name_is_taken_once(project: Repo) -> None:
    save(project, "a")
    with pytest.raises(MlopsError, match="an experiment `a` exists already"):
        save(project, "a")
    commit(project, {"x": "1"})
    with pytest.raises(MlopsError, match="exists already"):
        save(project, "a")


def test_force_replaces_and_keeps_the_old_one_reachable(project: Repo) -> None:
    old = save(project, "a")
    put(project, {"train.py": "other"})
    new = save(project, "a", force=True)
    assert new.replaced is not None
    assert (refs.read(project, new.ref), refs.read(project, new.replaced)) == (new.commit, old.commit)


@pytest.mark.parametrize(("ref", "name"), [("refs/heads/topic", "topic"), ("refs/tags/v1", "v1")])
def test_a_branch_or_tag_of_that_name_is_an_error(project: Repo, ref: str, name: str) -> None:
    project.git("update-ref", ref, "HEAD")
    with pytest.raises(MlopsError, match=f"`{name}` is taken by `{ref}`"):
        save(project, name)


def test_a_repository_without_a_commit_says_so(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", tmp_path / "empty", cwd=tmp_path)
    with pytest.raises(MlopsError, match="`HEAD` is not a commit") as caught:
        save(discover(tmp_path / "empty"))
    assert caught.value.hint == "make a first commit: `git commit`"


def test_an_unknown_user_is_told_what_to_do(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{who}_NAME")
        monkeypatch.delenv(f"GIT_{who}_EMAIL")
    project.git("config", "user.useConfigOnly", "true")
    with pytest.raises(MlopsError, match="git does not know who you are"):
        save(project)


def _save_in_process(root: str) -> str:
    return save(discover(root)).name


def test_eight_at_once_lose_nothing(project: Repo) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        names = pool.map(_save_in_process, [str(project.root)] * 16)
    assert sorted(names) == sorted(e.name for e in listed(project))
    assert len(set(names)) == 16


@pytest.mark.parametrize("place", ["subdirectory", "worktree", "detached", "shallow", "sha256"])
def test_it_works_wherever_git_does(project: Repo, place: str, tmp_path: Path, run: Run) -> None:
    repo = _placed(project, place, tmp_path, run)
    put(repo, {"new.txt": "n"})
    done = save(repo, "here")
    assert [(e.ref, e.metrics) for e in listed(repo, head(repo))] == [
        (done.ref, {"acc": 0.9, "loss.val": 0.2})
    ]
    assert "new.txt" in files(repo, done.ref)
    run("git", "fsck", "--no-dangling", cwd=repo.root)


def _placed(project: Repo, place: str, tmp_path: Path, run: Run) -> Repo:
    if place == "subdirectory":
        (project.root / "sub").mkdir()
        return discover(project.root / "sub")
    if place == "worktree":
        project.git("worktree", "add", "-q", str(tmp_path / "linked"))
        return discover(tmp_path / "linked")
    if place == "detached":
        project.git("checkout", "-q", "--detach")
        return project
    if place == "shallow":
        run("git", "clone", "-q", "--depth=1", project.root.as_uri(), tmp_path / "shallow", cwd=tmp_path)
        return discover(tmp_path / "shallow")
    run("git", "init", "-q", "--object-format=sha256", tmp_path / "wide", cwd=tmp_path)
    repo = discover(tmp_path / "wide")
    commit(repo, {"metrics.json": '{"acc": 0.9, "loss": {"val": 0.2}}'})
    return repo


def test_the_hooks_of_the_repository_do_not_run(project: Repo) -> None:
    hook = project.common_dir / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    save(project)
    assert not (project.root / "ran").exists()


def test_nothing_is_left_behind(project: Repo) -> None:
    save(project)
    left = [p for p in (project.git_dir / "mlops").rglob("*") if p.is_file()]
    assert (left, list(project.git_dir.glob("*.lock"))) == ([], [])


def test_a_hostile_metrics_file_is_skipped_with_a_note(project: Repo) -> None:
    put(project, {"metrics.json": "[" * 200_000, "params.yaml": "!!python/object/apply:os.system [x]\n"})
    assert save(project).notes == (
        "`metrics.json` was skipped: nested too deeply",
        (
            "`params.yaml` was skipped: not valid YAML (line 1): "
            "could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'"
        ),
    )
    assert [(e.metrics, e.params) for e in listed(project)] == [({}, {})]
