"""Hashes of the workspace: DVC's own, and remembered only where that is certain."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from git_mlops.data import hashes
from git_mlops.data.hashes import Hashes
from git_mlops.errors import MlopsError
from tests.conftest import Run
from tests.data.conftest import Data


def aged(file: Path, seconds: int = 10) -> None:
    """Make it look written a while ago."""
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns - seconds * 1_000_000_000 + 1))


def rewritten_in_secret(file: Path, text: str) -> None:
    """Other bytes, same size, time and inode: only a reader would notice."""
    stat = file.stat()
    with file.open("r+b") as stream:
        stream.write(text.encode())
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_an_unchanged_file_is_not_read_again(data: Data) -> None:
    file = data.write("a.csv", "one")
    aged(file)
    with Hashes(data.repo) as known:
        known.file("a.csv")
    rewritten_in_secret(file, "two")
    with Hashes(data.repo) as known:
        assert known.file("a.csv") == md5("one")


def test_a_changed_file_is_read_again(data: Data) -> None:
    aged(data.write("a.csv", "one"))
    with Hashes(data.repo) as known:
        known.file("a.csv")
        data.write("a.csv", "two")
        assert known.file("a.csv") == md5("two")


def test_a_file_written_in_this_tick_is_not_remembered(data: Data) -> None:
    file = data.write("a.csv", "one")
    with Hashes(data.repo) as known:
        os.utime(file)
        known.file("a.csv")
        rewritten_in_secret(file, "two")
        assert known.file("a.csv") == md5("two")


def test_a_large_file_written_just_now_is_remembered(data: Data) -> None:
    file = data.write("a.bin", "1" * 1024 * 1024)
    with Hashes(data.repo) as known:
        os.utime(file)
        first = known.file("a.bin")
        rewritten_in_secret(file, "2")
        assert known.file("a.bin") == first


def test_whole_seconds_need_more_time(data: Data) -> None:
    file = data.write("a.csv", "one")
    now = file.stat().st_mtime_ns // 1_000_000_000 * 1_000_000_000
    os.utime(file, ns=(now, now))
    seen = hashes.seen(file)
    assert seen is not None
    assert not seen.settled


def test_a_file_that_is_gone_has_no_hash(data: Data) -> None:
    with Hashes(data.repo) as known:
        assert known.file("a.csv") is None


@pytest.mark.parametrize(
    "state",
    [b"", b"{", b"[]", b"3", b"\xff", b'{"version": 2}', b'{"version": 1, "files": 3, "followed": []}',
     b'{"version": 1, "files": {"a.csv": 3}, "followed": {"a.csv": 3}}',
     b'{"version": 1, "files": {"a.csv": [1, 2, 3, 4]}, "followed": {}}', b"[" * 100_000],
)  # fmt: skip
def test_a_corrupt_memory_is_as_good_as_none(data: Data, state: bytes) -> None:
    data.write("a.csv", "one")
    data.repo.private_here.mkdir()
    (data.repo.private_here / "hashes.json").write_bytes(state)
    with Hashes(data.repo) as known:
        assert (known.file("a.csv"), known.followed) == (md5("one"), {})


def test_nothing_learned_writes_nothing(data: Data) -> None:
    with Hashes(data.repo):
        pass
    assert not (data.repo.private_here / "hashes.json").exists()


def test_what_is_forgotten_is_read_again(data: Data) -> None:
    file = data.write("raw/a.csv", "one")
    aged(file)
    with Hashes(data.repo) as known:
        known.folder("raw")
        rewritten_in_secret(file, "two")
        known.forget("raw")
        assert known.folder("raw") == {"a.csv": md5("two")}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error(data: Data) -> None:
    data.write("a.csv", "one").chmod(0)
    with (
        Hashes(data.repo) as known,
        pytest.raises(MlopsError, match=r"cannot read `a\.csv`"),
    ):
        known.file("a.csv")


def test_a_directory_has_the_hash_that_dvc_gives_it(data: Data, run: Run) -> None:
    names = ["a/x", "a-b/x", "a.b", "a b/ü.csv", "é/日本.csv", "Z", "_", "a/é/x", "10", "9", "deep/er/est/x"]
    for name in names:
        data.write(f"raw/{name}", name)
    run("dvc", "add", "-q", "raw", cwd=data.root)
    with Hashes(data.repo) as known:
        assert hashes.md5_folder(known.folder("raw")) == data.out("raw").hash


@pytest.mark.parametrize(
    "content", [b"a\r\nb\r\n", b"a\nb", b"\r", b"\r\r\n", b"x" * (1024 * 1024 - 1) + b"\r\ny\r"]
)
def test_the_hash_of_text_in_dvc_2_ignores_carriage_returns(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert hashes.md5_text(tmp_path / "a") == hashlib.md5(content.replace(b"\r\n", b"\n")).hexdigest()


def test_the_memory_is_json(data: Data) -> None:
    aged(data.write("ü.csv", "one"))
    with Hashes(data.repo) as known:
        known.file("ü.csv")
    assert list(json.loads((data.repo.private_here / "hashes.json").read_bytes())["files"]) == ["ü.csv"]
