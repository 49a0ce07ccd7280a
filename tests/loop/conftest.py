"""The whole loop, gone through once: processes as users and CI jobs start them, and what each said."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

TOUR = Path(__file__).parents[2] / "docs" / "demo-loop"
SERVED = "progression#prod"
Done = subprocess.CompletedProcess[str]


class Opened(NamedTuple):
    """An issue or pull request of the forge, as far as it is asserted."""

    title: str
    state: str


class Story(NamedTuple):
    """Everything that happened, in its order."""

    root: Path
    remote: Path
    drifted: Done
    """What the monitor said of the older patients, with an ill forge."""
    labelled: Done
    noted: tuple[str, ...]
    """The records of the monitor before anything was trained again, newest first."""
    alarmed: dict[str, Any]
    """The forge, after the alerts."""
    retrained: Done
    """With an ill forge."""
    again: Done
    proposed: dict[str, Any]
    """The forge, after both."""
    before: str
    after: str
    """The workspace before and after."""
    visits: tuple[Done, ...]
    """Requests that were under way during the promotion."""
    newest: Done
    calm: Done
    settled: dict[str, Any]
    """The forge in the end."""
    rest: Done
    """A retraining that has no reason."""
    environment: dict[str, str]

    def mlops(self, *words: str, cwd: Path | None = None) -> Any:
        """What a listing says now."""
        done = _run([_PROGRAM, *words, "--json"], cwd or self.root, self.environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["data"]

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """What git says now."""
        done = _run(["git", *words], cwd or self.root, self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


_PROGRAM = shutil.which("git-mlops") or "git-mlops"


def _run(words: list[str], cwd: Path, environment: dict[str, str]) -> Done:
    return subprocess.run(
        words, cwd=cwd, env=environment, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )


def _environment(home: Path) -> dict[str, str]:
    """Sealed, as `tests/conftest.py` does it for tests of one process."""
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "HOME": str(home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_EDITOR": "false",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
        "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(home / "dvc"), "MLFLOW_DISABLE_TELEMETRY": "true",
    }  # fmt: skip


class _Loop:
    """A project, its server and its forge, on this machine alone."""

    def __init__(self, top: Path, stack: ExitStack) -> None:
        self.top, self.root, self.stack = top, top / "a plâce", stack
        (top / "home").mkdir()
        self.environment = _environment(top / "home")

    def tool(self, name: str, *words: str | Path) -> list[str]:
        """A program of the tour."""
        return [sys.executable, str(TOUR / name), *map(str, words)]

    def run(self, *words: str | Path, status: int = 0, cwd: Path | None = None) -> Done:
        done = _run([*map(str, words)], cwd or self.root, self.environment)
        assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def git(self, *words: str) -> str:
        return self.run("git", *words).stdout.strip()

    def mlops(self, *words: str | Path, status: int = 0) -> Done:
        return self.run(_PROGRAM, *words, status=status)

    def start(self, words: list[str], ready: str, *, stderr: bool) -> str:
        """Behind us, until the end; the line that says that it is ready."""
        to = self.stack.enter_context((self.top / "said.txt").open("a", encoding="utf-8"))
        pipe = (
            {"stderr": subprocess.PIPE, "stdout": to} if stderr else {"stdout": subprocess.PIPE, "stderr": to}
        )
        process = subprocess.Popen(words, cwd=self.root, env=self.environment, text=True, **pipe)  # type: ignore[call-overload]  # the keywords are ours
        self.stack.callback(_end, process)
        said = ""
        for line in process.stderr if stderr else process.stdout:
            said += line
            if line.startswith(ready):
                return str(line)
        raise AssertionError(f"{words} ended with {process.wait()}: {said}")

    def forge(self) -> dict[str, Any]:
        """What it has."""
        found = json.loads((self.top / "forge.json").read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        return found


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=60)


def _eventually(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end
        time.sleep(0.1)  # of another process, which tells nobody


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Serve, drift, alert, train again, propose, merge, promote, serve, watch."""
    with ExitStack() as stack:
        yield _told(_Loop(tmp_path_factory.mktemp("loop"), stack))


