"""Three-way merge of tables by key, of tables that only grew, and of directories' listings.

Pure: files in, a file out; nothing is known here of git, of DVC or of pointers. Rows keep the order of ours;
new rows of theirs follow. What is not touched is copied as it stands.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from git_mlops.data import merge_parquet, merge_text
from git_mlops.data.records import RecordError
from git_mlops.data.threeway import CannotMergeError, Choose, Conflict, Outcome, Sides, nothing_chosen
from git_mlops.tables.forms import Form
from git_mlops.tables.frames import reason


def merge_tables(
    sides: Sides, form: Form, key: Sequence[str], target: Path, choose: Choose = nothing_chosen,
    *, union: bool = False,
) -> Outcome:  # fmt: skip
    """Merge by the columns of `key` into the file `target`; without a key, rows that the sides inserted.

    Args:
        union: without a key, also where rows were changed or removed: every row that a side added is there.

    Raises:
        CannotMergeError: not readable, no unique key, or no key and not only inserted.
    """
    import polars as pl

    if form.dialect is not None:
        raise CannotMergeError(
            "how it is written is declared (`forms` in mlops.yaml); merges do not know that"
        )
    if form.kind not in _MERGE:
        raise CannotMergeError(f"tables of the form {form.name} are not merged row by row")
    try:
        if not key:
            return _APPEND[form.kind](sides, form, target, union=union)
        return _MERGE[form.kind](sides, form, tuple(key), target, choose)
    except (RecordError, pl.exceptions.PolarsError, UnicodeError) as error:
        raise CannotMergeError(f"it cannot be read: {reason(error)}") from error


_APPEND = dict.fromkeys(("csv", "tsv", "jsonl"), merge_text.append) | {"parquet": merge_parquet.append}
_MERGE = dict.fromkeys(("csv", "tsv", "jsonl"), merge_text.merge) | {"parquet": merge_parquet.merge}


def without_rows(ours: Path, theirs: Path, form: Form, target: Path) -> Path:
    """A table with the columns that both have, and no row: what two tables have in common that grew apart.

    Raises:
        ValueError: one cannot be read.
    """
    if form.kind == "parquet":
        merge_parquet.without_rows(ours, theirs, target)
    elif form.kind in _MERGE:
        merge_text.without_rows(ours, theirs, form, target)
    else:
        raise CannotMergeError(f"tables of the form {form.name} are not merged row by row")
    return target


def rows_in(file: Path, form: Form) -> Counter[bytes | int]:
    """How often each row is there, by its bytes or a hash.

    Raises:
        ValueError: it cannot be read.
    """
    if form.kind == "parquet":
        return Counter(merge_parquet.hashes(file))
    if form.kind not in _MERGE:
        raise CannotMergeError(f"tables of the form {form.name} are not read row by row")
    return Counter(merge_text.bodies(file, form))


def merge_listings(
    base: Mapping[str, str],
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    choose: Choose = nothing_chosen,
) -> tuple[dict[str, str], tuple[Conflict, ...]]:
    """Directories (path → hash): what one side added, removed or changed; both changed a file: a conflict."""
    merged: dict[str, str] = {}
    conflicts: list[Conflict] = []
    for path in sorted({**base, **ours, **theirs}):
        b, o, t = base.get(path), ours.get(path), theirs.get(path)
        result = t if b == o else o
        if o not in (b, t) and t != b:
            conflict = Conflict((path,), "", b, o, t)
            choice = choose(conflict)
            if choice is None or choice.side == "value":
                conflicts.append(conflict)
                continue
            result = {"base": b, "ours": o, "theirs": t}[choice.side]
        if result is not None:
            merged[path] = result
    for path in merged:
        parts = path.split("/")
        for end in range(1, len(parts)):
            if (above := "/".join(parts[:end])) in merged:
                conflicts.append(Conflict((path,), "", base.get(path), ours.get(path), theirs.get(path)))
                conflicts.append(Conflict((above,), "", base.get(above), ours.get(above), theirs.get(above)))
    return merged, tuple(dict.fromkeys(conflicts))
