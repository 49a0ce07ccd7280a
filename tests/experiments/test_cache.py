"""What is read in bulk or remembered is what reading each commit whole would say."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import bulk, read, shares
from git_mlops.experiments import cache as caching
from git_mlops.experiments import run as running
from git_mlops.experiments.known import Known
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo, discover, head
from tests.conftest import Run
from tests.experiments.conftest import commit, listed, put, save

DVC_YAML = (
    "metrics: [scores]\nparams: [conf.toml]\nstages:\n  s: {cmd: x, metrics: [more.yaml: {cache: false}]}\n"
)


def database(repo: Repo) -> Path:
    return repo.private / "cache.db"


def rows(repo: Repo) -> int:
    """Commits remembered."""
    with sqlite3.connect(database(repo)) as db:
        return int(db.execute("SELECT total(size) FROM pages").fetchone()[0])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that asks for `many` leaves a copy of it."""
    return tmp_path_factory.mktemp("many") / "repo"


@pytest.fixture
def many(project: Repo, made: Path) -> Repo:
    """Forty experiments of several baselines that differ in every way that counts."""
    if made.exists():
        shutil.rmtree(project.root)
        shutil.copytree(made, project.root, symlinks=True)
        return project
    _fill(project)
    shutil.copytree(project.root, made, symlinks=True)
    return project


def _fill(project: Repo) -> None:
    for number in range(40):
        files: dict[str, str | bytes] = {
            "params.yaml": f"lr: {number % 3}\n",
            "metrics.json": f'{{"acc": {number}, "deep": {{"f1": {number / 7}}}}}',
        }
        if number % 4 == 1:
            files["dvc.yaml"] = DVC_YAML
            files[f"scores/{number}.json"] = '{"a": 1}'
            files["more.yaml"] = f"m: {number}\n"
            files["conf.toml"] = "[x]\ny = 1\n"
        if number % 4 == 2:
            files["metrics.json"] = b"{broken"
            files["sub/dvclive/metrics.json"] = '{"live": 1}'
        if number % 4 == 3:
            (project.root / "metrics.json").unlink(missing_ok=True)
            files.pop("metrics.json")
        put(project, files)
        save(project, f"run-{number:02}", f"text {number}\n\nmore \x01 text")
        if number in (10, 20):
            project.git("add", "-A")
            project.git("commit", "-q", "-m", f"baseline {number}")
    put(project, {"metrics.json": '{"acc": -1}'})
    request, settings = Request("failed"), Settings()
    running.run(project, Plan(("false",)), request, settings, DataSettings(), started=lambda _subject: None)
    running.run(
        project, Plan(("true",)), Request("old"), settings, DataSettings(), started=lambda _subject: None
    )


def loaded(repo: Repo, oids: list[str]) -> dict[str, Known]:
    """Read from git."""
    with reader(repo) as objects:
        pages = bulk.load(repo, Trees(objects), oids, ())
    return {oid: one for page in pages for oid, one in zip(page.oids, page.known(), strict=True)}


def whole(repo: Repo, oids: list[str]) -> dict[str, Known]:
    """Each commit by itself: the short way for few."""
    return {oid: one for each in oids for oid, one in loaded(repo, [each]).items()}


def same(found: dict[str, Known], expected: dict[str, Known]) -> bool:
    """Alike to the order of the metrics."""
    pairs = [
        (one[oid].commit, one[oid].contents, repr(one[oid].contents))
        for one in (found, expected)
        for oid in expected
    ]
    return found.keys() == expected.keys() and pairs[: len(expected)] == pairs[len(expected) :]


