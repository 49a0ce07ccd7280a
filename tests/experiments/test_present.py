"""Rows, columns, order and choice of experiments: what `exp list` shows."""

import time
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import columns, grouping, names, pareto, present, read, select
from git_mlops.experiments.columns import Row
from git_mlops.experiments.committed import Raw
from git_mlops.experiments.diff import compared
from git_mlops.experiments.known import alone
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.message import Message, format_message
from git_mlops.experiments.pareto import Objective
from git_mlops.experiments.read import Experiment, Listing
from git_mlops.experiments.record import Record
from git_mlops.experiments.select import Options
from git_mlops.experiments.settings import Metric, Settings
from git_mlops.experiments.tree import Contents
from git_mlops.experiments.values import Values
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.experiments.conftest import commit, put, save

DECLARED = {"auc": Metric("max"), "loss": Metric("min")}


def made(
    name: str,
    metrics: dict[str, object] | None = None,
    params: dict[str, object] | None = None,
    *,
    status: str = "finished",
    at: int = 0,
) -> Row:
    """A row of an experiment that is in no repository."""
    found = Values({"metrics.json": metrics or {}}, {"params.yaml": params or {}})
    ref = names.format_ref(names.ExperimentRef("ab" * 20, name))
    said = format_message(Message(f"exp: {name}", "two\nlines", "cd" * 32, "finished", 1))
    raw = Raw("ef" * 20, "01" * 20, ("ab" * 20,), at, said)
    known = alone(raw, "finished", Contents(Layout(), Layout(), found))
    return Row(Experiment(ref, name, "ab" * 20, known, status))  # type: ignore[arg-type]


ROWS = [made("a", {"auc": 0.9, "loss": 0.3, "n": 1}, {"lr": 0.1}), made("b", {"auc": 0.8}, {"lr": 0.2})]
KNOWN = columns.names([row.experiment for row in ROWS])


def test_rows_show_metrics_and_only_parameters_that_differ(project: Repo) -> None:
    save(project, "same")
    files = {"params.yaml": "lr: 0.5\ntrain: {epochs: 3}\n", "metrics.json": '{"acc": 0.95, "other": [1]}'}
    put(project, dict(files))
    save(project, "changed")
    found = read.listing(project, Settings())
    rows = columns.rows(present.ordered(found.experiments, "acc", {}), {})
    shown = columns.usual(found, rows)
    now = found.experiments[-1].commit.time + 7200
    assert [c.label for c in shown] == ["name", "age", "status", "acc", "loss.val", "lr"]
    assert list(zip(*columns.cells(shown, rows, now), strict=True)) == [
        ("changed", "2h", "finished", "0.95", "-", "0.5"),
        ("same", "2h", "finished", "0.9", "0.2", "0.1"),
    ]


def test_nothing_listed_has_the_usual_columns() -> None:
    assert [c.name for c in columns.usual(Listing((), {}), [])] == ["name", "age", "status"]


def test_how_it_belongs_is_shown_where_it_is_not_by_commit() -> None:
    def labels(*how: str | None) -> list[str]:
        rows = [made("a")._replace(belongs=one) for one in how]
        return [c.label for c in columns.usual(Listing((), {}), rows)]

    assert labels("commit", None) == ["name", "age", "status"]
    assert labels("commit", "patch") == ["name", "age", "status", "belongs"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,auc", ["name", "metrics.auc"]),
        (" params.lr , lr ,", ["params.lr"]),
        ("metrics", ["metrics.auc", "metrics.loss", "metrics.n"]),
        ("metrics.*,age", ["metrics.auc", "metrics.loss", "metrics.n", "age"]),
        ("*l*r,wall", ["params.lr", "wall"]),
        ("*.l*", ["metrics.loss", "params.lr"]),
    ],
)
def test_columns_are_chosen_by_name_and_pattern(text: str, expected: list[str]) -> None:
    assert [c.name for c in columns.chosen(text, KNOWN)] == expected


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("nam", "no column `nam`", "did you mean `name`?"),
        ("metrics.acu", "no column `metrics.acu`", "did you mean `metrics.auc`?"),
        ("aucc", "no column `aucc`", "did you mean `auc`?"),
        ("x*", "no column matches `x*`", f"there are: {', '.join(KNOWN)}"),
        (" ,", "`--columns` names no column", "for example `--columns name,metrics.*,wall`"),
    ],
)
def test_a_column_that_does_not_exist_is_said(text: str, said: str, hint: str) -> None:
    with pytest.raises(MlopsError) as caught:
        columns.chosen(text, KNOWN)
    assert (str(caught.value), caught.value.hint) == (said, hint)


