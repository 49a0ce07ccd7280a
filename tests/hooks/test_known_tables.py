"""The short way of a commit does not go past what `tables:` and `data.keys` ask for."""

import pytest

from tests.hooks.conftest import Armed
from tests.hooks.test_known import allowed, certain, pointer, settle

GOOD, ALSO_GOOD, TWICE = "age\n1\n2\n", "age\n3\n4\n", "age\n5\n5\n"


def start(project: Armed, settings: str) -> None:
    project.write("mlops.yaml", f"version: 1\n{settings}")
    project.write(".gitignore", "/data.csv\n")
    project.write("users.csv", "age\n1\n2\n3\n4\n")
    pointer(project, GOOD)
    project.git("add", "-A")
    project.git("commit", "-q", "--no-verify", "-m", "data")
    (project.root / "data.csv").unlink(missing_ok=True)
    settle(project)


@pytest.mark.parametrize(
    "settings", ["data: {keys: {data.csv: [age]}}\n", "tables: {data.csv: {unique: [age]}}\n"]
)
@pytest.mark.slow
def test_a_table_goes_the_short_way_once_it_has_a_verdict(project: Armed, settings: str) -> None:
    start(project, settings)
    pointer(project, TWICE)
    project.git("add", "data.csv.dvc")
    assert [(certain(project), allowed(project)) for _again in range(2)] == [(False, False)] * 2
    pointer(project, ALSO_GOOD)
    project.git("add", "data.csv.dvc")
    assert [(certain(project), allowed(project)) for _again in range(2)] == [(False, True), (True, True)]


@pytest.mark.parametrize(
    "table", ["{references: {age: 'users.csv:age'}}", "{fresh: {column: age, within: 1d}}"]
)
def test_what_rests_on_more_than_the_data_never_goes_the_short_way(project: Armed, table: str) -> None:
    start(project, "")
    project.write("mlops.yaml", f"version: 1\ntables: {{data.csv: {table}}}\n")
    project.git("add", "-A")
    project.git("commit", "-q", "--no-verify", "-m", "settings")
    pointer(project, ALSO_GOOD)
    project.git("add", "data.csv.dvc")
    allowed(project)
    assert certain(project) is False