@pytest.mark.slow
def test_bulk_says_what_reading_each_says(many: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    oids = [ref.oid for ref in read.all_refs(many)]
    expected = whole(many, oids)
    assert same(loaded(many, oids), expected)
    assert len({one.contents.layout for one in expected.values()}) > 2
    monkeypatch.setattr(bulk, "_ROUND", 5)
    assert same(loaded(many, oids), expected)


@pytest.mark.parametrize("module", ["git_mlops.experiments.share", "git_mlops.no_such_module"])
def test_shares_say_the_same_and_one_that_fails_is_read_here(
    many: Repo, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    oids = [ref.oid for ref in read.all_refs(many)]
    expected = whole(many, oids)
    monkeypatch.setattr(bulk, "_MANY", 1)
    monkeypatch.setattr(shares, "FEWEST", 1)
    monkeypatch.setattr(shares, "processors", lambda: 3)
    monkeypatch.setattr(shares, "MODULE", module)
    (many.root / "json.py").write_text("raise SystemExit('a file of the repository was run')\n")
    assert len(shares.divided(oids)) == 3
    assert same(loaded(many, oids), expected)


def test_the_cache_says_what_git_says(many: Repo) -> None:
    first = listed(many)
    assert rows(many) >= 42
    assert listed(many) == first
    database(many).unlink()
    assert listed(many) == first


def test_what_is_read_while_git_lists_refs_is_the_same(many: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    first = listed(many)
    monkeypatch.setattr(caching, "_MUCH", 0)
    assert listed(many) == first
    save(many, "zz")
    assert [e.name for e in listed(many)] == [*(e.name for e in first), "zz"]
    assert listed(many)[:-1] == first


def test_the_order_of_metrics_is_the_files(many: Repo) -> None:
    oids = [ref.oid for ref in read.all_refs(many)]
    fresh = {oid: list(one.contents.values.metrics) for oid, one in whole(many, oids).items()}
    listed(many)
    assert {e.commit.oid: list(e.contents.values.metrics) for e in listed(many)} == fresh


def test_new_removed_and_replaced_experiments_are_seen(project: Repo) -> None:
    save(project, "a")
    save(project, "b")
    listed(project)
    put(project, {"metrics.json": '{"acc": 0.5}'})
    save(project, "a", force=True)
    save(project, "c")
    project.git("update-ref", "-d", next(e.ref for e in listed(project) if e.name == "b"))
    assert [(e.name, e.metrics["acc"]) for e in listed(project)] == [("a", 0.5), ("c", 0.5)]


def test_other_settings_are_read_anew(project: Repo) -> None:
    put(project, {"conf.toml": "depth = 3\n"})
    save(project, "a")
    assert "depth" not in listed(project)[0].params
    (found,) = read.listing(project, Settings(params=("conf.toml",))).experiments
    assert found.params["depth"] == 3
    assert "depth" not in listed(project)[0].params


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be taken for one" * 30])
def test_a_database_that_is_none_is_made_anew(project: Repo, content: bytes) -> None:
    save(project, "a")
    listed(project)
    database(project).write_bytes(content)
    assert [e.name for e in listed(project)] == ["a"]
    assert [e.name for e in listed(project)] == ["a"]
    assert rows(project) == 2


def test_rows_that_are_wrong_are_read_anew(project: Repo) -> None:
    save(project, "a")
    expected = listed(project)
    for column in ("oids", "facts", "vals", "details"):
        for text in (b"", b"{", b"[]", b"null", "text", 7):
            with sqlite3.connect(database(project)) as db:
                db.execute(f"UPDATE pages SET {column} = ?", (text,))
            assert listed(project) == expected


def test_a_cache_that_cannot_be_written_is_done_without(project: Repo) -> None:
    save(project, "a")
    project.private.mkdir(exist_ok=True)
    database(project).mkdir()
    assert [e.name for e in listed(project)] == ["a"]


def test_a_locked_cache_is_done_without(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    save(project, "a")
    listed(project)
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda file, **options: real(file, **{**options, "timeout": 0}))
    with real(database(project), isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")
        save(project, "b")
        assert [e.name for e in listed(project)] == ["a", "b"]


def test_what_is_used_no_more_is_forgotten(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_SPARE", 0)
    for number in range(8):
        put(project, {"params.yaml": f"lr: {number}\n"})
        save(project, f"run-{number}")
    listed(project)
    for one in listed(project)[1:]:
        project.git("update-ref", "-d", one.ref)
    save(project, "more")
    listed(project, head(project))
    assert rows(project) == 10
    save(project, "most")
    listed(project)
    assert rows(project) == 4


def test_many_readers_and_writers_at_once(many: Repo) -> None:
    expected = mlops_names(listed(many))
    database(many).unlink()
    program = Path(sys.executable).parent / "git-mlops"
    children = [
        subprocess.Popen(
            [program, "exp", "list", "--all", "--json"], cwd=many.root, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    outputs = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert len(set(outputs)) == 1
    assert mlops_names(listed(many)) == expected


def mlops_names(found: list[Experiment]) -> list[str]:
    return [one.name for one in found]


@pytest.mark.slow
def test_a_linked_worktree_shares_it_and_sha256_has_its_own(project: Repo, tmp_path: Path, run: Run) -> None:
    save(project, "a")
    listed(project)
    project.git("worktree", "add", "-q", str(tmp_path / "other"))
    assert [e.name for e in listed(discover(tmp_path / "other"))] == ["a"]
    assert not (tmp_path / "other" / ".git" / "mlops").exists()
    run("git", "init", "-q", "--object-format=sha256", "-b", "main", tmp_path / "long", cwd=tmp_path)
    long = discover(tmp_path / "long")
    commit(long, {"metrics.json": '{"acc": 1}'})
    for number in range(35):
        put(long, {"metrics.json": f'{{"acc": {number}}}'})
        save(long, f"run-{number:02}")
    assert [e.metrics for e in listed(long)] == [e.metrics for e in listed(long)]
    assert {e.metrics["acc"] for e in listed(long)} == set(range(35))
