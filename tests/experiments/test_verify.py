"""`exp verify` and `exp repeat`: a run again, judged, the verdict kept, nothing of the user's touched."""

import json
import math
import sys
from pathlib import Path

import pytest

from git_mlops.data import dvc
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import environment, read, rebuild, verify
from git_mlops.experiments import run as running
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Plan
from git_mlops.experiments.settings import Metric, Settings
from git_mlops.experiments.verify import Compared, Verdict, Want
from git_mlops.git import refs
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, put, save
from tests.experiments.test_worktree import state

# pygtrie under DVC's checkout warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

STEADY = (
    "import json, yaml; lr = yaml.safe_load(open('params.yaml'))['lr']; "
    "json.dump({'acc': lr * 2}, open('metrics.json', 'w'))"
)
NOISY = (
    "import json, os; acc = int.from_bytes(os.urandom(3)) / 2**24 / 100; "
    "json.dump({'acc': acc}, open('metrics.json', 'w'))"
)


def record(repo: Repo, code: str, name: str = "a") -> Ended:
    done = running.run(
        repo,
        Plan((sys.executable, "-c", code)),
        Request(name),
        Settings(),
        DataSettings(),
        started=lambda _subject: None,
    )
    assert isinstance(done, Ended)
    return done


def check(repo: Repo, name: str = "a", settings: Settings | None = None, **want: object) -> Verdict:
    (ref,) = read.pick(repo, [name])
    wanted = Want(**want)  # type: ignore[arg-type]  # as given
    return verify.verify(repo, ref, settings or Settings(), DataSettings(), wanted)


def test_a_run_that_reproduces(project: Repo) -> None:
    put(project, {"params.yaml": "lr: 0.3\n", "untracked.txt": "u"})
    record(project, STEADY)
    project.git("checkout", "-q", "--", ".")
    (project.root / "untracked.txt").unlink()
    before = state(project)
    done = check(project)
    assert (done.outcome, done.exit_code, done.metrics) == (
        "reproduced", 0, (Compared("acc", 0.6, 0.6, 0.0, same=True),)
    )  # fmt: skip
    assert (state(project), project.text("worktree", "list").count("\n")) == (before, 0)
    (kept,) = verify.verdicts(project, done.commit)
    assert (kept["outcome"], kept["version"], kept["kind"]) == ("reproduced", 1, "verify")
    check(project)
    assert len(verify.verdicts(project, done.commit)) == 2
    assert refs.list_refs(project, "refs/mlops/runs/") == []


def test_a_run_that_differs(project: Repo) -> None:
    record(project, NOISY)
    done = check(project)
    assert (done.outcome, done.exit_code, [one.same for one in done.metrics]) == ("differs", 1, [False])
    assert check(project, settings=Settings(metrics={"acc": Metric(tolerance=0.01)})).outcome == "reproduced"


def test_repeats_give_the_tolerance(project: Repo) -> None:
    record(project, NOISY)
    (ref,) = read.pick(project, ["a"])
    done = verify.repeat(project, ref, Settings(), DataSettings(), 3)
    (noise,) = done.noise
    assert (done.runs, done.failed, noise.name, noise.least < noise.mean < noise.most) == (3, 0, "acc", True)
    spread = max(noise.most, noise.recorded) - min(noise.least, noise.recorded)
    assert check(project).metrics[0].tolerance == pytest.approx(spread)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_repeats_of_what_is_no_finite_number(project: Repo, value: str) -> None:
    record(
        project, f"import json; json.dump({{'loss': float('{value}'), 'acc': 1}}, open('metrics.json', 'w'))"
    )
    (ref,) = read.pick(project, ["a"])
    done = verify.repeat(project, ref, Settings(), DataSettings(), 2)
    assert {one.name: one.std for one in done.noise} == pytest.approx(
        {"loss": math.nan, "acc": 0.0}, nan_ok=True
    )
    assert check(project).outcome == "reproduced"


