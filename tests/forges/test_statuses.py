"""The verdict beside the commit, and findings at their lines."""

import pytest

from git_mlops import forges
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from tests.forges.apps import HEAD, Bitbucket, BitbucketServer, GitHub, GitLab
from tests.forges.conftest import Forge, Start

FAILED = {
    "github": "failure",
    "gitlab": "failed",
    "bitbucket": "FAILED",
    "bitbucket-server": "FAILED",
    "gitea": "failure",
    "azure": "failed",
}


def test_the_verdict_stands_beside_the_commit(forge: Forge) -> None:
    forges.status(forge.target, "failure", "auc 0.91 → 0.85", "https://ci.example/1", pace=forge.pace)
    (status,) = forge.app.statuses
    assert (status["state"], status["sha"], status["description"]) == (
        FAILED[forge.target.forge],
        HEAD,
        "auc 0.91 → 0.85",
    )
    assert "https://ci.example/1" in status.values()


def test_a_long_summary_fits(forge: Forge) -> None:
    forges.status(forge.target, "error", "many\nwords " * 200, name="a workflow " * 6, pace=forge.pace)
    (status,) = forge.app.statuses
    assert "\n" not in status["description"]
    assert len(status["description"]) <= 500


def test_the_same_status_again_is_no_error(start: Start) -> None:
    forge = start(GitLab)
    for _ in range(2):
        forges.status(forge.target, "success", "fine", pace=forge.pace)
    assert len(forge.app.statuses) == 1


def test_a_status_without_a_commit_is_an_error(forge: Forge) -> None:
    with pytest.raises(MlopsError, match="which commit"):
        forges.status(forge.target._replace(head=None), "success", "fine")


def test_a_dry_status_sends_nothing(forge: Forge) -> None:
    (shown,) = forges.status(forge.target, "success", "fine", dry_run=True)
    assert (forge.app.log, shown.startswith("POST "), "***" in shown) == ([], True, True)


def test_what_could_not_be_evaluated_is_never_a_success() -> None:
    assert [forges.state_of(code) for code in (0, 1, 2, 3, 130)] == [
        "success",
        "failure",
        "error",
        "error",
        "error",
    ]


FINDINGS = [
    Finding("rule/one", "error", f"bad {n}", path=f"data/{n}.csv.dvc", line=n + 1, hint="mend it")
    for n in range(120)
]


@pytest.mark.parametrize(
    ("kind", "parts"), [(GitHub, [50, 50, 20]), (Bitbucket, [100, 20]), (BitbucketServer, [120])]
)
def test_findings_stand_at_their_lines(start: Start, kind: type[GitHub], parts: list[int]) -> None:
    forge = start(kind)
    nowhere = Finding("rule/two", "warning", "no path")
    assert forges.annotate(forge.target, "failure", "bad", [*FINDINGS, nowhere], pace=forge.pace) == 120
    assert [len(part) for part in forge.app.annotations] == parts
    first = forge.app.annotations[0][0]
    assert (first["path"], first.get("line", first.get("start_line"))) == ("data/0.csv.dvc", 1)


def test_other_forges_have_no_annotations(start: Start) -> None:
    forge = start(GitLab)
    assert forges.annotate(forge.target, "failure", "bad", FINDINGS, pace=forge.pace) is None
    assert forge.app.log == []
