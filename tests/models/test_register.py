"""What a version's tag says: found in git's objects and in pointers alone."""

import hashlib
import json
from pathlib import Path

import pytest

from git_mlops import __version__
from git_mlops.data import cache, stored
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.models import register, verify
from git_mlops.models.register import Request
from git_mlops.registry import read
from tests.conftest import Run
from tests.experiments.conftest import commit, put
from tests.models.conftest import CONTEXT, DATA, ML_MODEL, MODEL, files, registered, saved, trained


def test_the_tag_of_an_experiment_says_all_that_made_the_model(project: Repo) -> None:
    put(project, {"metrics.json": '{"auc": 0.95, "loss": NaN}\n'})
    oid = saved(project, "quiet-otter")
    done = register.register(project, Request("m", "quiet-otter", message="for the fair"), CONTEXT)
    lock = project.git("cat-file", "blob", f"{oid}:.mlops/run/environment.lock")
    record = json.loads(project.git("cat-file", "blob", f"{oid}:.mlops/run/record.json"))
    run = project.text("log", "-1", "--format=%(trailers:key=Mlops-Run,valueonly)", oid).strip()
    inputs = [{"type": "double", "name": "age", "required": True}, {"type": "string", "name": "city"}]
    facts = dict(done.version.facts)
    contract = facts.pop("contract")
    assert isinstance(contract, dict)
    assert len(contract.pop("hash")) == 64
    assert contract == {
        "source": "MLmodel", "features": ["age", "city"], "inputs": inputs, "outputs": [{"type": "long"}],
    }  # fmt: skip
    assert facts == {
        "version": 1,
        "kind": "registration",
        "model": "m",
        "model_version": "v0.1.0",
        "commit": oid,
        "run": run,
        "experiment": {"name": "quiet-otter", "commit": oid, "baseline": project.text("rev-parse", "HEAD")},
        "object": {"path": "model/m.joblib", "algorithm": "md5", "hash": MODEL, "size": 7},
        "data": [{"path": "data/a.csv", "algorithm": "md5", "hash": DATA, "size": 5}],
        "schemas": [
            {"path": "schemas/data.yaml", "blob": project.text("rev-parse", "HEAD:schemas/data.yaml")}
        ],
        "environment": {"lock": hashlib.sha256(lock).hexdigest(), "python": record["python"]},
        "metrics": {"auc": 0.95, "loss": "nan"},
        "git_mlops": __version__,
    }
    said = read.messages(project, [done.version.oid])[done.version.oid]
    assert (said.title, said.text) == ("model: m v0.1.0 auc=0.95", "for the fair")
    assert [name for name, _value in said.trailers] == [
        "Mlops-Run", "Mlops-Model", "Mlops-Data", "Mlops-Schema", "Mlops-Contract",
    ]  # fmt: skip


def test_a_commit_that_landed_an_experiment_is_known_by_it(project: Repo) -> None:
    oid = saved(project, "one")
    run = project.text("log", "-1", "--format=%(trailers:key=Mlops-Run,valueonly)", oid).strip()
    project.git("commit", "-q", "--allow-empty", "-m", f"land it\n\nMlops-Run: {run}\n")
    facts = register.register(project, Request("m"), CONTEXT).version.facts
    assert (facts["run"], facts["commit"]) == (run, project.text("rev-parse", "HEAD"))
    assert facts["experiment"] == {
        "name": "one",
        "commit": oid,
        "baseline": project.text("rev-parse", "HEAD^"),
    }


def test_versions_count_on_and_are_not_given_twice(project: Repo) -> None:
    assert [registered(project), registered(project), registered(project, bump="minor")] == [
        "v0.1.0",
        "v0.1.1",
        "v0.2.0",
    ]
    assert registered(project, version="2.0.0-rc.1") == "v2.0.0-rc.1"
    assert registered(project) == "v2.0.0"
    with pytest.raises(MlopsError, match=r"m v0\.1\.1 is registered already") as error:
        registered(project, version="v0.1.1")
    assert error.value.exit_code == 1
    commits = {one.commit for one in read.artifact(project, "m").versions}
    assert len(commits) == 5, "GTO knows one version per commit"


def test_the_model_is_what_is_named_or_declared_or_was_before(project: Repo) -> None:
    def path(**request: str) -> tuple[object, object]:
        done = register.register(project, Request("m", **request), CONTEXT)  # type: ignore[arg-type]
        said = done.version.facts["object"]
        assert isinstance(said, dict)
        return said["path"], said["algorithm"]

    commit(project, {"other/n.onnx": b"onnx", "a b/é.pt": b"pt"})
    assert path(path="a b/é.pt") == ("a b/é.pt", "git-blob")
    assert path() == ("a b/é.pt", "git-blob"), "as the version before"
    commit(
        project,
        {"dvc.yaml": str(files()["dvc.yaml"]) + "artifacts:\n  m: {path: other/n.onnx, type: model}\n"},
    )
    assert path() == ("other/n.onnx", "git-blob")
    assert path(path="other")[1] == "git-tree"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("m", path="nowhere.pkl"), "there is no model at `nowhere.pkl`"),
        (Request("m", "nothing"), "`nothing` is neither an experiment nor a revision"),
        (Request("m.1"), "`m.1` cannot be the name of a model"),
        (Request("m", version="1.0"), "`1.0` is no version"),
        (Request("m", version="1.0.0", bump="major"), "either `--version` or `--bump`"),
    ],
)
def test_what_cannot_be_registered_is_refused_and_leaves_no_tag(
    project: Repo, request_: Request, message: str
) -> None:
    with pytest.raises(MlopsError, match=message.replace(".", r"\.")):
        register.register(project, request_, CONTEXT)
    assert project.text("tag") == ""


