"""Who answers a request, and what happens when a stage changes hands."""

from collections import Counter
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.models import retire
from git_mlops.serve.live import Fleet
from git_mlops.serve.slots import Slot, Wanted
from git_mlops.serve.source import Asked
from tests.serve.conftest import promoted


def fleet(repo: Repo, *wanted: Wanted) -> tuple[Fleet, list[str]]:
    said: list[str] = []
    made = Fleet(repo, wanted, Asked(), said.append)
    made.load()
    return made, said


def version(slot: Slot) -> str | None:
    return slot.current.source.version if slot.current else None


def test_canaries_get_their_share_and_a_key_always_the_same_version(project: Repo) -> None:
    made, _said = fleet(project, Wanted("churn@v1.0.0"), Wanted("churn@v2.0.0", "canary", 20.0))
    chosen = Counter(version(made.choose(f"customer {number}")) for number in range(2000))
    assert 300 < chosen["v2.0.0"] < 500
    assert chosen["v1.0.0"] + chosen["v2.0.0"] == 2000
    assert {version(made.choose("customer 7")) for _again in range(20)} == {
        version(made.choose("customer 7"))
    }


def test_a_canary_waits_until_somebody_holds_its_stage(project: Repo) -> None:
    made, said = fleet(project, Wanted("churn@v1.0.0"), Wanted("churn#canary", "canary", 100.0))
    assert version(made.choose()) == "v1.0.0"
    promoted(project.root, "v2.0.0", "canary")
    made.refresh(made.canaries[0])
    assert version(made.choose()) == "v2.0.0"
    assert said == [
        "the canary churn#canary waits: no version of model `churn` holds the stage `canary`",
        "churn#canary is v2.0.0 now",
    ]


def test_without_a_main_version_nothing_is_served(project: Repo) -> None:
    with pytest.raises(NotFoundError, match="no version of model `churn` holds the stage `prod`"):
        fleet(project, Wanted("churn#prod"))


def test_the_old_version_stays_where_the_new_one_cannot_be_loaded(
    project: Repo, models: dict[str, Path]
) -> None:
    promoted(project.root, "v1.0.0", "prod")
    made, said = fleet(project, Wanted("churn#prod"))
    for held in (project.root / ".dvc" / "cache").rglob("*"):
        if held.is_file() and held.read_bytes() == models["two"].read_bytes():
            held.unlink()
    promoted(project.root, "v2.0.0", "prod")
    made.refresh(made.main)
    made.refresh(made.main)
    assert version(made.main) == "v1.0.0"
    assert len(said) == 1, "not said, or tried, again at every look"
    assert said[0].startswith("churn#prod is v2.0.0 now, which cannot be loaded: the model of churn v2.0.0")
    assert made.told() == [
        {
            "role": "main", "asked": "churn#prod", "model": "churn", "version": "v1.0.0",
            "commit": made.main.current and made.main.current.source.commit,
            "hash": made.main.current and made.main.current.source.hash,
            "problem": "not up to date",
        }
    ]  # fmt: skip


def test_a_version_that_was_taken_back_is_not_loaded(project: Repo, models: dict[str, Path]) -> None:
    retire.retire(project, "churn@v2.0.0", "")
    with pytest.raises(MlopsError, match=r"churn v2\.0\.0 was taken back"):
        fleet(project, Wanted("churn@v2.0.0"))
