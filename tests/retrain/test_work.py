"""What a retraining makes, in this process: branch, commit, comparison, and what it leaves when it cannot."""

import json
import os
import sys
from pathlib import Path

import pytest

from git_mlops.config import Config
from git_mlops.errors import MlopsError
from git_mlops.experiments import read
from git_mlops.git import histories, refs
from git_mlops.git.repo import discover
from git_mlops.lineage import build, sources
from git_mlops.models import promote, register
from git_mlops.models.context import Context
from git_mlops.monitor import history
from git_mlops.retrain import cause, plan, report, work
from git_mlops.retrain.newdata import New
from git_mlops.retrain.plan import Request
from git_mlops.retrain.report import Report
from tests.conftest import Run
from tests.retrain.conftest import Project, table

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of a library of DVC's

BRANCH = "retrain/line-new-data"


def retrained(project: Project, *, pull: bool = False, **data: Path) -> Report:
    new = tuple(New(f"data/{name}.csv", file) for name, file in data.items())
    request = Request("line", cause.of("new-data", None), data=new, pull=pull)
    prepared = plan.prepare(project.repo, request)
    return report.make(prepared, work.train(prepared, lambda _: None))


def worktrees(project: Project) -> int:
    return len(project.git("worktree", "list").splitlines())


def test_without_a_command_models_of_other_held_back_data_are_not_compared(served: Project) -> None:
    done = retrained(served, test=served.new("s.csv", table(2.1)))
    assert done.verdict.exit_code == 3
    assert "different data: `data/test.csv` is not the same" in done.verdict.text
    assert served.git("diff", "--name-only", "origin/main", BRANCH).splitlines() == [
        "data/test.csv.dvc", "dvc.lock", "metrics.json",
    ]  # fmt: skip
    assert all(one.delta is None for one in done.facts.metrics)


def test_a_fresh_clone_pulls_and_compares_what_was_measured_on_the_same_data(served: Project) -> None:
    there = served.bare.parent / "clone"
    served.git("clone", "-q", str(served.bare), str(there))
    clone = Project(discover(there), served.bare)
    new = served.new("t.csv", table(2.0))
    with pytest.raises(MlopsError, match=r"the data of `data/test\.csv` is not on this machine") as found:
        retrained(clone, train=new)
    assert (found.value.exit_code, found.value.hint) == (3, "`--pull` brings it from the DVC remote")
    done = retrained(clone, pull=True, train=new)
    assert done.verdict.exit_code == 0, done.verdict
    assert done.trained.how == ("recorded metrics of both, measured on the same data: `data/test.csv`",)
    assert worktrees(clone) == 1
    said = clone.git("log", "-1", "--format=%P %(trailers:key=Mlops-Retrain,valueonly,separator=)", BRANCH)
    assert said == f"{clone.git('rev-parse', 'origin/main')} new-data"
    start = f"experiment:{done.trained.experiment.ref}"
    graph = build.around(clone.repo, sources.gather(clone.repo), start)
    (edge,) = (one for one in graph.edges if one.how == "because")
    assert (edge.target, graph.nodes[edge.source].label) == (start, "there is new data")


def test_what_the_run_leaves_beside_its_results_is_not_on_the_branch(served: Project) -> None:
    train = (served.root / "train.py").read_text() + "pathlib.Path('litter.txt').write_text('x')\n"
    served.commit({"train.py": train})
    done = retrained(served)
    assert done.trained.landed.left_out == ("litter.txt",)
    assert "litter.txt" not in served.git("ls-tree", "-r", "--name-only", BRANCH)


def test_a_pipeline_that_fails_is_recorded_and_leaves_no_branch(served: Project) -> None:
    served.commit({"train.py": "raise SystemExit(1)\n"})
    with pytest.raises(MlopsError, match="there is no challenger: the pipeline failed") as found:
        retrained(served)
    assert found.value.exit_code == 3
    assert refs.read(served.repo, f"refs/heads/{BRANCH}") is None
    assert worktrees(served) == 1


