"""What commits changed, taken from templates of trees, is what reading each of them whole says."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_mlops.experiments import bulk, changes, shapes
from git_mlops.experiments.changes import Walk
from git_mlops.experiments.known import Book, Known
from git_mlops.experiments.listed import Experiment, Experiments
from git_mlops.experiments.tree import Trees
from git_mlops.git import reader as reading
from git_mlops.git.reader import Answer, Asked, Talk, reader
from git_mlops.git.repo import Repo, discover
from git_mlops.git.run import started
from tests.conftest import Run

_PATHS = (
    "metrics.json", "params.yaml", "out/m.json", "out", "dvc.yaml", "sub/dvc.yaml", "sub", "sub/metrics.json",
    "dvclive/metrics.json", "dvclive/params.yaml", "dvclive", "metrics.json/in.json", "ü v.json", "train.py",
    ".mlops/run/dvc.yaml", ".mlops/run/metrics.json", ".mlops/run/record.json", ".mlops/run", ".mlops/other",
)  # fmt: skip
_PIPELINES = (
    "metrics: [out/m.json, 'ü v.json']\n", "metrics: [out]\nparams: [params.yaml: [a]]\n", "stages: {\n",
    "params: [../params.yaml]\nmetrics: [../../out/m.json]\n",
)  # fmt: skip
_MESSAGES = (
    "exp: x\n\nMlops-Status: finished\nMlops-Version: 1\n", "plain\n",
    "exp: x\n\nMlops-Status: failed\nMlops-Version: 1\nMlops-Metrics: older\nMlops-Data: changed\n",
)  # fmt: skip


def _content(path: str, chance: random.Random) -> str:
    if path.endswith("dvc.yaml"):
        return chance.choice(_PIPELINES)
    if path.endswith("record.json"):
        return json.dumps({"version": 1, "metrics_not_written": chance.choice([[], ["metrics.json"]])})
    if path.endswith(".yaml"):
        return f"a: {chance.randrange(4)}\nb: {{c: {chance.random()}}}\n"
    return chance.choice([f'{{"x": {chance.random()}}}', '{"y": [1], "z": {"w": "t"}}', "{broken", "7", ""])


def _stream(seed: int, count: int) -> Iterator[str]:
    """Commits for `git fast-import`: few kinds of changes, each often, in three baselines; one merge."""
    chance = random.Random(seed)
    kinds = [chance.sample(_PATHS, chance.randrange(1, 4)) for _kind in range(count // 8)]
    for number in range(3):
        yield from _commit(f"refs/heads/base{number}", _MESSAGES[1], None, chance)
        for path in chance.sample(_PATHS, 8):
            yield from _file(path, chance)
    for number in range(count):
        base = f"refs/heads/base{number % 3}"
        merged = "refs/heads/base0" if number == 5 else None
        yield from _commit(f"refs/exps/x{number}", chance.choice(_MESSAGES), base, chance, merged)
        for path in chance.choice(kinds):
            yield from _file(path, chance)


def _commit(
    ref: str, message: str, base: str | None, chance: random.Random, merged: str | None = None
) -> Iterator[str]:
    yield f"commit {ref}\ncommitter A <a@x> {chance.randrange(10**9)} +0000\n"
    yield f"data {len(message.encode())}\n{message}\n"
    yield f"from {base}\n" if base else ""
    yield f"merge {merged}\n" if merged else ""


def _file(path: str, chance: random.Random) -> Iterator[str]:
    what = chance.randrange(10)
    if what == 0:
        yield f"D {path}\n"
        return
    text = "elsewhere" if what == 1 else _content(path, chance)
    mode = {1: "120000", 2: "100755"}.get(what, "100644")
    yield f"M {mode} inline {path}\ndata {len(text.encode())}\n{text}\n"


def _imported(root: Path, run: Run, seed: int, count: int, form: str) -> tuple[Repo, list[str]]:
    run("git", "init", "-q", f"--object-format={form}", root, cwd=root.parent)
    run("git", "fast-import", "--quiet", cwd=root, input="".join(_stream(seed, count)))
    repo = discover(root)
    return repo, repo.text("for-each-ref", "--format=%(objectname)", "refs/exps/").split()


def _said(repo: Repo, oids: list[str]) -> dict[str, tuple[object, ...]]:
    with reader(repo) as objects:
        book = Book(bulk.load(repo, Trees(objects), oids, ("ü v.json",)))
    return {one.commit.oid: _all(one) for one in book.every}


def _all(one: Known) -> tuple[object, ...]:
    page, number = one[:2]
    labelled = page.metrics.labelled(number), page.params.labelled(number)
    return one.commit, one.status, one.contents, repr(one.contents), labelled, page.unadded(number)


@pytest.mark.parametrize(("seed", "form"), [(1, "sha1"), (2, "sha256"), (3, "sha1"), (4, "sha1")])
def test_any_changes_are_read_alike_from_templates_and_whole(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, seed: int, form: str
) -> None:
    repo, oids = _imported(tmp_path / "r", run, seed, 200, form)
    found = _said(repo, oids)
    monkeypatch.setattr(changes, "_TEMPLATES", 1)
    assert _said(repo, oids) == found
    monkeypatch.setattr(bulk, "_FEW", len(oids))
    assert _said(repo, oids) == found
    assert len(found) == len(set(oids))
    assert len({str(list(labelled[0])) for *_more, labelled, _unadded in found.values()}) >= 4  # type: ignore[index]  # two


def test_a_template_takes_only_trees_that_have_the_rest_in_common(tmp_path: Path, run: Run) -> None:
    repo, _oids = _imported(tmp_path / "r", run, 1, 8, "sha1")
    with reader(repo) as objects:
        folder = Walk(Trees(objects), "sha1").folder("", None)
    a, b, c = (bytes([number]) * 20 for number in (1, 2, 3))
    found = folder.compared(b"100644 x\0" + a + b"40000 y\0" + b)
    assert found
    first, ids = found
    assert ids == (a, b)
    assert [one.path for one in first.differing] == ["x", "y"]
    assert folder.compared(b"100644 x\0" + c + b"40000 y\0" + a) == (first, (c, a))
    other = folder.compared(b"100644 x\0" + a + b"40000 z\0" + b)
    assert other
    assert other[0] is not first
    assert first.ids(b"100755 x\0" + a + b"40000 y\0" + b) is None


def test_trees_too_different_for_templates_are_compared_one_by_one(tmp_path: Path, run: Run) -> None:
    repo, _oids = _imported(tmp_path / "r", run, 1, 8, "sha1")
    a, b = (bytes([number]) * 20 for number in (1, 2))
    with reader(repo) as objects:
        walk = Walk(Trees(objects), "sha1")
        folder = walk.folder("", None)
        for number in range(changes._TEMPLATES):
            assert folder.compared(f"100644 {number:02}\0".encode() + a)
        content = b"100644 xx\0" + a + b"40000 yy\0" + b
        assert folder.compared(content) is None
        found, below = walk.compare(folder, content)
    assert found == {"xx": ("100644", a.hex())}
    assert [(one.prefix, one.old, oid) for one, oid in below] == [("yy/", None, b.hex())]
    assert below[0][0].compared(b"100644 z\0" + a) is None


def test_columns_are_of_the_commits_whose_shape_has_them() -> None:
    writer = shapes.Writer()
    writer.add({"m.json": [{"a": 1, "b": 2.5}, {"a": 3, "b": None}, {}], "n.json": [{"a": 7}, {}, {}]}, 3)
    writer.add({}, 1)
    written = writer.end()
    for said in (written, shapes.Said.decoded(json.loads(json.dumps(written.encoded())))):
        assert said.column("a") == [None, 3, None, None]
        assert said.column("m.json:a") == [1, None, None, None]
        assert said.column("b") == [2.5, None, None, None]
        assert said.only is None
        assert [said.labelled(number) for number in range(4)] == [
            {"m.json:a": 1, "b": 2.5, "n.json:a": 7}, {"a": 3, "b": None}, {}, {}
        ]  # fmt: skip
        assert said.by_file(0) == {"m.json": {"a": 1, "b": 2.5}, "n.json": {"a": 7}}
        assert said.by_file(3) == {}


def test_experiments_by_column_are_the_experiments(tmp_path: Path, run: Run) -> None:
    repo, oids = _imported(tmp_path / "r", run, 5, 60, "sha1")
    with reader(repo) as objects:
        book = Book(bulk.load(repo, Trees(objects), oids, ()))
    every = [
        Experiment(f"refs/exps/ab/c/{oid}", oid, "abc", book.known(number), "running")
        for oid, number in book.index.items()
    ]
    found = Experiments.of(every)
    assert list(found) == every
    assert (found[3], list(found[2:5])) == (every[3], every[2:5])
    assert list(found.oldest_first()) == sorted(every, key=lambda one: (one.time, one.ref))
    assert [found[at].time for at in found.newest_first()] == sorted(found.times, reverse=True)
    for kind in ("metrics", "params"):
        labelled = [getattr(one, kind) for one in every]
        assert list(found.labels(kind)) == list(dict.fromkeys(name for one in labelled for name in one))
        for label in found.labels(kind):
            assert found.column(kind, label) == [one.get(label) for one in labelled]
    assert list(found.telling()) == [e for e in every if e.known.page.telling]


def _kinds(answers: Iterator[Answer]) -> list[tuple[str, str]]:
    return [(oid, kind) for oid, kind, _content in answers]


def test_objects_that_are_not_here_have_no_answer(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    tip, none = project.text("rev-parse", "HEAD"), "ab" * 20
    assert _kinds(Asked(project, [none, tip, none, tip]).answers()) == [(tip, "commit"), (tip, "commit")]
    talk = Talk(project)
    assert _kinds(talk.ask([none, tip]).answers()) == [(tip, "commit")]
    assert _kinds(talk.ask([]).answers()) == []
    assert _kinds(talk.ask([tip, none]).answers(1)) == [(tip, "commit")]
    talk.end()
    monkeypatch.setattr(reading, "_FORM", "%(no such)")
    assert _kinds(Asked(project, [tip]).answers()) == []


def test_who_is_asked_already_or_knows_no_such_questions_lets_another_answer(
    project: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tip, tree = project.text("rev-parse", "HEAD", "HEAD^{tree}").split()
    talk = Talk(project)
    first, second = talk.ask([tip]), talk.ask([tree])
    assert (first is talk, isinstance(second, Asked)) == (True, True)
    assert _kinds(second.answers()) == [(tree, "tree")]
    assert _kinds(first.answers()) == [(tip, "commit")]
    talk.ask([tip]).close()  # not read: what comes next must not be taken for its answer
    assert _kinds(talk.ask([tree]).answers()) == [(tree, "tree")]
    talk.end()
    told = started
    monkeypatch.setattr(reading, "started", lambda *_words, cwd, stdin: told("no-such", cwd=cwd, stdin=stdin))
    old = Talk(project)
    monkeypatch.setattr(reading, "started", told)
    for _time in range(2):
        assert _kinds(old.ask([tip, tree]).answers()) == [(tip, "commit"), (tree, "tree")]
    old.end()
