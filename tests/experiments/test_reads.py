"""What datasets say of what a run read: by their digest, their path, their address. Runs: tests/tracking."""

import json
from typing import Any

import pytest

from git_mlops.experiments import reads
from git_mlops.experiments.reads import Read, Where
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from tests.experiments.conftest import commit

A, FOLDER, WEB = "a" * 32, "b" * 32 + ".dir", "c" * 32
DATA = [
    {"path": "data/a.csv", "hash": A},
    {"path": "data/folder", "hash": FOLDER},
    {"path": "data/web.csv", "hash": WEB},
]
URL = "https://example.com/web.csv"
ALL = tuple(str(one["path"]) for one in DATA)


@pytest.fixture
def tree(repo: Repo) -> Repo:
    """Pointers, one of them imported from an address, and a file that git holds."""
    commit(
        repo,
        {
            "data/a.csv.dvc": f"outs: [{{md5: {A}, hash: md5, path: a.csv}}]\n",
            "data/folder.dvc": f"outs: [{{md5: {FOLDER}, hash: md5, path: folder}}]\n",
            "data/web.csv.dvc": f"deps: [{{path: '{URL}'}}]\n"
            f"outs: [{{md5: {WEB}, hash: md5, path: web.csv}}]\n",
            "src/small.csv": "x\n",
        },
    )
    return repo


def found(repo: Repo, *datasets: dict[str, Any], directory: str = "") -> Read | None:
    with reader(repo) as git:
        tree = repo.text("rev-parse", "HEAD^{tree}")
        return reads.find(DATA, datasets, Where(Trees(git), tree, repo.root, directory))


def at(key: str, value: str) -> dict[str, Any]:
    return {"name": "x", "digest": "1234", "source": json.dumps({key: value})}


@pytest.mark.parametrize(
    ("place", "directory", "paths"),
    [
        ("data/a.csv", "", ("data/a.csv",)),
        ("./data/../data/a.csv", "", ("data/a.csv",)),
        ("data/folder/part/1.csv", "", ("data/folder",)),
        ("data", "", ALL),
        ("../data/a.csv", "src", ("data/a.csv",)),
        ("data/a.csv", "src", ("data/a.csv",)),  # MLflow was told a path from the top
        ("src/small.csv", "", ()),
    ],
)
def test_a_path_is_data_or_a_file_of_git(
    tree: Repo, place: str, directory: str, paths: tuple[str, ...]
) -> None:
    assert found(tree, at("uri", place), directory=directory) == Read(paths, whole=True)


def test_absolute_paths_and_file_uris_are_paths(tree: Repo) -> None:
    file = tree.root / "data" / "a.csv"
    assert found(tree, at("uri", str(file))) == Read(("data/a.csv",), whole=True)
    assert found(tree, at("uri", file.as_uri())) == Read(("data/a.csv",), whole=True)


def test_an_address_is_the_data_that_was_imported_from_it(tree: Repo) -> None:
    assert found(tree, at("url", URL)) == Read(("data/web.csv",), whole=True)


def test_a_digest_that_is_a_pointers_is_its_data(tree: Repo) -> None:
    known = {"name": "x", "digest": FOLDER.removesuffix(".dir"), "source": '{"tags": {}}'}
    assert found(tree, known) == Read(("data/folder",), whole=True)


@pytest.mark.parametrize(
    "other",
    [
        at("uri", "data/untracked.csv"), at("uri", "/elsewhere/a.csv"), at("uri", "../../a.csv"),
        at("url", "https://example.com/b.csv"), at("uri", "s3://bucket/a.csv"), at("uri", "runs:/1/a.csv"),
        {"name": "x", "digest": "1234", "source": '{"tags": {"mlflow.source.name": "train.py"}}'},
        {"name": "x", "digest": "", "source": "[[["}, {"name": "x"},
    ],
)  # fmt: skip
def test_of_anything_else_nobody_knows_what_it_was_made_from(tree: Repo, other: dict[str, Any]) -> None:
    assert found(tree, other) is None
    assert found(tree, other, at("uri", "data/a.csv")) == Read(("data/a.csv",), whole=False)


def test_without_datasets_nothing_is_known(tree: Repo) -> None:
    assert found(tree) is None


def test_what_is_said_later_comes_to_what_was_said() -> None:
    a, b = Read(("a",), whole=True), Read(("b",), whole=True)
    assert reads.added(a, b) == Read(("a", "b"), whole=True)
    assert reads.added(a, None) == reads.added(None, a) == Read(("a",), whole=False)
    assert reads.added(None, None) is None
    assert reads.parse(reads.plain(a)["read"]) == a
    assert [reads.parse(odd) for odd in (None, 1, {}, {"paths": "a"})] == [None] * 4