def test_a_command_that_cannot_measure_the_champion_is_said(served: Project) -> None:
    served.settings(evaluate=False, more=f'retrain: {{evaluate: "{sys.executable} -c 1/0 {{model}}"}}\n')
    done = retrained(served, train=served.new("t.csv", table(2.0)))
    assert done.verdict.exit_code == 3
    assert "the champion v0.1.0 cannot be measured" in done.verdict.text
    assert refs.read(served.repo, f"refs/heads/{BRANCH}") == done.trained.landed.commit


def test_an_interrupted_one_leaves_no_worktree_and_can_be_repeated(served: Project, run: Run) -> None:
    whole = (served.root / "train.py").read_text()
    stop = "import os, signal\nif os.environ.get('STOP'): os.killpg(0, signal.SIGINT)\n"
    served.commit({"train.py": stop + whole})
    words = [sys.executable, "-m", "git_mlops", "retrain", "--because", "new-data"]
    own = {"env": os.environ | {"STOP": "1"}, "start_new_session": True}
    run(*words, cwd=served.root, status=130, **own)
    assert worktrees(served) == 1
    statuses = [
        one.status for one in read.load(served.repo, read.all_refs(served.repo), Config().experiments)
    ]
    assert sorted(statuses) == ["finished", "interrupted"]
    assert refs.read(served.repo, f"refs/heads/{BRANCH}") is None
    assert retrained(served).trained.landed.new


# -- before anything runs -----------------------------------------------------------------------------------


def prepared(project: Project, **request: object) -> plan.Plan:
    return plan.prepare(project.repo, Request(None, cause.of("new-data", None), **request))  # type: ignore[arg-type]


def recorded(project: Project, version: str, *findings: tuple[str, str], time: str) -> str:
    """A run of the monitor, as far as it matters."""
    found = [{"rule": rule, "level": level, "message": f"{rule} is bad"} for rule, level in findings]
    content = {"version": 1, "time": time, "name": "line", "model_version": version, "findings": found}
    ref = history.ref_of("line")
    histories.record(project.repo, ref, lambda _: {history.RECORD: json.dumps(content).encode()}, "monitor\n")
    return project.git("rev-parse", ref)


def test_without_a_reason_the_monitors_last_record_of_the_champion_is_one(served: Project) -> None:
    asked = Request(None, cause.of(None, None))
    with pytest.raises(MlopsError, match=r"The monitor has recorded nothing of v0\.1\.0") as found:
        plan.prepare(served.repo, asked)
    assert "git mlops monitor 'line#prod'" in (found.value.hint or "")
    recorded(served, "v0.1.0", ("quality", "error"), time="2026-01-01")
    newest = recorded(served, "v0.1.0", ("quality", "error"), ("nulls", "error"), time="2026-01-03")
    recorded(served, "v0.0.9", ("latency", "error"), time="2026-01-04")
    why = plan.prepare(served.repo, asked).request.cause
    assert (why.kind, why.run, why.findings) == ("drift", newest, ("quality is bad", "nulls is bad"))
    recorded(served, "v0.1.0", ("drift", "unknown"), time="2026-01-05")
    with pytest.raises(MlopsError, match=r"The monitor found neither drift nor decay of v0\.1\.0"):
        plan.prepare(served.repo, asked)
    why = plan.prepare(served.repo, Request(None, cause.of("drift", None))).request.cause
    assert (why.kind, why.findings) == ("drift", ())
    assert why.source.endswith("nothing was found")


def test_a_branch_with_somebodys_commits_is_not_replaced(served: Project) -> None:
    served.git("branch", BRANCH)
    assert prepared(served).tip.branch == BRANCH  # it is where the base is: nothing to lose
    served.git("switch", "-q", BRANCH)
    with pytest.raises(MlopsError, match="is checked out"):
        prepared(served)
    served.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "by hand")
    served.git("switch", "-q", "main")
    with pytest.raises(MlopsError, match="has a commit that no retraining made") as found:
        prepared(served)
    assert found.value.exit_code == 1


