"""A plugin for MLflow's tests: the store is a fresh repository of ours, and what became of each test is kept.

MLflow's tests look at artifacts as files: they go to a directory, as with `--default-artifact-root`.

It is copied beside MLflow's tests and loaded there (`-p mlops_conformance`): nothing of this package can be
imported by it, since MLflow's package of tests has the same name.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

STORE = "CONFORMANCE_STORE"
"""`git-mlops` or `sqlite`."""
OUTCOMES = "CONFORMANCE_OUTCOMES"
"""The file for lines `[test, outcome, why]`."""
SECONDS = 180
_WORST = {"passed": 0, "skipped": 1, "failed": 2}


def _with_a_directory_for_artifacts() -> None:
    from git_mlops import plugin  # before MLflow loads it

    make = plugin.tracking_store

    def tracking_store(store_uri: str | None = None, artifact_uri: str | None = None) -> object:
        return make(
            store_uri, artifact_uri or str(Path(str(store_uri).partition("://")[2]).with_name("mlruns"))
        )

    plugin.tracking_store = tracking_store


if os.environ.get(STORE) == "git-mlops":
    _with_a_directory_for_artifacts()


@pytest.fixture
def db_uri() -> Iterator[str]:
    """Where MLflow's tests expect a database of their own: a repository with one commit."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        repo = Path(base, "repo")
        subprocess.run(["git", "init", "-q", str(repo)], check=True)
        subprocess.run(["git", "-C", str(repo), "commit", "-q", "--allow-empty", "-m", "first"], check=True)
        yield f"git-mlops://{repo}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """MLflow's plain files are neither store's concern."""
    files = [item for item in items if _of_files(item)]
    items[:] = [item for item in items if item not in files]
    config.hook.pytest_deselected(items=files)


def _of_files(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and any(call.params.get(one) == "file" for one in ("store_type", "client"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that waits for ever fails."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"{item.nodeid} took more than {SECONDS} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


_seen: dict[str, tuple[str, str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Of setup, call and teardown the worst counts; of several attempts the last."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    outcome = report.outcome if report.outcome in _WORST else "passed"
    known = _seen.get(report.nodeid) if report.when != "setup" else None
    if known is None or _WORST[outcome] > _WORST[known[0]]:
        why = report.longreprtext.strip().splitlines()[-12:] if outcome == "failed" else []
        _seen[report.nodeid] = (outcome, "\n".join(why))


def pytest_sessionfinish() -> None:
    """Write them down."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        text = "".join(json.dumps([name, *found]) + "\n" for name, found in _seen.items())
        Path(os.environ[OUTCOMES]).write_text(text, encoding="utf-8")
