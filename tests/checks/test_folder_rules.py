"""Directories of files that are no tables."""

from tests.checks.conftest import Project, said

RULE = "folders"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20


def test_a_directory_as_it_should_be_raises_nothing(project: Project) -> None:
    project.settings("folders:\n  images: {files: {min: 2}, types: ['*.png', '*.txt'], largest: 1kB}\n")
    project.folder("images", {"a.png": PNG, "b/c.png": PNG + b"y", "ü.txt": "grün".encode()})
    assert project.check(RULE) == []


def test_each_fault_is_named(project: Project) -> None:
    project.settings("folders:\n  images: {files: {max: 4}, types: ['*.png'], largest: 100}\n")
    files = {
        "a.png": PNG, "again.png": PNG, "empty.png": b"", "large.png": PNG + b"z" * 100, "no.png": b"<html>",
        "notes.txt": b"x", "more.txt": b"y",
    }  # fmt: skip
    project.folder("images", files)
    assert said(project.check(RULE)) == [
        ("error", "images", "2 files are none of *.png: `more.txt`, `notes.txt`"),
        ("error", "images", "7 files, where at most 4 are expected"),
        ("error", "images/empty.png", "has less than 1 bytes"),
        ("error", "images/large.png", "has more than 100 bytes"),
        ("error", "images/no.png", "is not what its name says"),
        ("warning", "images", "1 of 7 files have the bytes of another one: `a.png` = `again.png`"),
    ]


def test_binary_text_is_no_text(project: Project) -> None:
    project.settings("folders:\n  texts: {duplicates: off}\n")
    long = "ä".encode() * 4000
    project.folder(
        "texts",
        {"a.txt": b"a\0b", "b.txt": b"x" + long, "c.txt": long, "d.txt": b"caf\xe9 noir", "e.txt": b"e\xcc"},
    )
    assert said(project.check(RULE)) == [
        ("error", "texts", "3 files are not what their names say: `a.txt`, `d.txt`, `e.txt`")
    ]


def test_an_empty_directory_and_one_that_is_elsewhere(project: Project) -> None:
    project.settings("folders:\n  '*': {}\n")
    project.folder("none", {})
    assert said(project.check(RULE)) == [("error", "none", "0 files, where at least 1 are expected")]
    project.folder("gone", {"a.png": PNG})
    for file in (project.root / ".dvc" / "cache" / "files" / "md5").rglob("*.dir"):
        file.unlink()
    assert said(project.check(RULE))[-1][:2] == ("unknown", "gone")