def test_what_a_run_made_of_artifacts_is_not_what_it_needs(dvc_repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    record(
        dvc_repo,
        f"from git_mlops import track; track.metric('m', 0.5); track.artifact({str(tmp_path / 'a.txt')!r})",
    )
    assert check(dvc_repo).outcome == "reproduced"


def test_a_run_that_fails_now(project: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("1")
    record(project, f"open({str(tmp_path / 'outside')!r}).read(); " + STEADY)
    (tmp_path / "outside").unlink()
    done = check(project)
    assert (done.outcome, (done.reason or "").startswith("it failed now")) == ("differs", True)


def test_old_metrics_in_the_recorded_tree_are_no_result(project: Repo) -> None:
    write = "json.dump({'acc': 1}, open('metrics.json', 'w'))"
    record(project, f"import os, json\nif 'worktrees' not in os.getcwd(): {write}")
    done = check(project)
    assert (done.outcome, done.metrics) == ("differs", (Compared("acc", 1, None, 0.0, same=False),))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("save", "nothing was run: it is a record of a workspace"),
        ("failed", "the run is failed"),
        ("no metrics", "it recorded no metrics"),
    ],
)
def test_what_cannot_be_compared_says_why(project: Repo, kind: str, reason: str) -> None:
    if kind == "save":
        save(project, "a")
    else:
        record(project, "raise SystemExit(1)" if kind == "failed" else "pass")
    done = check(project)
    assert (done.outcome, done.exit_code, done.reason) == ("not comparable", CANNOT_EVALUATE, reason)
    assert refs.list_refs(project, verify.PREFIX) == []


def test_another_environment_with_another_result_is_not_comparable(
    project: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, outcome in ((NOISY, "not comparable"), (STEADY, "reproduced")):
        record(project, code, outcome.replace(" ", "-"))
    real = environment.lock
    monkeypatch.setattr(environment, "lock", lambda folders: real(folders) + b"zzz==1\n")
    done = check(project, "not-comparable")
    assert (done.outcome, done.packages) == ("not comparable", ("zzz - → 1",))
    assert done.hint == "`git mlops exp verify --env not-comparable` rebuilds the recorded one"
    assert check(project, "reproduced").outcome == "reproduced"


def test_only_some_metrics(project: Repo) -> None:
    record(project, STEADY.replace("* 2}", "* 2, 'noise': __import__('time').time()}"))
    assert check(project, metrics=("acc",)).outcome == "reproduced"
    with pytest.raises(MlopsError, match="has no metric `f1`"):
        check(project, metrics=("f1",))


def test_a_pipeline_is_run_again_whole(dvc_repo: Repo) -> None:
    put(dvc_repo, {
        "data.csv": "1,2\n", "params.yaml": "lr: 0.01\n",
        "train.py": "import json\nacc = len(open('data.csv').read())\n"
        "json.dump({'acc': acc}, open('metrics.json', 'w'))",
        "dvc.yaml": f"stages:\n  train:\n    cmd: {sys.executable} train.py\n    deps: [train.py, data.csv]\n"
        "    metrics: [metrics.json: {cache: false}]\n",
    })  # fmt: skip
    dvc.add(dvc_repo, ["data.csv"])
    commit(dvc_repo, {})
    running.run(dvc_repo, Plan(), Request("a"), Settings(), DataSettings(), started=lambda _subject: None)
    before = state(dvc_repo)
    done = check(dvc_repo)
    assert (done.outcome, [(one.old, one.new) for one in done.metrics]) == ("reproduced", [(4, 4)])
    assert state(dvc_repo)[1:] == before[1:]
    cached = next((dvc_repo.root / ".dvc/cache/files/md5").rglob("*"))
    assert cached.exists()
    for file in (dvc_repo.root / ".dvc/cache/files/md5").rglob("*"):
        if file.is_file() and file.read_bytes() == b"1,2\n":
            file.unlink()
    done = check(dvc_repo)
    assert (done.outcome, done.reason) == ("not comparable", "its data is not on this machine: data.csv")


@pytest.mark.slow
def test_an_environment_is_rebuilt_from_its_lock(project: Repo) -> None:
    here = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}.0"
    folder = rebuild.environment(project, b"", here)
    assert rebuild.environment(project, b"", here) == folder
    assert rebuild.translated(("/usr/bin/python3", "x.py"), folder) == (
        str(folder / "bin" / "python"),
        "x.py",
    )
    assert rebuild.translated(("python", "x.py"), folder) == ("python", "x.py")
    with pytest.raises(MlopsError, match=r"there is no python3\.1 here"):
        rebuild.environment(project, b"", "CPython 3.1.0")


def test_as_a_user_runs_it(project: Repo, mlops: Run) -> None:
    record(project, STEADY)
    record(project, NOISY, "noisy")
    assert mlops("exp", "verify", "a", cwd=project.root).stderr == "a: reproduced\n"
    assert mlops("exp", "verify", "a", "noisy", cwd=project.root, status=1).stderr.endswith(
        "noisy: differs\n"
    )
    done = mlops("exp", "verify", "a", "--json", cwd=project.root)
    assert json.loads(done.stdout)["data"][0]["outcome"] == "reproduced"
    assert "acc" in mlops("exp", "repeat", "noisy", "-n", "2", cwd=project.root).stdout
