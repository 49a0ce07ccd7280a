"""What came from what, in both directions, and what must not be used any more."""

import json

import pytest

from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments.reads import Read
from git_mlops.experiments.record import Record
from git_mlops.git.repo import Repo
from git_mlops.lineage import build, find, show, sources, taints
from git_mlops.lineage.graph import Graph, Node, part
from git_mlops.models.settings import Settings
from tests.conftest import Run
from tests.experiments.conftest import commit
from tests.models.conftest import DATA, MODEL, files, missing, promoted, registered, saved, trained

RAW, PREPARED, OTHER = "3" * 32, "4" * 32 + ".dir", "5" * 32
LOCK = f"""schema: '2.0'
stages:
  prepare:
    cmd: python prepare.py
    deps:
    - {{path: data/a.csv, hash: md5, md5: '{DATA}', size: 5}}
    - {{path: prepare.py, hash: md5, md5: '{RAW}', size: 5}}
    outs:
    - {{path: data/prepared, hash: md5, md5: {PREPARED}, size: 9, nfiles: 2}}
  train:
    cmd: python train.py
    deps:
    - {{path: data/prepared/train.csv, hash: md5, md5: '{OTHER}', size: 5}}
    outs:
    - {{path: model/m.joblib, hash: md5, md5: '{MODEL}', size: 7}}
"""
PIPELINE = """stages:
  prepare: {cmd: python prepare.py, deps: [data/a.csv, prepare.py], outs: [data/prepared]}
  train: {cmd: python train.py, deps: [data/prepared/train.csv], outs: [model/m.joblib]}
"""
OBJECT = f"object:md5:{DATA}"


def graph(repo: Repo, text: str, *, up: bool = True, down: bool = True) -> tuple[Graph, str]:
    found = sources.gather(repo)
    start = find.node(repo, found, text)
    return part(build.around(repo, found, start), start, up=up, down=down), start


def labels(repo: Repo, text: str, *, up: bool = True, down: bool = True) -> set[str]:
    found, start = graph(repo, text, up=up, down=down)
    return {f"{node.kind} {node.label}" for node in found.nodes.values() if node.id != start}


@pytest.fixture
def history(project: Repo) -> Repo:
    """A pipeline, an experiment, a version of it in production."""
    commit(project, {"dvc.yaml": PIPELINE, "dvc.lock": LOCK, "prepare.py": "1"}, "a pipeline")
    saved(project, "quiet-otter")
    registered(project, of="quiet-otter", path="model/m.joblib")
    promoted(project, "m@v0.1.0", "prod", Settings())
    return project


def test_a_model_came_from_its_experiment_data_code_and_people(history: Repo) -> None:
    found = labels(history, "m", down=False)
    assert {
        "experiment quiet-otter", "object data/a.csv", "object data/prepared", "object model/m.joblib",
        "schema schemas/data.yaml", "person Ada <ada@example.com>",
    } <= found  # fmt: skip
    assert any(label.endswith(" a pipeline") and label.startswith("commit ") for label in found)
    assert not any("prepare.py" in label for label in found)  # code is git's


def test_data_was_used_by_all_that_came_from_it(history: Repo) -> None:
    assert labels(history, "data/a.csv", up=False) == {
        "experiment quiet-otter", "object data/prepared", "object model/m.joblib", "model m@v0.1.0",
        "stage m#prod",
    }  # fmt: skip


def test_a_pipeline_reads_what_its_stages_depend_on() -> None:
    said = build.reads_of(Record(how="pipeline"), {"dvc.lock": LOCK.encode()})
    ways = [build.way(said, path) for path in ("data/a.csv", "data/prepared", "data/b.csv")]
    assert ways == ["read", "read", "may have read"]


def test_one_object_under_two_names_was_read_if_one_was() -> None:
    found = Graph()
    found.add(Node("experiment:x", "experiment", "x"))
    data = [Out("a.csv", "md5", DATA), Out("b.csv", "md5", DATA)]
    build.link_data(found, data, "experiment:x", Read(("b.csv",), whole=True))
    assert [edge.how for edge in found.edges] == ["read"]


def test_data_of_before_is_another_thing(history: Repo) -> None:
    commit(history, {"data/a.csv.dvc": files()["data/a.csv.dvc"].replace(DATA, RAW)}, "new data")  # type: ignore[arg-type]  # text
    assert labels(history, "data/a.csv", up=False) == set()
    assert "model m@v0.1.0" in labels(history, "HEAD~1:data/a.csv", up=False)


