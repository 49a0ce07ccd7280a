"""What mlops.yaml names and is not there, and what it says against itself."""

import pytest

from tests.checks.conftest import Project, said

RULE = "config-valid"
LOG = b"id,kind\n1,a\n"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "data: {labels: {log.csv: kinds}}",
            ("error", "`data.labels.log.csv`: `log.csv` has no column `kinds`"),
        ),
        (
            "data: {labels: {'*.csv': kinds}}",
            ("error", "`data.labels.*.csv`: `log.csv` has no column `kinds`"),
        ),
        ("data: {owners: {lgo.csv: [a@b.c]}}", ("error", "`data.owners.lgo.csv`: there is no such data")),
        (
            "data: {owners: {log.csv: {kinds: [a@b.c]}}}",
            ("error", "`data.owners.log.csv`: `log.csv` has no column `kinds`"),
        ),
        ("data: {keys: {lgo.csv: [id]}}", ("warning", "`data.keys.lgo.csv`: there is no such data")),
        ("tables: {lgo.csv: {unique: [id]}}", ("warning", "`tables.lgo.csv`: there is no such data")),
        ("folders: {image: {files: {min: 1}}}", ("warning", "`folders.image`: there is no such data")),
    ],
)
def test_a_slip_in_a_name_is_told_with_what_was_meant(
    project: Project, settings: str, expected: tuple[str, str]
) -> None:
    project.settings(settings + "\n")
    project.data("log.csv", LOG)
    project.folder("images", {"1.txt": b"x"})
    (found,) = project.check(RULE)
    assert (found.level, found.message, found.path) == (*expected, "mlops.yaml")
    assert found.hint in ("did you mean `log.csv`?", "did you mean `kind`?", "did you mean `images`?")


def test_names_that_are_there_and_patterns_that_wait_for_data_are_fine(project: Project) -> None:
    project.settings(
        "data:\n  labels: {log.csv: kind}\n"
        "  owners: {'*.csv': {kind: [a@b.c]}, raw/: [a@b.c], deep: [a@b.c]}\n"
        "  pii: {log.csv: [email], nodata/**: [q], plain.csv: [x]}\nfolders: {images: {}, images/a: {}}\n"
    )
    project.data("log.csv", LOG)
    project.data("deep/log.csv", LOG)
    project.folder("images", {"a/1.txt": b"x"})
    project.write("plain.csv", LOG)
    assert project.check(RULE) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "tables: {t.csv: {rows: {min: 10, max: 5}}}",
            "`tables.t.csv.rows`: `max` (5) is less than `min` (10)",
        ),
        ("folders: {d: {files: {min: 2, max: 1}}}", "`folders.d.files`: `max` (1) is less than `min` (2)"),
        ("folders: {d: {smallest: 9, largest: 1}}", "`folders.d`: `largest` is less than `smallest` (9)"),
        (
            "tables: {t.csv: {fresh: {column: day, within: 7x}}}",
            "`tables.t.csv.fresh.within`: expected `36h`, `7d` or `4w`, not `7x`",
        ),
        (
            "tables: {t.csv: {references: {a: b}}}",
            "`tables.t.csv.references.a`: expected `PATH:COLUMN`, not `b`",
        ),
        (
            "data: {owners: {t.csv: [ada]}}",
            "`data.owners.t.csv`: `ada` is no e-mail address: nobody can review as that",
        ),
        ("data: {owners: {t.csv: {x: []}}}", "`data.owners.t.csv.x`: names nobody"),
    ],
)
def test_what_cannot_be_meant_is_a_finding(project: Project, settings: str, message: str) -> None:
    project.settings(settings + "\n")
    project.data("t.csv", LOG)
    assert said(project.check(RULE)) == [("error", "mlops.yaml", message)]