def test_a_model_that_cannot_be_told_is_asked_for(repo: Repo) -> None:
    commit(repo, {"a.txt": "a"})
    with pytest.raises(MlopsError, match=r"which file is the model `m`\?") as error:
        register.register(repo, Request("m"), CONTEXT)
    assert "`--path FILE`" in (error.value.hint or "")


@pytest.mark.slow
def test_gto_reads_what_is_registered_and_promoted(project: Repo, run: Run) -> None:
    from git_mlops.models import promote, retire

    first = registered(project)
    trained(project, 0.95, "3" * 32)
    second, again = registered(project), registered(project)  # two of one commit
    for version, stage in ((first, "prod"), (second, "prod"), (again, "canary"), (again, "prod")):
        promote.promote(project, promote.Request(f"m@{version}", stage), CONTEXT)
    promote.rollback(project, "m", "prod")
    register.register(project, Request("svc:other", path="train.py"), CONTEXT)
    retire.retire(project, f"m@{first}", "old")
    rows = json.loads(run("gto", "show", "m", "--json", cwd=project.root).stdout)
    assert {row["version"]: [s["stage"] for s in row["stages"]] for row in rows} == {
        "v0.1.2": ["canary"], "v0.1.1": ["prod"],
    }  # fmt: skip
    plain = run("gto", "show", "m#prod", cwd=project.root).stdout
    assert ("v0.1.1" in plain, "v0.1.2" in plain) == (True, False)
    history = json.loads(run("gto", "history", "m", "--json", cwd=project.root).stdout)
    assert [row["ref"] for row in history][::-1] == [
        "m@v0.1.0", "m@v0.1.1", "m@v0.1.2", "m#prod#1", "m#prod#2", "m#canary#3", "m#prod#4", "m#prod#5",
        "m@v0.1.0!#6",
    ]  # fmt: skip


def test_a_model_logged_through_mlflow_is_found_with_its_contract(repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "logged"
    (folder / "sub").mkdir(parents=True)
    (folder / "MLmodel").write_text(ML_MODEL)
    (folder / "sub" / "weights.bin").write_bytes(b"12345")
    kept = stored.keep(repo, folder)
    assert kept
    pointer = {".mlops/run/models/m-1.dvc": kept.pointer("m-1")}
    commit(repo, {".gitignore": "/.dvc/\n", **pointer})
    done = register.register(repo, Request("m"), CONTEXT)
    contract = done.version.facts["contract"]
    assert isinstance(contract, dict)
    assert (done.version.facts["object"], contract["features"], "data" in done.version.facts) == (
        {
            "path": ".mlops/run/models/m-1",
            "algorithm": "md5",
            "hash": kept.hash,
            "size": kept.size,
            "nfiles": 2,
        },
        ["age", "city"],
        False,
    )
    inner = register.register(repo, Request("m", path=".mlops/run/models/m-1/sub/weights.bin"), CONTEXT)
    assert inner.version.facts["object"] == {
        "path": ".mlops/run/models/m-1/sub/weights.bin",
        "algorithm": "md5",
        "hash": hashlib.md5(b"12345").hexdigest(),
        "size": 5,
        "within": ".mlops/run/models/m-1",
    }
    found = verify.verify(repo, "m", CONTEXT).findings
    assert [one.level for one in found] == ["warning"]
    cache.locate(repo, Out("", "md5", kept.hash)).unlink()  # type: ignore[union-attr]  # it is there
    found = verify.verify(repo, "m", CONTEXT).findings
    assert [one.message for one in found if one.level == "unknown"] == [
        "what `.mlops/run/models/m-1` holds is not on this machine"
    ]
    repo.git("rm", "-rqf", ".mlops")
    repo.git("commit", "-qm", "gone")
    with pytest.raises(MlopsError, match="which file is the model `m`"):  # what it was before is not there
        register.register(repo, Request("m"), CONTEXT)


def test_the_best_experiment_can_be_registered_as_such(project: Repo) -> None:
    for name, auc in (("poor", 0.5), ("good", 0.97), ("fair", 0.7)):
        put(project, {"metrics.json": f'{{"auc": {auc}}}\n'})
        saved(project, name)
    facts = register.register(project, Request("m", "@{best:auc}"), CONTEXT).version.facts
    assert facts["metrics"] == {"auc": 0.97}
    with pytest.raises(MlopsError, match="is no choice of an experiment"):
        register.register(project, Request("m", "@{bset:auc}"), CONTEXT)


def test_what_is_not_in_the_commit_is_said(project: Repo) -> None:
    assert register.register(project, Request("m"), CONTEXT).doubts == ()
    put(project, {"train.py": "print(2)\n", "new.py": ""})
    assert register.register(project, Request("m"), CONTEXT).doubts == (
        "HEAD is registered; what is changed in the workspace and not committed is not in it",
    )
    assert register.register(project, Request("m", "HEAD"), CONTEXT).doubts == ()


def test_a_run_that_failed_is_no_model(project: Repo) -> None:
    status = ["-m", "exp: bad", "-m", "Mlops-Status: failed\nMlops-Version: 1"]
    commit_ = project.text("commit-tree", "HEAD^{tree}", "-p", "HEAD", *status)
    head_ = project.text("rev-parse", "HEAD")
    project.git("update-ref", f"refs/exps/{head_[:2]}/{head_[2:]}/bad", commit_)
    with pytest.raises(MlopsError, match="the experiment `bad` is failed: it has no result") as error:
        register.register(project, Request("m", "bad"), CONTEXT)
    assert (error.value.exit_code, project.text("tag")) == (1, "")