def test_a_stage_says_how_data_became_a_model(history: Repo) -> None:
    found, _start = graph(history, "m#prod", down=False)
    ways = {(found.nodes[e.source].label, found.nodes[e.target].label, e.how) for e in found.edges}
    assert ("data/a.csv", "data/prepared", "stage prepare") in ways
    assert ("data/prepared", "model/m.joblib", "stage train") in ways


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("m", "model:m@v0.1.0"), ("m@v0.1.0", "model:m@v0.1.0"), ("m#prod", "model:m@v0.1.0"),
        ("data/a.csv", OBJECT), ("data/a.csv.dvc", OBJECT), ("HEAD:data/a.csv", OBJECT),
        (DATA[:8], OBJECT), (f"md5:{DATA}", OBJECT), ("9" * 32, f"object:md5:{'9' * 32}"),
        (PREPARED[:32], f"object:md5:{PREPARED}"),
    ],
)  # fmt: skip
def test_a_thing_is_named_as_people_name_it(history: Repo, text: str, node: str) -> None:
    assert find.node(history, sources.gather(history), text) == node


def test_experiments_and_commits_are_named_as_in_git(history: Repo) -> None:
    found = sources.gather(history)
    assert find.node(history, found, "quiet-otter").endswith("/quiet-otter")
    assert find.node(history, found, "HEAD") == f"commit:{history.text('rev-parse', 'HEAD')}"


def test_what_is_nothing_is_an_error(history: Repo) -> None:
    with pytest.raises(NotFoundError, match="`nothing` is no model, experiment, tracked file"):
        find.node(history, sources.gather(history), "nothing")


def test_an_experiment_that_is_not_here_is_named_and_the_tag_says_the_data(history: Repo) -> None:
    for ref in history.text("for-each-ref", "--format=%(refname)", "refs/exps").splitlines():
        history.git("update-ref", "-d", ref)
    found = labels(history, "m", down=False)
    assert {"experiment quiet-otter", "object data/a.csv"} <= found


def test_of_each_data_the_commit_that_brought_it_is_named(project: Repo) -> None:
    other = f"outs:\n- md5: {PREPARED}\n  hash: md5\n  path: folder\n"
    commit(project, {"data/folder.dvc": other}, "a folder")
    commit(project, {"data/folder.dvc": f"{other}  desc: more\n"}, "described")
    project.git("mv", "data/folder.dvc", "data/moved.dvc")
    project.git("commit", "-q", "-m", "moved")
    commit(project, {"data/moved.dvc": other.replace("folder", "moved")}, "and renamed")
    saved(project, "run")
    found, _start = graph(project, "run", down=False)
    added = {
        found.nodes[e.target].label: found.nodes[e.source].label.partition(" ")[2]
        for e in found.edges
        if e.how == "added"
    }
    assert added == {"data/a.csv": "change", "data/moved": "a folder"}


def test_a_sweep_with_the_same_environment_is_no_ancestor(history: Repo) -> None:
    other = files(0.8, "6" * 32)["data/a.csv.dvc"].replace(DATA, RAW)  # type: ignore[arg-type]  # text
    commit(history, {"data/a.csv.dvc": other})
    saved(history, "other-run")
    assert "experiment other-run" not in labels(history, "m", down=False)
    taints.say(history, f"object:md5:{RAW}", "data/a.csv", "wrong", tainted=True)
    assert taints.of(history, "model:m@v0.1.0") == []


# -- taint --------------------------------------------------------------------------------------------------


def test_what_came_from_a_tainted_thing_is_not_promoted(history: Repo) -> None:
    taints.say(history, OBJECT, "data/a.csv", "consent withdrawn", tainted=True)
    done = promoted(history, "m@v0.1.0", "staging", Settings())
    assert missing(done) == ["it came from `data/a.csv`: consent withdrawn"]
    taints.say(history, OBJECT, "data/a.csv", "it was given again", tainted=False)
    assert missing(promoted(history, "m@v0.1.0", "staging", Settings())) == []
    (one,) = taints.listed(history)
    assert [(word.tainted, word.why) for word in one.words] == [
        (True, "consent withdrawn"), (False, "it was given again"),
    ]  # fmt: skip


