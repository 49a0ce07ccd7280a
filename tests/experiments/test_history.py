"""Metric histories: whoever wrote them, one reading; drawn small for the terminal."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_mlops import track
from git_mlops.experiments import history, journal, read, tracked
from git_mlops.experiments.history import History, Series
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, listed, put, save


def histories(repo: Repo, files: dict[str, str | bytes]) -> History:
    """Of an experiment with these files."""
    put(repo, files)
    done = save(repo, "a")
    experiment = read.load(repo, read.pick(repo, ["a"]), Settings())[0]
    return history.read(repo, [experiment])[done.ref]


_LINES = '{"epoch": 1, "a": 2, "b": "x"}\n{"epoch": 2, "a": 3}\n{"ep'
_STAGE = "stages: {t: {cmd: x, plots: [{h.csv: {cache: false}}]}}"


@pytest.mark.parametrize(
    ("path", "content", "pipeline", "series"),
    [
        ("dvclive/plots/metrics/a/b.tsv", "step\tb\n0\t0.5\n1\t0.25\n", "", {"a/b": ((0, 0.5), (1, 0.25))}),
        ("sub/dvclive/plots/metrics/acc.tsv", "timestamp\tstep\tacc\n17\t0\t0.5\n", "", {"acc": ((0, 0.5),)}),
        ("dvclive/loss.tsv", "timestamp\tstep\tloss\n1600000000\t0\t0.5\n", "", {"loss": ((0, 0.5),)}),
        (
            "mlops-track/plots/metrics/m.tsv",
            "step\ttimestamp\tvalue\n2\t1\tinf\n",
            "",
            {"m": ((2, math.inf),)},
        ),
        (
            "mlops-track/plots/metrics/m.tsv",
            "step\ttimestamp\tvalue\ninf\t1\t2\nx\n1\t2\t3\n",
            "",
            {"m": ((1, 3),)},
        ),
        ("log.jsonl", _LINES, "plots: [log.jsonl]", {"a": ((1, 2), (2, 3))}),
        ("log.json", '{"t": [{"step": 1, "a": 2}]}', "plots: [{log.json: {x: step}}]", {"a": ((1, 2),)}),
        ("log.json", '[{"step": 1, "log": 2}]', "plots: [log.json]", {"log": ((1, 2),)}),
        ("h.csv", "step,a,b\n0,1,2\n1,,3,9\n", _STAGE, {"a": ((0, 1),), "b": ((0, 2), (1, 3))}),
        ("logs/x/y.tsv", "step\tvalue\n1\t2\n", "plots: [logs]", {"x/y": ((1, 2),)}),
        ("roc.json", '[{"fpr": 0, "tpr": 1}]', "plots: [roc.json]", {}),
        ("loss.tsv", "step\tloss\n0\t1\n", "", {}),
    ],
)
def test_a_history_is_read_whoever_wrote_it(
    repo: Repo, path: str, content: str, pipeline: str, series: dict[str, Series]
) -> None:
    files: dict[str, str | bytes] = {path: content, **({"dvc.yaml": pipeline} if pipeline else {})}
    assert histories(repo, files) == History(series)


def test_a_plot_that_dvc_keeps_in_its_cache_is_read(dvc_repo: Repo, run: Run) -> None:
    put(dvc_repo, {"dvc.yaml": "stages: {t: {cmd: 'printf \"step,a\\n0,7\\n\" > h.csv', plots: [h.csv]}}"})
    run("dvc", "repro", "-q", cwd=dvc_repo.root)
    assert histories(dvc_repo, {}).series == {"a": ((0, 7),)}


def test_a_name_that_two_files_use_is_told_apart(repo: Repo) -> None:
    found = histories(
        repo,
        {
            "dvc.yaml": "plots: [a.csv, b.csv, c.csv]",
            "a.csv": "step,loss\n0,1\n", "b.csv": "step,loss\n0,2\n", "c.csv": "step,loss\n0,1\n",
        },
    )  # fmt: skip
    assert found.series == {"b.csv:loss": ((0, 2),), "loss": ((0, 1),)}


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe\0", b'{"step": ', b"[1, 2]", b"null", b""])
def test_a_damaged_file_is_no_history_and_no_error(repo: Repo, content: bytes) -> None:
    found = histories(repo, {"dvc.yaml": "plots: [p.json]", "p.json": content})
    assert (found.series, all("`p.json` was skipped" in note for note in found.notes)) == ({}, True)


def test_a_file_that_is_too_large_is_said(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LARGEST", 10)
    found = histories(repo, {"dvclive/plots/metrics/m.tsv": "step\tm\n0\t1\n"})
    assert found == History({}, ("`dvclive/plots/metrics/m.tsv` was skipped: larger than 0 MiB",))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([7, 0], "█▁"),
        ([5], "▁"),
        ([5, 5, 5], "▁▁▁"),
        ([0, math.nan, 1, math.inf], "▁?█?"),
        ([math.nan], "?"),
        ([-1.7e308, 1.7e308], "▁█"),
        ([], ""),
    ],
)
def test_a_sparkline_goes_from_the_least_to_the_most(values: list[float], line: str) -> None:
    assert history.sparkline(tuple(enumerate(values))) == line


@given(st.lists(st.floats(), max_size=300))
def test_a_sparkline_fits_whatever_the_values(values: list[float]) -> None:
    points = tuple(enumerate(values))
    assert len(history.sparkline(points)) == min(40, len(values))
    assert set(history.sparkline(points, history.ASCII)) <= {*history.ASCII, "?"}


@given(st.integers(0, 5000))
def test_thinned_points_keep_both_ends(number: int) -> None:
    points = tuple((at, at) for at in range(number))
    found = history.thinned(points, 100)
    assert (found[:1], found[-1:], len(found)) == (points[:1], points[-1:], min(number, 100))


def test_show_draws_the_history_and_gives_it_as_json(repo: Repo, mlops: Run) -> None:
    lines = "".join(f"{step}\t{step * 0.5}\n" for step in range(2000))
    commit(repo, {"dvclive/plots/metrics/m.tsv": "step\tm\n" + lines})
    save(repo, "a")
    shown = mlops("exp", "show", "a", cwd=repo.root).stdout.splitlines()[-2:]
    plain = mlops("exp", "show", "a", cwd=repo.root, env=_ascii()).stdout.splitlines()[-1]
    data = json.loads(mlops("exp", "show", "a", "--json", cwd=repo.root).stdout)["data"]
    bar = "".join(mark * 5 for mark in history.BLOCKS)
    assert [line.split() for line in shown] == [
        ["METRIC", "HISTORY", "FIRST,", "LAST", "MIN", "MAX", "POINTS"],
        ["m", bar, "0", "→", "999.5", "0", "999.5", "2000"],
    ]
    assert plain.split()[1:5] == ["".join(mark * 5 for mark in history.ASCII), "0", "->", "999.5"]
    assert (len(data["history"]["m"]), data["history"]["m"][-1], data["history_points"]) == (
        1000, [1999, 999.5], {"m": 2000},
    )  # fmt: skip


def _ascii() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONIOENCODING": "ascii"}


def test_a_run_under_way_shows_what_it_tracked_and_what_dvclive_wrote(
    project: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project, {"dvclive/metrics.json": '{"old": 1}'})
    (head,) = project.text("rev-parse", "HEAD").split()
    begun = journal.begin(
        project, "some", f"refs/exps/{head[:2]}/{head[2:]}/a", head, "2999-01-01T00:00:00.000Z"
    )
    monkeypatch.setenv("MLOPS_TRACK", str(tracked.folder(project, "some")))
    track.metric("train/loss", 0.5)
    assert tracked.live(project, begun.id, begun.start) == {"train.loss": 0.5}
    assert tracked.live(project, begun.id, "2020-01-01T00:00:00.000Z") == {"old": 1, "train.loss": 0.5}
    (shown,) = listed(project)
    assert (shown.status, shown.metrics["train.loss"]) == ("running", 0.5)
