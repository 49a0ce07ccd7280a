"""Whose signatures count. Apart from what judges them: it is on the path of every commit."""

from typing import NamedTuple


class Trust(NamedTuple):
    """Who may vouch; nobody by default."""

    signers: bytes = b""
    """Lines of git's `gpg.ssh.allowedSignersFile`."""
    gpg: tuple[str, ...] = ()
    """Fingerprints of OpenPGP keys (of the key or of its primary one), in capitals, without spaces."""
