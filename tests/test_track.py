"""`track`: what training code calls leaves whole files, whatever happens around it."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_mlops import track, trackfile
from tests.conftest import Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process tracks, as under a recorder."""
    monkeypatch.setenv("MLOPS_RUN", "some")
    monkeypatch.setenv("MLOPS_TRACK", str(tmp_path / "track"))
    monkeypatch.setattr(track, "_said", set())
    return tmp_path / "track"


def values(folder: Path, name: str) -> list[tuple[float, float]]:
    """Step and value of each whole line."""
    lines = (folder / "plots/metrics" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "step\ttimestamp\tvalue"
    found = [trackfile.parse_line(line) for line in lines[1:]]
    return [(line[0], line[2]) for line in found if line]


def python(run: Run, code: str, cwd: Path) -> str:
    """Run code in a process of its own; what it says on stderr."""
    return run(sys.executable, "-c", f"from git_mlops import track\n{code}", cwd=cwd).stderr


def test_a_metric_is_a_line_with_step_time_and_value(folder: Path) -> None:
    track.metric("loss", 0.5, step=3)
    header, line, rest = (folder / "plots/metrics/loss.tsv").read_text(encoding="utf-8").split("\n")
    step, moment, value = line.split("\t")
    assert (header, step, len(moment), value, rest) == ("step\ttimestamp\tvalue", "3", 13, "0.5", "")


def test_steps_are_counted_where_none_are_given(folder: Path) -> None:
    track.metric("loss", 5)
    track.metric("loss", 4)
    track.metric("loss", 3, step=10)
    track.metric("loss", 2)
    assert values(folder, "loss") == [(0, 5), (1, 4), (10, 3), (11, 2)]


class Scalar:
    """As numpy and torch have them."""

    def item(self) -> float:
        return 0.25


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "1"),
        (0.1, "0.1"),
        (Scalar(), "0.25"),
        (Decimal("2.5"), "2.5"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1e-7, "1e-07"),
    ],
)
def test_anything_that_is_a_number_is_kept(folder: Path, value: object, text: str) -> None:
    track.metric("m", value)
    last = (folder / "plots/metrics/m.tsv").read_text(encoding="utf-8").splitlines()[-1]
    assert last.split("\t")[2] == text


def test_what_is_no_number_is_said_once_and_training_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track.metric("m", object())
    track.metric("m", object())
    track.metric("m", 1, step="later")
    said = capsys.readouterr().err
    assert (said.count("git-mlops: the metric `m` was not tracked: TypeError"), said.count("\n")) == (1, 1)
    assert values(folder, "m") == [(0, 1)]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("train/loss", "train/loss"),
        ("../../etc/passwd", "_./_./etc/passwd"),
        ("/a//b/", "a/b"),
        (".git/config", "_git/config"),
        ("", "_"),
        ("a\tb\nc\0", "a_b_c_"),
        ("a.tsv/b", "a_tsv/b"),
        ("précision @ 5", "précision @ 5"),
        ("f1:macro?", "f1_macro_"),
    ],
)
def test_a_name_becomes_one_that_every_file_system_takes(name: str, safe: str) -> None:
    assert trackfile.safe_name(name) == safe


@given(st.text())
def test_a_safe_name_stays_as_it_is_and_stays_below(name: str) -> None:
    safe = trackfile.safe_name(name)
    parts = safe.split("/")
    assert trackfile.safe_name(safe) == safe
    assert all(part and not part.startswith(".") and len(part.encode()) <= 200 for part in parts)


def test_parameters_are_merged_and_kept_as_json(folder: Path) -> None:
    track.params({"model": {"layers": [1, 2]}, "seed": 1})
    track.params(lr=Scalar(), model={"act": "relu"}, path=Path("a"), bad=float("nan"))
    assert json.loads((folder / "params.json").read_text(encoding="utf-8")) == {
        "model": {"layers": [1, 2], "act": "relu"}, "seed": 1, "lr": 0.25, "path": "a", "bad": "nan",
    }  # fmt: skip


