"""Withdrawal: what goes, what stays, what is proved, and what everybody says afterwards."""

import json
import shutil
import socket
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from git_mlops.checks import purged as rule
from git_mlops.checks import scope
from git_mlops.checks.context import Context
from git_mlops.cli import exp_queue_output
from git_mlops.config import Config
from git_mlops.data import dvc, follow, purges, stored, track, transfer, workspace
from git_mlops.data.diff import Files, Request, difference
from git_mlops.data.follow import Followed
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import inputs
from git_mlops.experiments.inputs import Dirty
from git_mlops.findings import Finding
from git_mlops.git import objects, refs
from git_mlops.git.repo import Repo, discover
from git_mlops.governance import purge, withdraw
from git_mlops.governance.purge import Done
from git_mlops.governance.withdraw import Plan, Wanted
from git_mlops.hooks import data as work
from git_mlops.hooks import pre_push
from git_mlops.lineage import taints
from git_mlops.models.settings import Settings
from git_mlops.schema import verdicts
from git_mlops.schema.verdicts import Verdict
from tests.conftest import Run
from tests.governance.conftest import IMAGES, LESS, TABLE, WHOLE, Sick, hash_of
from tests.models.conftest import DATA, promoted, registered

# pygtrie under DVC warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
FIRST = f"HEAD~1:{TABLE}"


def planned(repo: Repo, *subjects: str, history: bool = False, shared: bool = False) -> Plan:
    return withdraw.plan(repo, Wanted(subjects, history, shared))


def purged(repo: Repo, *subjects: str, why: str = "217 withdrew", history: bool = False) -> Done:
    return purge.carry_out(repo, planned(repo, *subjects, history=history), why, lambda _path: ())


def test_a_plan_changes_nothing(sick: Sick, tmp_path: Path) -> None:
    plan = planned(sick.repo, FIRST)
    old = hash_of(WHOLE, tmp_path)
    assert [(one.path, one.hash) for one in plan.objects] == [(TABLE, old)]
    assert (plan.earlier, plan.kept, plan.named) == (1, (), (TABLE,))
    assert (sick.stored(old), refs.read(sick.repo, purges.REF)) == ((True, True), None)


def test_an_object_goes_from_every_place_and_each_is_asked_again(sick: Sick, tmp_path: Path) -> None:
    old, new = hash_of(WHOLE, tmp_path), hash_of(LESS, tmp_path)
    done = purged(sick.repo, FIRST)
    assert (sick.stored(old), sick.stored(new)) == ((False, False), (True, True))
    assert [(p.place, p.asked, p.removed, p.present, p.problem) for p in done.purge.proof] == [
        ("workspace", 1, 0, (), ""), ("cache", 1, 1, (), ""), ("remote store", 1, 1, (), ""),
    ]  # fmt: skip
    assert {(place, each.hash, state) for place, each, _time, state in purge.rows(done.purge)} == {
        ("workspace", old, "absent"), ("cache", old, "absent"), ("remote store", old, "absent"),
    }  # fmt: skip
    assert done.exit_code == 0
    assert (sick.root / TABLE).read_text() == LESS


def test_the_copy_in_the_workspace_goes_too(sick: Sick, run: Run) -> None:
    done = purged(sick.repo, TABLE)
    assert (done.places[0].paths, (sick.root / TABLE).exists()) == ((TABLE,), False)


def test_history_takes_every_version_of_a_path(sick: Sick, tmp_path: Path) -> None:
    purged(sick.repo, TABLE, history=True)
    hashes = [hash_of(text, tmp_path) for text in (WHOLE, LESS)]
    assert [sick.stored(hash_) for hash_ in hashes] == [(False, False)] * 2


