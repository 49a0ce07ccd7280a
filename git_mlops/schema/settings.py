"""The `schemas:` and `verdicts:` sections of mlops.yaml."""

from typing import Literal, NamedTuple

from git_mlops.git.trust import Trust

__all__ = ["Bindings", "Trust", "Verdicts"]

Bindings = dict[str, str]
"""Path or pattern of data (as in .gitignore, relative to the top) → path of its schema file."""


class Verdicts(NamedTuple):
    """Whose verdicts count where a range is checked, as CI does: by the settings of the target branch."""

    trust: Literal["signed", "all"] = "signed"
    """`all`: whoever can push `refs/mlops/verdicts` is believed."""
    signers: str = ".mlops/allowed_signers"
    """A file in the form of git's `gpg.ssh.allowedSignersFile`."""
    gpg: tuple[str, ...] = ()
    """Fingerprints of OpenPGP keys."""