def test_an_artifact_is_a_copy_of_what_it_was(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "a.txt").write_text("old", encoding="utf-8")
    track.artifact(tmp_path / "out", "result")
    (tmp_path / "out" / "deep" / "a.txt").write_text("new", encoding="utf-8")
    assert (folder / "artifacts/result/deep/a.txt").read_text(encoding="utf-8") == "old"


def test_the_current_directory_as_an_artifact_does_not_hold_itself(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    python(run, "track.artifact('.', 'all')", tmp_path)
    found = [p.relative_to(tmp_path).as_posix() for p in (tmp_path / "mlops-track").rglob("*") if p.is_file()]
    assert found == ["mlops-track/artifacts/all/a.txt"]


def test_without_a_recorder_plain_files_appear_that_dvc_reads(tmp_path: Path, run: Run) -> None:
    python(run, "track.params(lr=1); track.metric('a/b', 2); track.metric('a/b', 3)", tmp_path)
    place = tmp_path / "mlops-track"
    texts = {n: (place / n).read_text(encoding="utf-8") for n in ("metrics.json", "params.json", "dvc.yaml")}
    assert texts == {
        "metrics.json": '{\n "a": {\n  "b": 3\n }\n}\n',
        "params.json": '{\n "lr": 1\n}\n',
        "dvc.yaml": (
            "metrics:\n- metrics.json\nparams:\n- params.json\n"
            "plots:\n- plots/metrics:\n    x: step\n    y: value\n"
        ),
    }


def test_the_next_run_starts_anew_and_touches_nothing_else(tmp_path: Path, run: Run) -> None:
    (tmp_path / "mlops-track").mkdir()
    (tmp_path / "mlops-track" / "mine.txt").write_text("mine", encoding="utf-8")
    python(run, "track.params(old=1); track.metric('old/x', 2)", tmp_path)
    python(run, "track.metric('new', 3)", tmp_path)
    found = sorted(
        p.relative_to(tmp_path).as_posix() for p in (tmp_path / "mlops-track").rglob("*") if p.is_file()
    )
    assert found == [
        "mlops-track/dvc.yaml", "mlops-track/metrics.json", "mlops-track/mine.txt",
        "mlops-track/plots/metrics/new.tsv",
    ]  # fmt: skip


def test_a_resumed_run_counts_on(tmp_path: Path, run: Run) -> None:
    python(run, "track.metric('m', 1); track.metric('m', 2)", tmp_path)
    python(run, "with track.run(resume=True): track.metric('m', 3)", tmp_path)
    assert values(tmp_path / "mlops-track", "m") == [(0, 1), (1, 2), (2, 3)]


def test_a_second_block_in_a_process_is_a_second_run(tmp_path: Path, run: Run) -> None:
    code = "for k in (1, 2):\n with track.run(): track.metric('m', k); track.metric(f'm{k}', k)"
    python(run, code, tmp_path)
    assert json.loads((tmp_path / "mlops-track/metrics.json").read_bytes()) == {"m": 2, "m2": 2}


def test_a_folder_that_cannot_be_written_is_said_and_nothing_raises(tmp_path: Path, run: Run) -> None:
    (tmp_path / "mlops-track").write_text("a file", encoding="utf-8")
    said = python(
        run,
        "track.metric('m', 1); track.metric('m', 2); track.params(a=1); track.run().__enter__()",
        tmp_path,
    )
    assert said.startswith("git-mlops: the metric `m` was not tracked: FileExistsError")
    assert said.count("\n") == 1


def test_each_problem_is_said_once(tmp_path: Path, run: Run) -> None:
    said = python(
        run, "[track.metric('m', None) for _ in range(9)]; [track.params(5) for _ in range(9)]", tmp_path
    )
    assert [line.partition(" was not")[0] for line in said.splitlines()] == [
        "git-mlops: the metric `m`", "git-mlops: parameters"
    ]  # fmt: skip


def test_what_outlives_the_recorder_leaves_nothing_behind(tmp_path: Path, run: Run) -> None:
    gone = {**os.environ, "MLOPS_RUN": "x", "MLOPS_TRACK": str(tmp_path / "gone" / "track")}
    code = "from git_mlops import track; track.metric('m', 1)"
    said = run(sys.executable, "-c", code, cwd=tmp_path, env=gone).stderr
    assert ("FileNotFoundError" in said, (tmp_path / "gone").exists()) == (True, False)


_MANY = """
import multiprocessing, sys, threading
from git_mlops import track
def work(k):
    for i in range(200):
        track.metric("shared", k * 1000 + i)
        track.metric("own%d" % k, i)
    track.params({"p%d" % k: k})
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    processes = [context.Process(target=work, args=(k,)) for k in range(4)]
    if sys.argv[2] == "threads":
        processes += [threading.Thread(target=work, args=(k,)) for k in (4, 5)]
    for one in processes: one.start()
    for one in processes: one.join()
"""


@pytest.mark.parametrize(("method", "also"), [("fork", "threads"), ("fork", "-"), ("spawn", "threads")])
def test_processes_and_threads_lose_nothing(tmp_path: Path, run: Run, method: str, also: str) -> None:
    (tmp_path / "many.py").write_text(_MANY, encoding="utf-8")
    run(sys.executable, "many.py", method, also, cwd=tmp_path)
    workers = 6 if also == "threads" else 4
    place = tmp_path / "mlops-track"
    shared = sorted(value for _step, value in values(place, "shared"))
    summary = json.loads((place / "metrics.json").read_bytes())
    params = json.loads((place / "params.json").read_bytes())
    assert shared == sorted(k * 1000 + i for k in range(workers) for i in range(200))
    assert ({n: v for n, v in summary.items() if n != "shared"}, params) == (
        {f"own{k}": 199 for k in range(workers)}, {f"p{k}": k for k in range(workers)},
    )  # fmt: skip


def test_runs_started_at_once_empty_nothing_of_each_other(tmp_path: Path) -> None:
    code = "from git_mlops import track\nfor i in range(100): track.metric('m', i)\ninput('logged\\n')"
    words = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen(words, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) for _number in range(4)
    ]
    for process in started:  # none ends before all have begun: that would be a run after it
        assert process.stdout
        assert process.stdout.readline() == "logged\n"
    for process in started:
        process.communicate("\n")
    assert len(values(tmp_path / "mlops-track", "m")) == 400


def test_a_line_cut_short_by_a_full_disk_is_read_by_nobody(folder: Path) -> None:
    track.metric("m", 0.125)
    file = folder / "plots/metrics/m.tsv"
    with file.open("a", encoding="utf-8") as stream:
        stream.write("1\t1700000000000\t0.1" + trackfile.TORN + "2\t1700000000000\t0.5\n3\t17")
    assert (values(folder, "m"), trackfile.last_line(str(file))) == ([(0, 0.125), (2, 0.5)], (2, 0.5))


def test_importing_it_costs_no_heavy_module(run: Run, tmp_path: Path) -> None:
    code = "import sys; old = set(sys.modules); from git_mlops import track; print(*set(sys.modules) - old)"
    loaded = set(run(sys.executable, "-S", "-c", code, cwd=tmp_path, env=_importable()).stdout.split())
    heavy = {
        "typing",
        "dataclasses",
        "inspect",
        "asyncio",
        "subprocess",
        "pathlib",
        "shutil",
        "logging",
        "yaml",
    }
    assert loaded & heavy == set()


def _importable() -> dict[str, str]:
    """Without site, whose .pth files may import anything."""
    return {**os.environ, "PYTHONPATH": str(Path(track.__file__).parent.parent)}
