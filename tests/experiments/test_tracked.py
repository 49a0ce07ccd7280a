"""What the code of a run tracked is recorded, in the forms of formats.md, whatever the run's end."""

import subprocess
import sys
from pathlib import Path

import pytest

from git_mlops import track, trackfile
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import read, tracked, yaml12
from git_mlops.experiments import run as running
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, files, listed, save


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process tracks."""
    monkeypatch.setenv("MLOPS_TRACK", str(tmp_path / "track"))
    return tmp_path / "track"


def python(repo: Repo, code: str) -> Ended:
    """`exp run` of code that tracks."""
    command = (sys.executable, "-c", f"from git_mlops import track\n{code}")
    done = running.run(
        repo, Plan(command), Request("a"), Settings(), DataSettings(), started=lambda _subject: None
    )
    assert isinstance(done, Ended)
    return done


def shown(repo: Repo, done: Ended, path: str) -> str:
    return repo.text("show", f"{done.recorded.commit}:.mlops/run/{path}")


def test_a_run_records_what_was_tracked(project: Repo) -> None:
    done = python(project, "track.metric('train/loss', 0.5, 7); track.params(seed=3, m={'on': 'yes'})")
    header, line = shown(project, done, "plots/train/loss.tsv").split("\n")
    assert (header, line.split("\t")[::2]) == ("step\ttimestamp\tvalue", ["7", "0.5"])
    assert {name: shown(project, done, name) for name in ("metrics.json", "params.yaml", "dvc.yaml")} == {
        "metrics.json": '{\n "train": {\n  "loss": 0.5\n }\n}',
        "params.yaml": 'seed: 3\n"m":\n  "on": "yes"',
        "dvc.yaml": (
            "metrics:\n- metrics.json\nparams:\n- params.yaml\nplots:\n- plots:\n    x: step\n    y: value"
        ),
    }
    assert (done.recorded.metrics, done.recorded.params["seed"], (project.root / "mlops-track").exists()) == (
        {"train.loss": 0.5}, 3, False,
    )  # fmt: skip


def test_what_a_file_of_the_project_says_is_said_once(project: Repo) -> None:
    code = "import json; json.dump({'acc': 0.93}, open('metrics.json', 'w'))\n"
    done = python(project, code + "track.metric('acc', 0.9312); track.params(lr=0.1, more=1)")
    assert (done.recorded.metrics, shown(project, done, "params.yaml")) == ({"acc": 0.93}, "more: 1")
    assert ".mlops/run/metrics.json" not in files(project, done.recorded.commit)
    assert ".mlops/run/plots/acc.tsv" in files(project, done.recorded.commit)


def test_a_metrics_file_of_an_earlier_run_hides_nothing(project: Repo) -> None:
    done = python(project, "track.metric('acc', 0.99)")
    assert done.recorded.metrics == {"acc": 0.99}


def test_a_failed_run_keeps_what_was_tracked(project: Repo) -> None:
    done = python(project, "track.metric('acc', 0.1); raise SystemExit(3)")
    assert (done.recorded.status, done.recorded.metrics) == ("failed", {"acc": 0.1})


def test_a_killed_recorder_leaves_what_was_tracked(project: Repo, mlops: Run) -> None:
    code = (
        "import os\nfrom git_mlops import track\ntrack.params(width=3)\n"
        "for i in range(5): track.metric('m', i)\n"
        "track.artifact('train.py'); os.kill(os.getppid(), 9)"
    )
    mlops("exp", "run", "-n", "a", "--", sys.executable, "-c", code, cwd=project.root, status=None)
    (one,) = listed(project)
    repeated = [e.commit.oid for e in listed(project)]
    assert (one.status, one.metrics, one.params["width"], repeated) == (
        "interrupted", {"m": 4}, 3, [one.commit.oid],
    )  # fmt: skip
    assert {".mlops/run/plots/m.tsv", ".mlops/run/artifacts/train.py"} <= set(files(project, one.commit.oid))
    assert (list((project.private / "runs").iterdir()), one.commit.message.title) == ([], "exp: a  m=4")


def test_artifacts_go_to_the_cache_of_dvc(dvc_repo: Repo, run: Run) -> None:
    commit(dvc_repo, {"train.py": "x\n"})
    done = python(dvc_repo, "track.artifact('train.py', 'sub/model.bin')")
    assert ".mlops/run/artifacts" not in {p.rpartition("/")[0] for p in files(dvc_repo, done.recorded.commit)}
    run("dvc", "get", "-q", ".", ".mlops/run/artifacts", "--rev", "a", "-o", "got", cwd=dvc_repo.root)
    assert (dvc_repo.root / "got/sub/model.bin").read_text(encoding="utf-8") == "x\n"


def test_without_dvc_an_artifact_that_is_too_large_is_named(project: Repo) -> None:
    limit = DataSettings().size_limit
    code = f"open('big', 'wb').truncate({limit} + 1)\n"
    done = python(
        project, code + "track.artifact('big'); import os; os.remove('big'); track.artifact('train.py')"
    )
    assert ".mlops/run/artifacts/train.py" in files(project, done.recorded.commit)
    assert [note for note in done.recorded.notes if "artifact `big`" in note] == list(done.recorded.notes)


def test_dvc_reads_metrics_parameters_and_histories(dvc_repo: Repo, run: Run) -> None:
    commit(dvc_repo, {"train.py": "x\n"})
    python(dvc_repo, "track.params(lr=0.5)\nfor i in range(3): track.metric('a/b', i, i)")
    table = run("dvc", "exp", "show", "--csv", cwd=dvc_repo.root).stdout.splitlines()
    plots = run("dvc", "plots", "diff", "--json", "a", cwd=dvc_repo.root).stdout
    assert (table[0].split(",")[5:], table[-1].split(",")[5:]) == (["a.b", "lr"], ["2", "0.5"])
    assert '".mlops/run/plots/a/b.tsv"' in plots
    assert '"step": "2"' in plots


def test_what_was_tracked_without_a_recorder_is_saved(project: Repo) -> None:
    subprocess.run(
        [sys.executable, "-c", "from git_mlops import track; track.metric('x/y', 2); track.params(w=1)"],
        cwd=project.root, check=True,
    )  # fmt: skip
    done = save(project, "a")
    assert (done.metrics["x.y"], done.params["w"]) == (2, 1)


def test_the_newest_values_are_read_while_it_goes_on(place: Path) -> None:
    track.metric("train/loss", 3.0)
    track.metric("train/loss", 2.0)
    track.metric("acc", 1)
    assert (tracked.newest(place), tracked.newest_values(place)) == (
        {"acc": 1, "train/loss": 2.0}, {"acc": 1, "train.loss": 2.0},
    )  # fmt: skip
    assert tracked.newest(place / "nothing") == {}


def test_a_long_history_is_thinned_and_keeps_its_end(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracked, "MOST_POINTS", 10)
    for number in range(25):
        track.metric("m", number)
    found = tracked.collect(place)
    kept = [trackfile.parse_line(line) for line in found.plots["m"].decode().splitlines()[1:]]
    assert [line[0] for line in kept if line] == [0, 3, 6, 9, 12, 15, 18, 21, 24]
    assert (found.metrics, found.notes) == (
        {"m": 24}, ("of the 25 values of `m` 9 are kept, evenly",),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["yes", "1e-3", "on", "012", "null", "", "a: b", "é", "relu", "x\ny", "~"])
def test_text_parameters_are_text_for_every_yaml(project: Repo, text: str) -> None:
    done = yaml12.dump({"p": text, "n": {"q": [text, 1e-5, 2, True, None]}})
    commit(project, {"params.yaml": done})
    save(project, "a")
    params = read.listing(project, Settings()).experiments[0].params
    assert params == {"p": text, "n.q": [text, 1e-5, 2, True, None]}
