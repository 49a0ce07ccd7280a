import json

from tests.checks.conftest import Project, said

RULE = "pii"
MAILS = b"id,contact\n1,ada@example.org\n2,bob@example.org\n3,\n"


def test_personal_data_is_a_warning_in_pointers_and_plain_files(project: Project) -> None:
    project.data("data.csv", MAILS)
    project.write("small.csv", MAILS)
    project.folder("parts", {"one.csv": b"a\n1\n", "two.csv": MAILS})
    found = project.check(RULE)
    assert [f[:2] for f in said(found)] == [
        ("warning", path) for path in ("data.csv", "parts/two.csv", "small.csv")
    ]
    assert found[0].message == "column `contact` holds e-mail addresses in 2 of 2 values (100 %)"
    assert found[0].hint == (
        "drop or hash it, or allow it in mlops.yaml: `data: {pii_allow: {data.csv: [contact]}}`"
    )


def test_a_column_that_is_allowed_is_not_looked_into(project: Project) -> None:
    project.settings("data: {pii_allow: {'*.csv': [con*]}}\n")
    project.data("data.csv", MAILS)
    assert project.check(RULE) == []


def test_declared_columns_are_refused_when_they_appear(project: Project) -> None:
    project.settings("data: {pii: {'*.csv': [name, '*_name'], other/*.csv: [id]}}\n")
    project.data("data.csv", b"id,First_Name\n1,ada@example.org\n")
    message = "column `First_Name` is declared personal data (`data.pii`)"
    assert said(project.check(RULE)) == [("error", "data.csv", message)]


def test_a_new_declaration_holds_for_data_that_is_there(project: Project) -> None:
    project.data("data.csv", b"id,name\n1,x\n")
    assert project.check(RULE) == []
    project.git("commit", "-qm", "data")
    project.settings("data: {pii: {'*.csv': [name]}}\n")
    assert [finding.level for finding in project.check(RULE)] == ["error"]


def test_secrets_are_errors_whatever_the_scan_is(project: Project) -> None:
    project.settings("data: {pii_scan: off}\n")
    project.data("data.csv", b"a,b\nx@example.org,AKIAIOSFODNN7EXAMPLE\n")
    message = "column `b` holds AWS keys in 1 of 1 values (100 %)"
    assert said(project.check(RULE)) == [("error", "data.csv", message)]


def test_no_finding_and_no_verdict_holds_a_value(project: Project) -> None:
    project.data("data.csv", b"1,ada@example.org\n2,bob@example.org\n")  # no header: the name is a value
    found = project.check(RULE)
    assert [finding.message for finding in found] == [
        "column 2 holds e-mail addresses in 1 of 1 values (100 %)"
    ]
    kept = project.repo.text("grep", "-e", "@example", "refs/mlops/verdicts", ok=(0, 1))
    assert ("@" in json.dumps([f.to_json() for f in found]), kept) == (False, "")


def test_a_table_with_a_verdict_is_not_read_again_but_for_the_deep_look(project: Project) -> None:
    file = project.data("data.csv", MAILS)
    assert project.check(RULE)
    file.write_bytes(b"id\n1\n")
    assert (len(project.check(RULE)), project.check(RULE, deep=True)) == (1, [])


def test_a_table_that_cannot_be_read_is_a_note(project: Project) -> None:
    project.data("data.parquet", b"PAR1")
    (found,) = project.check(RULE)
    assert (found.level, found.message.split(" (")[0]) == (
        "note",
        "not looked at: it cannot be read as parquet",
    )