def _told(loop: _Loop) -> Story:
    visits = loop.top / "visits"
    _project(loop, visits)
    line = loop.start(
        [_PROGRAM, "model", "serve", SERVED, "--port", "0", "--poll", "0.3"], "serving ", stderr=True
    )
    url = "http://127.0.0.1:" + line.split(" on http://127.0.0.1:")[1].split()[0]
    loop.run(*loop.tool("visits.py", url, visits / "older.csv"))
    port = loop.start(loop.tool("forge.py", "serve", loop.top / "forge.json"), "", stderr=False).strip()
    loop.environment |= {
        "GITHUB_ACTIONS": "true", "GITHUB_API_URL": f"http://127.0.0.1:{port}",
        "GITHUB_REPOSITORY": "practice/progression", "GITHUB_TOKEN": "a-token-of-this-tour",
    }  # fmt: skip
    _logged(loop, "v0.1.0")

    _ill(loop, port)
    drifted = loop.mlops("monitor", SERVED, "--alert", "--json", status=1)
    loop.mlops("monitor", SERVED, "--alert", status=1)
    labels = ("--labels", visits / "older-a-year-later.csv", "--key", "request")
    labelled = loop.mlops("monitor", SERVED, *labels, "--json", status=1)
    noted = tuple(loop.git("rev-list", "refs/mlops/monitor/progression").splitlines())
    alarmed = loop.forge()

    words = ("--data", f"data/patients.csv={visits / 'first-and-older.csv'}", "--register", "--pull-request")
    before = _workspace(loop)
    _ill(loop, port)
    retrained = loop.mlops("retrain", *words, "--json")
    again = loop.mlops("retrain", *words, "--json")
    after, proposed = _workspace(loop), loop.forge()

    loop.git("fetch", "-q", "origin")
    loop.git("merge", "-q", "--no-ff", "-m", "Merge", "origin/retrain/progression-drift")
    loop.git("push", "-q", "origin", "main")
    under_way = _promoted_under_way(loop, url, visits / "older.csv")
    newest = loop.run(*loop.tool("visits.py", url, visits / "newest.csv"))
    rows = 172
    _eventually(lambda: _rows(loop, "v0.1.1") >= rows)
    calm = loop.mlops("monitor", SERVED, "--alert", "--json")
    rest = loop.mlops("retrain", status=2)
    return Story(
        loop.root, loop.top / "remote.git", drifted, labelled, noted, alarmed, retrained, again, proposed,
        before, after, under_way, newest, calm, loop.forge(), rest, loop.environment,
    )  # fmt: skip


def _project(loop: _Loop, visits: Path) -> None:
    """Trained on the young, registered, in production."""
    shutil.copytree(TOUR / "project", loop.root, ignore=shutil.ignore_patterns("__pycache__"))
    loop.run(*loop.tool("tables.py", visits))
    (loop.root / "data").mkdir()
    shutil.copy(visits / "first.csv", loop.root / "data" / "patients.csv")
    loop.git("init", "-q", "-b", "main")
    loop.git("init", "-q", "--bare", "-b", "main", str(loop.top / "remote.git"))
    loop.git("remote", "add", "origin", str(loop.top / "remote.git"))
    loop.mlops("init")
    loop.run("dvc", "remote", "add", "-q", "-d", "store", str(loop.top / "store"))
    loop.mlops("add", "data/patients.csv")
    loop.git("add", "-A")
    loop.git("commit", "-q", "-m", "the first patients")
    loop.mlops("exp", "run")
    loop.git("add", "-A")
    loop.git("commit", "-q", "-m", "trained")
    loop.git("push", "-q", "-u", "origin", "main")
    loop.mlops("model", "register", "progression")
    loop.mlops("model", "promote", "progression", "prod", "--push")


def _ill(loop: _Loop, port: str) -> None:
    """What opens something is refused first, then done without a whole answer."""
    for how in ("500", "cut"):
        loop.run(*loop.tool("forge.py", "ill", how, port))


def _workspace(loop: _Loop) -> str:
    return f"{loop.git('rev-parse', 'HEAD')} {loop.git('status', '--porcelain')}"


def _parts(loop: _Loop, version: str) -> list[Path]:
    return sorted((loop.root / ".git/mlops/serve/progression" / version).glob("[!.]*.parquet"))


def _rows(loop: _Loop, version: str) -> int:
    import polars as pl

    return sum(pl.scan_parquet(part).select(pl.len()).collect().item() for part in _parts(loop, version))


def _logged(loop: _Loop, version: str) -> None:
    _eventually(lambda: bool(_parts(loop, version)))


def _promoted_under_way(loop: _Loop, url: str, file: Path) -> tuple[Done, ...]:
    """Three clients ask all the time, until the new version answers them."""
    words = loop.tool("visits.py", url, file, "--until", "v0.1.1")
    asking = [
        subprocess.Popen(
            words, env=loop.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    try:
        loop.mlops("model", "promote", "progression@v0.1.1", "prod", "--push")
        answers = [one.communicate(timeout=150) for one in asking]
    finally:
        for one in asking:
            one.kill()
    return tuple(
        subprocess.CompletedProcess(words, one.returncode, *said)
        for one, said in zip(asking, answers, strict=True)
    )
