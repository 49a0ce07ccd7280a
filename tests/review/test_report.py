"""What a report says of a range: its result, its data, and why it passes or does not."""

import json
from pathlib import Path

import pytest

from git_mlops.checks import scope
from git_mlops.data import profile, profiling
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.data.shift import shifts
from git_mlops.experiments import save as saving
from git_mlops.experiments.recording import Request
from git_mlops.hooks.check import checked, settings_of, target_of
from git_mlops.review import facts, plain, sections
from git_mlops.review.facts import Facts
from git_mlops.tables.forms import form_of
from tests.checks.conftest import Project
from tests.conftest import Run

SETTINGS = """data: {keys: {t.csv: [id]}}
experiments:
  code: [train.py]
  metrics: {auc: {direction: max}}
gates:
  auc: {regression: 0.01}
  "slices.*.auc": {min: 0.5}
"""
OLD = b"id,age\n" + b"".join(b"%d,%d\n" % (n, n % 50) for n in range(200))
NEW = b"id,age\n" + b"".join(b"%d,%d\n" % (n, n % 50 + 20) for n in range(10, 210))


def table(project: Project, content: bytes, *, here: bool = True) -> None:
    """A table with a profile in its pointer, and its bytes in the cache or not."""
    file = project.data("t.csv", content)
    (project.root / "t.csv").unlink(missing_ok=True)
    form = form_of("t.csv")
    assert form
    plain_file = project.root / ".git" / "t.csv"
    plain_file.write_bytes(content)
    described = profiling.measure("t.csv", plain_file, form, DataSettings(keys={"t.csv": ("id",)})).profile
    pointer = project.root / "t.csv.dvc"
    pointer.write_text(profile.put(pointer.read_text(), described, file.parent.name + file.name))
    if not here:
        file.unlink()


def commit(project: Project, auc: float, worst: float = 0.9) -> None:
    project.write("metrics.json", json.dumps({"auc": auc, "slices": {"old": {"auc": worst}}}).encode())
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "change")


@pytest.fixture
def topic(project: Project) -> Project:
    project.settings(SETTINGS)
    project.write("dvc.yaml", b"metrics: [metrics.json]\nparams: [params.yaml]\n")
    project.write("params.yaml", b"lr: 0.1\n")
    project.write("train.py", b"1\n")
    table(project, OLD)
    commit(project, 0.9)
    project.git("switch", "-q", "-c", "topic")
    return project


def gathered(topic: Project, *, look: bool = True) -> Facts:
    chosen = scope.commits(topic.repo, "main...HEAD")
    findings = checked(chosen, skip=("data-pushed",))
    settings, _wrong = settings_of(chosen)
    return facts.gather(chosen, settings, target_of(chosen), findings, look=look)


def rows(found: Facts, title: str) -> list[list[str]]:
    """A section's table as text."""
    document = sections.document(found, {})
    (section,) = (one for one in document.sections if one.title == title)
    return [[cell if isinstance(cell, str) else cell.text for cell in row] for row in section.tables[0].rows]


def test_a_change_that_passes_says_which_gates_held(topic: Project) -> None:
    topic.write("params.yaml", b"lr: 0.2\n")
    commit(topic, 0.92)
    found = gathered(topic)
    assert sections.document(found, {}).outcome == "pass"
    assert sections.verdict(found) == "2 gates held, no data changed"
    assert rows(found, "Metrics") == [["auc", "0.9", "0.92", "+0.02 better", "0.9 → 0.92"]]
    assert rows(found, "Slices") == [["old", "auc", "0.9", "0.9", "0", "within its bounds"]]
    assert rows(found, "Parameters") == [["lr", "0.1", "0.2"]]


def test_a_change_that_fails_says_why_first(topic: Project) -> None:
    topic.write("train.py", b"2\n")
    commit(topic, 0.8, worst=0.4)
    found = gathered(topic)
    assert sections.verdict(found) == (
        "`auc` 0.9 → 0.8 is worse by 0.1, allowed are 0.01; `slices.old.auc` is 0.4, below the floor 0.5"
    )
    assert sections.document(found, {}).outcome == "fail"


