"""Sealed tests: real git and DVC, but nothing of this machine's user, clock or network leaks in."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from git_mlops import env
from git_mlops.git.repo import Repo, discover

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background: what tests interrupt would inherit that it cannot be
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.default_int_handler)

_LEAKS = ("GIT_", "MLOPS_", "DVC_", "MLFLOW_", "XDG_")


@pytest.fixture(autouse=True)
def sealed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of our own, no user or system git config, a fixed identity, no editor, no prompts."""
    home = tmp_path_factory.mktemp("home")
    for name in [*os.environ]:
        forge = name in env.CI or name.startswith("GITHUB_")
        if (forge or name.startswith(_LEAKS)) and name != "GIT_SSL_CAINFO":
            monkeypatch.delenv(name)
    sealed_values = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "false",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    for name, value in sealed_values.items():
        monkeypatch.setenv(name, value)
    (home / "gitconfig").write_text(
        '[init]\n\tdefaultBranch = main\n[protocol "file"]\n\tallow = always\n',
        encoding="utf-8",
    )


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """Run any command; fails the test on a status that was not asked for."""

    def run_(
        *args: str | Path, cwd: Path, status: int | None = 0, **kwargs: object
    ) -> subprocess.CompletedProcess[str]:
        kwargs.setdefault("stdin", None if "input" in kwargs else subprocess.DEVNULL)
        done = subprocess.run(  # type: ignore[call-overload]  # the keywords are the caller's
            [str(a) for a in args], cwd=cwd, text=True, capture_output=True, check=False, **kwargs
        )
        if status is not None:
            assert done.returncode == status, f"{args}\n{done.stdout}\n{done.stderr}"
        assert isinstance(done, subprocess.CompletedProcess)
        return done

    return run_


@pytest.fixture
def mlops(run: Run) -> Run:
    """Run `git-mlops` as a user does: a process of its own, what it prints captured."""
    program = shutil.which("git-mlops")
    assert program, "install the project first: `make install`"

    def mlops_(
        *args: str | Path, cwd: Path, status: int | None = 0, **kwargs: object
    ) -> subprocess.CompletedProcess[str]:
        return run(program, *args, cwd=cwd, status=status, **kwargs)

    return mlops_


@pytest.fixture(scope="session")
def template_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One repository with a first commit, made once and copied per test."""
    root = tmp_path_factory.mktemp("template") / "repo"
    environment = {
        "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
    }  # fmt: skip
    for words in (
        ["init", "-q", "-b", "main", str(root)],
        ["-C", str(root), "commit", "-q", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", *words], env=environment, check=True)
    return root


@pytest.fixture
def repo(template_repo: Path, tmp_path: Path) -> Repo:
    """A repository with one empty commit on `main`, in a path with a space and a non-ASCII letter."""
    root = tmp_path / "my repö"
    shutil.copytree(template_repo, root)
    return discover(root)


@pytest.fixture(scope="session")
def template_dvc(template_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with DVC initialised and committed; made once, because `dvc init` takes a second."""
    root = tmp_path_factory.mktemp("template-dvc") / "repo"
    shutil.copytree(template_repo, root)
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(root.parent), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "DVC_NO_ANALYTICS": "1",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
    }  # fmt: skip
    subprocess.run(["dvc", "init", "-q"], cwd=root, env=environment, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "dvc init"], cwd=root, env=environment, check=True)
    return root


@pytest.fixture
def dvc_repo(template_dvc: Path, tmp_path: Path) -> Repo:
    """A repository with DVC initialised and a local DVC remote `store` beside it as the default."""
    root = tmp_path / "my repö"
    shutil.copytree(template_dvc, root)
    (tmp_path / "store").mkdir()
    with (root / ".dvc" / "config").open("a", encoding="utf-8") as file:
        file.write(f"[core]\n    remote = store\n['remote \"store\"']\n    url = {tmp_path / 'store'}\n")
    subprocess.run(["git", "commit", "-q", "-am", "dvc remote"], cwd=root, check=True)
    return discover(root)
