"""What a model stands on: packages, lock files, the sources of its data."""

import json
from collections.abc import Mapping

import pytest

from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.monitor import surroundings
from git_mlops.monitor.settings import Settings
from git_mlops.registry import read
from tests.experiments.conftest import commit

A, B = "1" * 32, "2" * 32


def _found(repo: Repo, settings: Settings | None = None) -> list[tuple[str, str, str]]:
    version = read.resolve(repo, "m")
    data = [Out("data/a.csv", "md5", A)]
    found = surroundings.judge(repo, version, data, settings or Settings(), [])
    return [(one.rule, one.level, one.message) for one in found]


def test_nothing_that_changed_is_nothing_to_say(model: Repo) -> None:
    assert _found(model) == []


def test_a_lock_that_changed_since_the_registration_is_a_note(model: Repo) -> None:
    commit(model, {"requirements.txt": "numpy==2.0\n", "sub/uv.lock": "x\n", "dvc.lock": "schema: '2.0'\n"})
    assert _found(model) == [
        (
            "dependency",
            "note",
            "packages are pinned otherwise since m v0.1.0: `requirements.txt`, `sub/uv.lock`",
        )
    ]


def _imported(url: str, rev: str, hash_: str = A) -> str:
    source = f"repo: {{url: '{url}', rev: main, rev_lock: '{rev}'}}"
    out = f"outs:\n- {{md5: '{hash_}', size: 5, hash: md5, path: a.csv}}\n"
    return f"deps:\n- {{path: raw.csv, {source}}}\n{out}"


@pytest.mark.parametrize(
    ("content", "level", "said"),
    [
        (
            _imported("https://me:secret@a.example/x", "1" * 40),
            "warning",
            "`https://a.example/x raw.csv main`",
        ),
        (
            "outs:\n- {md5: '" + B + "', size: 5, hash: md5, path: a.csv}\n",
            "note",
            "has other data since m v0.1.0",
        ),
        (None, "warning", "is no longer tracked"),
        ("outs: [", "note", "has other data"),
    ],
)
def test_data_of_another_source_is_a_warning_and_other_data_a_note(
    model: Repo, content: str | None, level: str, said: str
) -> None:
    if content is None:
        (model.root / "data" / "a.csv.dvc").unlink()
        model.git("commit", "-qam", "gone")
    else:
        commit(model, {"data/a.csv.dvc": content})
    ((rule, found, message),) = _found(model)
    assert (rule, found, said in message, "secret" in message) == ("data-source", level, True, False)


def test_an_import_that_was_updated_is_other_data_from_the_same_source() -> None:
    old, new = (
        surroundings._source("a.csv.dvc", _imported("https://a.example/x", c * 40).encode()) for c in "12"
    )
    assert (old["from"] == new["from"], old == new) == (True, False)


def _packages(trained: Mapping[str, str], now: Mapping[str, str]) -> tuple[list[Finding], list[str]]:
    notes: list[str] = []
    return list(surroundings.packages(trained, now, notes)), notes


def test_packages_in_another_version_are_told_and_those_of_the_training_alone_noted() -> None:
    trained = {"numpy": "1.26", "pandas": "2.0", "pytest": "8.0"}
    (found,), notes = _packages(trained, {"numpy": "2.0", "pandas": "2.0", "flask": "3.0"})
    assert (found.level, found.data) == ("warning", {"packages": {"numpy": ["1.26", "2.0"]}})
    assert notes == ["packages: 1 of 3 of the training are not where it is served: `pytest`"]
    assert _packages(trained, trained) == ([], [])
    assert _packages({}, trained)[1] == [
        "packages: those of the training are not recorded, or not in this clone"
    ]


def test_the_packages_that_serve_are_held_against_the_database(model: Repo) -> None:
    (model.root / "freeze.txt").write_text("Some.Package==1.0\n# no package\n-e .\n")
    affected = {"package": {"ecosystem": "PyPI", "name": "some-package"}, "versions": ["1.0"]}
    (model.root / "osv.json").write_text(json.dumps({"id": "X-1", "summary": "bad", "affected": [affected]}))
    settings = Settings(environment="freeze.txt", vulnerabilities="osv.json")
    assert _found(model, settings) == [("vulnerability", "error", "`some-package` 1.0 has X-1: bad")]
    assert _found(model, Settings(environment="here")) == []
    with pytest.raises(MlopsError, match=r"`none\.txt`: No such file"):
        _found(model, Settings(environment="none.txt"))
