"""Signed verdicts: what somebody trusted has vouched for counts, and nothing else, however it got there."""

import shutil
from pathlib import Path

import pytest

from git_mlops.git import objects, refs
from git_mlops.git.refs import Move
from git_mlops.git.repo import Repo, discover
from git_mlops.schema import sharing, trust, verdicts
from git_mlops.schema.settings import Trust
from git_mlops.schema.subjects import REF, place
from git_mlops.schema.verdicts import Verdict
from tests.conftest import Run

A, B, C = (letter * 64 for letter in "abc")

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


def passed(subject: str) -> Verdict:
    return Verdict(subject, "pass", (), "2025-01-01T00:00:00+00:00", {"git-mlops": "1"})


def key(folder: Path, run: Run, name: str) -> Path:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name, cwd=folder)
    return folder / name


def signer(repo: Repo, file: Path) -> None:
    for name, value in (
        ("gpg.format", "ssh"), ("user.signingkey", str(file)), ("mlops.verdicts.sign", "true")
    ):  # fmt: skip
        repo.git("config", name, value)


def listed(*files: Path) -> Trust:
    lines = (f"{file.name}@example.org {file.with_suffix('.pub').read_text()}" for file in files)
    return Trust("".join(lines).encode())


def known(repo: Repo, whom: Trust | None) -> set[str]:
    return set(verdicts.lookup(repo, [A, B, C], trust=whom))


@pytest.fixture
def ada(tmp_path: Path, run: Run) -> Path:
    return key(tmp_path, run, "ada")


def test_only_what_somebody_listed_has_signed_counts(repo: Repo, tmp_path: Path, run: Run, ada: Path) -> None:
    eve = key(tmp_path, run, "eve")
    verdicts.record(repo, [passed(A)])
    signer(repo, ada)
    verdicts.record(repo, [passed(B)])
    signer(repo, eve)
    verdicts.record(repo, [passed(C)])
    assert known(repo, None) == {A, B, C}
    assert [known(repo, whom) for whom in (listed(ada), listed(eve), listed(ada, eve), Trust())] == [
        {B}, {C}, {B, C}, set()
    ]  # fmt: skip
    assert {row.subject: row.signed for row in sharing.listing(repo)}[A] is None


def forged(repo: Repo, files: dict[str, bytes]) -> None:
    """An unsigned commit on top, made with git alone."""
    tip = refs.read(repo, REF)
    assert tip
    with objects.scratch_index(repo) as index:
        repo.git("read-tree", tip, index=index)
        objects.put(repo, index, files)
        tree = objects.write_tree(repo, index)
    refs.move(repo, [Move(REF, objects.commit_tree(repo, tree, [tip], "forged\n"), tip)], "test")


def test_what_was_signed_vouches_for_no_other_content_and_no_other_subject(repo: Repo, ada: Path) -> None:
    signer(repo, ada)
    verdicts.record(repo, [passed(A)])
    same = verdicts.render(passed(A))
    forged(repo, {place(B): same, place(A): same.replace(b"2025", b"2026")})
    assert (known(repo, None), known(repo, listed(ada))) == ({A, B}, set())


def test_a_merge_of_histories_keeps_who_vouched(repo: Repo, tmp_path: Path, run: Run, ada: Path) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "hub.git", cwd=tmp_path)
    run("git", "clone", "-q", repo.root, tmp_path / "other", cwd=tmp_path)
    other = discover(tmp_path / "other")
    for one in (repo, other):
        one.git("remote", "add", "hub", str(tmp_path / "hub.git"))
    signer(repo, ada)
    verdicts.record(repo, [passed(A)])
    verdicts.record(other, [passed(B)])
    assert (sharing.push(repo, "hub").new, sharing.push(other, "hub").new) == (1, 1)
    done = sharing.pull(repo, "hub")
    assert (done.new, done.contradictions, known(repo, None)) == (1, (), {A, B})
    assert (known(repo, listed(ada)), known(other, listed(ada))) == ({A}, {A})
    assert sharing.pull(repo, "hub").new == 0


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
def test_an_openpgp_key_counts_by_its_fingerprint(
    repo: Repo, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path("/tmp", f"mlops-gpg-{tmp_path.name[-12:]}")  # the agent's socket has a short path
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    try:
        batch = (
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "ada@example.org",
            "ed25519",
            "sign",
        )
        run("gpg", *batch, cwd=tmp_path)
        colons = run("gpg", "--with-colons", "--list-keys", cwd=tmp_path).stdout
        fingerprint = next(line.split(":")[9] for line in colons.splitlines() if line.startswith("fpr:"))
        repo.git("config", "user.signingkey", fingerprint)
        repo.git("config", "commit.gpgsign", "true")
        verdicts.record(repo, [passed(A)])
        assert known(repo, Trust(gpg=(fingerprint,))) == {A}
        assert known(repo, Trust(b"ada@example.org ssh-ed25519 AAAA\n", ("F" * 40,))) == set()
    finally:
        run("gpgconf", "--kill", "all", cwd=tmp_path)
        shutil.rmtree(home, ignore_errors=True)


def test_who_does_not_sign_commits_signs_no_verdict(repo: Repo) -> None:
    assert trust.signs(repo) is False
    repo.git("config", "commit.gpgsign", "true")
    assert trust.signs(repo) is True
    repo.git("config", "mlops.verdicts.sign", "false")
    assert trust.signs(repo) is False
