"""The short way of a commit allows what the rules allow, and never more."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.checks import pii
from git_mlops.data import purges
from git_mlops.data.purges import Object, Purge, Word
from git_mlops.data.settings import Settings
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.schema import verdicts
from git_mlops.schema.subjects import subject, subject_of
from git_mlops.schema.verdicts import Verdict
from tests.conftest import Run
from tests.hooks.conftest import Armed, store

SCHEMA = "columns:\n  age:\n    dtype: int64\n    checks:\n      in_range: {min_value: 0, max_value: 10}\n"
GOOD, ALSO_GOOD, BAD, NEW = "age\n1\n2\n", "age\n3\n4\n", "age\n99\n", "age\n5\n"


def pointer(project: Armed, text: str) -> None:
    """The pointer as DVC writes it, its object in the cache; the data in the workspace stays as it is."""
    md5 = store(project.repo, text.encode())
    lines = ["outs:", f"- md5: {md5}", f"  size: {len(text)}", "  hash: md5", "  path: data.csv"]
    project.write("data.csv.dvc", "\n".join(lines) + "\n")


@pytest.fixture
def judged(project: Armed) -> Armed:
    """Two good versions and a bad one that have verdicts; the first is committed, its data is not here."""
    project.write("mlops.yaml", "version: 1\nschemas: {data.csv: schemas/data.yaml}\n")
    project.write("schemas/data.yaml", SCHEMA)
    project.write(".gitignore", "/data.csv\n")
    pointer(project, GOOD)
    schema = objects.blob_id(project.repo, SCHEMA.encode())
    error = Finding("schema", "error", "column `age` breaks `in_range(0, 10)`")
    means = pii.meaning("data.csv", Settings())
    assert means
    verdicts.record(
        project.repo,
        [
            Verdict(
                subject_of("pii", means, "md5", store(project.repo, text.encode())),
                "pass",
                (),
                "2026-01-01T00:00:00+00:00",
                {},
                "pii",
            )
            for text in (GOOD, ALSO_GOOD, BAD)
        ],
    )
    verdicts.record(
        project.repo,
        [
            Verdict(
                subject("md5", store(project.repo, text.encode()), schema, "csv"),
                "fail" if text == BAD else "pass",
                (error,) if text == BAD else (),
                "2026-01-01T00:00:00+00:00",
                {},
            )
            for text in (GOOD, ALSO_GOOD, BAD)
        ],
    )
    project.git("add", "-A")
    project.git("commit", "-q", "--no-verify", "-m", "data")
    (project.root / "data.csv").unlink(missing_ok=True)
    settle(project)
    return project


def settle(project: Armed) -> None:
    """What the shims decide by is renewed, and is newer than every file, as after a pause for thought."""
    for path in (project.root / "mlops.yaml", project.root / ".gitattributes"):
        os.utime(path, (1, 1))
    assert allowed(project)


def certain(project: Armed) -> bool:
    """What the short way says."""
    code = "from git_mlops.hooks import known; print(known.certainly_fine())"
    words = [sys.executable, "-P", "-c", code]
    done = subprocess.run(words, cwd=project.root, check=True, capture_output=True, text=True)
    return done.stdout == "True\n"


def allowed(project: Armed) -> bool:
    """Whether the whole check lets the commit pass."""
    code = "import sys; from git_mlops.hooks.pre_commit import run; sys.exit(run('pre-commit', []))"
    words = [sys.executable, "-P", "-c", code]
    return subprocess.run(words, cwd=project.root, check=False, capture_output=True).returncode == 0


def test_a_pointer_whose_data_has_a_verdict_goes_the_short_way(judged: Armed) -> None:
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    assert (certain(judged), allowed(judged)) == (True, True)


def test_it_goes_the_short_way_with_its_data_beside_it(judged: Armed) -> None:
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    judged.write("data.csv", ALSO_GOOD)
    os.utime(judged.root / "data.csv", (1, 1))
    before = certain(judged)
    remembers = allowed(judged)
    assert (before, remembers, certain(judged)) == (False, True, True)


def test_data_that_was_withdrawn_goes_the_long_way_and_no_further(judged: Armed) -> None:
    """Also where its verdict is known."""
    word = Word(True, "217 withdrew", "Ada <ada@example.com>", "2026-01-01T00:00:00+00:00")
    gone = Object("md5", store(judged.repo, ALSO_GOOD.encode()), "data.csv", len(ALSO_GOOD))
    purge = Purge(purges.name("data.csv", word, [gone]), "data.csv", (word,), (gone,))
    purges.write(judged.repo, purge, "purge: data.csv")
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    assert (certain(judged), allowed(judged)) == (False, False)


def test_where_data_sheets_are_required_every_pointer_is_asked_for_one(judged: Armed) -> None:
    required = "version: 1\nschemas: {data.csv: schemas/data.yaml}\ngovernance: {require: [licence]}\n"
    judged.write("mlops.yaml", required)
    judged.git("add", "-A")
    judged.git("commit", "-q", "--no-verify", "-m", "required")
    for path in (judged.root / "mlops.yaml", judged.root / ".gitattributes"):
        os.utime(path, (1, 1))
    allowed(judged)
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    assert (certain(judged), allowed(judged)) == (False, False)


def test_the_short_way_imports_next_to_nothing(run: Run, tmp_path: Path) -> None:
    done = run(sys.executable, "-c", "import sys, git_mlops.hooks.known; print(*sys.modules)", cwd=tmp_path)
    slow = {"typing", "yaml", "pathlib", "click", "dataclasses", "logging", "tempfile", "git_mlops.config"}
    assert set(done.stdout.split()) & slow == set()


def bad_data(project: Armed) -> None:
    pointer(project, BAD)


def new_data(project: Armed) -> None:
    pointer(project, NEW)


def other_schema(project: Armed) -> None:
    pointer(project, ALSO_GOOD)
    project.write("schemas/data.yaml", SCHEMA.replace("10", "3"))


def schema_staged_before(project: Armed) -> None:
    """The schema is committed around the hooks: the index knows it, the private memory does not."""
    project.write("schemas/data.yaml", SCHEMA.replace("10", "3"))
    project.git("add", "-A")
    project.git("commit", "-q", "--no-verify", "-m", "tighter")
    pointer(project, ALSO_GOOD)


def another_binding(project: Armed) -> None:
    project.write("schemas/other.yaml", SCHEMA.replace("10", "3"))
    project.write("mlops.yaml", "version: 1\nschemas: {data.csv: schemas/other.yaml}\n")
    project.git("add", "-A")
    project.git("commit", "-q", "--no-verify", "-m", "rebound")
    os.utime(project.root / "mlops.yaml", (1, 1))
    pointer(project, ALSO_GOOD)


def other_data_in_the_workspace(project: Armed) -> None:
    pointer(project, ALSO_GOOD)
    project.write("data.csv", NEW)


def escaping_pointer(project: Armed) -> None:
    pointer(project, ALSO_GOOD)
    project.write("data.csv.dvc", project.read("data.csv.dvc").replace("path: data.csv", "path: ../data.csv"))


def conflict(project: Armed) -> None:
    pointer(project, ALSO_GOOD)
    project.write("data.csv.dvc", "<<<<<<< HEAD\n" + project.read("data.csv.dvc"))


def large_file_beside(project: Armed) -> None:
    pointer(project, ALSO_GOOD)
    project.write("large.bin", "x" * 2_000_000)


def new_pointer_beside(project: Armed) -> None:
    pointer(project, ALSO_GOOD)
    project.write("other.csv.dvc", project.read("data.csv.dvc").replace("data.csv", "other.csv"))


def link_instead(project: Armed) -> None:
    (project.root / "data.csv.dvc").unlink()
    (project.root / "data.csv.dvc").symlink_to("mlops.yaml")


@pytest.mark.parametrize(
    "change",
    [
        bad_data, new_data, other_schema, schema_staged_before, another_binding, other_data_in_the_workspace,
        escaping_pointer, conflict, large_file_beside, new_pointer_beside, link_instead,
    ],
)  # fmt: skip
def test_whatever_is_not_plain_goes_the_long_way(judged: Armed, change: Callable[[Armed], None]) -> None:
    change(judged)
    judged.git("add", "-A")
    assert certain(judged) is False


def test_other_data_that_changed_goes_the_long_way(judged: Armed) -> None:
    judged.data("more.csv", "x\n")
    judged.git("add", "-A")
    judged.git("commit", "-q", "--no-verify", "-m", "more")
    settle(judged)
    judged.write("more.csv", "y\n")
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    assert (certain(judged), allowed(judged)) == (False, False)


@pytest.mark.parametrize("name", ["MLOPS_SKIP", "MLOPS_DATA_TRACK"])
def test_a_setting_of_the_environment_goes_the_long_way(
    judged: Armed, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    monkeypatch.setenv(name, "x")
    assert certain(judged) is False


@pytest.mark.parametrize("content", ["", "git-mlops known 2 x\n", "git-mlops known 1 x\na\tb\n", "\udcff"])
def test_a_damaged_memory_goes_the_long_way(judged: Armed, content: str) -> None:
    (judged.repo.private_here / "known").write_bytes(content.encode("utf-8", "surrogateescape"))
    pointer(judged, ALSO_GOOD)
    judged.git("add", "data.csv.dvc")
    assert certain(judged) is False
