"""Schemas in Python run where the user of the clone has allowed it, and nowhere else."""

import pytest

from tests.checks.conftest import Project, said

MODEL = b"""
from pathlib import Path
import pandera.pandas as pa
Path(__file__).parent.joinpath("it-ran").touch()

class Orders(pa.DataFrameModel):
    id: int = pa.Field(ge=1, unique=True)
    total: float = pa.Field(ge=0)

    @pa.check("total")
    def whole_cents(cls, series):
        return (series * 100).round(6) % 1 == 0

    class Config:
        strict = True
        coerce = True
"""
ORDERS = b"id,total\n1,2.50\n2,0.125\n2,-1\n"


def start(project: Project, binding: str = "s/orders.py:Orders", schema: bytes = MODEL) -> None:
    project.settings(f"schemas: {{t.csv: '{binding}'}}\n")
    project.write("s/orders.py", schema)
    project.data("t.csv", ORDERS)


def test_it_does_not_run_unasked(project: Project) -> None:
    start(project)
    (finding,) = project.check("schema")
    assert (finding.level, finding.path, finding.hint) == (
        "unknown", "s/orders.py", "read it; `git config mlops.schema.python true` allows it"
    )  # fmt: skip
    project.write(".gitconfig", b'[mlops "schema"]\n\tpython = true\n')
    project.settings("schemas: {t.csv: s/orders.py}\n")
    assert [f.level for f in project.check("schema")] == ["unknown"]
    assert not list(project.root.rglob("it-ran"))


@pytest.mark.parametrize("binding", ["s/orders.py", "s/orders.py:Orders"])
def test_where_it_is_allowed_its_checks_count_each_time(project: Project, binding: str) -> None:
    start(project, binding)
    project.git("config", "mlops.schema.python", "true")
    for _again in range(2):
        messages = [message for _level, path, message in said(project.check("schema")) if path == "t.csv"]
        assert sorted(messages) == [
            "column `id` must be unique, but values repeat in 2 of 3 rows (67 %): line 3 `2`, line 4 `2`",
            "column `total` breaks `greater_than_or_equal_to(0)` in 1 of 3 rows (33 %): line 4 `-1`",
            "column `total` breaks `whole_cents` in 1 of 3 rows (33 %): line 3 `0.125`",
        ]
    project.data("t.csv", b"id,total\n1,2.50\n")
    assert project.check("schema") == []


def test_the_staged_file_counts(project: Project) -> None:
    start(project)
    project.git("config", "mlops.schema.python", "true")
    project.git("add", "-A")
    project.write("s/orders.py", b"raise SystemExit")
    project.git("update-index", "--assume-unchanged", "s/orders.py")
    assert len(project.check("schema")) == 3


@pytest.mark.parametrize(
    ("binding", "schema", "message"),
    [
        ("s/orders.py:None_", MODEL, "`None_` in it is no schema"),
        ("s/orders.py", b"x = 1\n", "it has 0 schemas"),
        ("s/orders.py", b"1 / 0\n", "it fails: ZeroDivisionError: division by zero"),
        ("s/orders.py", b"import pandera.pandas as pa\nS = pa.DataFrameSchema({})\n", "it checks nothing"),
    ],
)
def test_what_is_no_schema_is_said(project: Project, binding: str, schema: bytes, message: str) -> None:
    start(project, binding, schema)
    project.git("config", "mlops.schema.python", "true")
    assert said(project.check("schema")) == [("error", "s/orders.py", message)]