def test_a_version_of_tomorrow_is_under_it_too(history: Repo) -> None:
    taints.say(history, OBJECT, "data/a.csv", "wrong labels", tainted=True)
    trained(history, 0.95, "7" * 32)
    version = registered(history, path="model/m.joblib")
    assert [taint.label for taint in taints.of(history, f"model:m@{version}")] == ["data/a.csv"]


def test_two_who_taint_at_once_keep_each_others_words(history: Repo, run: Run) -> None:
    remote = history.root.parent / "remote.git"
    run("git", "init", "-q", "--bare", remote, cwd=history.root.parent)
    history.git("remote", "add", "origin", str(remote))
    taints.say(history, OBJECT, "data/a.csv", "mine", tainted=True)
    taints.push(history, "origin")
    before = history.text("rev-parse", taints.REF)
    taints.say(history, "object:md5:" + RAW, "b.csv", "theirs", tainted=True)
    taints.say(history, OBJECT, "data/a.csv", "theirs", tainted=True)
    taints.push(history, "origin")
    history.git("update-ref", taints.REF, before)
    taints.say(history, OBJECT, "data/a.csv", "again", tainted=True)
    taints.push(history, "origin")
    assert {one.label: {word.why for word in one.words} for one in taints.listed(history)} == {
        "data/a.csv": {"mine", "theirs", "again"}, "b.csv": {"theirs"},
    }  # fmt: skip


def test_what_a_stranger_wrote_is_left_out(history: Repo) -> None:
    taints.say(history, OBJECT, "data/a.csv", "why", tainted=True)
    from git_mlops.git import histories

    bad = {
        "a.json": b"[" * 5000,
        "b.json": b'{"version": 2}',
        "c.json": b'{"version": 1, "said": [], "node": 1}',
    }
    histories.record(history, taints.REF, lambda _tip: bad, "bad\n")
    assert [one.label for one in taints.listed(history)] == ["data/a.csv"]


# -- shown --------------------------------------------------------------------------------------------------


def test_the_tree_shows_each_thing_once() -> None:
    found = Graph()
    for name in "abc":
        found.add(Node(f"object:md5:{name}", "object", name))
    found.link("object:md5:a", "object:md5:b", "stage x")
    found.link("object:md5:a", "object:md5:c", "stage y")
    found.link("object:md5:b", "object:md5:c", "stage y")
    assert list(show.text(found, "object:md5:c", up=True, down=True)) == [
        "c c", "made from", "├─ stage y: a a", "└─ stage y: b b", "   └─ stage x: a a",
        "used by: nothing known",
    ]  # fmt: skip


def test_drawings_cannot_be_left_by_a_name() -> None:
    found = Graph()
    found.add(Node("experiment:x", "experiment", 'a"] --> b; click\n<script>'))
    assert show.mermaid(found).splitlines()[1:] == [
        '  n0["experiment a#34;#93; --#62; b#59; click#10;#60;script#62;"]'
    ]
    assert show.dot(found).splitlines()[2] == (
        '  n0 [label="experiment a\\"] --> b; click <script>", shape=ellipse];'
    )


@pytest.mark.slow
def test_the_commands(history: Repo, mlops: Run) -> None:
    shown = json.loads(mlops("lineage", "m", "--json", cwd=history.root).stdout)["data"]
    assert shown["start"] == "model:m@v0.1.0"
    assert mlops("lineage", "data/a.csv", "--down", cwd=history.root).stdout.splitlines()[1] == "used by"
    done = mlops("taint", "data/a.csv", "-m", "withdrawn", cwd=history.root)
    assert {"model m@v0.1.0", "m#prod", "experiment quiet-otter"} <= set(done.stdout.splitlines())
    assert "[tainted]" in mlops("lineage", "m#prod", cwd=history.root).stdout.splitlines()[0]
    refused = mlops("model", "promote", "m", "staging", cwd=history.root, status=1)
    assert "it came from `data/a.csv`: withdrawn" in refused.stderr
    assert "nobody will know why" in mlops("taint", "data/a.csv", cwd=history.root, status=2).stderr
    mlops("taint", "data/a.csv", "--lift", "-m", "given", cwd=history.root)
    with pytest.raises(MlopsError, match="is not tainted"):
        taints.say(history, OBJECT, "data/a.csv", "why", tainted=False)
