"""Experiments read: names resolved, many at once, those that DVC and DVCLive wrote."""

import json

import pytest

from git_mlops import jsonable
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import present, read
from git_mlops.experiments.settings import Metric, Settings
from git_mlops.git import objects
from git_mlops.git.repo import Repo, head
from tests.experiments.conftest import commit, listed, put, save


def foreign(
    repo: Repo, name: str, files: dict[str, str | bytes], message: str = "dvc: commit experiment 1f"
) -> str:
    """An experiment with none of our files, as DVC writes it."""
    baseline = head(repo)
    assert baseline
    with objects.scratch_index(repo, start=repo.git_dir / "index") as index:
        objects.put(repo, index, {p: c if isinstance(c, bytes) else c.encode() for p, c in files.items()})
        oid = objects.commit_tree(repo, objects.write_tree(repo, index), [baseline], message)
    repo.git("update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}", oid)
    return oid


def test_an_experiment_is_found_by_name_prefix_ref_and_commit(project: Repo) -> None:
    a, b = save(project, "alpha-one"), save(project, "alpine")
    found = [
        read.pick(project, [text])[0].name for text in ("alpha-one", "alph", b.ref, b.commit, b.commit[:8])
    ]
    assert found == [a.ref, a.ref, b.ref, b.ref, b.ref]


def test_an_exact_name_wins_over_a_longer_one(project: Repo) -> None:
    save(project, "run-1")
    save(project, "run-10")
    assert read.pick(project, ["run-1"])[0].name.endswith("/run-1")


def test_an_ambiguous_prefix_lists_the_candidates(project: Repo) -> None:
    save(project, "run-1")
    save(project, "run-2")
    with pytest.raises(MlopsError, match="`run` is ambiguous: run-1, run-2"):
        read.pick(project, ["run"])


def test_what_does_not_exist_is_said(project: Repo) -> None:
    with pytest.raises(NotFoundError, match="no experiment `nope`"):
        read.pick(project, ["nope"])
    with pytest.raises(NotFoundError, match="no experiments yet"):
        read.last(project)


def test_the_last_is_the_last_even_within_a_second(project: Repo) -> None:
    for name in ("zebra", "middle", "ant"):
        save(project, name)
    assert read.last(project).name.endswith("/ant")


def test_a_listing_is_of_one_commit_or_of_all(project: Repo) -> None:
    first = head(project)
    save(project, "old")
    commit(project, {"x": "1"})
    save(project, "new")
    assert [e.name for e in listed(project, first)] == ["old"]
    assert [e.name for e in listed(project, head(project))] == ["new"]
    # two commits of one second have no order
    assert sorted(e.name for e in listed(project)) == ["new", "old"]


def test_bookkeeping_of_dvc_and_refs_at_another_depth_are_not_listed(project: Repo) -> None:
    for ref in (
        "refs/exps/stash",
        "refs/exps/exec/EXEC_HEAD",
        "refs/exps/celery/stash",
        "refs/exps/apply/stash",
    ):
        project.git("update-ref", ref, "HEAD")
    assert listed(project) == []


def test_metrics_are_read_as_dvc_yaml_declares_them(project: Repo) -> None:
    foreign(project, "theirs", {
        "dvc.yaml": "metrics: [top.json]\nparams: [conf/]\n"
        "stages:\n  t:\n    wdir: sub\n    cmd: x\n    params: [a, other.toml: [deep.b]]\n"
        "    metrics: [m.yaml: {cache: false}]\n"
        "  each:\n    foreach: [x, y]\n    do:\n      cmd: x\n      metrics: ['${item}.json']\n",
        "top.json": '{"t": 1}', "conf/c.yaml": "c: 1\n", "sub/m.yaml": "m: {n: 2, list: [1], s: text}\n",
        "sub/params.yaml": "a: 1\nz: 2\n", "sub/other.toml": "q = 1\n[deep]\nb = 2\n",
        "x.json": '{"x": 1}', "y.json": '{"x": 2}',
    })  # fmt: skip
    found = listed(project)[0]
    assert found.metrics == {
        "t": 1, "m.n": 2, "m.s": "text", "x.json:x": 1, "y.json:x": 2, "acc": 0.9, "loss.val": 0.2
    }  # fmt: skip
    assert found.params == {"c": 1, "a": 1, "deep.b": 2, "lr": 0.1, "train.epochs": 3}


