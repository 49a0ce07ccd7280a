"""The diff driver: a pointer as text for people."""

import subprocess
from pathlib import Path

import pytest

from git_mlops.data import profile, profiling
from git_mlops.data.settings import Settings
from git_mlops.hooks.show_pointer import normal_form
from git_mlops.tables.forms import Form
from tests.hooks.conftest import Armed

MD5 = "c3c6bc2ae8ece4bd2510dca21225c041"
POINTER = f"outs:\n- md5: {MD5}\n  size: 2048\n  hash: md5\n  path: t.csv\n"
HEAD = f"path:  t.csv\nsize:  2048 (2.0 KiB)\nmd5:   {MD5}\n"


def described(folder: Path, table: str, pointer: str = POINTER, of: str = MD5) -> str:
    file = folder / "table"
    file.write_text(table)
    found = profiling.measure("t.csv", file, Form("csv", packed=False), Settings()).profile
    return profile.put(pointer, found, of)


TABLE = "id,city\n1,Ghent\n2,Ghent\n3,\n"
PROFILE = """\
rows:  3
key:   id
column id: type int64, nulls 0, distinct 3
column id: min 1, p05 1, p50 2, p95 3, max 3
column id: mean 2.0, std 0.816497
column city: type string, nulls 1, distinct 1
column city: top Ghent 2
"""


def test_a_pointer_without_a_profile() -> None:
    assert normal_form(POINTER) == HEAD


def test_a_profile_has_few_facts_per_line(tmp_path: Path) -> None:
    assert normal_form(described(tmp_path, TABLE)) == HEAD + PROFILE


def test_lines_that_dvc_broke_are_whole(tmp_path: Path) -> None:
    text = described(tmp_path, TABLE).replace(", p95", ",\n          p95")
    assert normal_form(text) == HEAD + PROFILE


def test_a_stale_profile_shows_no_figures(tmp_path: Path) -> None:
    shown = normal_form(described(tmp_path, TABLE, of="a" * 32))
    assert shown == HEAD + f"profile: of other data ({'a' * 32})\n"


def test_what_others_wrote_stays(tmp_path: Path) -> None:
    text = described(tmp_path, TABLE, POINTER + "desc: mine\nmeta:\n  who: Ada\n")
    assert normal_form(text) == HEAD + "desc: mine\nmeta:\n  who: Ada\n" + PROFILE


def test_a_name_out_of_the_data_begins_no_line(tmp_path: Path) -> None:
    shown = normal_form(described(tmp_path, '"a\nrows: 9"\n1\n'))
    assert "column a\\nrows: 9: type int64" in shown


@pytest.mark.parametrize(
    "text",
    [
        "no: pointer\n",
        "<<<<<<< ours\n" + POINTER,
        "outs: 3\n",
        "outs: " + "[" * 1000,
        "- " * 50_000,
        "",
    ],
)
def test_what_is_no_pointer_stays_as_it_is(text: str) -> None:
    assert normal_form(text) == text


@pytest.mark.parametrize("meta", ["meta: 3\n", "meta:\n  mlops: 3\n", "meta:\n  mlops:\n    columns: [1]\n"])
def test_a_strange_meta_stays(meta: str) -> None:
    assert normal_form(POINTER + meta) == HEAD + meta


def test_git_diff_says_what_changed_in_the_data(project: Armed, tmp_path: Path) -> None:
    for table in (TABLE, TABLE + "4,Namur\n"):
        project.write("t.csv.dvc", described(tmp_path, table))
        project.git("add", "-f", "t.csv.dvc")
        project.git("commit", "-q", "--no-verify", "-m", "data")
    done = subprocess.run(
        ["git", "log", "-p", "-1", "--format=", "-U0"],
        cwd=project.root,
        check=True,
        capture_output=True,
        text=True,
    )
    changed = [
        line for line in done.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")
    ]
    assert changed == [
        "-rows:  3",
        "+rows:  4",
        "-column id: type int64, nulls 0, distinct 3",
        "-column id: min 1, p05 1, p50 2, p95 3, max 3",
        "-column id: mean 2.0, std 0.816497",
        "-column city: type string, nulls 1, distinct 1",
        "+column id: type int64, nulls 0, distinct 4",
        "+column id: min 1, p05 1, p50 3, p95 4, max 4",
        "+column id: mean 2.5, std 1.11803",
        "+column city: type string, nulls 1, distinct 2",
    ]
