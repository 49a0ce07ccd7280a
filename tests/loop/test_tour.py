"""What the tour of the loop is made of: its scripts, its patients, its forge."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.loop.conftest import TOUR


def tool(name: str) -> ModuleType:
    """A program of the tour, as a module."""
    spec = importlib.util.spec_from_file_location(f"loop_{name}", TOUR / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["demo.sh", "demo-loop.sh", "demo-common.sh"])
def test_the_scripts_are_posix(name: str) -> None:
    done = subprocess.run(["sh", "-n", str(TOUR.parent / name)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_patient_is_real_and_comes_once() -> None:
    tables = tool("tables").tables()
    who = {name: set(table["patient"]) for name, table in tables.items() if "patient" in table}
    assert who["first-and-older"] == who["first"] | who["older"]
    assert sum(len(who[name]) for name in ("first", "older", "newest")) == 442
    assert who["first"] | who["older"] | who["newest"] == set(range(1, 443))
    assert (tables["first"]["age"].max(), tables["older"]["age"].min()) == (49, 50)


def test_the_forge_opens_one_pull_request_of_a_branch_and_lists_it_as_an_issue(tmp_path: Path) -> None:
    forge = tool("forge").Forge(tmp_path / "forge.json")
    pulls, issues = "/repos/a/b/pulls", "/repos/a/b/issues"
    asked = {"title": "t", "head": "retrain/x", "base": "main", "body": "b"}
    assert [forge.answer("POST", pulls, {}, asked)[0] for _ in range(2)] == [201, 422]
    assert forge.answer("POST", issues, {}, {"title": "i", "labels": ["mlops"]})[0] == 201
    found = forge.answer("GET", issues, {"state": "all"}, None)[1]
    assert [(one["number"], "pull_request" in one) for one in found] == [(1, True), (2, False)]
    assert [one["number"] for one in forge.answer("GET", issues, {"labels": "mlops"}, None)[1]] == [2]
    assert forge.answer("GET", pulls, {"head": "a:other"}, None)[1] == []
    assert forge.answer("PATCH", f"{issues}/2", {}, {"state": "closed"})[1]["state"] == "closed"
    assert [forge.answer("GET", issues, {"labels": "mlops", "page": "1"}, None)[1]] == [[]]
