"""Where DVC's cache is, and what its listings say."""

from pathlib import Path

import pytest

from git_mlops.data import cache, dvc
from git_mlops.data.pointers import Out
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.data.conftest import Data

MD5 = "0123456789abcdef0123456789abcdef"


def configure(data: Data, name: str, text: str) -> None:
    (data.root / ".dvc" / name).write_text(text, encoding="utf-8")


def test_the_cache_is_below_dvc_by_default(data: Data) -> None:
    assert cache.cache_dir(data.repo) == data.root / ".dvc" / "cache"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dir = /mnt/cache", "/mnt/cache"),
        ("dir = '/mnt/my cache'", "/mnt/my cache"),
        ('dir = "/mnt/my # cache"', "/mnt/my # cache"),
        ("dir = /mnt/cache  # shared", "/mnt/cache"),
        ("dir=/mnt/cache#1", "/mnt/cache#1"),
    ],
)
def test_an_absolute_cache_dir(data: Data, line: str, expected: str) -> None:
    configure(data, "config", f"[cache]\n    {line}\n")
    assert cache.cache_dir(data.repo) == Path(expected)


def test_a_relative_cache_dir_starts_at_the_configuration(data: Data) -> None:
    configure(data, "config", "[cache]\n    dir = ../../shared\n")
    assert cache.cache_dir(data.repo).resolve() == data.root.parent / "shared"


def test_a_cache_dir_below_the_home(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    configure(data, "config", "[cache]\n    dir = ~/cache\n")
    assert cache.cache_dir(data.repo) == Path("/home/ada/cache")


def test_the_private_configuration_wins(data: Data) -> None:
    configure(data, "config", "[cache]\n    dir = /a\n")
    configure(data, "config.local", "[cache]\n    dir = /b\n")
    assert cache.cache_dir(data.repo) == Path("/b")


def test_the_users_configuration_counts_last(
    data: Data, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path))
    (tmp_path / "config").write_text("[cache]\n    dir = /user\n[core]\n    remote = mine\n")
    configure(data, "config", "[core]\n    autostage = true\n")
    assert (cache.cache_dir(data.repo), dvc.default_remote(data.repo)) == (Path("/user"), "mine")


def test_dvc_finds_the_same_cache(data: Data, run: Run) -> None:
    configure(data, "config", "[cache]\n    dir = ../../sh ared  # ours\n")
    assert (
        Path(run("dvc", "cache", "dir", cwd=data.root).stdout.strip()) == cache.cache_dir(data.repo).resolve()
    )


def test_an_unreadable_configuration_is_an_error(data: Data) -> None:
    (data.root / ".dvc" / "config").write_bytes(b"\xff")
    with pytest.raises(MlopsError, match="cannot read DVC's configuration"):
        cache.cache_dir(data.repo)


def test_a_linked_worktree_shares_the_main_ones(data: Data) -> None:
    data.git("worktree", "add", "-q", "../other")
    other = discover(data.root.parent / "other")
    assert cache.cache_dir(other) == data.root / ".dvc" / "cache"
    assert dvc.prepare_worktree(other)
    assert cache.cache_dir(other) == data.root / ".dvc" / "cache"
    assert not dvc.prepare_worktree(other)


def test_worktrees_of_a_bare_repository_share_one(data: Data, run: Run, tmp_path: Path) -> None:
    run("git", "clone", "-q", "--bare", data.root, tmp_path / "bare.git", cwd=tmp_path)
    run("git", "worktree", "add", "-q", tmp_path / "w", cwd=tmp_path / "bare.git")
    assert cache.cache_dir(discover(tmp_path / "w")) == tmp_path / "bare.git" / "dvc-cache"


def test_objects_of_both_algorithms(data: Data) -> None:
    found = [cache.object_path(Path("/c"), Out("x", name, MD5)) for name in ("md5", "md5-dos2unix")]
    assert found == [Path(f"/c/files/md5/01/{MD5[2:]}"), Path(f"/c/01/{MD5[2:]}")]


def test_members_of_a_directory(data: Data) -> None:
    out = data.folder("raw", {"a.csv": "a", "ünder/b.csv": "b"})
    assert {name: m.path for name, m in cache.members(data.repo, out).items()} == {
        "a.csv": "raw/a.csv",
        "ünder/b.csv": "raw/ünder/b.csv",
    }


def test_an_object_is_complete_with_all_its_files(data: Data) -> None:
    out = data.folder("raw", {"a.csv": "a", "b.csv": "b"})
    assert cache.complete(data.repo, out)
    data.lose(cache.members(data.repo, out)["b.csv"])
    assert not cache.complete(data.repo, out)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"3", b'[{"md5": "x"}]', b'{"a": 1}', b"[" * 100_000, b"\xff",
        *(b'[{"md5": "%s", "relpath": "%s"}]' % (MD5.encode(), path)
          for path in (b"../x", b"/etc/passwd", b"a/../../x", b".", b"", b"a//b", b".git/x", b"a/.GIT/x")),
        b'[{"md5": "../../../etc/passwd", "relpath": "a"}]',
    ],
)  # fmt: skip
def test_a_listing_that_is_corrupt_or_leaves_the_directory_is_refused(content: bytes) -> None:
    with pytest.raises(MlopsError, match="is corrupt") as caught:
        cache.listing(Out("raw", "md5", f"{MD5}.dir"), content)
    assert caught.value.exit_code == CANNOT_EVALUATE


def test_what_is_not_here_has_no_members(repo: Repo) -> None:
    assert cache.members(repo, Out("raw", "md5", f"{MD5}.dir")) == {}
