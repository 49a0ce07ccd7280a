"""The `schemas:` and `verdicts:` sections of mlops.yaml."""

from typing import Literal, NamedTuple

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


class Trust(NamedTuple):
    """Who may vouch; nobody by default."""

    signers: bytes = b""
    """Lines of git's `gpg.ssh.allowedSignersFile`."""
    gpg: tuple[str, ...] = ()
    """Fingerprints of OpenPGP keys (of the key or of its primary one), in capitals, without spaces."""
