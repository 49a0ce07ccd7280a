"""One open pull request for a branch, on every forge."""

import threading

import pytest

from git_mlops import forges
from git_mlops.errors import MlopsError
from git_mlops.forges import Draft, Opened
from tests.forges import apps
from tests.forges.apps import TOKEN, GitHub, GitLab, Request
from tests.forges.conftest import Fault, Forge, Start

DRAFT = Draft("retrain/churn-drift", "main", "Retrain churn: drift", "### ✅ pass\n\nbetter")


def opened(forge: Forge, draft: Draft = DRAFT) -> Opened:
    return forges.open_pull(forge.target._replace(number=None), draft, pace=forge.pace)


def test_a_branch_gets_one_pull_request(forge: Forge) -> None:
    done = opened(forge)
    assert (done.action, done.number) == ("created", 20)
    (one,) = forge.app.opened
    assert (one.source, one.into, one.title) == ("retrain/churn-drift", "main", "Retrain churn: drift")
    assert "### ✅ pass\n\nbetter" in one.body


def test_the_second_time_writes_nothing(forge: Forge) -> None:
    opened(forge)
    forge.app.log.clear()
    assert opened(forge).action == "unchanged"
    assert forge.app.sent("POST", "PUT", "PATCH") == []


def test_a_newer_report_replaces_the_description(forge: Forge) -> None:
    opened(forge)
    assert opened(forge, DRAFT._replace(body="### ❌ fail")).action == "updated"
    (one,) = forge.app.opened
    assert ("❌ fail" in one.body, "pass" in one.body) == (True, False)


def test_those_who_were_asked_to_review_stay_and_a_long_description_is_ours_still(forge: Forge) -> None:
    opened(forge, DRAFT._replace(body="a line\n" * 200))
    forge.app.opened = [one._replace(reviewers=("grace",)) for one in forge.app.opened]
    assert opened(forge).action == "updated"
    assert forge.app.opened[0].reviewers == ("grace",)


@pytest.mark.parametrize("how", ["lost", "cut", "late", "empty"])
def test_an_answer_that_does_not_come_makes_no_second_one(forge: Forge, how: str) -> None:
    forge.fail(Fault("POST", status=502, how=how))
    assert opened(forge).action == "created"
    assert len(forge.app.opened) == 1


def test_of_two_jobs_at_once_one_finds_what_the_other_opened(forge: Forge) -> None:
    both = threading.Barrier(2, timeout=5)
    posts: list[Request] = []

    def together(request: Request) -> None:
        if request.method == "POST" and len(posts) < 2:
            posts.append(request)
            both.wait()

    forge.app.before = together
    found: list[Opened] = []
    threads = [threading.Thread(target=lambda: found.append(opened(forge))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.number for one in found} == {20}
    assert len(forge.app.opened) == 1


def test_a_forks_branch_of_the_same_name_is_another_one(forge: Forge) -> None:
    forge.app.opened = [apps.Opened(20, DRAFT.branch, "main", "theirs", "theirs", fork=True)]
    done = opened(forge)
    assert (done.action, done.number) == ("created", 21)
    assert forge.app.opened[0].body == "theirs"


def test_what_people_wrote_around_our_part_stays(start: Start) -> None:
    forge = start(GitHub)
    opened(forge)
    (one,) = forge.app.opened
    forge.app.opened = [one._replace(body=f"Please look at the slices.\n\n{one.body}\n\nCloses nothing.")]
    assert opened(forge, DRAFT._replace(body="### new")).action == "updated"
    body = forge.app.opened[0].body
    assert body.startswith("Please look at the slices.")
    assert body.endswith("Closes nothing.")
    assert "### new" in body


def test_a_description_of_somebodys_own_is_left_alone(forge: Forge) -> None:
    opened(forge)
    forge.app.opened = [one._replace(body="mine") for one in forge.app.opened]
    assert opened(forge).action == "kept"
    assert forge.app.opened[0].body == "mine"


def test_a_report_that_is_too_long_is_cut(forge: Forge) -> None:
    done = opened(forge, DRAFT._replace(body="a line of words\n" * 80_000, whole="All of it is elsewhere."))
    assert done.action == "created"
    assert "All of it is elsewhere." in forge.app.opened[0].body


def test_a_refusal_names_the_permission(start: Start) -> None:
    forge = start(GitLab)
    forge.fail(Fault("POST", status=403, says="insufficient_scope"))
    with pytest.raises(
        MlopsError, match=r"does not let this token open a pull request \(403: insufficient"
    ) as found:
        opened(forge)
    assert found.value.exit_code == 3
    assert "the role Developer" in (found.value.hint or "")


def test_another_refusal_is_no_reason_to_look_for_ever(start: Start) -> None:
    forge = start(GitHub)
    forge.fail(*(Fault("POST", status=422, says="No commits between main and it") for _ in range(2)))
    with pytest.raises(MlopsError, match="No commits between"):
        opened(forge)
    assert forge.app.opened == []


def test_a_dry_run_sends_nothing_and_hides_the_token(forge: Forge) -> None:
    done = forges.open_pull(forge.target, DRAFT, dry_run=True)
    assert forge.app.log == []
    assert done.action == "dry run"
    assert any(request.startswith("POST ") and DRAFT.branch in request for request in done.requests)
    assert not any(TOKEN in request for request in done.requests)
