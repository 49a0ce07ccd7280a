"""The project: everything that a result depends on is named and fixed."""

import re
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parent.parent


def read(path: str) -> dict:
    return yaml.safe_load((TOP / path).read_text(encoding="utf-8"))


def packages(path: str) -> dict[str, str]:
    """Package → the rest of its line."""
    lines = (TOP / path).read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9._-]+)(.*)", line) for line in lines if not line.startswith("#"))
    return {match[1].lower(): match[2] for match in found if match}


def test_every_package_is_locked_to_one_version() -> None:
    locked = packages("requirements.lock")
    assert set(packages("requirements.txt")) - set(locked) == set()
    assert [name for name, rest in locked.items() if not rest.startswith("==")] == []


@pytest.mark.parametrize("stage", read("dvc.yaml")["stages"])
def test_the_code_that_a_stage_depends_on_is_there(stage: str) -> None:
    deps = read("dvc.yaml")["stages"][stage]["deps"]
    code = [path for path in deps if path.startswith(("src/", "prompts/"))]
    assert code
    assert [path for path in code if not (TOP / path).exists()] == []


def test_seeds_are_parameters() -> None:
    seeds = [section["seed"] for section in read("params.yaml").values() if "seed" in section]
    assert seeds
    assert [seed for seed in seeds if not isinstance(seed, int)] == []


def test_every_gate_is_of_a_metric_with_a_direction() -> None:
    settings = read("mlops.yaml")
    metrics = settings["experiments"]["metrics"]
    assert [gate for gate in settings["gates"] if gate.rpartition(".")[2] not in metrics] == []
