"""Signatures of tags: what git says, by whom we trust."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_mlops.git import signatures
from git_mlops.git.repo import Repo
from git_mlops.git.signatures import Signature
from git_mlops.git.trust import Trust
from tests.conftest import Run
from tests.models.conftest import Persona

Listed = Callable[..., Trust]


def of(repo: Repo, tag: str, trust: Trust | None) -> Signature:
    return signatures.of_tag(repo, repo.text("rev-parse", f"refs/tags/{tag}"), trust)


def test_an_ssh_signature_is_good_where_the_key_is_listed(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    persona("ada")
    project.git("tag", "-s", "-m", "x", "t")
    project.git("tag", "-a", "--no-sign", "-m", "x", "plain")
    good = of(project, "t", listed("ada"))
    assert (good.signed, good.good, good.who, good.problem) == (True, True, "ada@example.com", None)
    for trust in (listed("bob"), Trust()):
        other = of(project, "t", trust)
        assert (other.signed, other.good, other.key) == (True, False, good.key)
    assert of(project, "plain", listed("ada")) == Signature(
        signed=False, good=False, problem="it is not signed"
    )


def test_without_a_list_git_s_own_configuration_decides(
    project: Repo, persona: Persona, listed: Listed, tmp_path: Path
) -> None:
    persona("ada")
    project.git("tag", "-s", "-m", "x", "t")
    assert of(project, "t", None).problem == "nobody is trusted here: `gpg.ssh.allowedSignersFile` is not set"
    (tmp_path / "signers").write_bytes(listed("ada").signers)
    project.git("config", "gpg.ssh.allowedSignersFile", str(tmp_path / "signers"))
    assert of(project, "t", None).good
    assert not of(project, "t", Trust()).good


@pytest.fixture
def fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[str]:
    """Of an OpenPGP key in a keyring of its own."""
    home = Path("/tmp", f"mlops-gpg-{tmp_path.name[-12:]}")  # the agent's socket has a short path
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    try:
        words = (
            "--batch",
            "--quiet",
            "--passphrase",
            "",
            "--quick-gen-key",
            "ada@example.com",
            "ed25519",
            "sign",
        )
        run("gpg", *words, cwd=tmp_path)
        lines = run("gpg", "--with-colons", "--list-keys", cwd=tmp_path).stdout.splitlines()
        yield next(line.split(":")[9] for line in lines if line.startswith("fpr:"))
    finally:
        run("gpgconf", "--kill", "all", cwd=tmp_path)
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
def test_an_openpgp_key_counts_by_its_fingerprint(project: Repo, fingerprint: str) -> None:
    project.git("config", "user.signingkey", fingerprint)
    project.git("tag", "-s", "-m", "x", "t")
    good = of(project, "t", Trust(gpg=(fingerprint,)))
    assert (good.good, good.who, good.key) == (True, "ada@example.com", fingerprint)
    assert of(project, "t", None).good
    assert of(project, "t", Trust(gpg=("F" * 40,))).problem == f"nobody trusted has the key {fingerprint}"
