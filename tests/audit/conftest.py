"""Facts made by hand: a rule is a function of them. What reads a repository is tested on real ones."""

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

import pytest

from git_mlops import config
from git_mlops.audit import declared, pipelines, suites
from git_mlops.audit.facts import Facts, Observation, Promoted, Run, Shared, State, Table, Verified
from git_mlops.audit.run import IDS, of
from git_mlops.audit.suites import is_support, is_test
from git_mlops.experiments.committed import Raw
from git_mlops.experiments.known import alone
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record
from git_mlops.experiments.tree import Contents
from git_mlops.experiments.values import Values
from git_mlops.registry import grammar, state
from git_mlops.registry.state import Event

NOW = 1_800_000_000
DAY = 86400

WORKFLOW = """\
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          git mlops check --range $BASE...$HEAD
          python -m pytest -q
"""
CI = {".github/workflows/ci.yml": WORKFLOW}
CODE = {
    "src/features.py": "def made(table): ...",
    "src/model.py": "def fit(table): ...",
}


def make(
    files: Mapping[str, str] = {},  # never changed
    *,
    settings: str = "",
    tables: Sequence[Table] = (),
    shared: Shared = Shared(),  # noqa: B008  # a frozen tuple
    now: int = NOW,
) -> Facts:
    found = config.parse(f"version: 1\n{settings}".encode())
    texts = dict(files)
    tests = {path: text for path, text in texts.items() if is_test(path) or is_support(path)}
    said = declared.read(texts.get(declared.FILE), IDS, texts.keys(), now)
    return Facts(
        State(
            "c" * 40, NOW - DAY, frozenset(texts), texts, found, said.findings,
            pipelines.read(texts, found.ci), suites.read(tests, texts), tuple(tables), (), said.declared,
        ),
        shared,
        now,
    )  # fmt: skip


def points(facts: Facts, item: str) -> float:
    return next(one.points for one in of(facts).items if one.id == item)


def said(facts: Facts, item: str) -> list[str]:
    """What was found, as people read it."""
    return [each.what for one in of(facts).items if one.id == item for each in one.evidence]


def table(path: str = "data/a.csv", **values: object) -> Table:
    """One that is bound, and satisfies its schema."""
    known = Table(path, f"{path}.dvc", "schema.yaml", None, False, "pass", NOW - DAY, True, True)
    return known._replace(**values)  # type: ignore[arg-type]  # the fields are the test's


def experiment(
    name: str,
    metrics: Mapping[str, object],
    params: Mapping[str, object] = {},  # never changed
    *,
    age: int = 1,
    record: Mapping[str, object] | None = None,
) -> Run:
    """A finished run, so many days old."""
    number = sum(map(ord, name))
    raw = Raw(f"{number:040x}", "t" * 40, ("b" * 40,), NOW - age * DAY, f"exp: {name}\n\nMlops-Version: 1\n")
    values = Values({"metrics.json": dict(metrics)}, {"params.yaml": dict(params)}, ())
    known = alone(raw, "finished", Contents(Layout(), Layout(), values))
    ref = f"refs/exps/bb/{'b' * 38}/{name}"
    said = Record(**dict(record)) if record is not None else None  # type: ignore[arg-type]  # the test's
    return Run(Experiment(ref, name, "b" * 40, known, "finished"), said)


WHOLE: dict[str, object] = {
    "how": "pipeline",
    "environment": "e" * 64,
    "seeds": {"seed": 1},
    "key": {"code": "1", "data": "2", "params": "3"},
    "data": [{"path": "data/a.csv", "hash": "a" * 32}],
    "wall": 1.0,
    "peak_memory": 1000,
}
"""A record that names everything."""


def event(tag: str, *, age: float = 1, who: str = "ada@example.com", commit: str = "f" * 40) -> Event:
    """A tag of the registry, so many days old."""
    said = grammar.parse(tag)
    assert said
    time = NOW - int(age * DAY)
    return Event(tag, *said[:5], time, f"{sum(map(ord, tag)):040x}", commit, "Ada", who)


def shared_of(
    events: Sequence[tuple[Event, Mapping[str, object]]] = (),
    *,
    approvals: Sequence[Event] = (),
    runs: Sequence[Run] = (),
    verified: Sequence[Verified] = (),
    observed: Sequence[Observation] = (),
    times: Mapping[str, int] = {},  # never changed
) -> Shared:
    """With the state that the events come to."""
    models = state.artifacts(one for one, _facts in events)
    facts = {one.oid: said for one, said in events}
    every = [Promoted(name, one, facts[one.oid]) for name, model in models.items() for one in model.events]
    return Shared(
        tuple(runs), tuple(verified), models, tuple(sorted(every, key=lambda e: e.event.time)),
        tuple(approvals), tuple(observed), (), times,
    )  # fmt: skip


@pytest.fixture
def hand() -> ModuleType:
    """All of the above, for tests."""
    return sys.modules[__name__]