def test_what_is_withdrawn_is_tainted_and_commits_stay(sick: Sick, run: Run) -> None:
    before = run("git", "rev-parse", "HEAD", cwd=sick.root).stdout
    purged(sick.repo, FIRST)
    (taint,) = taints.listed(sick.repo)
    assert (taint.label, taint.words[-1].why, taint.holds) == (TABLE, "purged: 217 withdrew", True)
    assert run("git", "rev-parse", "HEAD", cwd=sick.root).stdout == before


def test_files_of_a_directory_that_another_version_has_stay(images: Sick, tmp_path: Path) -> None:
    a, b = (hash_of(f"picture {name}\n", tmp_path) for name in "ab")
    done = purged(images.repo, f"HEAD~1:{IMAGES}")
    assert (images.stored(a), images.stored(b)) == ((False, False), (True, True))
    assert [one.path for one in done.purge.kept] == [f"{IMAGES}/b.txt", f"{IMAGES}/c.txt"]


def test_shared_takes_files_that_others_have_as_well(images: Sick) -> None:
    plan = planned(images.repo, f"HEAD~1:{IMAGES}", shared=True)
    names = [one.path.removeprefix(f"{IMAGES}/") for one in plan.objects]
    assert (names, plan.kept) == ([IMAGES, "a.txt", "b.txt", "c.txt"], ())


def test_one_file_of_a_directory_can_be_named(images: Sick, tmp_path: Path) -> None:
    b = hash_of("picture b\n", tmp_path)
    done = purged(images.repo, f"{IMAGES}/b.txt")
    assert [one.hash for one in done.purge.objects] == [b]
    assert sorted(file.name for file in (images.root / IMAGES).iterdir()) == ["c.txt"]
    (row,) = work.status(images.repo, None, ask_remote=False)
    assert (row.state, row.files["deleted"]) == ("purged", ["b.txt"])


def test_the_command_says_how_others_get_the_rest_of_a_directory(images: Sick, mlops: Run) -> None:
    said = mlops("purge", f"{IMAGES}/b.txt", "-m", "why", "-y", cwd=images.root).stderr
    assert f"others who know of it get the rest of `{IMAGES}` (`git mlops pull`)" in said
    assert f"a version without it: `git mlops add --force {IMAGES}`, and a commit" in said


def test_a_listing_that_only_the_remote_has_is_read_there(images: Sick, tmp_path: Path) -> None:
    shutil.rmtree(images.root / ".dvc/cache")
    assert [one.object.path for one in planned(images.repo, f"HEAD~1:{IMAGES}").kept] == [
        f"{IMAGES}/b.txt", f"{IMAGES}/c.txt",
    ]  # fmt: skip


def test_a_model_is_no_data(project: Repo) -> None:
    registered(project)
    with pytest.raises(MlopsError, match="is a model: only data can be purged"):
        planned(project, "m")


def test_what_has_no_name_is_said(sick: Sick) -> None:
    with pytest.raises(NotFoundError):
        planned(sick.repo, "data/nothing.csv")


def test_data_of_a_model_that_serves_is_refused_until_that_is_known(project: Repo, mlops: Run) -> None:
    registered(project)
    promoted(project, "m@v0.1.0", "prod", Settings())
    plan = planned(project, DATA)
    assert plan.holding == ("m#prod (m@v0.1.0)",)
    shown = mlops("purge", DATA, cwd=project.root).stderr
    assert "warning: `--yes` will be refused: a model that came from it holds a stage: m#prod" in shown
    with pytest.raises(MlopsError, match="holds a stage: m#prod"):
        withdraw.refuse_in_use(project, plan, anyway=False)
    withdraw.refuse_in_use(project, plan, anyway=True)
    taints.say(project, f"object:md5:{DATA}", "data/a.csv", "withdrawn", tainted=True)
    withdraw.refuse_in_use(project, plan, anyway=False)


# -- afterwards ---------------------------------------------------------------------------------------------


def _found(repo: Repo, title: str) -> list[Finding]:
    kind = scope.workspace(repo) if title == "workspace" else scope.staged(repo)
    return list(rule.check(Context(kind, Config(), lambda _content: iter(()))))


