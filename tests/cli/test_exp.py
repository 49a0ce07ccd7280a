"""`git mlops exp` as a user runs it: what it prints, where, and how it exits."""

import json
import re
import sys

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run

TRAIN = (
    "import json, sys, pathlib\n"
    "lr = float(pathlib.Path('params.yaml').read_text().split(':')[1])\n"
    "json.dump({'acc': 0.9 + lr, 'loss': 1 - lr}, open('metrics.json', 'w'))\n"
    "sys.exit(int(sys.argv[1]) if sys.argv[1:] else 0)\n"
)
CONFIG = "version: 1\nexperiments: {metrics: {loss: {direction: min}, acc: {direction: max}}}\n"


@pytest.fixture
def project(repo: Repo) -> Repo:
    """Code, a parameter, and declared directions."""
    for path, content in (("train.py", TRAIN), ("params.yaml", "lr: 0.01\n"), ("mlops.yaml", CONFIG)):
        (repo.root / path).write_text(content, encoding="utf-8")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "project")
    return repo


def said_by(stderr: str) -> str:
    """The messages without the warning that this clone is not armed: it is not what these tests are about."""
    return re.sub(r"\Awarning: this clone is not armed.*\nhint: .*\n", "", stderr)


def test_run_list_diff_show_apply_rm(mlops: Run, project: Repo) -> None:
    root = project.root
    done = mlops("exp", "run", "-n", "low", "-m", "first try", "--", sys.executable, "train.py", cwd=root)
    assert (done.stdout, re.sub(r"[0-9a-f]{7}", "ID", said_by(done.stderr))) == (
        "METRIC  VALUE\nacc      0.91\nloss     0.99\n",
        "recorded low (finished, ID)\n",
    )
    (root / "params.yaml").write_text("lr: 0.05\n", encoding="utf-8")
    mlops("exp", "run", "-n", "high", "--", sys.executable, "train.py", cwd=root)
    listed = mlops("exp", "list", "--sort", "loss", cwd=root).stdout
    assert [[*row[:1], *row[2:]] for row in map(str.split, listed.splitlines())] == [
        ["NAME", "STATUS", "ACC", "LOSS", "LR"],
        ["high", "finished", "0.95", "0.95", "0.05"],
        ["low", "finished", "0.91", "0.99", "0.01"],
    ]
    assert mlops("exp", "diff", "low", "high", cwd=root).stdout == (
        "METRIC   LOW  HIGH  CHANGE\n"
        "acc     0.91  0.95  +0.04 better\n"
        "loss    0.99  0.95  -0.04 better\n"
        "\n"
        "PARAMETER   LOW  HIGH\n"
        "lr         0.01  0.05\n"
    )
    shown = mlops("exp", "show", "low", cwd=root).stdout
    assert "message      first try\n" in shown
    assert "status       finished\n" in shown
    assert mlops("exp", "apply", "low", cwd=root).stderr.endswith("applied low: 2 files written, 0 deleted\n")
    assert (root / "params.yaml").read_text(encoding="utf-8") == "lr: 0.01\n"
    undo = said_by(mlops("exp", "rm", "low", cwd=root).stderr)
    assert undo.startswith("removed low; undo: `git update-ref refs/exps/")


def test_a_failed_run_exits_with_1_and_says_how_it_is_recorded(mlops: Run, project: Repo) -> None:
    done = mlops("exp", "run", "-n", "bad", "--", sys.executable, "train.py", "3", cwd=project.root, status=1)
    assert done.stderr.splitlines()[-2:] == [
        f"error: `{sys.executable}` failed with exit status 3",
        "hint: recorded as failed: `git mlops exp show bad`",
    ]


def test_what_is_recorded_is_not_run_again(mlops: Run, project: Repo) -> None:
    command = ("--", sys.executable, "train.py")
    mlops("exp", "run", "-n", "a", *command, cwd=project.root)
    again = mlops("exp", "run", *command, cwd=project.root)
    assert said_by(again.stderr).splitlines() == [
        "not run: `a` is the same code, data, parameters, environment and command",
        "hint: `git mlops exp apply a` brings its files; `--force` runs it again",
    ]
    mlops("taint", "a", "-m", "no consent", cwd=project.root)
    warned = said_by(mlops("exp", "run", *command, cwd=project.root).stderr).splitlines()[0]
    assert warned == "warning: `a` is tainted: no consent"
    mlops("exp", "run", "--force", *command, cwd=project.root)


def test_options_of_the_command_are_the_commands(mlops: Run, project: Repo) -> None:
    done = mlops("exp", "run", "--", "sh", "-c", "printf %s $0", "-n", cwd=project.root)
    assert done.stdout == "-n"


def test_json_is_an_envelope_everywhere(mlops: Run, project: Repo) -> None:
    def data(*words: str) -> tuple[str, object]:
        answer = json.loads(mlops("exp", *words, "--json", cwd=project.root).stdout)
        return answer["kind"], answer["data"]

    kind, saved = data("save", "-n", "a")
    assert (kind, isinstance(saved, dict) and saved["name"]) == ("recorded", "a")
    kind, rows = data("list")
    assert (kind, [row["name"] for row in rows] if isinstance(rows, list) else None) == ("experiments", ["a"])
    kinds = [data(*words)[0] for words in (("show",), ("diff", "a"), ("apply", "a"), ("rm", "a"))]
    assert kinds == ["experiment", "experiment-diff", "applied", "removed"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("run",), 2, "error: nothing to run: no command was given, and there is no dvc.yaml at the top"),
        (
            ("run", "-n", "a b", "--", "true"),
            2,
            "error: `a b` cannot be an experiment's name: it holds a space",
        ),
        (("save", "-n", "main"), 2, "error: `main` is taken by `refs/heads/main`"),
        (("show",), 2, "error: no experiments yet"),
        (("show", "x"), 2, "error: no experiment `x`"),
        (("diff", "x"), 2, "error: `x` is neither an experiment nor a revision"),
        (("apply", "x"), 2, "error: no experiment `x`"),
        (("rm", "x"), 2, "error: no experiment `x`"),
        (("push",), 2, "error: this repository has no git remote"),
        (("pull", "--remote", "x"), 2, "error: no git remote `x`"),
        (("list", "--sort", "auc"), 0, "no experiments here"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_said(mlops: Run, project: Repo, words: tuple[str, ...], status: int, said: str) -> None:
    done = mlops("exp", *words, cwd=project.root, status=status)
    assert said_by(done.stderr).startswith(said)
    assert "hint:" in done.stderr or status == 0


def test_a_large_file_that_is_left_out_is_said(mlops: Run, project: Repo) -> None:
    (project.root / "big file.bin").write_bytes(b"\1" * 2_000_000)
    done = mlops("exp", "save", cwd=project.root)
    assert said_by(done.stderr).splitlines()[:2] == [
        "warning: left out: `big file.bin` (1.9 MiB, untracked)",
        "hint: `git mlops add 'big file.bin'`",
    ]


def test_outside_a_repository_is_said(mlops: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = mlops("exp", "list", cwd=tmp_path_factory.mktemp("nowhere"), status=2)
    assert done.stderr.startswith("error: not a git repository")