def test_a_name_of_two_kinds_must_be_whole_and_its_columns_are_headed_so() -> None:
    rows = [made("a", {"lr": 1}, {"lr": 2})]
    known = columns.names([row.experiment for row in rows])
    with pytest.raises(MlopsError, match="`lr` is a metric and a parameter"):
        columns.chosen("lr", known)
    assert [c.label for c in columns.chosen("metrics,params", known)] == ["metrics.lr", "params.lr"]


def test_facts_of_the_record_are_columns() -> None:
    facts = Record(
        command=["python", "my train.py"], how="command", wall=12.345, cpu=3.0, exit_status=0,
        peak_memory=50 * 2**20, host={"name": "vm"}, start="2026-01-31T10:00:00Z",
    )  # fmt: skip
    row = made("a")._replace(record=facts)
    shown = columns.chosen("command,how,wall,cpu,exit,memory,host,end,commit,key,message", KNOWN)
    assert columns.needs_record(shown)
    assert [text for (text,) in columns.cells(shown, [row], 0.0)] == [
        "python 'my train.py'", "command", "12.3s", "3.0s", "0", "50MiB", "vm", "-", "efefefe", "cdcdcdc",
        "two lines",
    ]  # fmt: skip
    assert columns.cells(shown, [made("a")], 0.0)[:7] == [["-"]] * 7
    assert not columns.needs_record(columns.chosen("name,auc", KNOWN))


def test_only_what_differs_is_left() -> None:
    rows = [made("a", {"x": 1, "y": 1, "z": 1}), made("b", {"x": 2, "y": 1})]
    known = columns.names([row.experiment for row in rows])
    shown = columns.varying(columns.chosen("name,metrics", known), rows)
    assert [c.name for c in shown] == ["name", "metrics.x", "metrics.z"]
    assert columns.varying(shown, []) == shown[:1]


def front(rows: list[Row], text: str, declared: dict[str, Metric] | None = None) -> list[str]:
    found = pareto.objectives(text, columns.names([row.experiment for row in rows]), declared or {})
    return [row.experiment.name for row in pareto.front(rows, found)]


def test_a_front_has_those_that_none_beats_in_everything() -> None:
    points = {
        "best": (9, 1),
        "twin": (9, 1),
        "quick": (5, 0),
        "slow": (9, 2),
        "poor": (5, 1),
        "mid": (7, 0.5),
    }
    rows = [made(name, {"auc": auc, "time": seconds}) for name, (auc, seconds) in points.items()]
    rows += [made("failed", {"auc": 10, "time": 0}, status="failed"), made("part", {"auc": 10})]
    assert front(rows, "metrics.auc:max,time:min") == ["best", "twin", "quick", "mid"]
    assert front(rows, "auc,time:min", DECLARED) == ["best", "twin", "quick", "mid"]
    assert front(rows, "auc:max") == ["part"]
    assert front(rows, "auc:min,time:max") == ["slow", "poor"]


def test_a_front_of_three_is_what_comparing_all_pairs_says() -> None:
    points = [((n * 7) % 11, (n * 5) % 13, (n * 3) % 7) for n in range(60)]
    rows = [made(f"n{at}", dict(zip("abc", point, strict=True))) for at, point in enumerate(points)]
    expected = [
        f"n{at}"
        for at, p in enumerate(points)
        if not any(q != p and q[0] <= p[0] and q[1] >= p[1] and q[2] <= p[2] for q in points)
    ]
    assert front(rows, "a:min,b:max,c:min") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acu:max", "no metric or parameter `acu`"),
        ("n", "is more of `n` better, or less?"),
        ("lr", "is more of `lr` better, or less?"),
        ("", "`--pareto` names no objective"),
    ],
)
def test_an_objective_that_is_none_is_said(text: str, said: str) -> None:
    with pytest.raises(MlopsError) as caught:
        pareto.objectives(text, KNOWN, DECLARED)
    assert str(caught.value) == said


def test_an_objective_without_numbers_is_said() -> None:
    with pytest.raises(MlopsError, match=r"`metrics.t` is a number in no experiment"):
        pareto.front([made("a", {"t": "text"})], [Objective("metrics.t", 1)])


