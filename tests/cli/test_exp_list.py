"""`exp list` as a user runs it: what it prints for people and programs, its pager, its errors."""

import csv
import io
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from git_mlops.experiments import parquet
from git_mlops.git.repo import Repo
from tests.conftest import Run


def save(repo: Repo, mlops: Run, name: str, auc: float, lr: float, *words: str) -> None:
    (repo.root / "params.yaml").write_text(f"lr: {lr}\n", encoding="utf-8")
    (repo.root / "metrics.json").write_text(json.dumps({"auc": auc, "one": 1}), encoding="utf-8")
    mlops("exp", "save", "-n", name, *words, cwd=repo.root)


@pytest.fixture
def two(repo: Repo, mlops: Run) -> Repo:
    """Two experiments of the first commit."""
    (repo.root / "train.py").write_text("print(1)\n", encoding="utf-8")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "project")
    save(repo, mlops, "low", 0.123456789, 0.1, "-m", "first | try")
    save(repo, mlops, "high", 0.9, 0.2)
    return repo


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_a_parquet_file_has_them_too(two: Repo, mlops: Run) -> None:
    import pandas as pd

    done = mlops("exp", "list", "--parquet", "all runs.parquet", "--sort", "auc", cwd=two.root)
    assert (done.stdout, done.stderr) == ("", "wrote all runs.parquet: 2 experiments\n")
    csv_ = mlops("exp", "list", "--csv", "--sort", "auc", cwd=two.root).stdout
    frame = pd.read_parquet(two.root / "all runs.parquet")
    assert list(frame.columns) == csv_.splitlines()[0].split(",")
    assert [str(value) for value in frame["metrics.auc"]] == [
        row["metrics.auc"] for row in csv.DictReader(io.StringIO(csv_))
    ]
    assert "no such directory" in mlops("exp", "list", "--parquet", "no/x", cwd=two.root, status=2).stderr
    assert "is no name of a file" in mlops("exp", "list", "--parquet", "", cwd=two.root, status=2).stderr


def test_whole_numbers_stay_whole_in_parquet(tmp_path: Path) -> None:
    import pandas as pd

    file = tmp_path / "x.parquet"
    parquet.write(file, ["i", "j", "k"], [(2**53 + 1, 1, 2**70), (None, 0.5, 1)])
    frame = pd.read_parquet(file)
    assert [int(frame["i"][0]), frame["i"][1] is pd.NA] == [2**53 + 1, True]
    assert list(frame["j"]) == [1.0, 0.5]
    assert list(frame["k"]) == [str(2**70), "1"]


def test_csv_has_full_names_and_values(two: Repo, mlops: Run) -> None:
    done = mlops("exp", "list", "--csv", "--sort", "auc", cwd=two.root)
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert [[row[0], *row[2:]] for row in rows] == [
        ["name", "status", "metrics.auc", "metrics.one", "params.lr"],
        ["high", "finished", "0.9", "1", "0.2"],
        ["low", "finished", "0.123456789", "1", "0.1"],
    ]


def test_markdown_is_text_whatever_stands_in_it(two: Repo, mlops: Run) -> None:
    done = mlops("exp", "list", "--md", "--sort", "auc", "--columns", "name,auc,message", cwd=two.root)
    assert done.stdout == (
        "| name | auc | message |\n"
        "| --- | --- | --- |\n"
        "| high | 0.9 | - |\n"
        "| low | 0.12346 | first &#124; try |\n"
    )


def test_columns_are_added_to_json(two: Repo, mlops: Run) -> None:
    done = mlops("exp", "list", "--json", "--limit", "1", "--columns", "how,params.lr", cwd=two.root)
    (row,) = json.loads(done.stdout)["data"]
    assert row["columns"] == {"how": "save", "params.lr": row["params"]["lr"]}
    assert (row["belongs"], row["snapshot"]) == ("commit", False)
    assert "1 more: `--limit` left them out" in done.stderr


def test_only_what_differs_is_shown(two: Repo, mlops: Run) -> None:
    done = mlops("exp", "list", "--only-changed", cwd=two.root)
    assert cells(done.stdout)[0] == ["NAME", "AGE", "STATUS", "AUC", "LR"]


def test_after_an_amend_it_is_said_how_they_belong(two: Repo, mlops: Run) -> None:
    two.git("commit", "-q", "--amend", "-m", "in better words")
    done = mlops("exp", "list", "--sort", "auc", cwd=two.root)
    assert [[row[0], *row[2:4]] for row in cells(done.stdout)] == [
        ["NAME", "STATUS", "BELONGS"],
        ["high", "finished", "tree"],
        ["low", "finished", "tree"],
    ]
    rows = json.loads(mlops("exp", "list", "--json", cwd=two.root).stdout)["data"]
    assert [row["belongs"] for row in rows] == ["tree", "tree"]


def test_all_groups_by_baseline(two: Repo, mlops: Run) -> None:
    (two.root / "train.py").write_text("print(2)\n", encoding="utf-8")
    two.git("commit", "-q", "-a", "--amend", "-m", "other code")
    save(two, mlops, "new", 0.5, 0.3)
    done = mlops("exp", "list", "--all", cwd=two.root)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("  NAME")
    assert [line.split(" ", 1)[1] for line in lines[1:] if line and not line.startswith(" ")] == [
        "other code (HEAD, main)",
        "project (orphaned: in no branch or tag)",
    ]
    assert sorted(line.split()[0] for line in lines[1:] if line.startswith("  ")) == ["high", "low", "new"]
    flat = cells(mlops("exp", "list", "--all", "--sort", "auc", cwd=two.root).stdout)
    assert [row[0] for row in flat] == ["NAME", "high", "new", "low"]
    assert flat[0][3] == "BASELINE"
    rows = json.loads(mlops("exp", "list", "--all", "--json", cwd=two.root).stdout)["data"]
    assert {row["name"]: (row["orphaned"], row["in"], row["belongs"]) for row in rows} == {
        "new": (False, "main", "commit"),
        "high": (True, None, None),
        "low": (True, None, None),
    }


