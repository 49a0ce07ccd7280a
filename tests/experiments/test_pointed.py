"""What the pointers of many commits name, asked of git at once: the same as of each tree by itself."""

import random

import pytest

from git_mlops.data.pointers import Out
from git_mlops.experiments import committed, inputs, pointed
from git_mlops.experiments.tree import Trees
from git_mlops.git import objects
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo


def one_by_one(repo: Repo, commits: list[str]) -> set[Out]:
    with reader(repo) as answers:
        trees = Trees(answers)
        roots = [raw.tree for raw in committed.raw(answers, commits).values()]
        trees.load(roots)
        return {out for found in inputs.of_trees(trees, roots).values() for out in found}


def md5(number: int) -> str:
    return f"a{number:031x}"  # digits alone would be a number to YAML


def datum(path: str, number: int) -> str:
    return f"outs:\n- md5: {md5(number)}\n  size: 1\n  path: {path}\n"


def lock(number: int) -> str:
    return (
        "schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n"
        f"    - path: model\n      hash: md5\n      md5: {md5(number)}\n      size: 1\n"
    )


def pipeline(*, push: bool) -> str:
    return f"stages:\n  train:\n    cmd: x\n    outs:\n    - model:\n        push: {str(push).lower()}\n"


def made(repo: Repo, files: dict[str, str]) -> str:
    with objects.scratch_index(repo) as index:
        objects.put(repo, index, {path: text.encode() for path, text in files.items()})
        return objects.commit_tree(repo, objects.write_tree(repo, index), [], "x")


def named(found: list[Out]) -> list[tuple[str, str, bool]]:
    return sorted((out.path, out.hash, out.push) for out in found)


def test_nothing_is_asked_of_nothing(repo: Repo) -> None:
    assert pointed.of_commits(repo, []) == []
    assert pointed.of_commits(repo, [made(repo, {"a": "1"}), made(repo, {"a": "2"})]) == []


def test_a_pipeline_decides_also_where_it_alone_changed(repo: Repo) -> None:
    commits = [
        made(repo, {"p/dvc.lock": lock(1), "p/dvc.yaml": pipeline(push=push), "x": str(number)})
        for number, push in enumerate((True, True, False))
    ]
    assert named(pointed.of_commits(repo, commits)) == [
        ("p/model", md5(1), False), ("p/model", md5(1), True)
    ]  # fmt: skip


def test_what_is_gone_in_one_comes_back_in_the_next(repo: Repo) -> None:
    files = {"a ü.dvc": datum("a ü", 1)}
    commits = [made(repo, files), made(repo, {"x": "1"}), made(repo, files | {"b.dvc": datum("b", 2)})]
    assert named(pointed.of_commits(repo, [*commits, commits[0]])) == [
        ("a ü", md5(1), True), ("b", md5(2), True)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_each_tree_says_by_itself(repo: Repo, seed: int) -> None:
    chance = random.Random(seed)
    paths = ["a.dvc", "deep/er/b.dvc", "deep/.dvc/c.dvc", ".mlops/run/d.dvc", "e.dvc/f.dvc", "broken.dvc"]
    commits = []
    for number in range(12):
        files = {path: datum("out", chance.randrange(4)) for path in paths if chance.random() < 0.6}
        if "broken.dvc" in files:
            files["broken.dvc"] = "{"
        for folder in ("", "deep/"):
            if chance.random() < 0.7:
                files[f"{folder}dvc.lock"] = lock(chance.randrange(4))
            if chance.random() < 0.7:
                files[f"{folder}dvc.yaml"] = pipeline(push=chance.random() < 0.5)
        commits.append(made(repo, files | {"metrics.json": str(number)}))
    found = pointed.of_commits(repo, commits)
    assert len(found) == len(set(found))
    assert set(found) == one_by_one(repo, commits)
    assert len(found) > 10
