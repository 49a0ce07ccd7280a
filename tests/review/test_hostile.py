"""A pull request that wants to get something out of its check: each attack gains nothing, and is told."""

import json
import time
from pathlib import Path

import pytest

from git_mlops.checks import scope
from git_mlops.findings import Finding
from git_mlops.hooks.check import checked, settings_of, target_of
from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.review import facts, openmetrics, sections
from git_mlops.review.facts import Facts
from tests.checks.conftest import Project
from tests.conftest import Run

RULES = """experiments: {metrics: {auc: {direction: max}}}
gates: {auc: {min: 0.8}}
checks: {data-pushed: off}
"""
EVIL = "</td><script>alert(1)</script>![x](http://e.example/p.png)@team\x1b[31m`| \n# head"


@pytest.fixture
def topic(project: Project) -> Project:
    project.settings(RULES)
    project.write("dvc.yaml", b"metrics: [metrics.json]\n")
    project.write("metrics.json", b'{"auc": 0.9}\n')
    project.write("train.py", b"1\n")
    commit(project)
    project.git("switch", "-q", "-c", "topic")
    return project


def commit(project: Project) -> None:
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "-m", "change")


def found(project: Project) -> list[Finding]:
    return checked(scope.commits(project.repo, "main...HEAD"))


def report(project: Project) -> Facts:
    chosen = scope.commits(project.repo, "main...HEAD")
    settings, _wrong = settings_of(chosen)
    return facts.gather(chosen, settings, target_of(chosen), checked(chosen))


def texts(project: Project) -> list[str]:
    document = sections.document(gathered := report(project), {})
    renderers = (document_markdown.render, document_html.render, document_text.render)
    return [*(render(document) for render in renderers), openmetrics.render(gathered)]


def rules(findings: list[Finding], *levels: str) -> set[str]:
    return {finding.rule for finding in findings if finding.level in (levels or ("error", "unknown"))}


def test_a_pointer_that_leads_out_of_the_repository(topic: Project) -> None:
    secret = topic.root.parent / "secret.csv"
    secret.write_text("id\n271828\n")
    topic.write(
        "x.dvc", b"outs:\n- md5: 0123456789abcdef0123456789abcdef\n  size: 9\n  path: ../secret.csv\n"
    )
    commit(topic)
    assert "pointer-valid" in rules(found(topic))
    assert not any("271828" in text for text in texts(topic))


def test_links_in_place_of_files_that_are_read(topic: Project) -> None:
    secret = topic.root.parent / "secret.yaml"
    secret.write_text("version: 1\nchecks: {pointer-valid: off}\nwords: 271828\n")
    for name in ("mlops.yaml", "metrics.json", "a.csv.dvc"):
        (topic.root / name).unlink(missing_ok=True)
        (topic.root / name).symlink_to(secret)
    commit(topic)
    assert {"config-valid"} <= rules(found(topic))
    assert not any("271828" in text for text in texts(topic))


def test_rules_that_are_taken_away(topic: Project) -> None:
    topic.git("rm", "-q", "mlops.yaml")
    topic.write("metrics.json", b'{"auc": 0.1}\n')
    commit(topic)
    assert "gates" in rules(found(topic), "error")


def test_a_schema_that_is_a_program(topic: Project, mlops: Run) -> None:
    mark = topic.root.parent / "ran"
    topic.settings(RULES + "schemas: {t.csv: evil.py:Table}\n")
    topic.write("evil.py", f"open({str(mark)!r}, 'w')\nTable = 1\n".encode())
    topic.data("t.csv", b"id\n1\n")
    commit(topic)
    done = mlops("report", "main...HEAD", cwd=topic.root, status=None)
    assert done.returncode in (1, 3)
    assert not mark.exists()


def test_metrics_that_want_to_be_markup(topic: Project) -> None:
    topic.write(
        "metrics.json", json.dumps({"auc": 0.9, EVIL: 1, "b": EVIL, "slices": {EVIL: {"auc": 1}}}).encode()
    )
    topic.write("train.py", b"2\n")
    commit(topic)
    markdown, html, text, metrics = texts(topic)
    outside = "".join(part for number, part in enumerate(markdown.split("`")) if number % 2 == 0)
    assert not any(bad in outside for bad in ("<script", "](http", "@team", "\x1b", "\n# head"))
    assert "<script" not in html
    assert not any(bad in text for bad in ("\x1b", "\n# head"))
    assert all(line.startswith("#") or len(line.split(" ")) == 2 for line in metrics.splitlines())


def test_ten_megabytes_of_words(topic: Project) -> None:
    many = {f"{number} {'x' * 1000} {EVIL}": number for number in range(9_000)}
    topic.write("metrics.json", json.dumps({"auc": 0.9, **many}).encode())
    topic.write("notes.md", b"words " * 2_000_000)
    commit(topic)
    document = sections.document(report(topic), {})
    assert len(document_markdown.render(document)) <= document_markdown.LIMIT
    assert len(document_html.render(document)) < 5_000_000


def test_yaml_that_multiplies_itself(topic: Project) -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    bomb = f"a0: &a0 [x, x]\n{levels}".encode()
    topic.write("dvc.yaml", bomb)
    topic.write("b.csv.dvc", b"outs: *a\n" + bomb)
    topic.write("mlops.yaml", b"version: 1\n" + bomb)
    commit(topic)
    started = time.monotonic()
    assert {"config-valid"} <= rules(found(topic))
    assert all(texts(topic))
    assert time.monotonic() - started < 60  # it would take longer than the universe is old


def test_numbers_that_are_none(topic: Project) -> None:
    for text in (
        '{"auc": NaN}',
        '{"auc": 1e999}',
        '{"auc": "0.99"}',
        '{"auc": true}',
        f'{{"auc": {"9" * 5000}}}',
    ):
        topic.write("metrics.json", text.encode())
        topic.write("train.py", f"{text[:40]!r}\n".encode())
        commit(topic)
        assert "gates" in rules(found(topic)), text
        assert all(texts(topic))


def test_a_title_that_is_a_command(topic: Project, run: Run) -> None:
    name = "x;touch ran;$(touch ran)`touch ran`"
    run("git", "branch", "-m", name, cwd=topic.root, status=None)
    topic.git("commit", "-q", "--allow-empty", "-m", EVIL.replace("\x1b", ""))
    assert all(texts(topic))
    assert not Path(topic.root / "ran").exists()
