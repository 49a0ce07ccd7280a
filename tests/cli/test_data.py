"""`git mlops add | status | push | pull` as a user runs them."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run


@pytest.fixture
def root(dvc_repo: Repo) -> Path:
    return dvc_repo.root


def test_add_says_what_is_staged(root: Path, mlops: Run) -> None:
    (root / "data.csv").write_text("a")
    done = mlops("add", "data.csv", cwd=root)
    assert (done.stdout, done.stderr) == ("", "staged data.csv.dvc\n")


def test_add_of_a_file_of_git_says_so(root: Path, mlops: Run, run: Run) -> None:
    (root / "train.py").write_text("x = 1\n")
    run("git", "add", "train.py", cwd=root)
    run("git", "commit", "-q", "-m", "code", cwd=root)
    done = mlops("add", "train.py", cwd=root)
    said = "warning: `train.py` was a file of git and is data now; git's history keeps what was committed"
    assert said in done.stderr


@pytest.mark.slow
def test_a_local_remote_that_is_not_there_is_said(root: Path, mlops: Run, run: Run) -> None:
    run("dvc", "remote", "add", "-d", "-f", "gone", root.parent / "not mounted", cwd=root)
    (root / "a.csv").write_text("a\n")
    mlops("add", "a.csv", cwd=root)
    done = mlops("push", cwd=root)
    assert "not mounted was not there and is made now: is its disk mounted?" in done.stderr
    assert "pushed 1 object\n" in done.stderr


def test_add_from_a_subdirectory_with_a_pattern(root: Path, mlops: Run) -> None:
    (root / "sub dir").mkdir()
    for name in ("é.csv", "b.csv"):
        (root / "sub dir" / name).write_text(name)
    done = mlops("add", "*.csv", cwd=root / "sub dir")
    assert done.stderr == "staged sub dir/b.csv.dvc\nstaged sub dir/é.csv.dvc\n"


@pytest.mark.parametrize(
    "name", ["mlops.yaml", ".gitignore", "sub/.gitattributes", "dvc.yaml", "schemas/t.yaml", ".dvcignore"]
)
def test_what_configures_the_project_is_no_data(root: Path, mlops: Run, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("version: 1\n" if name == "mlops.yaml" else "")
    done = mlops("add", name, cwd=root, status=2)
    assert f"error: `{name}` is a" in done.stderr
    assert done.stderr.endswith(f", not data\nhint: `git add {name}`\n")


@pytest.mark.slow
def test_a_pull_without_a_remote_brings_what_the_cache_has(root: Path, mlops: Run, run: Run) -> None:
    (root / "a.csv").write_text("a\n")
    (root / "b.csv").write_text("b\n")
    mlops("add", "a.csv", "b.csv", cwd=root)
    (root / ".dvc" / "config").write_text("")
    run("git", "add", "-A", cwd=root)
    run("git", "commit", "-qm", "data", cwd=root)
    (md5,) = (line.split()[-1] for line in (root / "b.csv.dvc").read_text().splitlines() if "md5:" in line)
    (root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]).unlink()
    run("git", "worktree", "add", "-q", "../other", cwd=root)
    other = root.parent / "other"
    mlops("init", cwd=other)
    states = mlops("status", cwd=other).stdout.splitlines()[1:]
    assert [line.split("  ")[0] for line in states] == ["not here", "not here"]
    assert "no DVC remote is configured" in mlops("pull", cwd=other, status=2).stderr
    assert (other / "a.csv").read_text() == "a\n"


def test_add_of_a_name_with_a_dash(root: Path, mlops: Run) -> None:
    (root / "-x.csv").write_text("a")
    assert mlops("add", "--", "-x.csv", cwd=root).stderr == "staged -x.csv.dvc\n"


def test_add_of_nothing(root: Path, mlops: Run) -> None:
    done = mlops("add", "no.csv", cwd=root, status=2)
    assert done.stderr == "error: no such file: `no.csv`\n"


def test_add_without_dvc(repo: Repo, mlops: Run) -> None:
    (repo.root / "data.csv").write_text("a")
    done = mlops("add", "data.csv", cwd=repo.root, status=2)
    assert done.stderr == "error: DVC is not set up in this repository\nhint: `git mlops init`\n"


@pytest.mark.parametrize("words", [["add", "x"], ["status"], ["push"], ["pull"]])
def test_outside_a_repository(tmp_path: Path, mlops: Run, words: list[str]) -> None:
    assert "error: not a git repository" in mlops(*words, cwd=tmp_path, status=2).stderr


@pytest.mark.parametrize("words", [["add", "x"], ["status"], ["push"], ["pull"]])
def test_a_corrupt_configuration(root: Path, mlops: Run, words: list[str]) -> None:
    (root / "mlops.yaml").write_text("version: [")
    (root / "x").write_text("x")
    done = mlops(*words, cwd=root, status=2)
    assert ("error: mlops.yaml" in done.stderr, "Traceback" in done.stderr) == (True, False)


@pytest.mark.parametrize("words", [["add", "x"], ["push"], ["pull"]])
def test_a_corrupt_configuration_of_dvc(root: Path, mlops: Run, words: list[str]) -> None:
    (root / "x").write_text("x")
    (root / "x.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef\n  hash: md5\n  path: x\n")
    (root / ".dvc" / "config").write_text("[core\nremote")
    done = mlops(*words, cwd=root, status=2)
    assert ("error: " in done.stderr, "Traceback" in done.stderr) == (True, False)


def test_status_when_all_agrees(root: Path, mlops: Run) -> None:
    done = mlops("status", cwd=root)
    assert (done.stdout, done.stderr) == ("", "data and pointers agree\n")


def changed(root: Path, mlops: Run, run: Run) -> None:
    """One file changed after it was added, committed and pushed by nobody."""
    (root / "data.csv").write_text("a")
    mlops("add", "data.csv", cwd=root)
    run("git", "commit", "-q", "-m", "data", cwd=root)
    (root / "data.csv").write_text("b")


def test_status_of_changed_data(root: Path, mlops: Run, run: Run) -> None:
    changed(root, mlops, run)
    day = run("git", "log", "-1", "--format=%as", cwd=root).stdout.strip()
    assert mlops("status", cwd=root).stdout == (
        f"STATE     DATA      POINTER       LAST COMMITTED BY\nmodified  data.csv  data.csv.dvc  Ada, {day}\n"
    )


def test_status_for_programs(root: Path, mlops: Run, run: Run) -> None:
    changed(root, mlops, run)
    done = mlops("status", "--remote", "--json", cwd=root, status=1)
    assert [(row["state"], row["path"]) for row in json.loads(done.stdout)["data"]] == [
        ("modified", "data.csv"),
        ("not on the remote", "data.csv"),
    ]


def test_status_says_who_has_the_data_of_each(root: Path, mlops: Run, run: Run) -> None:
    for name in ("a.csv", "ü b.csv"):
        (root / name).write_text(name)
    mlops("add", "a.csv", "ü b.csv", cwd=root)
    run("git", "commit", "-q", "-m", "a", "--author=Ada <a@example.com>", "a.csv.dvc", ".gitignore", cwd=root)
    run("git", "commit", "-q", "-m", "b", "--author=Bob <b@example.com>", cwd=root)
    (root / "a.csv").unlink()
    (root / "ü b.csv").unlink()
    rows = json.loads(mlops("status", "--json", cwd=root).stdout)["data"]
    assert [(row["path"], row["who"].split(",")[0]) for row in rows] == [("a.csv", "Ada"), ("ü b.csv", "Bob")]


def test_status_before_the_first_commit(tmp_path: Path, run: Run, mlops: Run) -> None:
    run("git", "init", "-q", tmp_path / "new", cwd=tmp_path)
    md5 = "0123456789abcdef0123456789abcdef"
    (tmp_path / "new" / "x.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: x\n")
    assert "not here" in mlops("status", cwd=tmp_path / "new").stdout


@pytest.mark.slow
def test_push_and_pull(root: Path, mlops: Run, run: Run) -> None:
    (root / "raw").mkdir()
    for name in ("a", "b"):
        (root / "raw" / name).write_text(name)
    mlops("add", "raw", cwd=root)
    said = [mlops("push", cwd=root).stderr, mlops("push", cwd=root).stderr]
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "raw")
    said += [mlops("pull", "raw", cwd=root).stderr, mlops("pull", cwd=root).stderr]
    assert said == [
        "pushed 3 objects\n",
        "everything is on the remote\n",
        "data follows: raw\npulled 3 objects\n",
        "nothing to download\n",
    ]
    assert (root / "raw" / "b").read_text() == "b"


def test_pull_of_what_is_nowhere(root: Path, mlops: Run) -> None:
    md5 = "0123456789abcdef0123456789abcdef"
    (root / "x.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: x\n")
    done = mlops("pull", cwd=root, status=3)
    assert f"error: `x`: its data ({md5}) is not on the remote" in done.stderr
    assert f"error: `x`: its data ({md5}) is neither here nor" in mlops("push", cwd=root, status=1).stderr


def test_a_path_that_no_pointer_names(root: Path, mlops: Run) -> None:
    done = mlops("push", "x.csv", cwd=root, status=2)
    assert "error: no pointer names `x.csv`\nhint: " in done.stderr


def test_without_a_remote(root: Path, mlops: Run) -> None:
    (root / ".dvc" / "config").write_text("")
    (root / "x").write_text("x")
    mlops("add", "x", cwd=root)
    done = mlops("push", cwd=root, status=2)
    assert done.stderr == "error: no DVC remote is configured\nhint: `dvc remote add -d NAME URL`\n"


@pytest.mark.slow
def test_a_sha256_repository(tmp_path: Path, run: Run, mlops: Run) -> None:
    root = tmp_path / "new"
    run("git", "init", "-q", "--object-format=sha256", root, cwd=tmp_path)
    mlops("init", cwd=root)
    run("git", "commit", "-q", "-m", "first", cwd=root)
    run("dvc", "remote", "add", "-q", "-d", "store", tmp_path / "store", cwd=root)
    (root / "x.csv").write_text("a\n1\n")
    mlops("add", "x.csv", cwd=root)
    run("git", "commit", "-q", "-a", "-m", "data", cwd=root)
    mlops("push", cwd=root)
    shutil.rmtree(root / ".dvc" / "cache")
    (root / "x.csv").unlink()
    mlops("pull", cwd=root)
    assert (root / "x.csv").read_text() == "a\n1\n"


@pytest.mark.slow
def test_three_adds_at_once(root: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (root / name).write_text(name)
    commands = [["git-mlops", "add", "a.csv"], ["git-mlops", "add", "b.csv"], ["dvc", "add", "-q", "c.csv"]]
    children = [
        subprocess.Popen(c, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for c in commands
    ]
    ended = [(child.communicate()[0], child.returncode) for child in children]
    assert [status for _said, status in ended] == [0, 0, 0], ended
    assert sorted(p.name for p in root.glob("*.csv.dvc")) == ["a.csv.dvc", "b.csv.dvc", "c.csv.dvc"]
    ignored = (root / ".gitignore").read_text().split()
    assert sorted(ignored) == ["/a.csv", "/b.csv", "/c.csv"]


def interrupted(
    command: list[str], root: Path, begun: Callable[[], bool]
) -> subprocess.CompletedProcess[str]:
    """Start, and send Ctrl-C as soon as its work has begun."""
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ) as child:
        until = time.monotonic() + 60
        while not begun() and child.poll() is None and time.monotonic() < until:
            os.sched_yield()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def files_below(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*"))


def many(root: Path) -> None:
    (root / "raw").mkdir()
    for number in range(600):
        (root / "raw" / str(number)).write_text(str(number))


@pytest.mark.slow
def test_ctrl_c_in_add_leaves_all_as_it_was(root: Path, mlops: Run, run: Run) -> None:
    many(root)
    before = run("git", "status", "--porcelain", cwd=root).stdout
    done = interrupted(["git-mlops", "add", "raw"], root, lambda: files_below(root / ".dvc" / "cache"))
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)
    assert run("git", "status", "--porcelain", cwd=root).stdout == before
    assert mlops("add", "raw", cwd=root).stderr == "staged raw.dvc\n"


@pytest.mark.slow
def test_ctrl_c_in_push_and_pull_can_be_repeated(root: Path, mlops: Run, tmp_path: Path) -> None:
    many(root)
    mlops("add", "raw", cwd=root)
    done = interrupted(["git-mlops", "push"], root, lambda: files_below(tmp_path / "store"))
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)
    mlops("push", cwd=root)
    assert mlops("status", "--remote", cwd=root).stderr == "data and pointers agree\n"
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "raw")
    done = interrupted(["git-mlops", "pull"], root, lambda: files_below(root / ".dvc" / "cache"))
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)
    mlops("pull", cwd=root)
    assert mlops("status", cwd=root).stderr == "data and pointers agree\n"


@pytest.fixture
def place(root: Path) -> Path:
    """With a file of data that is not added yet."""
    (root / "data.csv").write_text("a,b\n1,2\n")
    return root


def git(place: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def lose_cache(place: Path) -> None:
    shutil.rmtree(place / ".dvc" / "cache")


@pytest.mark.slow
def test_the_story_of_data_and_dvc_agrees(place: Path, run: Run, mlops: Run) -> None:
    assert mlops("add", "data.csv", cwd=place).stderr == "staged data.csv.dvc\n"
    assert git(place, "diff", "--cached", "--name-only") == ".gitignore\ndata.csv.dvc"
    assert mlops("status", cwd=place).stderr == "data and pointers agree\n"
    assert mlops("push", cwd=place).stderr == "pushed 1 object\n"
    assert mlops("push", cwd=place).stderr == "everything is on the remote\n"
    assert run("dvc", "status", "-c", cwd=place).stdout == "Cache and remote 'store' are in sync.\n"
    lose_cache(place)
    (place / "data.csv").unlink()
    assert mlops("pull", cwd=place).stderr == "data follows: data.csv\npulled 1 object\n"
    assert (place / "data.csv").read_text() == "a,b\n1,2\n"
    assert run("dvc", "status", cwd=place).stdout == "Data and pipelines are up to date.\n"


@pytest.mark.slow
def test_what_we_push_dvc_pulls(place: Path, run: Run, mlops: Run) -> None:
    (place / "raw").mkdir()
    (place / "raw" / "a b").write_text("1")
    mlops("add", "raw", "data.csv", cwd=place)
    mlops("push", cwd=place)
    git(place, "commit", "-q", "-m", "data")
    run("git", "clone", "-q", place, "other", cwd=place.parent)
    run("dvc", "pull", "-q", cwd=place.parent / "other")
    found = {str(p): (place.parent / "other" / p).read_text() for p in ("raw/a b", "data.csv")}
    assert found == {"raw/a b": "1", "data.csv": "a,b\n1,2\n"}


@pytest.mark.slow
def test_paths_are_those_of_the_directory_one_stands_in(place: Path, mlops: Run) -> None:
    (place / "sub dir").mkdir()
    for name in ("ä.csv", "b.csv"):
        (place / "sub dir" / name).write_text(name)
    assert mlops("add", "*.csv", "../data.csv", cwd=place / "sub dir").stderr == (
        "staged sub dir/b.csv.dvc\nstaged sub dir/ä.csv.dvc\nstaged data.csv.dvc\n"
    )
    assert mlops("push", ".", cwd=place / "sub dir").stderr == "pushed 2 objects\n"
    assert mlops("push", "..", cwd=place / "sub dir").stderr == "pushed 1 object\n"


def test_status_in_json(place: Path, mlops: Run) -> None:
    (place / "raw").mkdir()
    (place / "raw" / "a").write_text("1")
    mlops("add", "raw", "data.csv", cwd=place)
    git(place, "commit", "-q", "-m", "data")
    (place / "raw" / "b").write_text("2")
    (place / "data.csv").unlink()
    today = git(place, "log", "-1", "--format=%as")
    files = {"added": ["b"], "modified": [], "deleted": []}
    rows = [
        {
            "state": "deleted",
            "path": "data.csv",
            "pointer": "data.csv.dvc",
            "who": f"Ada, {today}",
            "files": {},
            "note": "",
        },
        {
            "state": "modified",
            "path": "raw",
            "pointer": "raw.dvc",
            "who": f"Ada, {today}",
            "files": files,
            "note": "",
        },
    ]
    assert json.loads(mlops("status", "--json", cwd=place).stdout) == {
        "mlops": 1,
        "kind": "data-status",
        "data": rows,
    }


def test_status_for_people(place: Path, mlops: Run) -> None:
    (place / "raw").mkdir()
    (place / "raw" / "a").write_text("1")
    mlops("add", "raw", cwd=place)
    (place / "raw" / "a").unlink()
    (place / "raw" / "b").write_text("2")
    assert mlops("status", cwd=place).stdout.splitlines()[1:] == [
        "modified (1 added, 1 deleted)  raw   raw.dvc",
    ]


@pytest.mark.slow
def test_a_lost_member_of_a_directory_is_noticed_and_pushed_again(place: Path, mlops: Run) -> None:
    (place / "raw").mkdir()
    for name in "abc":
        (place / "raw" / name).write_text(name)
    mlops("add", "raw", cwd=place)
    assert mlops("push", cwd=place).stderr == "pushed 4 objects\n"
    lost = next(p for p in (place.parent / "store").rglob("*") if p.is_file() and p.suffix != ".dir")
    lost.unlink()
    mlops("status", "--remote", cwd=place, status=1)
    assert mlops("push", cwd=place).stderr == "pushed 1 object\n"
    assert lost.exists()


@pytest.mark.slow
def test_data_that_is_nowhere(place: Path, mlops: Run) -> None:
    mlops("add", "data.csv", cwd=place)
    lose_cache(place)
    hash_ = (place / "data.csv.dvc").read_text().split("md5: ")[1].split()[0]
    pushed = mlops("push", cwd=place, status=1).stderr
    assert pushed.endswith(f"error: `data.csv`: its data ({hash_}) is neither here nor on the remote\n")
    (place / "data.csv").unlink()
    pulled = mlops("pull", cwd=place, status=3).stderr
    assert f"error: `data.csv`: its data ({hash_}) is not on the remote\n" in pulled


@pytest.mark.slow
def test_pull_of_a_range_takes_only_what_it_changed(place: Path, mlops: Run) -> None:
    mlops("add", "data.csv", cwd=place)
    git(place, "commit", "-q", "-m", "one")
    (place / "b.csv").write_text("b")
    mlops("add", "b.csv", cwd=place)
    git(place, "commit", "-q", "-m", "two")
    mlops("push", cwd=place)
    lose_cache(place)
    (place / "b.csv").unlink()
    (place / "data.csv").unlink()
    assert "pulled 1 object\n" in mlops("pull", "--range", "HEAD~1...HEAD", cwd=place).stderr
    assert ((place / "b.csv").exists(), (place / "data.csv").exists()) == (True, False)


@pytest.mark.slow
def test_pull_never_overwrites_what_was_changed_and_not_added(place: Path, mlops: Run) -> None:
    mlops("add", "data.csv", cwd=place)
    mlops("push", cwd=place)
    (place / "data.csv").write_text("mine")
    assert "warning: kept, because it was changed here" in mlops("pull", cwd=place).stderr
    assert (place / "data.csv").read_text() == "mine"


@pytest.mark.slow
def test_a_relative_remote_stands_beside_its_configuration(place: Path, run: Run, mlops: Run) -> None:
    (place / "sub").mkdir()
    run("dvc", "remote", "add", "-q", "near", "../../near", cwd=place / "sub")
    mlops("add", "data.csv", cwd=place)
    mlops("push", "--remote", "near", cwd=place / "sub")
    assert [p.suffix for p in (place.parent / "near" / "files" / "md5").rglob("*") if p.is_file()] == [""]


@pytest.mark.slow
def test_worktrees_share_one_cache(place: Path, run: Run, mlops: Run) -> None:
    mlops("add", "data.csv", cwd=place)
    git(place, "commit", "-q", "-m", "data")
    other = place.parent / "other tree"
    git(place, "worktree", "add", "-q", "-b", "other", str(other))
    (other / "more.csv").write_text("more")
    mlops("add", "more.csv", cwd=other)
    assert mlops("pull", cwd=other).stderr == "data follows: data.csv\nnothing to download\n"
    git(other, "commit", "-q", "-m", "more")
    git(place, "merge", "-q", "other")
    mlops("pull", cwd=place)
    assert (place / "more.csv").read_text() == "more"
    assert run("dvc", "status", cwd=other).stdout == "Data and pipelines are up to date.\n"


@pytest.mark.parametrize("command", [["push"], ["pull"], ["push", "data.csv"], ["pull", "data.csv.dvc"]])
def test_a_pointer_in_conflict_stops_what_would_leave_it_out(
    place: Path, mlops: Run, command: list[str]
) -> None:
    (place / "data.csv.dvc").write_text("outs:\n<<<<<<< ours\n")
    assert mlops(*command, cwd=place, status=2).stderr == (
        "error: data.csv.dvc: it holds conflict markers\n"
        "hint: choose a side: `git checkout --ours data.csv.dvc`\n"
    )


@pytest.mark.slow
def test_another_pointer_can_be_worked_with(place: Path, mlops: Run) -> None:
    mlops("add", "data.csv", cwd=place)
    (place / "broken.dvc").write_text("outs:\n<<<<<<< ours\n")
    assert mlops("push", "data.csv", cwd=place).stderr == "pushed 1 object\n"


def test_status_shows_what_cannot_be_read(place: Path, mlops: Run) -> None:
    (place / "bad.dvc").write_text("outs:\n- path: x\n  md5: zzz\n")
    done = mlops("status", "--json", cwd=place, status=3)
    row = {
        "state": "unreadable",
        "path": "line 3: `md5: zzz` is no hash",
        "pointer": "bad.dvc",
        "who": "",
        "files": {},
        "note": "",
    }
    assert json.loads(done.stdout) == {"mlops": 1, "kind": "data-status", "data": [row]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "*.parquet"], "error: `*.parquet` matches no file\n"),
        (["add", "/etc/hostname"], "error: `/etc/hostname` is outside the repository "),
        (["add", ".git/config"], "error: `.git/config` belongs to git or DVC, not to the data\n"),
        (["add", ".dvc/config"], "error: `.dvc/config` belongs to git or DVC, not to the data\n"),
        (["add", "."], "error: the whole repository cannot be data\n"),
        (["add", "out"], "error: `out` is a symbolic link to a place outside the repository\n"),
        (["add", "empty"], "error: `empty` is an empty directory\n"),
        (["pull", "--range", "nope...HEAD"], "error: `nope` is not a commit of this repository\n"),
        (["push", "--remote", "nope"], "error: "),
    ],
)  # fmt: skip
def test_bad_input_is_said_and_changes_nothing(
    place: Path, mlops: Run, words: list[str], message: str
) -> None:
    (place / "out").symlink_to("/etc/hostname")
    (place / "empty").mkdir()
    if words[0] == "push":
        mlops("add", "data.csv", cwd=place)
    before = git(place, "status", "--porcelain", "-uall")
    done = mlops(*words, cwd=place, status=2)
    assert done.stderr.startswith(message)
    assert git(place, "status", "--porcelain", "-uall") == before