@pytest.mark.parametrize(
    "files",
    [
        {"dvclive/metrics.json": '{"acc": 1}', "dvclive/params.yaml": "lr: 2\n"},
        {"dvclive/dvc.yaml": "params: [params.yaml]\nmetrics: [metrics.json]\n",
         "dvclive/metrics.json": '{"acc": 1}',
         "dvclive/params.yaml": "lr: 2\n", "dvclive/plots/metrics/acc.tsv": "step\tacc\n0\t1\n"},
        {"dvc.yaml": "params: [dvclive/params.yaml]\nmetrics: [dvclive/metrics.json]\n",
         "dvclive/metrics.json": '{"acc": 1}', "dvclive/params.yaml": "lr: 2\n"},
        {"dvclive.json": '{"acc": 1}', "dvclive/acc.tsv": "step\tacc\n0\t1\n", "params.yaml": "lr: 2\n"},
    ],
    ids=["undeclared", "own dvc.yaml", "top dvc.yaml", "oldest"],
)  # fmt: skip
def test_the_layouts_of_dvclive_are_read(repo: Repo, files: dict[str, str | bytes]) -> None:
    foreign(repo, "live", files)
    assert [(e.metrics, e.params) for e in listed(repo)] == [({"acc": 1}, {"lr": 2})]


def test_a_metric_of_two_files_keeps_both(project: Repo) -> None:
    put(project, {"dvc.yaml": "metrics: [a.json, b.json]\n", "a.json": '{"f1": 1}', "b.json": '{"f1": 2}'})
    save(project)
    assert listed(project)[0].metrics == {"a.json:f1": 1, "b.json:f1": 2, "acc": 0.9, "loss.val": 0.2}


def test_paths_that_leave_the_repository_are_not_followed(project: Repo) -> None:
    foreign(project, "evil", {"dvc.yaml": "metrics: [../../etc/passwd, /etc/passwd]\nparams: [../x.yaml]\n"})
    assert listed(project)[0].metrics == {"acc": 0.9, "loss.val": 0.2}


def test_a_huge_file_of_a_colleague_is_skipped_with_a_note(project: Repo) -> None:
    foreign(project, "huge", {"metrics.json": b" " * 5_000_000, "dvc.yaml": "stages: [[["})
    found = listed(project)[0]
    assert found.metrics == {}
    assert [note.partition(":")[0] for note in found.contents.values.notes] == [
        "`dvc.yaml`",
        "`metrics.json` was skipped",
    ]


def test_an_experiment_whose_baseline_is_not_here_is_listed(project: Repo) -> None:
    oid = foreign(project, "kept", {})
    project.git("update-ref", f"refs/exps/ab/{'c' * 38}/orphan", oid)
    assert [e.name for e in listed(project)] == ["kept", "orphan"] or [e.name for e in listed(project)] == [
        "orphan",
        "kept",
    ]


def test_the_order_follows_the_declared_direction(project: Repo) -> None:
    for name, loss in (("mid", "0.2"), ("none", "null"), ("nan", "NaN"), ("low", "0.1"), ("high", "0.3")):
        put(project, {"metrics.json": f'{{"loss": {loss}}}'})
        save(project, name)
    found = read.listing(project, Settings())
    up = [e.name for e in present.ordered(found.experiments, "loss", {})]
    down = [e.name for e in present.ordered(found.experiments, "loss", {"loss": Metric("min")})]
    assert (up[:3], down[:3]) == (["high", "mid", "low"], ["low", "mid", "high"])
    with pytest.raises(MlopsError, match="no experiment has a number `auc`"):
        present.ordered(found.experiments, "auc", {})


def test_json_has_no_word_for_nan_and_gets_text(project: Repo) -> None:
    put(project, {"metrics.json": '{"a": NaN, "b": Infinity}'})
    save(project)
    shown = json.loads(jsonable.line(present.plain(listed(project)[0])))
    assert shown["metrics"] == {"a": "nan", "b": "inf"}


def test_an_experiment_is_found_by_its_key(project: Repo) -> None:
    key = save(project, "a").key
    assert [ref.name.rpartition("/")[2] for ref in read.pick(project, [key, key[:12]])] == ["a"]
    save(project, "b")
    put(project, {"params.yaml": "lr: 7\n"})
    save(project, "c")
    assert [ref.name.rpartition("/")[2] for ref in read.pick(project, [key])] in (["a"], ["b"])