def test_status_check_push_and_pull_say_that_it_was_purged(sick: Sick) -> None:
    done = purged(sick.repo, TABLE)
    said = done.purge.sentence()
    (row,) = work.status(sick.repo, None, ask_remote=False)
    (finding,) = _found(sick.repo, "workspace")
    (out,) = work._chosen(sick.repo, ())
    moved = [transfer.push(sick.repo, [out]), transfer.pull(sick.repo, [out])]
    assert (row.state, row.note, finding.message, finding.level) == ("purged", said, said, "error")
    assert [(one.objects, one.missing, one.purged[0][1].id) for one in moved] == [(0, (), done.purge.id)] * 2
    assert transfer.missing_on_remote(sick.repo, [out]) == []
    assert said.endswith("by Ada: 217 withdrew")


def test_the_same_bytes_are_not_added_again(sick: Sick) -> None:
    purged(sick.repo, FIRST)
    sick.write("copy.csv", WHOLE)
    with pytest.raises(MlopsError, match=r"`copy\.csv` was purged on .* by Ada: 217 withdrew"):
        track.add(sick.repo, ["copy.csv"], here=sick.root)
    assert not (sick.root / "copy.csv.dvc").exists()


def test_a_pointer_to_it_is_not_committed_again(sick: Sick, run: Run) -> None:
    purged(sick.repo, FIRST)
    run("git", "checkout", "-q", "HEAD~1", "--", f"{TABLE}.dvc", cwd=sick.root)
    assert [one.path for one in _found(sick.repo, "staged")] == [TABLE]


def test_lifted_data_may_come_back(sick: Sick) -> None:
    done = purged(sick.repo, FIRST)
    purge.lifted(sick.repo, done.purge.objects[0].hash, "217 agreed after all")
    sick.write("copy.csv", WHOLE)
    assert track.add(sick.repo, ["copy.csv"], here=sick.root).pointers == ["copy.csv.dvc"]
    assert [one.holds for one in purges.listed(sick.repo)] == [False]
    with pytest.raises(NotFoundError, match="was not purged"):
        purge.lifted(sick.repo, TABLE, "again")


# -- another clone ------------------------------------------------------------------------------------------


def test_another_clone_with_the_record_uploads_nothing_of_it(sick: Sick, clone: Repo, tmp_path: Path) -> None:
    old = hash_of(WHOLE, tmp_path)
    purged(sick.repo, FIRST)
    withdraw.pull(clone, "origin")
    done = transfer.push(clone, transfer.ever_named(clone))
    assert (done.objects, [out.hash for out, _purge in done.purged], sick.stored(old)[1]) == (0, [old], False)


def test_another_clone_removes_its_own_copies_when_told_to(sick: Sick, clone: Repo, tmp_path: Path) -> None:
    old = hash_of(WHOLE, tmp_path)
    copy = clone.root / ".dvc/cache/files/md5" / old[:2] / old[2:]
    purged(sick.repo, FIRST)
    withdraw.pull(clone, "origin")
    (left,) = purge.left(clone)
    assert ([one.place for one in left.places if one.before], copy.exists()) == (["cache"], True)
    purge.settle(clone, [left])
    assert (purge.left(clone), copy.exists()) == ([], False)
    assert sorted(one.place for one in purges.listed(clone)[0].proof) == [
        "cache", "cache", "remote store", "workspace", "workspace",
    ]  # fmt: skip


