import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo

Mlops = Callable[..., subprocess.CompletedProcess[str]]

GOOD = "id,größe\n" + "".join(f"{i},{i}.5\n" for i in range(1, 30))


@pytest.fixture
def project(repo: Repo) -> Repo:
    (repo.root / "dätä").mkdir()
    (repo.root / "dätä" / "a b.csv").write_text(GOOD)
    (repo.root / "mlops.yaml").write_text("version: 1 # ours\n")
    return repo


def test_infer_writes_binds_and_stages_nothing(project: Repo, mlops: Mlops) -> None:
    done = mlops("schema", "infer", "a b.csv", cwd=project.root / "dätä")
    assert done.stdout == "schemas/a b.yaml\n"
    assert (project.root / "mlops.yaml").read_text() == (
        "version: 1 # ours\n\nschemas:\n  dätä/a b.csv: schemas/a b.yaml\n"
    )
    assert project.text("diff", "--cached", "--name-only") == ""


@pytest.mark.slow
def test_what_was_inferred_checks(project: Repo, mlops: Mlops) -> None:
    mlops("schema", "infer", "dätä/a b.csv", cwd=project.root)
    assert mlops("schema", "check", cwd=project.root).stdout == "ok (1 file against schemas)\n"


def test_bad_data_is_named_with_its_line_and_exits_with_one(project: Repo, mlops: Mlops) -> None:
    mlops("schema", "infer", "dätä/a b.csv", cwd=project.root)
    (project.root / "dätä" / "a b.csv").write_text(GOOD.replace("7,7.5", "7,wide"))
    done = mlops("schema", "check", "a b.csv", cwd=project.root / "dätä", status=1)
    assert done.stdout == (
        "dätä/a b.csv:8: error: column `größe` is not float64 in 1 of 29 rows (3.4 %): "
        "line 8 `wide` [schema]\n"
        "1 error (1 file against schemas)\n"
    )


@pytest.mark.slow
def test_json_holds_every_finding_whole(project: Repo, mlops: Mlops) -> None:
    mlops("schema", "infer", "dätä/a b.csv", cwd=project.root)
    (project.root / "dätä" / "a b.csv").write_text(GOOD.replace("7,7.5", "7,wide"))
    found = json.loads(mlops("schema", "check", "--json", cwd=project.root, status=1).stdout)
    assert found["data"]["findings"][0]["data"] == {
        "column": "größe",
        "check": "dtype('float64')",
        "failures": 1,
        "rows": 29,
        "examples": [{"line": 8, "value": "wide"}],
    }


def test_a_schema_that_is_there_is_replaced_only_by_force(project: Repo, mlops: Mlops) -> None:
    (project.root / "schemas").mkdir()
    (project.root / "schemas" / "a b.yaml").write_text("mine")
    done = mlops("schema", "infer", "dätä/a b.csv", cwd=project.root, status=2)
    assert "schemas/a b.yaml exists already" in done.stderr
    assert (project.root / "schemas" / "a b.yaml").read_text() == "mine"
    assert (project.root / "mlops.yaml").read_text() == "version: 1 # ours\n"
    mlops("schema", "infer", "--force", "dätä/a b.csv", cwd=project.root)


def test_infer_json_says_what_was_written(project: Repo, mlops: Mlops) -> None:
    done = mlops("schema", "infer", "dätä/a b.csv", "-o", "x.yaml", "--json", cwd=project.root)
    assert json.loads(done.stdout) == {
        "mlops": 1,
        "kind": "schema",
        "data": {"path": "dätä/a b.csv", "schema_path": "x.yaml", "bound": True},
    }