@pytest.fixture
def four(project: Repo) -> Repo:
    """Experiments of a code's commit: three results, and what `exp apply` saved."""
    for name, acc, lr in (("low", 0.7, 0.1), ("high", 0.9, 0.2), ("mid", 0.8, 0.3), ("before-apply-x", 1, 0)):
        put(project, {"metrics.json": f'{{"acc": {acc}}}', "params.yaml": f"lr: {lr}\n"})
        save(project, name)
    return project


def listed(repo: Repo, options: Options, settings: Settings | None = None) -> list[str]:
    return [row.experiment.name for row in select.select(repo, options, settings or Settings()).rows]


def test_options_choose_order_and_cut(four: Repo) -> None:
    assert listed(four, Options(sort="acc")) == ["high", "mid", "low"]
    assert listed(four, Options(sort="metrics.acc", limit=2)) == ["high", "mid"]
    assert listed(four, Options(sort="acc", where="params.lr > 0.1")) == ["high", "mid"]
    assert listed(four, Options(pareto="acc:max")) == ["high"]
    assert listed(four, Options(baseline="HEAD^")) == []
    assert listed(four, Options(baseline="HEAD", sort="lr")) == ["mid", "high", "low"]


def test_what_apply_saved_is_no_result_and_comes_last(four: Repo) -> None:
    found = select.select(four, Options(sort="acc"), Settings())
    assert (found.hidden, found.total, found.cut) == (1, 4, 0)
    assert listed(four, Options(sort="acc", snapshots=True)) == ["high", "mid", "low", "before-apply-x"]
    assert listed(four, Options(pareto="acc:max", snapshots=True)) == ["high"]


def test_an_order_by_what_the_chosen_lack_is_no_error(four: Repo) -> None:
    put(four, {"metrics.json": '{"other": 1}'})
    save(four, "lacking")
    assert listed(four, Options(where="name == 'lacking'", sort="acc")) == ["lacking"]
    with pytest.raises(MlopsError, match="no metric or parameter `ac`"):
        listed(four, Options(sort="ac"))


@pytest.mark.parametrize(
    ("text", "days"),
    [("2w", 14), ("3d", 3), ("36h", 1.5), ("2 weeks ago", 14), ("1 d", 1), ("1mo", 30), ("now", 0)],
)
def test_a_date_is_what_git_says(repo: Repo, text: str, days: float) -> None:
    assert select.since(repo, text) == pytest.approx(
        time.time() - days * 86400, abs=1.6 * 86400 * (days > 20) + 5
    )


def test_a_date_of_the_calendar_is_kept(project: Repo) -> None:
    save(project, "a")
    assert listed(project, Options(since="2020-01-31")) == ["a"]
    assert listed(project, Options(since="2090-01-31")) == []


@pytest.mark.parametrize("text", ["foo", "", "soon enough"])
def test_text_that_is_no_date_is_said(repo: Repo, text: str) -> None:
    with pytest.raises(MlopsError, match="is no date"):
        select.since(repo, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("@{best:acc}", "high"),
        ("@{best:metrics.acc}", "high"),
        ("@{worst:acc}", "low"),
        ("@{max:params.lr}", "mid"),
        ("@{min:lr}", "low"),
        ("@{last}", "mid"),
        ("hi", "high"),
    ],
)
def test_a_choice_stands_for_a_name(four: Repo, text: str, name: str) -> None:
    settings = Settings(metrics={"acc": Metric("max")})
    assert select.pick(four, [text], settings)[0].name.endswith(f"/{name}")


def test_the_best_is_the_least_where_less_is_better(four: Repo) -> None:
    settings = Settings(metrics={"acc": Metric("min")})
    found = select.pick(four, ["@{best:acc}", "@{worst:acc}"], settings)
    assert [ref.name.rpartition("/")[2] for ref in found] == ["low", "high"]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("@{best:acc}", "`@{best:acc}`: is more of `acc` better, or less?", "`@{max:acc}` or `@{min:acc}`"),
        ("@{bets:acc}", "`@{bets:acc}` is no choice of an experiment", "did you mean `best`?"),
        ("@{max:ac}", "no metric or parameter `ac`", "did you mean `acc`?"),
        ("@{nothing}", "no experiment `@{nothing}`", "`@{last}`"),
    ],
)
def test_a_choice_that_cannot_be_made_is_said(four: Repo, text: str, said: str, hint: str) -> None:
    with pytest.raises(MlopsError) as caught:
        select.pick(four, [text], Settings())
    assert (str(caught.value), (caught.value.hint or "").startswith(hint)) == (said, True)


