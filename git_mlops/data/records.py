"""Tables that are text, as records: the bytes of each row as they stand, and the cells in them. Pure.

A merge keeps what nobody changed to the byte: quoting, line endings, numbers as they were written.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

Row = Mapping[str, object]
"""Column → cell: raw bytes of a CSV, with their quotes; a value of JSON."""


class RecordError(ValueError):
    """A file that is not what its name says, and why."""


class Table(Protocol):
    """A file of records."""

    file: Path
    columns: tuple[str, ...] | None
    """None where each record names its own."""
    head: bytes
    """What stands before the first record."""

    def records(self) -> Iterator[bytes]:
        """Each with its line ending."""

    def row(self, record: bytes) -> Row:
        """Its cells."""

    def keys(self, records: Sequence[bytes], columns: Sequence[str]) -> list[bytes]:
        """What tells each row apart.

        Raises:
            RecordError: a row lacks a column of the key, or has too many.
        """

    def text(self, row: Row, columns: Sequence[str], like: bytes) -> bytes:
        """The record of a row, without a line ending; written as `like` is."""

    def value(self, cell: object) -> bytes:
        """What tells cells apart: the same for `1` and `"1"` in a CSV."""


class Csv:
    """CSV or TSV: the first record names the columns. Bytes, so that any encoding passes through."""

    def __init__(self, file: Path, separator: bytes) -> None:
        self.file = file
        self.separator = separator
        quoted, sep = rb'"(?:[^"]|"")*"', re.escape(separator)
        self._field = re.compile(rb"(?:%s)?[^%s]*" % (quoted, sep), re.DOTALL)
        head = next(self._all(), b"")
        self.head = head
        names = [text_of(self.value(cell)) for cell in self.cells(head.removeprefix(_BOM))]
        if len(set(names)) < len(names):
            raise RecordError("a column's name stands more than once")
        self.columns: tuple[str, ...] | None = tuple(names)

    def _all(self) -> Iterator[bytes]:
        held: list[bytes] = []
        length = 0
        with self.file.open("rb") as stream:
            for line in stream:
                if not held and b'"' not in line:
                    yield line
                    continue
                # inside of a quoted cell nothing but another quote can end it
                goes_on = bool(held) ^ bool(line.count(b'"') % 2)
                if goes_on and (held or self._open(line)):
                    held.append(line)
                    length += len(line)
                    if length > _LARGEST:
                        raise RecordError("a quote is never closed")
                    continue
                yield b"".join([*held, line]) if held else line
                held, length = [], 0
        if held:
            raise RecordError("a quote is never closed")

    def _open(self, line: bytes) -> bool:
        """Whether a quoted cell goes on in the next line; in a plain cell a quote is a character."""
        return any(cell[:1] == b'"' and cell.count(b'"') % 2 for cell in self.cells(line))

    def records(self) -> Iterator[bytes]:
        """Empty lines are no rows, unless there is but one column."""
        every = self._all()
        next(every, None)
        single = self.columns is not None and len(self.columns) == 1
        for record in every:
            if single or record.strip(b"\r\n"):
                yield record

    def cells(self, record: bytes) -> list[bytes]:
        """Raw, with their quotes."""
        body = record.rstrip(b"\r\n")
        if b'"' not in body:
            return body.split(self.separator)
        found, at = [], 0
        while True:
            match = self._field.match(body, at)
            assert match  # it matches nothing, too
            found.append(match[0])
            at = match.end() + 1
            if match.end() >= len(body):
                return found

    def row(self, record: bytes) -> Row:
        """A record that is too short lacks its last cells."""
        cells = self.cells(record)
        columns = self.columns or ()
        self._fits(len(cells))
        return dict(zip(columns, cells, strict=False))

    def _fits(self, cells: int) -> None:
        width = len(self.columns or ())
        if cells > width:
            raise RecordError(f"a row has {cells} cells for {width} columns")

    def keys(self, records: Sequence[bytes], columns: Sequence[str]) -> list[bytes]:
        """The whole table passes here: only as much is split as is needed."""
        names, mark = self.columns or (), self.separator
        places = [names.index(column) for column in columns]
        last, width = max(places), len(names)
        keys = []
        for record in records:
            if b'"' in record:
                cells = [self.value(cell) for cell in self.cells(record)]
                self._fits(len(cells))
            else:
                if record.count(mark) >= width:
                    self._fits(record.count(mark) + 1)
                cells = record.split(mark, last + 1)
                if len(cells) <= last + 1:  # the last cell has the line ending
                    cells[-1] = cells[-1].rstrip(b"\r\n")
            if len(cells) <= last:
                raise RecordError(f"a row lacks `{names[last]}`, which the key needs")
            keys.append(cells[places[0]] if len(places) == 1 else b"\0".join([cells[p] for p in places]))
        return keys

    def text(self, row: Row, columns: Sequence[str], like: bytes) -> bytes:
        """Cells as they stand in their file."""
        cells = (row.get(column) for column in columns)
        return self.separator.join(cell if isinstance(cell, bytes) else b"" for cell in cells)

    def value(self, cell: object) -> bytes:
        """Without its quotes."""
        text = cell if isinstance(cell, bytes) else b""
        if text[:1] == b'"' and text[-1:] == b'"' and len(text) > 1:
            return text[1:-1].replace(b'""', b'"')
        return text

    def quoted(self, text: str) -> bytes:
        """A new cell, quoted where it has to be."""
        raw = text.encode("utf-8", "surrogateescape")
        if any(mark in raw for mark in (self.separator, b'"', b"\n", b"\r")):
            return b'"' + raw.replace(b'"', b'""') + b'"'
        return raw


_BOM = b"\xef\xbb\xbf"
_LARGEST = 64 * 1024 * 1024
_BATCH = 1000


class JsonLines:
    """An object per line, which names its own columns."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.columns: tuple[str, ...] | None = None
        self.head = b""

    def records(self) -> Iterator[bytes]:
        """Lines that hold anything."""
        with self.file.open("rb") as stream:
            yield from (line for line in stream if line.strip())

    def row(self, record: bytes) -> Row:
        """Its object."""
        try:
            found = json.loads(record.decode())  # which spares a guess at the encoding
        except (ValueError, RecursionError) as error:
            raise RecordError(f"a line is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise RecordError("a line is no JSON object")
        return found

    def keys(self, records: Sequence[bytes], columns: Sequence[str]) -> list[bytes]:
        """Canonical JSON of the values."""
        keys = []
        for at in range(0, len(records), _BATCH):
            for row in self._rows(records[at : at + _BATCH]):
                try:
                    keys.append(b"\0".join([self.value(row[column]) for column in columns]))
                except KeyError as error:
                    raise RecordError(f"a row lacks `{error.args[0]}`, which the key needs") from error
        return keys

    def _rows(self, records: Sequence[bytes]) -> list[Row]:
        """Parsed all at once, which takes a third of the time; one by one where that is not certain."""
        try:
            rows = json.loads(b"[%s]" % b",".join(records))
        except (ValueError, RecursionError):
            rows = []
        if len(rows) == len(records) and all(type(row) is dict for row in rows):
            return list(rows)
        return [self.row(record) for record in records]

    def text(self, row: Row, columns: Sequence[str], like: bytes) -> bytes:
        """Spaces and escapes as the record `like` has them."""
        spaced = b'": ' in like or b'":' not in like
        separators = (", ", ": ") if spaced else (",", ":")
        ascii_ = like.isascii() and b"\\u" in like
        return json.dumps(row, ensure_ascii=ascii_, separators=separators).encode("utf-8", "surrogatepass")

    def value(self, cell: object) -> bytes:
        """Canonical: `1`, `1.0` and `true` are three values."""
        if type(cell) is int:  # the usual key
            return b"%d" % cell
        return json.dumps(cell, sort_keys=True, separators=(",", ":")).encode()


def picked(table: Table, wanted: Collection[int]) -> dict[int, bytes]:
    """The records at these places, counted from 0."""
    if not wanted:
        return {}
    return {number: record for number, record in enumerate(table.records()) if number in wanted}


def ending(record: bytes) -> bytes:
    """Its line ending, if it has one."""
    return b"\r\n" if record.endswith(b"\r\n") else b"\n" if record.endswith(b"\n") else b""


def separator_of(kind: str, head: bytes) -> bytes:
    """What parts the cells, told by the header: many a `.csv` has semicolons."""
    if kind == "tsv":
        return b"\t"
    counts = {mark: head.count(mark) for mark in (b",", b";", b"\t")}
    return max(counts, key=lambda mark: counts[mark]) if any(counts.values()) else b","


def text_of(value: bytes) -> str:
    """For people, whatever the encoding."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