REFUSED = {
    "no binding at all": (["check"], 2, "no schemas are bound in mlops.yaml", "git mlops schema infer PATH"),
    "missing data": (["infer", "dätä/gone.csv"], 2, "no such file: dätä/gone.csv", ""),
    "data not pulled": (
        ["infer", "dätä/far.csv"],
        3,
        "the data of `dätä/far.csv` is not here",
        "git mlops pull",
    ),
    "a directory": (["infer", "dätä"], 2, "`dätä` is a directory", "name one file"),
    "an unknown form": (["infer", "mlops.yaml"], 2, "mlops.yaml: its form is not known by its name", ".csv"),
    "outside": (["infer", "../x.csv"], 2, "`../x.csv` is outside of the repository", ""),
    "outside output": (["infer", "dätä/a b.csv", "-o", "../x.yaml"], 2, "is outside of the repository", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_said_with_its_code(project: Repo, mlops: Mlops, case: str) -> None:
    words, status, message, hint = REFUSED[case]
    (project.root / "dätä" / "far.csv.dvc").write_text("outs: []\n")
    done = mlops("schema", *words, cwd=project.root, status=status)
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


CHECKED = {
    "no binding": ("x.csv: x.yaml", ["dätä/a b.csv"], 2, "no schema is bound to `dätä/a b.csv`"),
    "schema missing": (
        "dätä/a b.csv: gone.yaml",
        [],
        1,
        "is bound to `gone.yaml`: No such file or directory",
    ),
    "schema wrong": ("dätä/a b.csv: mlops.yaml", [], 1, "`schemas`: unknown key"),
    "data missing": ("dätä/gone.csv: x.yaml", [], 3, "dätä/gone.csv: unknown: its data is not here"),
    "unknown form": ("dätä/a.xlsx: x.yaml", [], 3, "its form is not known by its name"),
    "a pattern": ("'*.csv': x.yaml", [], 1, "dätä/a b.csv: error: column `id` is not in the schema"),
    "a directory": ("'*.csv': x.yaml", ["dätä"], 1, "dätä/a b.csv: error: column `id` is not in the schema"),
    "an empty directory": ("x.csv: x.yaml", ["dätä"], 2, "no file below `dätä` is bound to a schema"),
}


@pytest.mark.parametrize("case", CHECKED)
def test_a_check_says_what_is_missing(project: Repo, mlops: Mlops, case: str) -> None:
    line, words, status, message = CHECKED[case]
    (project.root / "mlops.yaml").write_text(f"version: 1\nschemas:\n  {line}\n")
    (project.root / "x.yaml").write_text("columns: {größe: {dtype: float64}}\nstrict: true\n")
    (project.root / "dätä" / "a.xlsx").write_bytes(b"PK")
    done = mlops("schema", "check", *words, cwd=project.root, status=status)
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_data_that_dvc_tracks_and_git_ignores_is_checked(project: Repo, mlops: Mlops) -> None:
    (project.root / ".gitignore").write_text("/dätä/*.csv\n")
    mlops("schema", "infer", "dätä/a b.csv", cwd=project.root)
    (project.root / "mlops.yaml").write_text("version: 1\nschemas: {'dätä/*.csv': schemas/a b.yaml}\n")
    assert mlops("schema", "check", cwd=project.root).stdout == "ok (1 file against schemas)\n"


def test_a_schema_outside_of_the_repository_is_not_read(project: Repo, mlops: Mlops, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("columns: {id: {}}\n")
    (project.root / "mlops.yaml").write_text("version: 1\nschemas: {'dätä/a b.csv': ../secret.yaml}\n")
    done = mlops("schema", "check", cwd=project.root, status=1)
    assert "`../secret.yaml` is outside of the repository" in done.stdout


OLD = "columns:\n  a: {dtype: int64, checks: {ge: 0}}\n"


@pytest.mark.slow
def test_a_schema_is_compared_with_what_head_has(project: Repo, mlops: Mlops) -> None:
    file = project.root / "schemas" / "s.yaml"
    file.parent.mkdir()
    file.write_text(OLD)
    project.git("add", "-A")
    project.git("commit", "-qm", "schema")
    file.write_text(OLD.replace("ge: 0", "ge: -1"))
    done = mlops("schema", "diff", "s.yaml", cwd=file.parent)
    assert done.stdout.splitlines() == [
        "CHANGE    COLUMN  WHAT",
        "widening  a       values must be >= -1, were >= 0",
    ]
    file.write_text(OLD.replace("int64", "str").replace("ge: 0", "ge: '0'"))
    found = json.loads(mlops("schema", "diff", "s.yaml", "--json", cwd=file.parent, status=1).stdout)["data"]
    assert (found["old"], found["new"], found["meaning"]) == ("HEAD:schemas/s.yaml", "s.yaml", "breaking")
    mlops("schema", "diff", "HEAD:schemas/s.yaml", "HEAD:schemas/s.yaml", cwd=project.root)


def test_schemas_that_do_not_exist_are_named(project: Repo, mlops: Mlops) -> None:
    for spec in ("nope.yaml", "HEAD:nope.yaml"):
        assert f"`{spec}`" in mlops("schema", "diff", spec, spec, cwd=project.root, status=2).stderr
    assert "`nope.yaml`" in mlops("schema", "diff", "nope.yaml", cwd=project.root, status=2).stderr
    assert "`nope.yaml`" in mlops("schema", "test", "nope.yaml", cwd=project.root, status=2).stderr


@pytest.mark.slow
def test_a_schema_is_tried_without_data(project: Repo, mlops: Mlops) -> None:
    file = project.root / "s.yaml"
    file.write_text(OLD)
    assert "catches nothing" not in mlops("schema", "test", "s.yaml", cwd=project.root).stdout
    file.write_text("columns:\n  a: {dtype: str, checks: {str_matches: '.*'}}\n")
    found = json.loads(mlops("schema", "test", "s.yaml", "--json", cwd=project.root, status=1).stdout)["data"]
    assert (found["sound"], found["rules"][-1]) == (False, {
        "column": "a", "rule": "str_matches", "outcome": "catches nothing",
        "why": "no value that it refuses could be made",
    })  # fmt: skip