def test_without_a_result_it_is_not_comparable(topic: Project) -> None:
    topic.write("train.py", b"2\n")
    commit(topic, 0.9)
    found = gathered(topic)
    assert (sections.document(found, {}).outcome, found.stale) == ("unknown", True)
    notes = next(s.notes for s in sections.document(found, {}).sections if s.title == "Metrics")
    assert (
        notes[0] == "this change: no result is recorded for it, and its metrics files are those of the base"
    )


def test_a_recorded_result_is_named_with_how_it_was_made(topic: Project) -> None:
    topic.write("train.py", b"2\n")
    commit(topic, 0.9)
    topic.write("metrics.json", b'{"auc": 0.95}\n')
    settings, _wrong = settings_of(scope.commits(topic.repo, "main...HEAD"))
    saving.save(topic.repo, Request("swift-heron"), settings.experiments, settings.data)
    found = gathered(topic)
    assert found.new.metrics == {"auc": 0.95}
    known = dict(rows(found, "Reproducibility"))
    assert known["experiment"].endswith("/swift-heron")
    assert {"commit", "merge base", "content key", "interpreter", "seeds"} <= known.keys()


@pytest.mark.parametrize("here", [True, False])
def test_the_data_table_needs_no_data(topic: Project, *, here: bool) -> None:
    table(topic, NEW, here=here)
    commit(topic, 0.9)
    (row,) = rows(gathered(topic, look=here), "Data")
    counts = ["10", "10", "190"] if here else []
    assert row == ["t.csv", "modified table", "200 → 200", *counts, "age: mean 24.5 → 44.5 (1.39 std)"]


def test_programs_get_all_of_it(topic: Project) -> None:
    table(topic, NEW)
    commit(topic, 0.8)
    data = json.loads(json.dumps(plain.plain(gathered(topic))))
    assert (data["exit_code"], data["gates"][0]["outcome"]) == (1, "fail")
    assert data["data"][0]["moved"][0]["column"] == "age"
    assert data["metrics"][0] == {
        "name": "auc", "old": 0.9, "new": 0.8, "delta": pytest.approx(-0.1), "better": False
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"type": "int64", "nulls": 0}, {"type": "string", "nulls": 0}, ["type int64 → string"]),
        ({"type": "int64", "nulls": 0}, {"type": "int64", "nulls": 50}, ["nulls 0 % → 50 %"]),
        ({"top": {"a": 60, "b": 40}}, {"top": {"a": 40, "b": 60}}, ["`a` 60 % → 40 %"]),
        ({"mean": 1.0, "std": 0}, {"mean": 2.0, "std": 0}, ["mean 1 → 2 (many std)"]),
        ({"mean": 1.0, "p95": 3, "std": 1}, {"mean": 1.1, "p95": 5, "std": 1}, ["p95 3 → 5 (2.00 std)"]),
        ({"type": "f", "mean": 1.0}, {"type": "f", "mean": 1.0}, []),
        ({"type": "f", "mean": "x", "top": 3}, {"type": "f", "mean": 2.0, "top": {"a": "b"}}, []),
    ],
)  # fmt: skip
def test_what_moved_most_is_told_from_profiles(
    old: dict[str, object], new: dict[str, object], said: list[str]
) -> None:
    a, b = (profile.Profile(100, {"c": column}) for column in (old, new))
    assert [one.said for one in shifts(a, b)] == said


def test_the_command_writes_a_report_and_ends_as_the_check_does(topic: Project, mlops: Run) -> None:
    topic.write("train.py", b"2\n")
    commit(topic, 0.8)
    page = Path(topic.root) / "out.html"
    mlops("report", "main...HEAD", "--format", "html", "-o", str(page), cwd=topic.root, status=1)
    assert "is worse by" in page.read_text()
    done = mlops("report", "main...HEAD", "--json", cwd=topic.root, status=1)
    assert json.loads(done.stdout)["kind"] == "report"
    wrong = mlops("report", "nothing...HEAD", cwd=topic.root, status=2)
    assert "error: `nothing` is not a commit" in wrong.stderr


def test_a_diff_of_the_data_is_a_page_too(topic: Project, mlops: Run) -> None:
    table(topic, NEW)
    commit(topic, 0.9)
    page = topic.root / "diff.html"
    mlops("diff", "main", "HEAD", "--rows", "2", "--html", str(page), cwd=topic.root)
    text = page.read_text()
    for said in ("1 data file changed", "t.csv", "age: mean 24.5", "rows, for example", "<td class"):
        assert said in text
