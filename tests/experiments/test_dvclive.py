"""What DVCLive and `dvc exp run` write is read as it is, and DVCLive's files under our runs."""

import sys

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import history, read
from git_mlops.experiments import run as running
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, listed

pytest.importorskip("dvclive")

TRAIN = """
from dvclive import Live
with Live(save_dvc_exp={save}, report=None) as live:
    live.log_param("lr", 0.1)
    for step in range(3):
        live.log_metric("acc", step / 4)
        live.log_metric("val/loss", 1 - step / 4)
        live.next_step()
"""


def histories(repo: Repo) -> dict[str, object]:
    experiments = read.load(repo, read.all_refs(repo), Settings())
    (found,) = history.read(repo, experiments).values()
    return dict(found.series)


@pytest.mark.slow
def test_dvclives_own_experiment(dvc_repo: Repo, run: Run) -> None:
    commit(dvc_repo, {"train.py": TRAIN.format(save=True)})
    run(sys.executable, "train.py", cwd=dvc_repo.root)
    (found,) = listed(dvc_repo)
    assert (found.metrics, found.params) == ({"acc": 0.5, "val.loss": 0.5, "step": 2}, {"lr": 0.1})
    assert histories(dvc_repo)["acc"] == ((0, 0.0), (1, 0.25), (2, 0.5))


@pytest.mark.slow
def test_dvclive_under_our_run(dvc_repo: Repo) -> None:
    commit(dvc_repo, {"train.py": TRAIN.format(save=False)})
    done = running.run(
        dvc_repo,
        Plan((sys.executable, "train.py")),
        Request("a"),
        Settings(),
        DataSettings(),
        started=lambda _subject: None,
    )
    assert isinstance(done, Ended)
    assert done.recorded.metrics == {"acc": 0.5, "val.loss": 0.5, "step": 2}
    assert [(e.metrics, e.params) for e in listed(dvc_repo)] == [(done.recorded.metrics, {"lr": 0.1})]
    assert histories(dvc_repo)["val/loss"] == ((0, 1.0), (1, 0.75), (2, 0.5))


PIPELINE = f"""
params: [conf.toml]
stages:
  train:
    cmd: {sys.executable} train.py
    deps: [train.py]
    params: [lr, other.json: [depth], settings.py: [SEED]]
    metrics: [scores.yaml: {{cache: false}}]
"""


@pytest.mark.slow
def test_what_dvc_exp_run_recorded(dvc_repo: Repo, run: Run) -> None:
    commit(
        dvc_repo,
        {
            "dvc.yaml": PIPELINE,
            "train.py": "open('scores.yaml', 'w').write('acc: 0.75\\nper: {class: 0.5}\\n')\n",
            "params.yaml": "lr: 0.1\n",
            "other.json": '{"depth": 3, "unused": 1}',
            "settings.py": "SEED = 7\nX = 1\n",
            "conf.toml": "[a]\nb = 'text'\n",
        },
    )
    run("dvc", "exp", "run", "-n", "theirs", "-S", "lr=0.5", cwd=dvc_repo.root)
    (found,) = listed(dvc_repo)
    assert (found.name, found.status, found.metrics) == (
        "theirs",
        "finished",
        {"acc": 0.75, "per.class": 0.5},
    )
    assert found.params == {"lr": 0.5, "depth": 3, "SEED": 7, "a.b": "text"}
