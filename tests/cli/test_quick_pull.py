"""`exp pull` past click: the same as through click, and left to it whatever is not plain."""

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest

from git_mlops.cli import opened, quick_pull
from git_mlops.cli.quick_pull import Options
from git_mlops.cli.root import root
from git_mlops.git import refs, run
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run

PLAIN = {
    "": Options(),
    "--all": Options(everything=True),
    "--all --no-data --json": Options(everything=True, no_data=True, as_json=True),
    "--remote other --json": Options(as_json=True, remote="other"),
    "--remote=other --all": Options(everything=True, remote="other"),
}
LEFT = [
    "-h",
    "--help",
    "--al",
    "name",
    "--all name",
    "-- --all",
    "--all --all",
    "--all=1",
    "--remote",
    "--remote=",
    "--remote --all",
    "--remote a --remote b",
    "--where x",
]


@pytest.mark.parametrize("words", PLAIN)
def test_plain_words_mean_what_they_say(words: str) -> None:
    assert quick_pull.parsed(words.split()) == PLAIN[words]


@pytest.mark.parametrize("words", LEFT)
def test_anything_else_is_left_to_click(words: str) -> None:
    assert quick_pull.pulling(words.split()) is None


def test_every_option_of_click_is_plain_or_left_on_purpose() -> None:
    command: Any = root
    for name in ("exp", "pull"):
        command = command.get_command(click.Context(command), name)
    names = {name for option in command.params for name in option.opts}
    assert names - {*quick_pull._FLAGS, "--remote"} == {"names", "--where"}


@pytest.fixture
def remote(repo: Repo, tmp_path: Path, run: Run) -> Repo:
    """A repository whose `origin` has an experiment, and one that may not stand here."""
    run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin.git", cwd=tmp_path)
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    tip = repo.text("rev-parse", "HEAD")
    oid = repo.text("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "x")
    place = f"refs/exps/{tip[:2]}/{tip[2:]}"
    repo.git("push", "-q", "origin", "main", f"{oid}:{place}/good", f"{oid}:{place}/-x")
    return repo


def cloned(tmp_path: Path, name: str, run: Run) -> Repo:
    run("git", "clone", "-q", tmp_path / "origin.git", tmp_path / name, cwd=tmp_path)
    return discover(tmp_path / name)


@pytest.mark.parametrize("words", ["--all", "", "--all --json", "--no-data --json --remote origin"])
def test_it_is_what_click_does(remote: Repo, tmp_path: Path, run: Run, mlops: Run, words: str) -> None:
    said = []
    for name, through in (("quick", False), ("click", True)):
        clone = cloned(tmp_path, name, run)
        (clone.root / "deep").mkdir()
        given = [*words.split(), *(["--"] if through else [])]
        done = mlops("exp", "pull", *given, cwd=clone.root / "deep", status=1)
        said.append((done.stdout, done.stderr, refs.list_refs(clone, "refs/exps/", "refs/mlops/")))
    assert said[0] == said[1]
    assert [ref.name.rpartition("/")[2] for ref in said[0][2]] == ["good", "-x"]


def test_errors_are_those_of_every_command(remote: Repo, tmp_path: Path, run: Run, mlops: Run) -> None:
    (tmp_path / "none").mkdir()
    clone = cloned(tmp_path, "clone", run)
    done = mlops("exp", "pull", "--all", cwd=tmp_path / "none", status=2)
    assert done.stderr.startswith("error: not a git repository: ")
    done = mlops("exp", "pull", "--all", "--remote", "x", cwd=clone.root, status=2)
    assert done.stderr.startswith("error: no git remote `x`")
    (clone.root / "mlops.yaml").write_text("version: 1\nnone: 1\n")
    done = mlops("exp", "pull", "--all", cwd=clone.root, status=2)
    assert "error: mlops.yaml: " in done.stderr
    (clone.root / "mlops.yaml").unlink()
    (tmp_path / "origin.git").rename(tmp_path / "away")
    done = mlops("exp", "pull", "--all", cwd=clone.root, status=3)
    assert done.stderr.startswith("error: the git remote `origin` cannot be used: ")
    assert list((clone.private / "fetching").iterdir()) == []


def test_nothing_is_left_over_in_this_process(
    remote: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(remote.root)
    assert quick_pull.pulling(["--all", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["data"]["new"] == ["good"]
    assert run._WAITING == {}


def test_ctrl_c_while_it_begins_is_said(
    remote: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_path: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(remote.root)
    monkeypatch.setattr(os, "scandir", interrupted)
    assert quick_pull.pulling(["--all"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_ctrl_c_later_is_said_and_what_came_is_looked_at(
    remote: Repo,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_repo: Repo) -> None:
        raise KeyboardInterrupt

    clone = cloned(tmp_path, "clone", run)
    monkeypatch.chdir(clone.root)
    monkeypatch.setattr(opened, "warn_unarmed", interrupted)
    assert quick_pull.pulling(["--all"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"
    assert [ref.name.rpartition("/")[2] for ref in refs.list_refs(clone, "refs/exps/")] == ["good"]
    assert list((clone.private / "fetching").iterdir()) == []
