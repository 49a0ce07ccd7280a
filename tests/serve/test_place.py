"""The bytes of a registered model, brought and verified."""

import shutil
from pathlib import Path

import pytest

from git_mlops.data import cache, stored
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, discover
from git_mlops.lineage import taints
from git_mlops.models import register
from git_mlops.models.context import Context
from git_mlops.registry import read
from git_mlops.serve import place, source
from git_mlops.serve.source import Asked
from tests.conftest import Run
from tests.serve.conftest import git


def test_the_model_of_a_version_is_brought_into_a_private_directory(
    project: Repo, models: dict[str, Path]
) -> None:
    version = read.resolve(project, "churn@v1.0.0")
    placed = place.bring(project, version)
    assert placed.path == project.private / "models" / placed.model.hash / "m.joblib"
    assert placed.path.read_bytes() == models["one"].read_bytes()
    assert placed.told
    assert not (project.root / "model" / "m.joblib").exists(), "the workspace is not touched"


def test_it_is_fetched_from_the_remote(
    project: Repo, models: dict[str, Path], run: Run, tmp_path: Path
) -> None:
    shutil.rmtree(project.root / ".dvc")
    run("dvc", "init", "-q", "-f", cwd=project.root)
    with (project.root / ".dvc" / "config").open("a", encoding="utf-8") as file:
        file.write(f"[core]\n    remote = store\n['remote \"store\"']\n    url = {tmp_path / 'store'}\n")
    hash_ = stored.keep_file(project, models["one"])
    held = cache.cache_dir(project) / "files" / "md5" / hash_[:2] / hash_[2:]
    there = tmp_path / "store" / "files" / "md5" / hash_[:2] / hash_[2:]
    there.parent.mkdir(parents=True)
    held.rename(there)
    placed = place.bring(project, read.resolve(project, "churn@v1.0.0"))
    assert placed.path.read_bytes() == models["one"].read_bytes()


def test_one_that_is_nowhere_is_said(project: Repo) -> None:
    shutil.rmtree(project.root / ".dvc" / "cache")
    with pytest.raises(MlopsError, match=r"the model of churn v1\.0\.0 .* is not on this machine") as error:
        place.bring(project, read.resolve(project, "churn@v1.0.0"))
    assert error.value.exit_code == 3


def test_a_damaged_object_is_refused(project: Repo) -> None:
    version = read.resolve(project, "churn@v1.0.0")
    hash_ = str(version.facts["object"]["hash"])  # type: ignore[index]
    held = cache.cache_dir(project) / "files" / "md5" / hash_[:2] / hash_[2:]
    held.unlink()
    held.write_bytes(b"something else")
    with pytest.raises(MlopsError, match=r"the object of `model/m\.joblib` is damaged") as error:
        place.bring(project, version)
    assert error.value.exit_code == 1
    assert [*(project.private / "models").rglob("m.joblib")] == []


def test_a_private_copy_that_was_changed_is_made_again(project: Repo, models: dict[str, Path]) -> None:
    version = read.resolve(project, "churn@v1.0.0")
    placed = place.bring(project, version)
    placed.path.unlink()
    placed.path.write_bytes(b"somebody was here")
    assert place.bring(project, version).path.read_bytes() == models["one"].read_bytes()


def test_a_tag_that_names_other_bytes_than_its_commit_is_refused(project: Repo) -> None:
    version = read.resolve(project, "churn@v1.0.0")
    said = {**version.facts, "object": {"path": "model/m.joblib", "algorithm": "md5", "hash": "0" * 32}}
    with pytest.raises(MlopsError, match=r"the tag `churn@v1\.0\.0` says that the model is 0{32}") as error:
        place.bring(project, version._replace(facts=said))
    assert error.value.exit_code == 1


def test_a_directory_in_git_is_brought_as_a_whole(project: Repo) -> None:
    folder = project.root / "plain" / "deep"
    folder.mkdir(parents=True)
    (folder / "m.pkl").write_bytes(b"1")
    (folder / "notes.txt").write_text("of the model\n")
    git(project.root, "add", "-f", "plain")
    git(project.root, "commit", "-q", "-m", "a model in git")
    register.register(project, register.Request("small", path="plain"), Context())
    placed = place.bring(project, read.resolve(project, "small"))
    assert sorted(p.relative_to(placed.path).as_posix() for p in placed.path.rglob("*") if p.is_file()) == [
        "deep/m.pkl",
        "deep/notes.txt",
    ]


def test_what_gto_registered_needs_trust(project: Repo) -> None:
    git(project.root, "tag", "-a", "other@v1.0.0", "-m", "by GTO")
    repo = discover(project.root)
    with pytest.raises(MlopsError, match=r"the tag `other@v1\.0\.0` does not say what the model is"):
        source.find(repo, "other", Asked())
    assert source.find(repo, "other", Asked(trust=True)).path.name == "m.joblib"


def test_a_pickle_that_runs_programs_is_refused_though_it_is_registered(project: Repo) -> None:
    (project.root / "bad.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    git(project.root, "add", "bad.pkl")
    git(project.root, "commit", "-q", "-m", "bad", "--no-verify")
    register.register(project, register.Request("bad", path="bad.pkl"), Context())
    with pytest.raises(MlopsError, match=r"`bad\.pkl`: loading it can run `(os|posix)\.system`"):
        source.find(project, "bad", Asked())


def test_a_tainted_model_is_not_loaded(project: Repo) -> None:
    taints.say(project, "model:churn@v1.0.0", "churn@v1.0.0", "trained on stolen data", tainted=True)
    with pytest.raises(MlopsError, match=r"churn v1\.0\.0 .* which is tainted: trained on stolen data"):
        source.find(project, "churn@v1.0.0", Asked())
    assert source.find(project, "churn@v2.0.0", Asked()).version == "v2.0.0"


def test_a_plain_file_needs_trust(models: dict[str, Path]) -> None:
    with pytest.raises(MlopsError, match="is not registered: loading it may run anything"):
        source.find(None, str(models["one"]), Asked())
    assert source.find(None, str(models["one"]), Asked(trust=True)).version is None


def test_where_signatures_are_asked_for_an_unsigned_version_is_refused(project: Repo) -> None:
    with pytest.raises(MlopsError, match=r"churn v1\.0\.0 is not loaded: ") as error:
        source.find(project, "churn@v1.0.0", Asked(signed=True))
    assert error.value.exit_code == 1
