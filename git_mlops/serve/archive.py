"""A directory as a zip file of the same bytes everywhere."""

import datetime as dt
import zipfile
from pathlib import Path

from git_mlops.data import hashes

_FIRST = 315_532_800
"""1980: zip files know nothing before."""


def write(folder: Path, target: Path, time: int) -> Path:
    """Write it; the same as `target`. Not packed: each version of zlib packs in its own way."""
    when = dt.datetime.fromtimestamp(max(time, _FIRST), dt.UTC).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(hashes.walk(folder)):
            entry = zipfile.ZipInfo(name, when)
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            with (folder / name).open("rb") as source, archive.open(entry, "w", force_zip64=True) as out:
                while chunk := source.read(1 << 20):
                    out.write(chunk)
    return target
