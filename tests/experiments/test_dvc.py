"""DVC reads what we write, we read what DVC writes, pipelines run and their data travels."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from git_mlops.data import dvc
from git_mlops.data.hashes import Hashes
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import apply as applying
from git_mlops.experiments import diff, pulling, read, sync
from git_mlops.experiments import run as running
from git_mlops.experiments.pulling import What
from git_mlops.experiments.record import parse_record
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo, discover, head
from tests.conftest import Run
from tests.experiments.conftest import commit, files, listed, put, save

# pygtrie under DVC's pipelines warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

TRAIN = (
    "import json, yaml\n"
    "lr = yaml.safe_load(open('params.yaml'))['lr']\n"
    "open('model.bin', 'w').write(open('data.csv').read() * (1 + int(100 * lr)))\n"
    "json.dump({'acc': 0.9 + lr}, open('metrics.json', 'w'))\n"
)
PIPELINE = (
    "stages:\n  train:\n    cmd: python train.py\n    deps: [train.py, data.csv]\n    params: [lr]\n"
    "    outs: [model.bin]\n    metrics:\n    - metrics.json:\n        cache: false\n"
)


def dvc_rows(shown: str) -> dict[str, Any]:
    """`dvc exp show --json` by experiment name: flat metrics and params."""
    found = {}
    for row in json.loads(shown):
        for one in row.get("experiments") or []:
            data = one["revs"][0]["data"]
            metrics = {k: v for file in data["metrics"].values() for k, v in file["data"].items()}
            params = {k: v for file in data["params"].values() for k, v in file["data"].items()}
            found[one["name"]] = (metrics, params)
    return found


@pytest.mark.slow
def test_dvc_lists_and_shows_ours(dvc_repo: Repo, run: Run) -> None:
    commit(dvc_repo, {"train.py": "", "params.yaml": "lr: 1e-3\n", "other/params.yaml": "n: 1\n"})
    put(dvc_repo, {
        "metrics.json": '{"acc": 0.5, "loss": 0.25}', "train.py": "new", "conf.toml": "depth = 3\n",
        ".gitignore": "dvclive\n", "dvclive/metrics.json": '{"step": 7}',
    })  # fmt: skip
    running_settings = Settings(params=("conf.toml",))
    running.run(
        dvc_repo,
        Plan(("touch", "metrics.json", "dvclive/metrics.json")),
        Request("ours"),
        running_settings,
        DataSettings(),
        started=lambda _subject: None,
    )
    shown = run("dvc", "exp", "show", "--json", cwd=dvc_repo.root).stdout
    assert dvc_rows(shown) == {"ours": ({"acc": 0.5, "loss": 0.25, "step": 7}, {"lr": 0.001, "depth": 3})}
    assert run("dvc", "exp", "list", "-A", "--name-only", cwd=dvc_repo.root).stdout.split() == ["ours"]
    assert listed(dvc_repo)[0].metrics == {"acc": 0.5, "loss": 0.25, "step": 7}


@pytest.mark.slow
def test_dvc_works_with_fifty_of_ours(dvc_repo: Repo, tmp_path: Path, run: Run) -> None:
    """List, show, apply, branch, push and pull: what DVC says is what we say."""
    commit(dvc_repo, {"train.py": "", "params.yaml": "lr: 0\n", "metrics.json": "{}"})
    for number in range(50):
        put(dvc_repo, {"params.yaml": f"lr: {number}\n", "metrics.json": f'{{"acc": {number / 100}}}'})
        save(dvc_repo, f"run-{number:02}")
    dvc_repo.git("checkout", "-q", "--", ".")
    ours = {e.name: (e.metrics, e.params) for e in listed(dvc_repo)}
    assert len(ours) == 50
    names = run("dvc", "exp", "list", "-A", "--name-only", cwd=dvc_repo.root).stdout.split()
    assert sorted(names) == sorted(ours)
    assert dvc_rows(run("dvc", "exp", "show", "--json", cwd=dvc_repo.root).stdout) == ours

    run("dvc", "exp", "branch", "run-07", "seven", cwd=dvc_repo.root)
    assert dvc_repo.text("show", "seven:params.yaml") == "lr: 7"
    run("dvc", "exp", "apply", "run-08", cwd=dvc_repo.root)
    assert (dvc_repo.root / "params.yaml").read_text(encoding="utf-8") == "lr: 8\n"
    run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin.git", cwd=tmp_path)
    dvc_repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    dvc_repo.git("push", "-q", "origin", "main")
    run("dvc", "exp", "push", "origin", "run-01", "run-02", cwd=dvc_repo.root)
    run("git", "clone", "-q", tmp_path / "origin.git", tmp_path / "clone", cwd=tmp_path)
    clone = discover(tmp_path / "clone")
    run("dvc", "exp", "pull", "origin", "run-01", cwd=clone.root)
    assert [(e.name, e.params, e.metrics) for e in listed(clone)] == [("run-01", {"lr": 1}, {"acc": 0.01})]
    assert pulling.pull(clone, What(), None, None).new == ("run-02",)


def test_dvc_applies_ours(dvc_repo: Repo, run: Run) -> None:
    commit(dvc_repo, {"train.py": "old", "params.yaml": "lr: 1\n"})
    put(dvc_repo, {"train.py": "new", "params.yaml": "lr: 2\n", "more.txt": "m"})
    save(dvc_repo, "ours")
    dvc_repo.git("checkout", "-q", "--", ".")
    (dvc_repo.root / "more.txt").unlink()
    run("dvc", "exp", "apply", "ours", cwd=dvc_repo.root)
    paths = ("train.py", "params.yaml", "more.txt")
    assert [(dvc_repo.root / path).read_text(encoding="utf-8") for path in paths] == [
        "new", "lr: 2\n", "m"
    ]  # fmt: skip


@pytest.mark.slow
def test_we_read_what_dvc_saved(dvc_repo: Repo, run: Run) -> None:
    commit(dvc_repo, {"dvc.yaml": "metrics: [m.json]\n", "m.json": '{"acc": 1}', "params.yaml": "lr: 1e-3\n"})
    put(dvc_repo, {"m.json": '{"acc": 2, "sub": {"f1": 3}}', "params.yaml": "lr: 1e-2\nno: yes\n"})
    run("dvc", "exp", "save", "-n", "theirs", "-m", "their words", cwd=dvc_repo.root)
    shown = dvc_rows(run("dvc", "exp", "show", "--json", cwd=dvc_repo.root).stdout)["theirs"]
    found = listed(dvc_repo)[0]
    assert (found.name, found.metrics, found.status) == ("theirs", {"acc": 2, "sub.f1": 3}, "finished")
    assert (shown[1], found.params) == ({"lr": 0.01, "no": "yes"}, {"lr": 0.01, "no": "yes"})


@pytest.fixture
def pipeline(dvc_repo: Repo) -> Repo:
    """A pipeline over data that DVC keeps."""
    put(dvc_repo, {"data.csv": "1,2\n", "train.py": TRAIN, "dvc.yaml": PIPELINE, "params.yaml": "lr: 0.01\n"})
    dvc.add(dvc_repo, ["data.csv"])
    commit(dvc_repo, {})
    return dvc_repo


def reproduced(repo: Repo, name: str, *overrides: str, force: bool = False) -> Ended | Known:
    return running.run(
        repo,
        Plan((), overrides),
        Request(name, force=force),
        Settings(),
        DataSettings(),
        started=lambda _subject: None,
    )


def reproduce(repo: Repo, name: str, *overrides: str, force: bool = False) -> Ended:
    done = reproduced(repo, name, *overrides, force=force)
    assert isinstance(done, Ended)
    return done


def test_a_pipeline_runs_is_recorded_and_its_data_travels(pipeline: Repo, tmp_path: Path, run: Run) -> None:
    assert reproduce(pipeline, "low").recorded.metrics == {"acc": 0.91}
    assert reproduce(pipeline, "high", "lr=0.05").recorded.metrics == {"acc": 0.9500000000000001}
    known = reproduced(pipeline, "again")
    assert isinstance(known, Known)
    assert known.experiment.name == "high"
    assert "dvc.lock" in files(pipeline, reproduce(pipeline, "again", force=True).recorded.ref)
    found = diff.difference(pipeline, "low", "high", Settings(), DataSettings())
    assert [(d.path, d.old_size, d.new_size) for d in found.data] == [("model.bin", 8, 24)]
    assert (found.code, [(p.name, p.old, p.new) for p in found.params]) == ((), [("lr", 0.01, 0.05)])

    run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin.git", cwd=tmp_path)
    pipeline.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    pipeline.git("push", "-q", "origin", "main")
    pushed = sync.push(pipeline, What(("low", "high")), None, None)
    assert (pushed.sent, pushed.data.transferred, pushed.exit_code) == (("low", "high"), 3, 0)
    run("git", "clone", "-q", tmp_path / "origin.git", tmp_path / "clone", cwd=tmp_path)
    clone = discover(tmp_path / "clone")
    pulled = pulling.pull(clone, What(), None, None)
    assert (pulled.new, pulled.data.transferred, pulled.exit_code) == (("high", "low"), 3, 0)
    applied = applying.apply(clone, "high", Settings(), DataSettings())
    assert (applied.missing_data, (clone.root / "model.bin").read_text(encoding="utf-8")) == ((), "1,2\n" * 6)


def test_a_forced_pipeline_is_run_whole(pipeline: Repo) -> None:
    put(pipeline, {"train.py": TRAIN + "open('count', 'a').write('x')\n", ".gitignore": "count\n"})
    for name in ("a", "b"):
        assert reproduce(pipeline, name, force=True).recorded.metrics == {"acc": 0.91}
    assert (pipeline.root / "count").read_text(encoding="utf-8") == "xx"


def test_a_failing_stage_is_recorded_as_failed(pipeline: Repo) -> None:
    put(pipeline, {"train.py": "raise SystemExit(3)\n"})
    done = reproduce(pipeline, "bad")
    assert (done.exit_code, [(e.name, e.status) for e in listed(pipeline)]) == (1, [("bad", "failed")])
    assert done.problem is not None
    assert "train" in done.problem
    recorded = read.record(pipeline, listed(pipeline)[0])
    assert recorded is not None
    assert recorded.problem == done.problem


def test_a_pipeline_names_the_data_that_dvc_added_for_it(pipeline: Repo) -> None:
    old = reproduce(pipeline, "old").recorded
    put(pipeline, {"data.csv": "3,4\n"})
    done = reproduce(pipeline, "new").recorded
    facts = parse_record(pipeline.git("show", f"{done.ref}:.mlops/run/record.json"))
    md5 = hashlib.md5(b"3,4\n", usedforsecurity=False).hexdigest()
    assert (facts.data, facts.data_dirty, done.dirty) == (
        [{"path": "data.csv", "algorithm": "md5", "hash": md5, "size": 4}],
        None,
        (),
    )
    assert md5.encode() in pipeline.git("show", f"{done.ref}:data.csv.dvc")
    assert old.key != done.key
    assert isinstance(reproduced(pipeline, "same"), Known)


def test_a_pipeline_never_undoes_a_pointer_whose_data_has_not_come(pipeline: Repo) -> None:
    with Hashes(pipeline) as hashes:
        hashes.followed["data.csv"] = hashlib.md5(b"1,2\n", usedforsecurity=False).hexdigest()
    pointer = (pipeline.root / "data.csv.dvc").read_text()
    newer = re.sub("md5: [0-9a-f]{4}", "md5: beef", pointer)
    commit(pipeline, {"data.csv.dvc": newer})
    with pytest.raises(MlopsError, match="is the data of an earlier pointer still") as caught:
        reproduce(pipeline, "x")
    assert caught.value.hint == "`git mlops pull data.csv` brings the new data"
    assert (pipeline.root / "data.csv.dvc").read_text() == newer


def test_ctrl_c_in_a_pipeline_is_recorded_as_interrupted(pipeline: Repo) -> None:
    put(pipeline, {"train.py": "import time; open('started', 'w').close(); time.sleep(60)\n"})
    program = Path(sys.executable).parent / "git-mlops"
    child = subprocess.Popen(
        [program, "exp", "run", "-n", "a"], cwd=pipeline.root, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (pipeline.root / "started").exists():
        assert time.monotonic() < end, "it never started"
        os.sched_yield()
    os.killpg(child.pid, signal.SIGINT)
    assert (child.wait(), [(e.name, e.status) for e in listed(pipeline)]) == (130, [("a", "interrupted")])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("no.such=1", "`params.yaml` has no parameter `no.such`"),
        ("lr=[", "cannot set `lr=[` in `params.yaml`: it is no `KEY=VALUE` that can be read"),
        ("lr", "cannot set `lr` in `params.yaml`: it is no `KEY=VALUE` that can be read"),
        ("=1", "cannot set `=1` in `params.yaml`: it is no `KEY=VALUE` that can be read"),
    ],
)
def test_a_bad_override_is_said_in_our_words(pipeline: Repo, override: str, said: str) -> None:
    with pytest.raises(MlopsError) as caught:
        reproduce(pipeline, "x", override)
    assert str(caught.value) == said
    assert pipeline.text("status", "--porcelain") == ""


def test_an_override_of_nothing_is_an_error_before_anything_runs(pipeline: Repo) -> None:
    (pipeline.root / "params.yaml").unlink()
    with pytest.raises(MlopsError, match=r"params\.yaml"):
        reproduce(pipeline, "x", "lr=1")
    assert listed(pipeline) == []


def test_data_that_changed_and_was_not_added_is_said_and_recorded(pipeline: Repo) -> None:
    clean = save(pipeline)
    put(pipeline, {"data.csv": "3,4\n"})
    first, second = save(pipeline), save(pipeline)
    assert [(d.path, d.mend) for d in first.dirty] == [("data.csv", "git mlops add data.csv")]
    assert clean.dirty == ()
    assert len({clean.key, first.key}) == 2
    record = json.loads(pipeline.git("show", f"{second.ref}:.mlops/run/record.json"))
    assert record["data_dirty"] == ["data.csv"]


def test_an_experiment_whose_data_is_nowhere_is_held_back(pipeline: Repo, tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "origin.git", cwd=tmp_path)
    pipeline.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    save(pipeline, "whole")
    lost: dict[str, str | bytes] = {
        "lost.bin.dvc": f"outs:\n- md5: {'ab' * 16}\n  size: 5\n  hash: md5\n  path: lost.bin\n"
    }
    put(pipeline, lost)
    save(pipeline, "holed")
    done = sync.push(pipeline, What(), None, None)
    assert (done.sent, [r.name for r in done.rejected], done.exit_code) == (("whole",), ["holed"], 1)
    assert sync.push(pipeline, What(data=False), None, None).sent == ("holed",)


def test_without_a_dvc_remote_the_refs_still_go(pipeline: Repo, tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "origin.git", cwd=tmp_path)
    pipeline.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    put(pipeline, {".dvc/config": ""})
    save(pipeline, "a")
    done = sync.push(pipeline, What(), None, None)
    assert (done.sent, done.exit_code) == (("a",), 0)
    assert done.data.skipped is not None


def test_baselines_are_what_dvc_says_too(dvc_repo: Repo, run: Run) -> None:
    save(dvc_repo, "first")
    commit(dvc_repo, {"x": "1"})
    save(dvc_repo, "second")
    shown = run("dvc", "exp", "list", "--name-only", cwd=dvc_repo.root).stdout.split()
    assert shown == [e.name for e in listed(dvc_repo, head(dvc_repo))]
