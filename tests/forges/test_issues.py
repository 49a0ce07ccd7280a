"""One issue per alert, on every forge that has issues."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops import forges
from git_mlops.errors import MlopsError
from git_mlops.forges import Kept, Notice, issue_ways, marks
from git_mlops.reports.markdown import escape
from tests.forges.apps import APPS, TOKEN, Azure, Bitbucket, BitbucketServer, Gitea, GitHub, GitLab
from tests.forges.conftest import Fault, Forge, Start
from tests.forges.trackers import ME, Request, Ticket

TRACKERS = [kind for kind in APPS if kind is not BitbucketServer]
DRIFT = Notice(
    "churn#prod:drift",
    "churn, prod: drift",
    "2026-05-01T12:00:00Z",
    "**1 finding**: the log against `train.csv`\n\n- error `drift`: `age` moved",
    "age",
)
GONE = Notice(DRIFT.key, DRIFT.title, "2026-05-03T12:00:00Z", gone=True)


@pytest.fixture(params=TRACKERS, ids=[kind.forge for kind in TRACKERS])
def tracker(request: pytest.FixtureRequest, start: Start) -> Forge:
    """Every forge with issues in turn."""
    return start(request.param)


def keep(forge: Forge, *notices: Notice, kind: str | None = None) -> list[Kept]:
    return forges.keep_issues(forge.target, notices or (DRIFT,), pace=forge.pace, kind=kind)


def at(day: int, said: str = "age", body: str = "") -> Notice:
    return DRIFT._replace(time=f"2026-05-{day:02}T12:00:00Z", said=said, body=body or DRIFT.body)


def words(forge: Forge) -> str:
    """Of the one issue there is."""
    (one,) = forge.app.tracker.written()
    return issue_ways.from_html(one.body) if forge.app.forge == "azure" else one.body


def test_an_alert_opens_one_issue_with_a_label(tracker: Forge) -> None:
    (done,) = keep(tracker)
    assert (done.action, done.number) == ("created", 1)
    (one,) = tracker.app.tracker.written()
    assert one.title == "git-mlops: churn, prod: drift"
    assert "error `drift`: `age` moved" in words(tracker)
    assert one.labels == ([] if tracker.app.forge == "bitbucket" else ["git-mlops"])


def test_the_next_run_updates_it_in_place(tracker: Forge) -> None:
    keep(tracker)
    (done,) = keep(tracker, at(2, "age, city", "- `age` and `city` moved"))
    assert (done.action, done.number) == ("updated", 1)
    assert "`age` and `city` moved" in words(tracker)
    assert "- `2026-05-01T12:00:00Z`: age" in words(tracker)
    assert len(tracker.app.tracker.tickets) == 1


def test_the_same_run_again_writes_nothing(tracker: Forge) -> None:
    keep(tracker)
    tracker.app.log.clear()
    assert keep(tracker)[0].action == "unchanged"
    sent = tracker.app.sent("POST", "PUT", "PATCH", "DELETE")
    assert [line for line in sent if not line.endswith(("graphql", "wiql"))] == []


def test_an_older_run_does_not_replace_a_newer_one(tracker: Forge) -> None:
    keep(tracker, at(3, body="newer"))
    assert keep(tracker, at(2, body="older"))[0].action == "outdated"
    assert "newer" in words(tracker)


def test_runs_that_say_the_same_take_one_line(tracker: Forge) -> None:
    for day in range(1, 6):
        keep(tracker, at(day))
    keep(tracker, at(6, "city"))
    earlier = [line for line in words(tracker).splitlines() if line.startswith("- `2026")]
    assert earlier == ["- `2026-05-05T12:00:00Z`: age", "- `2026-05-01T12:00:00Z`: age"]


def test_each_alert_has_an_issue_of_its_own(tracker: Forge) -> None:
    other = DRIFT._replace(key="churn#prod:quality", title="churn, prod: quality")
    assert [one.number for one in keep(tracker, DRIFT, other)] == [1, 2]
    assert [one.number for one in keep(tracker, other, DRIFT)] == [2, 1]
    assert len(tracker.app.tracker.tickets) == 2


def test_what_is_gone_closes_the_issue_and_says_so(tracker: Forge) -> None:
    keep(tracker)
    assert keep(tracker, GONE)[0].action == "closed"
    (one,) = tracker.app.tracker.written(open_=False)
    assert ["No longer found since 2026-05-03T12:00:00Z." in said for said in one.comments] == [True]
    assert keep(tracker, GONE._replace(time="2026-05-04T12:00:00Z"))[0].action == "unchanged"
    assert len(one.comments) == 1


def test_what_returns_opens_the_issue_again(tracker: Forge) -> None:
    keep(tracker)
    keep(tracker, GONE)
    assert keep(tracker, at(5))[0].action == "reopened"
    assert "- `2026-05-03T12:00:00Z`: no longer found" in words(tracker)
    (one,) = tracker.app.tracker.written()
    assert ["Found again: 2026-05-05T12:00:00Z." in said for said in one.comments] == [False, True]


def test_what_a_person_closed_stays_closed_until_it_was_gone(tracker: Forge) -> None:
    keep(tracker)
    tracker.app.tracker.tickets[1].open = False
    assert keep(tracker, at(2))[0].action == "left closed"
    assert tracker.app.tracker.tickets[1].open is False
    assert keep(tracker, GONE)[0].action == "updated"
    assert keep(tracker, at(5))[0].action == "reopened"


def test_what_is_gone_and_has_no_issue_writes_nothing(tracker: Forge) -> None:
    assert keep(tracker, GONE)[0].action == "absent"
    assert tracker.app.tracker.tickets == {}


@pytest.mark.parametrize("how", ["lost", "cut", "late", "empty", "slow"])
def test_an_answer_that_does_not_come_makes_no_second_issue(tracker: Forge, how: str) -> None:
    place = "workitems/" if tracker.app.forge == "azure" else "/issues"
    tracker.fail(Fault("POST", status=502, how=how, path=place))
    if tracker.app.forge == "gitea":
        tracker.app.tracker.labels.append("git-mlops")
    assert keep(tracker)[0].action == "created"
    assert len(tracker.app.tracker.tickets) == 1


@pytest.mark.parametrize("kind", [GitHub, GitLab])
def test_a_busy_forge_is_asked_again(kind: type[GitHub], start: Start) -> None:
    forge = start(kind)
    faults = [Fault("GET", 429, {"Retry-After": "7"}, "/issues"), Fault("GET", 500, path="/issues")]
    forge.fail(*faults)
    assert keep(forge)[0].action == "created"
    assert forge.waits[0] == 7


def test_two_writers_at_once_leave_one_issue(tracker: Forge) -> None:
    both = threading.Barrier(2, timeout=10)  # neither writes before both have looked
    tracker.pace = tracker.pace._replace(timeout=20)
    tracker.app.tracker.labels.append("git-mlops")

    def meet(request: Request) -> None:
        if request.method == "POST" and request.path.endswith(("/issues", "/%24Issue")):
            both.wait()

    tracker.app.before = meet
    found: list[Kept] = []
    failures: list[BaseException] = []

    def write() -> None:
        try:
            found.extend(keep(tracker))
        except BaseException as error:  # noqa: BLE001  # shown by the test's thread
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert {one.number for one in found} == {1}
    assert [one.number for one in tracker.app.tracker.written()] == [1]
    tracker.app.before = lambda _: None
    assert keep(tracker, at(2))[0].number == 1


def test_a_list_that_lags_behind_does_not_double(tracker: Forge) -> None:
    tracker.app.lists_behind = 9
    keep(tracker)
    tracker.app.lists_behind = 0
    assert keep(tracker, at(2))[0].action == "updated"
    assert len(tracker.app.tracker.tickets) == 1


def test_an_issue_that_lost_its_label_gets_it_again(tracker: Forge) -> None:
    keep(tracker)
    tracker.app.tracker.tickets[1].labels = ["bug"]
    assert keep(tracker, at(2))[0].action == "updated"
    expected = ["bug"] if tracker.app.forge == "bitbucket" else ["bug", "git-mlops"]
    assert tracker.app.tracker.tickets[1].labels == expected


def test_somebody_elses_issue_with_our_mark_is_left_alone(tracker: Forge) -> None:
    keep(tracker)
    tracker.app.tracker.tickets[1].author = "mallory"
    assert keep(tracker, at(2))[0].number == 2
    assert "2026-05-02" not in tracker.app.tracker.tickets[1].body


def test_who_may_not_ask_its_name_goes_by_the_label(tracker: Forge) -> None:
    tracker.app.anonymous = True
    assert keep(tracker)[0].action == "created"
    assert keep(tracker, at(2))[0].action == "updated"
    stranger = Ticket(2, "git-mlops?", tracker.app.tracker.tickets[1].body, [], "mallory")
    tracker.app.tracker.tickets[2] = stranger
    assert keep(tracker, at(3))[0].number == 1


@pytest.mark.parametrize("kind", [GitHub, GitLab, Gitea])
def test_without_a_name_and_a_label_no_second_issue_is_left_open(kind: type[GitHub], start: Start) -> None:
    forge = start(kind)
    forge.app.anonymous, forge.app.tracker.may_label = True, False
    with pytest.raises(MlopsError, match="did not give the issue the label `git-mlops`"):
        keep(forge)
    assert forge.app.tracker.written() == []


def test_without_the_right_to_label_it_is_found_by_its_author(tracker: Forge) -> None:
    tracker.app.tracker.may_label = False
    keep(tracker)
    assert keep(tracker, at(2))[0].action == "updated"
    assert len(tracker.app.tracker.tickets) == 1


def test_an_issue_deleted_meanwhile_is_opened_again(tracker: Forge) -> None:
    keep(tracker)

    def vanish(request: Request) -> None:
        if request.method in ("PATCH", "PUT"):
            tracker.app.tracker.tickets.pop(1, None)

    tracker.app.before = vanish
    assert keep(tracker, at(2))[0].action == "created"
    assert len(tracker.app.tracker.tickets) == 1


@pytest.mark.parametrize(
    ("kind", "said", "hint"),
    [
        (
            GitHub,
            r"refused to keep issues \(410: Issues has been disabled",
            "issues switched on in the settings",
        ),
        (GitLab, r"does not let this token keep issues \(403: 403 Forbidden", "issues switched on"),
        (Gitea, r"knows no `ada/models`", "`write:issue`"),
        (
            Bitbucket,
            r"hides it from this token \(404: Repository has no issue tracker",
            "the issue tracker switched",
        ),
        (Azure, r"knows no `Team Project/models`", "Work items"),
    ],
)
def test_a_forge_whose_issues_are_off_says_so(kind: type[GitHub], said: str, hint: str, start: Start) -> None:
    forge = start(kind)
    forge.app.tracker.off = True
    with pytest.raises(MlopsError, match=said) as caught:
        keep(forge)
    assert caught.value.exit_code == 3
    assert hint in (caught.value.hint or "")


def test_bitbucket_data_center_has_no_issues(start: Start) -> None:
    forge = start(BitbucketServer)
    with pytest.raises(MlopsError, match="Bitbucket Data Center has no issues") as caught:
        keep(forge)
    assert (caught.value.exit_code, "Jira" in (caught.value.hint or ""), forge.app.log) == (2, True, [])


def test_azure_takes_the_type_that_the_project_has(start: Start) -> None:
    forge = start(Azure)
    forge.app.tracker.kinds = ["Impediment", "Task"]
    keep(forge)
    keep(forge, DRIFT._replace(key="other"), kind="Impediment")
    assert [one.kind for one in forge.app.tracker.tickets.values()] == ["Task", "Impediment"]
    with pytest.raises(MlopsError, match="VS402323: Work item type Nothing does not exist"):
        keep(forge, DRIFT._replace(key="third"), kind="Nothing")


def test_hostile_words_do_nothing(tracker: Forge) -> None:
    hostile = "@org/team <img src=x onerror=alert(1)> [x](https://evil.example) `\n/close\n-->"
    body = f"- {escape(hostile)}\n/close"
    keep(tracker, DRIFT._replace(title=hostile, said=hostile, body=body))
    (one,) = tracker.app.tracker.written()
    for text in (one.title, one.body):
        assert "@org" not in text
        assert "](https://" not in text
        assert "<img" not in text or tracker.app.forge == "bitbucket"  # which shows it as text
        assert "https://evil" not in text
    assert "\n" not in one.title
    assert keep(tracker, at(2))[0].number == 1


def test_a_body_too_long_is_cut(tracker: Forge) -> None:
    limit = forges.FORGES[tracker.app.forge].LIMIT
    keep(tracker, DRIFT._replace(body="- a line of words\n" * (limit // 16)))
    assert "`git mlops monitor history` has the whole." in words(tracker)
    assert keep(tracker, at(2))[0].action == "updated"


def test_a_dry_run_sends_nothing_and_hides_the_token(tracker: Forge) -> None:
    first, done = forges.keep_issues(tracker.target, [DRIFT, GONE], dry_run=True)
    assert tracker.app.log == []
    assert (first.action, done.action) == ("dry run", "dry run")
    assert done.requests[-1].startswith(f"POST {tracker.target.api}")
    assert "git-mlops: churn, prod: drift" in done.requests[-1]
    assert not any(TOKEN in request for request in (*first.requests, *done.requests))


def test_our_markdown_comes_back_from_azures_html() -> None:
    said = "**1 finding** of `a<b>`\n\n- *one*: `x & y`\n- two\n\n[The run](https://ci.example/1)"
    made = issue_ways.to_html(said)
    assert made == (
        "<p><b>1 finding</b> of <code>a&lt;b&gt;</code></p><ul><li><i>one</i>: <code>x &amp; y</code></li>"
        '<li>two</li></ul><p><a href="https://ci.example/1">The run</a></p>'
    )
    assert issue_ways.from_html(made) == said.replace("[The run](https://ci.example/1)", "The run")
    spaced = made.replace("><", ">\n  <").replace("<b>", '<strong style="">').replace("</b>", "</strong>")
    assert issue_ways.from_html(spaced) == issue_ways.from_html(made)


def test_the_author_is_who_the_forge_says(tracker: Forge) -> None:
    keep(tracker)
    assert tracker.app.tracker.tickets[1].author == ME


def test_an_issue_without_its_label_is_closed_when_the_alert_is_gone(tracker: Forge) -> None:
    tracker.app.tracker.may_label = False
    keep(tracker)
    assert keep(tracker, GONE)[0].action == "closed"


def test_a_name_that_is_no_author_is_no_failure(start: Start) -> None:
    forge = start(GitHub)
    forge.fail(Fault("GET", 422, path="creator", says="Validation Failed"))
    assert keep(forge)[0].action == "created"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.text(max_size=120))
def test_marks_are_read_again_from_azures_html(verdicts: list[str], body: str) -> None:
    pushes = [
        marks.push(f"2026-05-{n + 1:02}T12:00:00Z", said or "x", marks.ISSUE)
        for n, said in enumerate(verdicts)
    ]
    mark = marks.Mark("m-drift-01234567", hidden=False, form=marks.ISSUE)
    made = marks.written(mark, f"- {escape(body)}", pushes[0], pushes[1:], 150_000, "")
    read = issue_ways.from_html(issue_ways.to_html(made))
    assert marks.is_marked(read, mark.label, hidden=False, form=marks.ISSUE)
    assert marks.pushes(read, hidden=False, form=marks.ISSUE) == pushes
