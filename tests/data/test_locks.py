"""dvc.lock: what DVC really writes, read with the dvc.yaml beside it."""

import subprocess

import pytest

from git_mlops.data import pointers
from git_mlops.data.pointers import Out, PointerError
from git_mlops.git.repo import Repo
from tests.conftest import Run

MD5 = "0123456789abcdef0123456789abcdef"
LOCK = f"""\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    outs:
    - path: model.bin
      hash: md5
      md5: {MD5}
      size: 9
"""
BOMB = "x0: &x0 [1]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 12))


def outs(text: str, pipeline: str | None = None) -> tuple[Out, ...]:
    return pointers.parse("dvc.lock", text.encode(), None if pipeline is None else pipeline.encode()).outs


@pytest.mark.parametrize("text", [BOMB, "a: &a [*a]\n"])
def test_a_bomb_of_aliases_is_not_expanded(text: str) -> None:
    with pytest.raises(PointerError, match="its YAML aliases make it too large"):
        outs(text)


def test_aliases_that_dvc_writes_for_shared_parameters_are_read() -> None:
    shared = "    params:\n      params.yaml:\n        a: &id001\n        - 1\n        b: *id001\n"
    assert outs(LOCK + shared) == outs(LOCK)


def test_aliases_that_people_write_into_a_pipeline_are_read() -> None:
    pipeline = "x: &x {cache: false}\nstages:\n  train:\n    outs:\n    - model.bin: *x\n"
    assert outs(LOCK, pipeline)[0].cache is False


def test_a_bomb_in_a_pipeline_only_loses_its_flags() -> None:
    assert outs(LOCK, BOMB) == outs(LOCK)


def test_the_working_directory_of_a_stage_made_for_each_item() -> None:
    lock = LOCK.replace("  train:", "  train@de:").replace("model.bin", "../models/m.bin")
    pipeline = "stages:\n  train:\n    foreach: [de]\n    do:\n      wdir: src/${item}\n"
    assert outs(lock, pipeline)[0].path == "src/models/m.bin"


def test_outputs_of_a_stage_whose_place_is_a_template_are_left_out() -> None:
    assert outs(LOCK, "stages:\n  train:\n    wdir: ${place}\n") == ()


@pytest.mark.parametrize("place", ["/data/model.bin", "../../model.bin"])
def test_an_uncached_output_outside_the_repository_is_left_out(place: str) -> None:
    pipeline = f"stages:\n  train:\n    outs:\n    - {place}: {{cache: false}}\n"
    assert outs(LOCK.replace("model.bin", place), pipeline) == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.dvc", True), ("sub/a.dvc", True), ("dvc.lock", True), ("x.dvc/dvc.lock", True),
        (".dvc", False), (".dvc/config", False), (".dvc/tmp/exps/x.dvc", False), ("sub/.dvc/dvc.lock", False),
    ],
)  # fmt: skip
def test_what_lies_in_dvcs_own_directory_is_no_pointer(path: str, *, expected: bool) -> None:
    assert pointers.is_pointer(path) is expected


def test_a_pipeline_that_works_in_a_directory_passes_the_check(dvc_repo: Repo, run: Run, mlops: Run) -> None:
    """DVC writes aliases for `x`, and a path that only dvc.yaml says is inside the repository."""
    root = dvc_repo.root
    (root / "sub").mkdir()
    (root / "params.yaml").write_text("x: &x [1, 2]\ny: *x\n")
    (root / "dvc.yaml").write_text(
        "stages:\n  a:\n    wdir: sub\n    cmd: echo a > ../a.txt\n    params:\n"
        "    - ../params.yaml: [x, y]\n    outs: [../a.txt]\n"
    )
    run("dvc", "repro", "-q", cwd=root)
    assert "*id001" in (root / "dvc.lock").read_text()
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    assert mlops("check", "--staged", cwd=root).stdout == "ok (staged changes)\n"