def test_what_apply_saved_is_hidden_and_counted(two: Repo, mlops: Run) -> None:
    save(two, mlops, "before-apply-1234567", 1.0, 1.0)
    done = mlops("exp", "list", cwd=two.root)
    assert (len(done.stdout.splitlines()), "1 snapshot of `exp apply` hidden" in done.stderr) == (3, True)
    done = mlops("exp", "list", "--snapshots", "--sort", "auc", cwd=two.root)
    assert cells(done.stdout)[-1][0] == "before-apply-1234567"
    rows = json.loads(mlops("exp", "list", "--json", cwd=two.root).stdout)["data"]
    assert [row["name"] for row in rows if row["snapshot"]] == ["before-apply-1234567"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--csv", "--json"), "error: either `--csv` or `--json`, not both"),
        (("--all", "--baseline", "HEAD"), "error: either `--all` or `--baseline`, not both"),
        (("--baseline", "nope"), "error: `nope` is not a commit of this repository"),
        (("--columns", "nmae"), "error: no column `nmae`\nhint: did you mean `name`?"),
        (("--pareto", "acu:max"), "error: no metric or parameter `acu`\nhint: did you mean `auc`?"),
        (("--pareto", "auc"), "error: is more of `auc` better, or less?"),
        (("--sort", "acu"), "error: no metric or parameter `acu`"),
        (("--since", "foo"), "error: `foo` is no date"),
        (("--limit", "0"), "error: Invalid value for '--limit'"),
        (("--where", "auc >"), "error: in `auc >` at character 6"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_said(two: Repo, mlops: Run, words: tuple[str, ...], said: str) -> None:
    assert mlops("exp", "list", *words, cwd=two.root, status=2).stderr.startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", "metrics.auc > 2"), "none of 2 experiments is chosen\n"),
        (("--since", "2090-01-01"), "none of 2 experiments is chosen\n"),
        (("--baseline", "HEAD^"), "no experiments here; "),
    ],
)
def test_nothing_to_show_is_said(two: Repo, mlops: Run, words: tuple[str, ...], said: str) -> None:
    done = mlops("exp", "list", *words, cwd=two.root)
    assert (done.stdout, done.stderr.startswith(said)) == ("", True)


@pytest.mark.parametrize("words", [("show", "@{max:auc}", "--json"), ("apply", "@{max:auc}", "--json")])
def test_the_best_stands_for_a_name(two: Repo, mlops: Run, words: tuple[str, ...]) -> None:
    assert json.loads(mlops("exp", *words, cwd=two.root).stdout)["data"]["name"] == "high"


def test_the_best_stands_for_a_name_among_others(two: Repo, mlops: Run) -> None:
    answer = json.loads(mlops("exp", "diff", "low", "@{max:auc}", "--json", cwd=two.root).stdout)
    assert (answer["data"]["a"], answer["data"]["b"]) == ("low", "high")
    gone = json.loads(mlops("exp", "rm", "@{min:auc}", "--json", cwd=two.root).stdout)
    assert [one["name"] for one in gone["data"]] == ["low"]


def test_names_are_completed(two: Repo, run: Run, tmp_path: Path) -> None:
    def completed(*words: str, cwd: Path) -> list[str]:
        line = {"COMP_WORDS": " ".join(("git-mlops", *words)), "COMP_CWORD": str(len(words))}
        done = run("git-mlops", cwd=cwd, env={**os.environ, **line, "_GIT_MLOPS_COMPLETE": "bash_complete"})
        assert done.stderr == ""
        return done.stdout.split()

    assert completed("exp", "show", "h", cwd=two.root) == ["plain,high"]
    assert completed("exp", "diff", "high", "l", cwd=two.root) == ["plain,low"]
    assert completed("exp", "rm", "[", cwd=two.root) == []
    assert completed("exp", "show", "h", cwd=tmp_path) == []


def on_a_terminal(repo: Repo, *words: str, **environment: str) -> tuple[int, str]:
    """Exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ("git-mlops", "exp", "list", *words), cwd=repo.root, stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=theirs, env={**os.environ, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux says that the other side is closed
            part = b""
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_the_pager_of_git(two: Repo) -> None:
    code, shown = on_a_terminal(two, GIT_PAGER="sed s/^/paged:/", PAGER="false")
    assert (code, [line[:6] for line in shown.splitlines()]) == (0, ["paged:"] * 3)
    two.git("config", "core.pager", "sed s/^/config/")
    assert on_a_terminal(two, PAGER="false")[1].startswith("configNAME")


def test_no_pager_where_none_is_wanted(two: Repo) -> None:
    assert on_a_terminal(two, "--no-pager", GIT_PAGER="false")[1].startswith("NAME")
    assert on_a_terminal(two, GIT_PAGER="cat")[1].startswith("NAME")
    assert on_a_terminal(two, "--json", GIT_PAGER="false")[1].startswith("{")


def test_a_pager_that_ends_early_is_no_error(two: Repo) -> None:
    code, shown = on_a_terminal(two, GIT_PAGER="head -1")
    assert (code, shown.split()[0], len(shown.splitlines())) == (0, "NAME", 1)


def test_a_pager_that_is_not_there_is_said(two: Repo) -> None:
    code, shown = on_a_terminal(two, GIT_PAGER="no-such-pager")
    assert code == 2
    assert "error: the pager `no-such-pager` cannot be started" in shown
