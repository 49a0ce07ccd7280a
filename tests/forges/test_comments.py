"""One comment per workflow, on every forge."""

import threading

import pytest

from git_mlops import forges
from git_mlops.errors import MlopsError
from git_mlops.forges import marks
from git_mlops.reports.markdown import escape
from tests.forges.apps import HEAD, ME, Gitea, GitHub, GitLab, Request
from tests.forges.conftest import Fault, Forge, Start

OTHER = "b" * 40


def test_the_first_report_is_one_comment(forge: Forge) -> None:
    posted = forge.post("### ✅ pass\n\nall is well")
    assert (posted.action, posted.number, posted.removed) == ("created", 7, 0)
    (body,) = forge.app.written()
    assert "### ✅ pass\n\nall is well" in body


def test_the_second_report_updates_it_in_place(forge: Forge) -> None:
    forge.post("### ❌ fail")
    assert forge.post("### ✅ pass").action == "updated"
    (body,) = forge.app.written()
    assert "pass" in body
    assert "❌" not in body


def test_the_same_report_again_writes_nothing(forge: Forge) -> None:
    forge.post("### ✅ pass")
    forge.app.log.clear()
    assert forge.post("### ✅ pass").action == "unchanged"
    assert [line for line in forge.app.sent("POST", "PUT", "PATCH", "DELETE") if "graphql" not in line] == []


def test_two_workflows_have_a_comment_each(forge: Forge) -> None:
    forge.post("### one", marker="train")
    forge.post("### two", marker="serve & monitor")
    forge.post("### three", marker="train")
    first, second = forge.app.written()
    assert ("three" in first, "two" in second) == (True, True)


def test_an_earlier_push_stays_as_a_line(forge: Forge) -> None:
    forge.post("### ❌ fail: auc 0.91 → 0.85\n\nlong table")
    for commit in (OTHER, "c" * 40):  # pushed, then the branch was rebased and forced
        forge.app.pulls[0] = (7, commit)
        forge.post("### ✅ pass", target=forge.target._replace(head=commit))
    (body,) = forge.app.written()
    assert "long table" not in body
    lines = [line for line in body.splitlines() if line.startswith("- `")]
    assert lines == [f"- `{OTHER}`: ✅ pass", f"- `{HEAD}`: ❌ fail: auc 0.91 → 0.85"]


def test_earlier_pushes_are_capped(forge: Forge) -> None:
    for n in range(17):
        commit = f"{n:040x}"
        forge.app.pulls[0] = (7, commit)
        forge.post(f"### push {n}", target=forge.target._replace(head=commit))
    (body,) = forge.app.written()
    lines = [line for line in body.splitlines() if line.startswith("- `")]
    assert (len(lines), lines[0]) == (15, f"- `{15:040x}`: push 15")


def test_our_comment_is_found_on_the_last_page(forge: Forge) -> None:
    forge.app.size = 3
    for n in range(4):
        forge.app.seed("grace", f"remark {n}")
    forge.post("### one")
    for n in range(4):
        forge.app.seed("grace", f"answer {n}")
    assert forge.post("### two").action == "updated"
    assert len(forge.app.written()) == 1


def test_a_list_that_ignores_pages_is_read_once(start: Start) -> None:
    forge = start(Gitea)
    forge.app.paged = False  # type: ignore[attr-defined]  # Gitea's
    for n in range(120):
        forge.app.seed("grace", f"remark {n}")
    forge.post("### one")
    assert forge.post("### two").action == "updated"


def test_somebody_elses_comment_with_our_mark_is_left_alone(forge: Forge) -> None:
    forge.post("### mine")
    (stolen,) = forge.app.written()
    forge.app.notes.clear()
    forge.app.seed("mallory", stolen)
    assert forge.post("### mine").action == "created"
    assert (len(forge.app.written()), forge.app.written("mallory")) == (1, [stolen])
    forge.post("### mine, again")
    assert (len(forge.app.written()), forge.app.written("mallory")) == (1, [stolen])