def test_another_clone_hears_of_it_when_it_misses_the_data(
    sick: Sick, clone: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = purged(sick.repo, TABLE)
    shutil.rmtree(clone.root / ".dvc/cache")
    monkeypatch.chdir(clone.root)
    pulled = work.pull(clone, (), None, None, {})
    assert ([purge.id for _out, purge in pulled.purged], pulled.missing) == ([done.purge.id], ())


def test_a_push_asks_first_what_was_withdrawn(sick: Sick, clone: Repo, tmp_path: Path) -> None:
    old = hash_of(WHOLE, tmp_path)
    purged(sick.repo, FIRST)
    assert (purges.in_force(clone), purges.hear(clone, "/no/name"), purges.hear(clone, "origin")) == (
        {},
        False,
        True,
    )
    assert pre_push.push(clone, transfer.ever_named(clone)) == 0
    assert (old in purges.in_force(clone), sick.stored(old)[1]) == (True, False)


def test_a_push_by_hand_asks_first_as_well(sick: Sick, clone: Repo, tmp_path: Path) -> None:
    old = hash_of(WHOLE, tmp_path)
    purged(sick.repo, FIRST)
    done = work.push(clone, (), None, everything=True)
    assert (done.objects, [out.hash for out, _ in done.purged], sick.stored(old)[1]) == (0, [old], False)


def test_a_push_of_experiments_asks_first_as_well(
    sick: Sick, clone: Repo, run: Run, mlops: Run, tmp_path: Path
) -> None:
    old = hash_of(WHOLE, tmp_path)
    run("git", "checkout", "-q", "HEAD~1", cwd=clone.root)
    mlops("exp", "save", "-n", "first", cwd=clone.root)
    purged(sick.repo, FIRST)
    mlops("exp", "push", "first", cwd=clone.root)
    assert (old in purges.in_force(clone), sick.stored(old)[1]) == (True, False)
    assert [one.name for one in refs.list_refs(sick.repo, "refs/exps/")] == [
        one.name for one in refs.list_refs(clone, "refs/exps/")
    ]


def test_a_push_by_hand_needs_no_git_remote(
    clone: Repo, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run("git", "remote", "set-url", "origin", tmp_path / "gone", cwd=clone.root)
    assert work.push(clone, (), None, everything=True).missing == ()
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("whether others have purged something since is not known: the git remote `origin`")
    run("git", "remote", "remove", "origin", cwd=clone.root)
    work.push(clone, (), None, everything=True)
    assert capsys.readouterr().err == ""


def test_a_git_remote_that_is_silent_is_not_waited_for(
    clone: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges, "_PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        run(
            "git",
            "remote",
            "set-url",
            "origin",
            f"git://127.0.0.1:{server.getsockname()[1]}/x",
            cwd=clone.root,
        )
        (problem,) = purges.news(clone)
    assert problem.endswith("no answer within 0.2 s")


def test_two_clones_keep_what_both_say(sick: Sick, clone: Repo) -> None:
    purged(sick.repo, FIRST)
    purged(clone, TABLE, why="another")
    withdraw.pull(clone, "origin")
    withdraw.push(clone, "origin")
    # in any order: both may have been said in the same second
    assert {one.said[0].why for one in purges.listed(sick.repo)} == {"217 withdrew", "another"}
    assert len(purges.in_force(sick.repo)) == 2


def test_a_record_cannot_lead_out_of_the_cache(sick: Sick) -> None:
    done = purged(sick.repo, FIRST)
    (file,) = [e for e in objects.tree_entries(sick.repo, purges.REF) if e.path.startswith("purges/")]
    content = objects.read_blobs(sick.repo, [file.oid])[file.oid]
    evil = json.loads(content)
    evil["objects"][0]["hash"] = "../../../../important"
    parsed = purges._parsed(content)
    assert parsed
    assert parsed.objects == done.purge.objects
    assert purges._parsed(json.dumps(evil).encode()) is None


# -- the rest of a directory --------------------------------------------------------------------------------


@pytest.fixture
def colleague(images: Sick, tmp_path: Path, run: Run) -> Repo:
    """A clone without any data, of a project whose second file was withdrawn in every version."""
    purged(images.repo, f"{IMAGES}/b.txt", history=True)
    run("git", "clone", "-q", images.root, tmp_path / "other", cwd=tmp_path)
    purges.pull(repo := discover(tmp_path / "other"), "origin")
    return repo


def _pulled(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(repo.root)
    work.pull(repo, (), None, None, {})
    folder = repo.root / IMAGES
    return sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []


def test_pull_brings_the_rest_and_says_in_a_line_what_is_not_there(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (known,) = purges.listed(colleague)
    assert _pulled(colleague, monkeypatch) == ["c.txt"]
    lines = [line for line in capsys.readouterr().err.splitlines() if "without" in line]
    assert lines == [f"warning: `{IMAGES}` is without `b.txt`, {known.sentence()}"]
    (row,) = work.status(colleague, None, ask_remote=False)
    assert (row.cells[0], row.files, row.note) == (
        "purged (1 deleted)", {"deleted": ["b.txt"]}, known.sentence(),
    )  # fmt: skip


def test_an_old_commit_has_the_rest_of_its_directory(
    colleague: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pulled(colleague, monkeypatch)
    run("git", "checkout", "-q", "HEAD~1", cwd=colleague.root)
    assert _pulled(colleague, monkeypatch) == ["a.txt", "c.txt"]
    (row,) = work.status(colleague, None, ask_remote=False)
    assert (row.state, row.files) == ("purged", {"deleted": ["b.txt"]})
    run("git", "checkout", "-q", "-", cwd=colleague.root)
    assert follow.follow(colleague, parts=True).updated == [IMAGES]
    assert sorted(file.name for file in (colleague.root / IMAGES).iterdir()) == ["c.txt"]


def test_nobody_takes_what_is_not_there_for_deleted(colleague: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    _pulled(colleague, monkeypatch)
    assert workspace.modified(colleague) == []
    assert list(difference(colleague, Request(None, None), DataSettings())) == []
    with pytest.raises(MlopsError, match="there is nothing to add") as caught:
        track.add(colleague, [IMAGES], here=colleague.root)
    assert caught.value.hint == f"`git mlops add --force {IMAGES}` makes what is left a version of its own"
    track.add(colleague, [IMAGES], here=colleague.root, force=True)
    assert work.status(colleague, None, ask_remote=False) == []


def test_a_change_beside_it_is_the_users_and_only_that(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pulled(colleague, monkeypatch)
    (colleague.root / IMAGES / "mine.txt").write_text("mine")
    (row,) = work.status(colleague, None, ask_remote=False)
    assert (row.cells[0], row.files["deleted"]) == ("modified (1 added, 1 purged)", [])
    (change,) = difference(colleague, Request(None, None), DataSettings())
    assert change.files == Files(("mine.txt",), (), ())
    assert follow.follow(colleague, again=[IMAGES], parts=True).kept == [IMAGES]
    assert (colleague.root / IMAGES / "mine.txt").read_text() == "mine"


def test_what_is_lifted_is_still_to_come_and_not_deleted(
    colleague: Repo, images: Sick, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pulled(colleague, monkeypatch)
    purge.lifted(colleague, purges.listed(colleague)[0].id, "agreed")
    (row,) = work.status(colleague, None, ask_remote=False)
    assert row.state == "outdated"
    with pytest.raises(MlopsError, match="adding it would undo the newer one"):
        track.add(colleague, [IMAGES], here=colleague.root)
    b = stored.keep_file(images.repo, images.write("again", "picture b\n"))
    shutil.copytree(images.root / ".dvc/cache", images.store, dirs_exist_ok=True)
    assert (images.stored(b)[1], _pulled(colleague, monkeypatch)) == (True, ["b.txt", "c.txt"])
    assert work.status(colleague, None, ask_remote=False) == []


def test_where_it_was_purged_lifting_does_not_make_it_deleted(images: Sick) -> None:
    follow.follow(images.repo)
    done = purged(images.repo, f"{IMAGES}/b.txt")
    purge.lifted(images.repo, done.purge.id, "agreed")
    (row,) = work.status(images.repo, None, ask_remote=False)
    assert row.state == "outdated"


def test_the_rest_that_somebody_deleted_stays_deleted(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pulled(colleague, monkeypatch)
    shutil.rmtree(colleague.root / IMAGES)
    assert follow.follow(colleague, parts=True) == Followed([], [], [])
    (row,) = work.status(colleague, None, ask_remote=False)
    assert row.state == "deleted"
    assert _pulled(colleague, monkeypatch) == ["c.txt"]


def test_what_is_lacking_for_another_reason_is_missing(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _pulled(colleague, monkeypatch)
    c = hash_of("picture c\n", tmp_path)
    (colleague.root / ".dvc/cache/files/md5" / c[:2] / c[2:]).unlink()
    shutil.rmtree(colleague.root / IMAGES)
    assert follow.follow(colleague, again=[IMAGES], parts=True) == Followed([], [], [IMAGES])


def test_who_takes_the_rest_for_the_whole_gets_nothing(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment that is repeated must not run on less than it had."""
    monkeypatch.chdir(colleague.root)
    transfer.pull(colleague, work._chosen(colleague, ()))
    assert follow.follow(colleague) == Followed([], [], [IMAGES])
    assert not (colleague.root / IMAGES).exists()


def test_a_run_on_the_rest_says_so(colleague: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    _pulled(colleague, monkeypatch)
    assert inputs.dirty(colleague) == [Dirty(IMAGES, f"git mlops add --force {IMAGES}", True, purged=True)]


def test_a_run_elsewhere_says_what_it_has_not_and_why(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _pulled(colleague, monkeypatch)
    capsys.readouterr()
    exp_queue_output.missing(colleague, [IMAGES])
    (known,) = purges.listed(colleague)
    assert capsys.readouterr().err.splitlines() == [
        f"warning: the run does not have `{IMAGES}`: a part of it was {known.sentence()}",
        f"hint: `git mlops add --force {IMAGES}` makes what is left a version",
    ]


@pytest.mark.parametrize("link", ["copy", "hardlink", "symlink"])
def test_the_rest_is_linked_as_dvc_is_told(
    colleague: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, link: str
) -> None:
    with (colleague.root / ".dvc/config").open("a") as file:
        file.write(f"[cache]\n    type = {link}\n")
    _pulled(colleague, monkeypatch)
    c = hash_of("picture c\n", tmp_path)
    file_ = colleague.root / IMAGES / "c.txt"
    same = file_.samefile(colleague.root / ".dvc/cache/files/md5" / c[:2] / c[2:])
    assert ("symlink" if file_.is_symlink() else "hardlink" if same else "copy") == link


def test_a_single_file_that_was_withdrawn_is_not_called_outdated(sick: Sick, run: Run) -> None:
    follow.follow(sick.repo)
    done = purged(sick.repo, FIRST)
    run("git", "checkout", "-q", "HEAD~1", "--", f"{TABLE}.dvc", cwd=sick.root)
    (row,) = work.status(sick.repo, None, ask_remote=False)
    assert (row.state, row.note) == ("purged", done.purge.sentence())
    assert (sick.root / TABLE).read_text() == LESS


# -- what can go wrong --------------------------------------------------------------------------------------


def test_a_place_that_cannot_be_asked_is_recorded_and_the_same_again_goes_on(sick: Sick) -> None:
    """A disk that is not mounted has nothing, which proves nothing."""
    before = (sick.root / ".dvc/config").read_text()
    config = sick.remote("away", sick.root.parent / "unmounted")
    done = purged(sick.repo, FIRST)
    (problem,) = [one for one in done.places if one.problem]
    assert (problem.place, done.exit_code) == ("remote away", 3)
    assert problem.problem == "the directory of the remote `away` is not there: is its disk mounted?"
    config.write_text(before)
    again = purged(sick.repo, FIRST)
    assert (again.purge.id, again.exit_code) == (done.purge.id, 0)
    assert len(again.purge.proof) == 7


@pytest.mark.slow
def test_a_server_is_believed_only_when_it_answers(sick: Sick, tmp_path: Path) -> None:
    """It lets nothing be removed, says what is not there, and is silent: three answers."""
    old, never = hash_of(WHOLE, tmp_path), "0" * 32
    served = tmp_path / "served"
    shutil.copytree(sick.store, served)
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        sick.remote("web", f"http://127.0.0.1:{server.server_port}")
        asked = dvc.remove(sick.repo, [old, never], "web", dry=True)
        with pytest.raises(MlopsError, match="the remote `web` cannot be used for this"):
            dvc.remove(sick.repo, [old], "web")
        shutil.rmtree(served / "files")
        after = dvc.remove(sick.repo, [old, never], "web")
        server.shutdown()
    assert [set(one) for one in (asked.before, after.before, after.after)] == [{old}, set(), set()]
    with pytest.raises(MlopsError, match="no clear answer"):
        dvc.remove(sick.repo, [old], "web", dry=True)


def test_an_interruption_after_the_record_is_taken_up(sick: Sick, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("git_mlops.governance.places.dvc.remove", stop)
    with pytest.raises(KeyboardInterrupt):
        purged(sick.repo, FIRST)
    monkeypatch.undo()
    (before,) = purges.listed(sick.repo)
    done = purged(sick.repo, FIRST)
    assert (sorted(one.place for one in before.proof), done.purge.id) == (["cache", "workspace"], before.id)
    assert done.exit_code == 0


def test_verify_finds_what_somebody_brought_back(sick: Sick, tmp_path: Path) -> None:
    old = hash_of(WHOLE, tmp_path)
    done = purged(sick.repo, FIRST)
    target = sick.store / "files/md5" / old[:2] / old[2:]
    target.write_text(WHOLE)
    found = purge.verify(sick.repo, done.purge)
    assert (found.exit_code, found.purge.last["remote store", str(sick.store)].present) == (1, (old,))


def test_verdicts_on_it_lose_their_values_and_stay_failed(sick: Sick, tmp_path: Path) -> None:
    old = hash_of(WHOLE, tmp_path)
    schema = sick.write("schemas/p.yaml", "columns: {}\n")
    sick.commit("schema")
    oid = objects.blob_id(sick.repo, schema.read_bytes())
    subject = verdicts.subject("md5", old, oid, "csv")
    found = Finding("schema", "error", "age: -5 is below 0", data={"examples": [-5]})
    verdicts.record(sick.repo, [Verdict(subject, "fail", (found,), "2026-01-01T00:00:00+00:00", {})])
    theirs = refs.read(sick.repo, verdicts.REF)
    done = purged(sick.repo, f"HEAD~2:{TABLE}")
    assert done.verdicts == 1
    for _ in range(2):
        (now,) = verdicts.lookup(sick.repo, [subject]).values()
        assert (now.outcome, now.findings[0].message) == (
            "fail",
            "what was found here was purged with its data",
        )
        assert "-5" not in repr(now)
        assert theirs
        verdicts.merge(sick.repo, theirs)  # a colleague who has not heard of it


@pytest.mark.slow
def test_the_command_shows_first_and_proves_then(sick: Sick, mlops: Run) -> None:
    shown = mlops("purge", FIRST, "-m", "217 withdrew", cwd=sick.root)
    assert "1 object would go for good; `--yes` does it" in shown.stderr
    assert "nobody will know why" in mlops("purge", FIRST, "-y", cwd=sick.root, status=2).stderr
    assert mlops("purge", FIRST, cwd=sick.root).stderr == shown.stderr
    done = json.loads(mlops("purge", FIRST, "-m", "217 withdrew", "-y", "--json", cwd=sick.root).stdout)
    (listed,) = purges.listed(sick.repo)
    assert (done["kind"], done["data"]["done"], done["data"]["id"]) == ("purge", True, listed.id)
