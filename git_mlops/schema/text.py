"""Tables that are text: the records of a CSV, the objects of JSON lines, and the line each stands at.

Slow and exact, for what the quick readers do not tell: why a file is no table, and where.
"""

import csv
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from git_mlops.tables.forms import Form
from git_mlops.tables.opened import opened, reader_of, undecodable


class UnreadableError(Exception):
    """The bytes are no table of the form; says why, and where if that is known."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def first_line(error: BaseException) -> str:
    """What a library says, without the rest of its paragraph."""
    return (str(error).splitlines() or [type(error).__name__])[0].strip().rstrip(".")


def open_(path: Path, form: Form) -> IO[bytes]:
    """The bytes, unpacked."""
    return opened(path, form)


def records(path: Path, form: Form) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV with the line each starts at; blank lines are no records, as for pandas."""
    with open_(path, form) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        reader = reader_of(text, form)
        start = 1
        for record in reader:
            if record:
                yield start, record
            start = reader.line_num + 1


def unclosed(path: Path, form: Form) -> bool:
    """Whether a quote swallows the rest of the file, which quick readers take for a long cell."""
    with open_(path, form) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        try:
            for _record in reader_of(text, form, strict=True):
                pass
        except csv.Error as error:
            return "end of data" in str(error)
    return False


def why_no_csv(path: Path, form: Form, width: int, error: Exception) -> UnreadableError:
    """Arrow knows that it is wrong, a second reading knows in which line."""
    ragged: list[tuple[int, int]] = []
    try:
        ragged = [(line, len(record)) for line, record in records(path, form) if len(record) != width]
    except UnicodeError:
        return not_utf8(path, form)
    except csv.Error:
        pass
    if not ragged:
        return UnreadableError(first_line(error))
    line, found = ragged[0]
    first = "header" if form.header else "first"
    more = f", and {len(ragged) - 1} more lines are ragged" if len(ragged) > 1 else ""
    return UnreadableError(f"line {line} has {found} fields, the {first} {width}{more}", line)


def not_utf8(path: Path, form: Form) -> UnreadableError:
    """The error, with the first line that is not UTF-8, or not in the encoding that is declared."""
    as_declared = "" if form.encoding == "utf-8" else ", as declared"
    name = form.encoding.upper() if not as_declared else form.encoding
    try:
        line, byte = _undecoded(path, form)
    except (EOFError, zlib.error, OSError):  # what packs it is broken, too
        return UnreadableError(f"it is not {name}{as_declared}")
    return UnreadableError(f"line {line} is not {name}{byte}{as_declared}", line)


def _undecoded(path: Path, form: Form) -> tuple[int, str]:
    """The first such line, and its byte where that is known."""
    if form.encoding != "utf-8":
        return undecodable(path, form), ""
    with open_(path, form) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return number, f" (byte 0x{line[error.start]:02x})"
    raise EOFError


class Objects(NamedTuple):
    """JSON lines as columns."""

    columns: dict[str, list[object]]
    lines: tuple[int, ...]
    """The line of each row."""


def read_objects(path: Path, form: Form) -> Objects:
    """Every object of a file of JSON lines; a key that a line lacks is None.

    Raises:
        UnreadableError: a line is no JSON object.
    """
    columns: dict[str, list[object]] = {}
    numbers: list[int] = []
    for number, record in objects(path, form):
        for name, value in record.items():
            column = columns.setdefault(name, [])
            column.extend([None] * (len(numbers) - len(column)))
            column.append(value)
        numbers.append(number)
    for column in columns.values():
        column.extend([None] * (len(numbers) - len(column)))
    return Objects(columns, tuple(numbers))


def objects(path: Path, form: Form) -> Iterator[tuple[int, dict[str, object]]]:
    """Each object of a file of JSON lines with its line.

    Raises:
        UnreadableError: a line is no JSON object.
    """
    with open_(path, form) as raw:
        for number, line in enumerate(raw, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if text.strip():
                yield number, _object(text, number)


_DECODE = json.JSONDecoder().decode


def _object(text: bytes, number: int) -> dict[str, object]:
    try:
        record = _DECODE(text.decode("utf-8"))
        if b"\\u" in text and b"\\ud" in text.lower():
            json.dumps(record, ensure_ascii=False).encode("utf-8")  # half a pair of surrogates is no text
    except UnicodeError as error:
        raise UnreadableError(f"line {number} is not UTF-8", number) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"line {number} is not JSON: {first_line(error)}", number) from error
    if not isinstance(record, dict):
        raise UnreadableError(f"line {number} is not a JSON object", number)
    return record


def lines_of_csv(path: Path, form: Form, rows: int, wanted: Iterable[int]) -> dict[int, int]:
    """Row (from 0) → line of the file (from 1, the header counted)."""
    missing = set(wanted)
    if _one_line_each(path, form, rows):
        return {row: row + 1 + form.header for row in missing}
    found: dict[int, int] = {}
    for row, (line, _record) in enumerate(records(path, form), -int(form.header)):
        if row in missing:
            found[row] = line
        if len(found) == len(missing):
            break
    return found


def _one_line_each(path: Path, form: Form, rows: int) -> bool:
    """Whether no cell holds a line break and no line is blank."""
    count, last = 0, b"\n"
    with open_(path, form) as file:
        while chunk := file.read(1024 * 1024):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n") == rows + form.header


def repeated(names: Sequence[str]) -> tuple[str, ...]:
    """The names that stand more than once."""
    return tuple(name for name, count in Counter(names).items() if count > 1)