def test_a_comment_of_ours_that_quotes_the_mark_is_left_alone(forge: Forge) -> None:
    forge.post("### mine")
    (quoted,) = forge.app.written()
    forge.app.notes.clear()
    forge.app.seed(ME, f"look:\n\n> {quoted}\n\nthat was it")
    assert forge.post("### mine").action == "created"
    assert len(forge.app.written()) == 2


def test_who_may_not_ask_its_name_learns_it_by_writing(forge: Forge) -> None:
    forge.app.anonymous = True
    forge.post("### one")
    (stolen,) = forge.app.written()
    forge.app.seed("mallory", stolen)
    posted = forge.post("### two")
    assert (posted.action, posted.removed) == ("updated", 1)
    (body,) = forge.app.written()
    assert "two" in body
    assert forge.app.written("mallory") == [stolen]


def test_two_writers_at_once_leave_one_comment(forge: Forge) -> None:
    both = threading.Barrier(2, timeout=10)  # neither writes before both have looked
    forge.pace = forge.pace._replace(timeout=20)

    def meet(request: Request) -> None:
        if request.method == "POST" and request.path.endswith(("comments", "notes", "threads")):
            both.wait()

    forge.app.before = meet
    failures: list[BaseException] = []

    def write(words: str) -> None:
        try:
            forge.post(words)
        except BaseException as error:  # noqa: BLE001  # shown by the test's thread
            failures.append(error)

    writers = [threading.Thread(target=write, args=(f"### writer {n}",)) for n in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert len([line for line in forge.app.sent("POST") if "graphql" not in line]) == 2
    (body,) = forge.app.written()
    assert "writer" in body


def test_a_comment_that_left_no_answer_is_not_written_twice(forge: Forge) -> None:
    forge.fail(Fault("POST", path=f"/{forge.target.number}/", how="lost"))
    assert forge.post("### once").action == "unchanged"
    assert len(forge.app.written()) == 1


@pytest.mark.parametrize("how", ["lost", "cut", "slow", "empty"])
def test_without_a_name_an_unanswered_comment_is_found_too(how: str, start: Start) -> None:
    forge = start(GitLab)
    forge.app.anonymous = True
    forge.fail(Fault("POST", path="notes", how=how))
    posted = forge.post("### once")
    assert len(forge.app.written()) == 1
    assert posted.removed == 1


def test_an_answer_that_names_no_comment_is_looked_up(forge: Forge) -> None:
    forge.fail(Fault("POST", path=f"/{forge.target.number}/", how="empty"))
    assert forge.post("### once").action == "unchanged"
    assert len(forge.app.written()) == 1


def test_a_list_that_lags_behind_does_not_double(forge: Forge) -> None:
    forge.app.seed("grace", "hello")
    forge.app.lists_behind = 3
    forge.post("### once")
    assert len(forge.app.written()) == 1


def test_a_comment_deleted_meanwhile_is_written_again(start: Start) -> None:
    forge = start(GitHub)
    forge.post("### one")
    forge.fail(Fault("PATCH", 404))
    forge.app.before = lambda request: forge.app.notes.clear() if request.method == "PATCH" else None
    assert forge.post("### two").action in ("created", "updated")
    assert len(forge.app.written()) == 1


def test_an_outdated_run_does_not_replace_the_newer_report(forge: Forge) -> None:
    forge.app.pulls[0] = (7, OTHER)
    forge.post("### newer", target=forge.target._replace(head=OTHER))
    assert forge.post("### older").action == "outdated"
    (body,) = forge.app.written()
    assert "newer" in body


def test_the_number_is_found_by_the_head_commit(forge: Forge) -> None:
    forge.app.size = 2
    forge.app.pulls[:] = [(n, f"{n:040x}") for n in (1, 2, 3, 4, 5)] + [(7, HEAD)]
    unknown = forge.target._replace(number=None)
    assert forges.pull_request(unknown, pace=forge.pace).number == 7


def test_a_head_that_no_pull_request_has_is_refused(forge: Forge) -> None:
    unknown = forge.target._replace(number=None, head=OTHER)
    with pytest.raises(MlopsError, match="no open pull request has the head `bbbbbbbbbbbb`") as caught:
        forge.post(target=unknown)
    assert caught.value.exit_code == 3


def test_a_head_of_two_pull_requests_is_not_guessed(forge: Forge) -> None:
    forge.app.pulls.append((8, HEAD))
    with pytest.raises(MlopsError, match=r"2 open pull requests have the head .*: #7, #8"):
        forge.post(target=forge.target._replace(number=None))


def test_a_report_too_long_is_cut_where_nothing_stays_open(forge: Forge) -> None:
    limit, line = forges.FORGES[forge.target.forge].LIMIT, "🔥" + " wide" * 20 + "\n"
    body = "### ❌ fail\n\n<details><summary>all</summary>\n\n```\n" + line * (limit // len(line) + 1)
    forge.post(body)
    (written,) = forge.app.written()
    assert "more characters do not fit" in written
    assert "[The run](https://ci.example/run/1) has the whole." in written
    assert "\n```\n" in written[written.rindex("🔥") :]


def test_earlier_pushes_make_room_for_the_report(forge: Forge) -> None:
    forge.post("### ❌ " + "fail " * 30)
    forge.app.pulls[0] = (7, OTHER)
    limit = forges.FORGES[forge.target.forge].LIMIT
    forge.post("### big\n\n" + "x" * (limit - 290), target=forge.target._replace(head=OTHER))
    (written,) = forge.app.written()
    assert ("do not fit" in written, HEAD in written) == (False, False)


def test_a_path_in_the_report_is_no_order_to_gitlab(start: Start) -> None:
    forge = start(GitLab)
    forge.post("### fail\n\n```\n/merge\n```\n/approve")
    (written,) = forge.app.written()
    assert [line for line in written.splitlines() if line.startswith("/")] == []


def test_a_name_in_the_report_mentions_nobody(forge: Forge) -> None:
    forge.post("### fail\n\n" + escape("column @org/team of #12, see https://evil.example"))
    (written,) = forge.app.written()
    assert "@\u200borg/team of #\u200b12, see https:\u200b//evil" in written


def test_a_dry_run_sends_nothing_and_hides_the_token(forge: Forge) -> None:
    posted = forge.post("### words", dry_run=True)
    assert (posted.action, forge.app.log) == ("dry run", [])
    last = posted.requests[-1]
    assert last.startswith(f"POST {forge.target.api}")
    assert "### words" in last
    assert ": ***\n" in last
    assert "s3cret" not in repr(posted)


@pytest.mark.parametrize(
    ("marker", "slug"),
    [("report", "report"), ("a--b", "a-b-1dbf8efd"), ("мл", "c1a0e3a5"), ("-->", "b4a0f2c5")],
)
def test_a_marker_becomes_a_word(marker: str, slug: str) -> None:
    assert marks.slug(marker).rpartition("-")[0] == slug.rpartition("-")[0]
    assert "--" not in marks.slug(marker)
    assert marks.slug(marker) == marks.slug(marker)


@pytest.mark.parametrize("hidden", [True, False])
def test_what_is_written_around_a_report_is_read_again(hidden: bool) -> None:
    pushes = [marks.push(f"{n:040x}", f"❌ fail {n}: <b>`x`</b> --> http://e") for n in range(4)]
    before, after = marks.around("report", pushes[0], pushes[1:], hidden=hidden)
    body = f"{before}### words\n\n- `abcdef1`: a list\n{after}".replace("\n", "\r\n")
    assert marks.is_marked(body, "report", hidden=hidden)
    assert not marks.is_marked(body, "other", hidden=hidden)
    assert marks.pushes(body, hidden=hidden) == pushes


@pytest.mark.parametrize(
    "state", ["", "e30=", "W10=", "bm90IGpzb24=", "W1siYSJdXQ==", "W1tbXSwgMV1d", "//79", "=", "W3siYSI6MX1d"]
)
def test_a_damaged_state_is_no_state(state: str) -> None:
    body = f"<!-- git-mlops:report:report -->\n<!-- git-mlops:state:{state} -->\n\n### words\n"
    assert marks.pushes(body, hidden=True) == []