def test_a_choice_is_among_those_of_head(four: Repo) -> None:
    commit(four, {"train.py": "print(2)\n"})
    with pytest.raises(NotFoundError, match="no finished experiment of HEAD"):
        select.pick(four, ["@{max:acc}"], Settings())


def test_revisions_of_git_stay_what_they_are(repo: Repo) -> None:
    words = ["@{1}", "@{upstream}", "main@{yesterday}", "HEAD", "@{2026-01-31 10:00:00}"]
    assert select.expanded(repo, words, Settings()) == words


def test_a_group_outside_a_cut_history_is_not_called_orphaned(
    project: Repo, run: Run, tmp_path: Path
) -> None:
    save(project, "before")
    commit(project, {"x": "1"}, "next")
    save(project, "tip")
    clone = tmp_path / "clone"
    run("git", "clone", "-q", "--depth=1", project.root.as_uri(), clone, cwd=tmp_path)
    run("git", "fetch", "-q", "origin", "refs/exps/*:refs/exps/*", cwd=clone)
    here = discover(clone)
    found = grouping.groups(here, select.select(here, Options(everything=True), Settings()).rows)
    said = {g.rows[0].experiment.name: (g.place.orphaned, grouping.heading(g)[8:]) for g in found}
    assert said == {
        "tip": (False, "next (HEAD, main)"),
        "before": (None, "change (in no branch or tag as far as this shallow clone has them)"),
    }


def test_groups_say_where_in_history_they_are(project: Repo) -> None:
    save(project, "old")
    project.git("commit", "-q", "--amend", "-m", "in better words")
    save(project, "inner")
    commit(project, {"x": "1"}, "next")
    project.git("tag", "-a", "-m", "one", "v1")
    save(project, "tip")
    tip = read.pick(project, ["tip"])[0]
    project.git("update-ref", f"refs/exps/ab/{'c' * 38}/far", tip.oid)
    rows = select.select(project, Options(everything=True), Settings()).rows
    found = grouping.groups(project, rows)
    said = {g.rows[0].experiment.name: grouping.heading(g).partition(" ")[2] for g in found}
    assert said == {
        "tip": "next (HEAD, main, v1)",
        "inner": "in better words (in main)",
        "old": "change (orphaned: in no branch or tag)",
        "far": "(not in this clone)",
    }
    assert {g.rows[0].experiment.name for g in found if g.place.orphaned} == {"old"}
    assert [g.place.time for g in found if g.place.time] == sorted(
        (g.place.time for g in found if g.place.time), reverse=True
    )


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (Options(where=""), "where"),
        (Options(sort=" "), "sort"),
        (Options(pareto=""), "pareto"),
        (Options(baseline=""), "baseline"),
    ],
)
def test_an_option_that_says_nothing_is_refused(project: Repo, options: Options, name: str) -> None:
    with pytest.raises(MlopsError, match=f"`--{name}` says nothing"):
        select.select(project, options, Settings())


def test_whole_numbers_are_compared_exactly() -> None:
    large = 2**53
    rows = [made("a", {"i": large + 1}), made("b", {"i": large}), made("c", {"i": 0.5})]
    experiments = [row.experiment for row in rows]
    assert [e.name for e in present.ordered(experiments, "i", {})] == ["a", "b", "c"]
    assert [e.name for e in present.holding(experiments, f"metrics.i == {large + 1}")] == ["a"]
    assert [e.name for e in present.holding(experiments, f"metrics.i in ({large}, 0.5)")] == ["b", "c"]
    assert compared("i", large, large + 1, {}).delta == 1
    assert compared("i", 0, 10**400, {}).delta is None


def test_what_is_not_there_differs_from_nothing() -> None:
    experiments = [row.experiment for row in (made("a", {"x": 1}), made("b", {"x": 2}), made("c", {"y": 1}))]
    for text, expected in (
        ("metrics.x != 1", ["b"]),
        ("1 != metrics.x", ["b"]),
        ("metrics.x != null", ["a", "b"]),
        ("metrics.x == null", ["c"]),
        ("not metrics.x == 1", ["b", "c"]),
        ("metrics.x != metrics.y", []),
    ):
        assert [e.name for e in present.holding(experiments, text)] == expected