def test_it_starts_from_the_remotes_default_branch_and_says_what_that_lacks(served: Project) -> None:
    served.git("commit", "-q", "--no-verify", "--allow-empty", "-m", "not pushed")
    found = prepared(served).base
    assert (found.branch, found.commit, found.ahead) == ("main", served.git("rev-parse", "origin/main"), 1)
    own = prepared(served, base="main").base
    assert (own.branch, own.commit) == ("main", served.git("rev-parse", "main"))


def test_what_is_to_be_shared_starts_from_what_the_remote_has_now(served: Project) -> None:
    there = served.bare.parent / "elsewhere"
    served.git("clone", "-q", str(served.bare), str(there))
    other = Project(discover(there), served.bare)
    commit = other.commit({"note.txt": "of somebody else"})
    context = Context(Config().models, Config().experiments)
    made = register.register(other.repo, register.Request("line", commit, path="model.json"), context)
    promote.promote(other.repo, promote.Request("line", "prod"), context)
    other.git("push", "-q", "--no-verify", "origin", "--tags")
    run_ = recorded(other, made.version.version, ("drift", "error"), time="2026-01-01")
    history.push(other.repo, "origin", "line")
    stale = prepared(served)
    assert (stale.base.commit, stale.champion.version) == (served.git("rev-parse", "main"), "v0.1.0")
    found = plan.prepare(served.repo, Request(None, cause.of(None, None), share=True))
    assert (found.base.commit, found.champion.version) == (commit, "v0.1.1")
    assert found.request.cause.run == run_


def test_what_cannot_work_is_said_at_once(served: Project) -> None:
    for request, message in (
        ({"stage": "stagng"}, "mlops.yaml has no stage `stagng`"),
        ({"stage": "challenger"}, "no version of model `line` holds the stage `challenger`"),
        ({"data": (New("data/train.csv", Path("/nowhere")),)}, "there is no file `/nowhere`"),
        ({"base": "nowhere"}, "`nowhere` is not a commit"),
        ({"branch": "main"}, "`main` is the branch that the model is to enter"),
        ({"branch": "a..b"}, "not a valid branch name"),
    ):
        with pytest.raises(MlopsError, match=message):
            prepared(served, **request)


def test_what_a_stage_makes_cannot_be_brought(served: Project) -> None:
    wanted = (New("model.json", served.new("m.json", "{}")),)
    with pytest.raises(MlopsError, match=r"`model\.json` is what a stage of the pipeline makes"):
        prepared(served, data=wanted)


def test_data_that_the_project_does_not_have_is_refused_before_anything_runs(served: Project) -> None:
    wanted = (New("data/trian.csv", served.new("t.csv", table(2.0))),)
    with pytest.raises(MlopsError, match=r"the project has no data `data/trian\.csv`") as found:
        prepared(served, data=wanted)
    assert found.value.hint == "did you mean `data/train.csv`?"
    with pytest.raises(MlopsError, match="no stage reads it") as found:
        prepared(served, data=(New("elsewhere", served.root),))
    assert found.value.hint == "its data: `data/test.csv`, `data/train.csv`"
    prepared(served, data=(New("train.py", served.new("t.py", "")),))  # git itself has it, a stage reads it


def test_a_dry_run_explains_and_changes_nothing(served: Project, mlops: Run) -> None:
    def state() -> tuple[str, list[Path]]:
        return served.git("for-each-ref"), sorted(served.root.rglob("*"))

    before = state()
    words = ("retrain", "line", "--because", "the quarter is over", "--dry-run", "--data", "data/train.csv")
    shown = mlops(*words, cwd=served.root).stdout.splitlines()
    commit = served.git("rev-parse", "--short=12", "line@v0.1.0^{}")
    assert shown[:2] == [
        "why: the quarter is over",
        f"champion: line v0.1.0 (prod), registered from {commit}",
    ]
    assert shown[-1] == "promotes nothing"
    assert state() == before
