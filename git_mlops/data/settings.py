"""The `data:` section of mlops.yaml."""

from typing import Literal, NamedTuple

from git_mlops.decode import Size

Level = Literal["full", "counts-only", "none"]
"""How much a profile says of a column: `counts-only` has no value of the data in it."""


class Settings(NamedTuple):
    """What is data, and how much of it plain git may hold."""

    track: tuple[str, ...] = ()
    """Patterns (as in .gitignore) of files that a commit turns into pointers by itself."""
    allow: tuple[str, ...] = ()
    """Patterns of files that plain git may hold at any size."""
    size_limit: Size = Size(1024 * 1024)
    """The largest file that plain git may hold otherwise."""
    remote: str | None = None
    """The DVC remote to use; default: DVC's own default remote."""
    profile: dict[str, Level | dict[str, Level]] = {}  # noqa: RUF012  # of a frozen tuple
    """Pattern of tables → how much their profile says, for all columns or by column (`*`: the others)."""
    profile_limit: Size = Size(64 * 1024 * 1024)
    """The largest table that gets a profile: making one takes longer than adding the file."""
    keys: dict[str, tuple[str, ...]] = {}  # noqa: RUF012  # as above
    """Pattern of tables → the columns that tell their rows apart."""
    pii: dict[str, tuple[str, ...]] = {}  # noqa: RUF012  # as above
    """Pattern of tables → columns (or patterns of them) that must not be there: `email`, `*_name`."""
    pii_allow: dict[str, tuple[str, ...]] = {}  # noqa: RUF012  # as above
    """Pattern of tables → columns that may hold personal data, and are not looked at for it."""
    pii_scan: Literal["error", "warning", "off"] = "warning"
    """What e-mail addresses, phone and card numbers elsewhere are; keys and tokens are always errors."""
    labels: dict[str, str] = {}  # noqa: RUF012  # as above
    """Pattern of tables → their label column, whose changes are shown as old class against new."""
    owners: dict[str, tuple[str, ...] | dict[str, tuple[str, ...]]] = {}  # noqa: RUF012  # as above
    """Pattern of data → e-mail addresses of those who must have reviewed a change, of all or by column."""
    model_imports: tuple[str, ...] = ()
    """Imports of pickled models that the project vouches for: `mycompany.models.*`."""
