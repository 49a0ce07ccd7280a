"""Whether keys repeat, in bounded memory: 64-bit hashes, many of them on disk, parted by their first bits.

Equal keys have equal hashes, so that no repeated hash proves that no key repeats. A repeated hash is a
suspicion: whoever counts on it must look at the keys.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import polars as pl

IN_MEMORY = 8 * 1024 * 1024
"""Hashes that are held; 64 MiB."""
_BITS = 6


class Repeats(NamedTuple):
    """What stands more than once."""

    rows: int
    """All rows whose hash another row has, too."""
    hashes: "pl.Series"
    """Each such hash, once."""


class Keys:
    """The hashes of all rows of one key; to be closed, because of its temporary files."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._most = in_memory
        self._held: list[Any] = []
        self._count = 0
        self._folder: Path | None = None
        self._lock = Lock()

    def close(self) -> None:
        """Delete what was spilled."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, hashes: "pl.Series") -> None:
        """More rows; several threads may."""
        with self._lock:
            self._held.append(hashes.to_numpy())
            self._count += len(hashes)
            if self._count >= self._most:
                self._spill()

    def _spill(self) -> None:
        import numpy as np

        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="mlops-keys-"))
        ordered = np.sort(np.concatenate(self._held))
        self._held, self._count = [], 0
        bounds = np.arange(1, 2**_BITS, dtype=np.uint64) << np.uint64(64 - _BITS)
        for number, part in enumerate(np.split(ordered, np.searchsorted(ordered, bounds))):
            if len(part):
                with (self._folder / str(number)).open("ab") as file:
                    part.tofile(file)

    def repeats(self) -> Repeats | None:
        """What repeats among all rows; None when nothing does."""
        import numpy as np
        import polars as pl

        rows, repeated = 0, []
        for part in self._parts():
            part.sort()
            same = part[1:] == part[:-1]
            if same.any():
                found = np.unique(part[1:][same])
                rows += int(same.sum()) + len(found)
                repeated.append(found)
        return Repeats(rows, pl.Series(np.concatenate(repeated))) if repeated else None

    def _parts(self) -> Iterator[Any]:
        import numpy as np

        if self._folder is None:
            if self._held:
                yield np.concatenate(self._held)
            return
        if self._held:
            self._spill()
        for file in sorted(self._folder.iterdir()):
            yield np.fromfile(file, dtype=np.uint64)


def hashed(frame: "pl.DataFrame") -> "pl.Series":
    """A hash of each row. Nulls are equal to each other and to NaN, as pandas has it."""
    import polars as pl

    cleaned = frame.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
    series = cleaned.to_series() if cleaned.width == 1 else cleaned.to_struct()
    return series.hash()
