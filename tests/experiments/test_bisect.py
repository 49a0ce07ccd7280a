"""`git mlops bisect`: the first bad commit, from recorded results where there are any."""

import json
import sys

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import bisect, where
from git_mlops.experiments import run as running
from git_mlops.experiments.bisect import Found, Probe, Question
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo, head
from tests.conftest import Run
from tests.experiments.conftest import commit, listed
from tests.experiments.test_worktree import state

TRAIN = "import json\nexec(open('model.py').read())\njson.dump({'auc': auc}, open('metrics.json', 'w'))\n"
PLAN = Plan((sys.executable, "train.py"), directory="")


@pytest.fixture
def history(repo: Repo) -> list[str]:
    """Ten commits; from the seventh on the model is worse."""
    commits = []
    for number in range(10):
        auc = 0.9 if number < 6 else 0.7
        commit(
            repo,
            {
                "train.py": TRAIN,
                "model.py": f"auc = {auc}\n",
                ".gitignore": "metrics.json\n",
                "n": f"{number}",
            },
        )
        commits.append(head(repo) or "")
    return commits


def search(
    repo: Repo, expression: str, good: str, bad: str, *, run: bool = True
) -> tuple[Found, list[Probe]]:
    seen: list[Probe] = []
    question = Question(expression, PLAN, run)
    found = bisect.bisect(repo, question, good, bad, Settings(), DataSettings(), probed=seen.append)
    return found, seen


def test_the_first_bad_commit_is_named_with_what_changed(repo: Repo, history: list[str]) -> None:
    before = state(repo)
    found, seen = search(repo, "metrics.auc < 0.8", history[0], "HEAD")
    assert found.commits == (history[6],)
    assert (found.author, found.subject) == ("Ada", "change")
    assert found.difference is not None
    assert [(m.name, m.old, m.new) for m in found.difference.metrics] == [("auc", 0.9, 0.7)]
    assert [change.path for change in found.difference.code] == ["model.py", "n"]
    assert len(seen) <= 6
    assert all(probe.ran for probe in seen)
    assert state(repo) == before


def test_what_is_recorded_is_not_run_again(repo: Repo, history: list[str]) -> None:
    search(repo, "metrics.auc < 0.8", history[0], history[9])
    count = len(listed(repo))
    found, seen = search(repo, "metrics.auc < 0.75", history[0], history[9])
    assert (found.commits, any(probe.ran for probe in seen), len(listed(repo))) == (
        (history[6],),
        False,
        count,
    )
    assert search(repo, "metrics.auc < 0.8", history[0], history[9], run=False)[0].commits == (history[6],)


def test_results_of_other_parameters_or_code_are_not_the_commits(repo: Repo, history: list[str]) -> None:
    (repo.root / "model.py").write_text("auc = 0.99\n")
    running.run(repo, PLAN, Request("dirty"), Settings(), DataSettings(), started=lambda _subject: None)
    repo.git("checkout", "-q", "--", ".")
    found, _seen = search(repo, "metrics.auc < 0.8", history[0], "HEAD")
    assert found.commits == (history[6],)


def test_commits_that_cannot_be_judged_are_skipped(repo: Repo, history: list[str]) -> None:
    middle = {3: "raise SystemExit(1)\n", 4: "auc = None\n"}
    commits = [history[0]]
    repo.git("reset", "-q", "--hard", history[0])
    for number in range(1, 8):
        commit(
            repo,
            {"model.py": middle.get(number, f"auc = {0.9 if number < 3 else 0.7}\n"), "n": f"other {number}"},
        )
        commits.append(head(repo) or "")
    found, seen = search(repo, "metrics.auc < 0.8", commits[0], "HEAD")
    assert found.commits[0] == commits[5]
    assert set(found.commits[1:]) == {commits[3], commits[4]}
    reasons = {probe.commit: probe.reason for probe in seen if probe.bad is None}
    assert reasons == {commits[3]: "its run failed", commits[4]: "it has no `metrics.auc`"}


def test_wrong_ends_are_errors(repo: Repo, history: list[str]) -> None:
    with pytest.raises(MlopsError, match="is true for `HEAD~1` already"):
        search(repo, "metrics.auc < 0.8", "HEAD~1", "HEAD")
    with pytest.raises(MlopsError, match=f"is false for `{history[3]}` already"):
        search(repo, "metrics.auc < 0.8", history[0], history[3])
    with pytest.raises(MlopsError, match=f"`HEAD` is no ancestor of `{history[3]}`"):
        search(repo, "metrics.auc < 0.8", "HEAD", history[3])
    with pytest.raises(MlopsError, match=r"cannot be judged: it has no `metrics.f1`") as caught:
        search(repo, "metrics.f1 < 0.8", history[0], "HEAD", run=False)
    assert caught.value.exit_code == CANNOT_EVALUATE


def test_names_of_an_expression() -> None:
    assert where.names_in("metrics.a > 1 and not (params.b in (1, x) or metrics.a)") == [
        "metrics.a",
        "params.b",
        "x",
    ]


def test_as_a_user_runs_it(repo: Repo, history: list[str], mlops: Run) -> None:
    words = ("metrics.auc < 0.8", history[0], "HEAD")
    done = mlops("bisect", *words, "--", sys.executable, "train.py", cwd=repo.root)
    assert done.stdout.splitlines()[0] == f"{history[6]} is the first bad commit"
    assert "auc" in done.stdout
    assert "(ran: " in done.stderr
    answer = json.loads(mlops("bisect", "--json", "--no-run", *words, cwd=repo.root).stdout)["data"]
    assert answer["commits"] == [history[6]]
    assert "expected" in mlops("bisect", "metrics.auc <", *words[1:], cwd=repo.root, status=2).stderr
