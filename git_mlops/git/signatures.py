"""Signatures, judged by git alone and by the signers that the caller names: no cryptography of ours."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from git_mlops.git.repo import Repo
from git_mlops.git.run import heard
from git_mlops.git.trust import Trust


def good_commits(repo: Repo, trust: Trust, commits: Sequence[str]) -> list[str]:
    """Those that somebody trusted signed, with a key that git finds valid."""
    if not commits:
        return []
    with _configured(trust) as words:
        asked = "".join(f"{commit}\n" for commit in commits).encode()
        form = "--format=%H %G? %GF %GP"
        answer = repo.text(*words, "log", "--no-walk=unsorted", "--stdin", form, stdin=asked)
    return [line.split(" ")[0] for line in answer.splitlines() if _trusted(trust, line.split(" "))]


def _trusted(trust: Trust, words: Sequence[str]) -> bool:
    """Commit, judgement, fingerprint of the key, and of its primary key."""
    _commit, judgement, key, primary = words
    if key.startswith("SHA256:"):  # ssh: `G` only where the file of signers has the key, else `U`
        return judgement == "G" and bool(trust.signers)
    return judgement in ("G", "U") and bool({key, primary} & set(trust.gpg))


@contextmanager
def _configured(trust: Trust | None) -> Iterator[tuple[str, ...]]:
    """Options of git that make it judge by these signers; None: as the user's git is configured."""
    if trust is None:
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        file = Path(folder, "allowed_signers")
        file.write_bytes(trust.signers)
        yield ("-c", f"gpg.ssh.allowedSignersFile={file}", "-c", "gpg.ssh.revocationFile=")


class Signature(NamedTuple):
    """What git says of a tag's signature."""

    signed: bool
    good: bool
    """Whether it is valid and by somebody trusted."""
    who: str | None = None
    """The principal of an SSH key, or the name of an OpenPGP key."""
    key: str | None = None
    """Fingerprint."""
    problem: str | None = None
    """Why it is not good."""


_SSH = re.compile(r'Good "git" signature for (?P<who>.*) with \S+ key (?P<key>SHA256:\S+)')
_SSH_UNKNOWN = re.compile(r'Good "git" signature with \S+ key (?P<key>SHA256:\S+)')
_GPG = re.compile(
    r"\[GNUPG:\] VALIDSIG (?P<key>[0-9A-F]{40,64}) .*?(?P<primary>[0-9A-F]{40,64})$", re.MULTILINE
)
_GPG_WHO = re.compile(r"\[GNUPG:\] GOODSIG \S+ (?P<who>.*)")


def of_tag(repo: Repo, oid: str, trust: Trust | None) -> Signature:
    """The signature of one tag object; of a nested tag the outer one's alone.

    Args:
        trust: who counts; None: whoever the user's git trusts (`gpg.ssh.allowedSignersFile`, gpg's keyring).
    """
    with _configured(trust) as words:
        status, said = heard(*words, "verify-tag", "--raw", oid, cwd=repo.root)
    failed = None if status == 0 else "git does not find its signature valid"
    if "no signature found" in said:
        return Signature(signed=False, good=False, problem="it is not signed")
    if match := _SSH.search(said):
        return Signature(signed=True, good=not failed, who=match["who"], key=match["key"], problem=failed)
    if match := _SSH_UNKNOWN.search(said):
        return _bad(f"nobody trusted has the key {match['key']}", match["key"])
    if match := _GPG.search(said):
        who = _GPG_WHO.search(said)
        known = trust is None or bool({match["key"], match["primary"]} & set(trust.gpg))
        problem = failed or (None if known else f"nobody trusted has the key {match['key']}")
        return Signature(
            signed=True, good=not problem, who=who and who["who"], key=match["key"], problem=problem
        )
    if "allowedSignersFile needs to be configured" in said:
        return _bad("nobody is trusted here: `gpg.ssh.allowedSignersFile` is not set")
    return _bad(failed or "git does not find its signature valid")


def _bad(problem: str, key: str | None = None) -> Signature:
    return Signature(signed=True, good=False, key=key, problem=problem)
