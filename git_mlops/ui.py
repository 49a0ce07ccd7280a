"""The terminal: data on stdout, everything else on stderr. The one place that prints."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from git_mlops import env, errors, jsonable
from git_mlops.errors import MlopsError
from git_mlops.reports import aligned


def out(text: str = "", *, end: str = "\n") -> None:
    """Data, for people or pipes."""
    sys.stdout.write(_printable(text, sys.stdout) + end)


def shows(text: str) -> bool:
    """Whether standard output can carry these characters."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def note(text: str) -> None:
    """Progress and confirmation, for people."""
    sys.stdout.flush()
    sys.stderr.write(_printable(text, sys.stderr) + "\n")


def warn(message: str, *, hint: str | None = None) -> None:
    """Something is not as it should be, but the command went on."""
    _message("warning", "33", message, hint)


def error(message: str, *, hint: str | None = None) -> None:
    """The command could not do its work."""
    _message("error", "31", message, hint)


def _message(kind: str, colour: str, message: str, hint: str | None) -> None:
    note(f"{paint(kind + ':', colour, sys.stderr)} {message}")
    if hint:
        note(f"{paint('hint:', '36', sys.stderr)} {hint}")


def write(text: str, output: str | None = None) -> None:
    """A whole report: on stdout (also for `-`), or into a file."""
    if output is None or output == "-":
        out(text.rstrip("\n"))
    else:
        Path(output).write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def emit(kind: str, data: object) -> None:
    """The `--json` envelope; its version is the contract. Of a list each item has a line of its own.

    NaN and infinities, for which JSON has no word, are text.
    """
    if isinstance(data, list):
        emit_each(kind, data)
    else:
        out(jsonable.indented({"mlops": 1, "kind": kind, "data": data}))


def emit_each(kind: str, items: Iterable[object]) -> None:
    """The same of any number of items, which are made as they are written."""
    # json's quick encoder knows no indentation: a listing of thousands would wait for the slow one
    lines = map(jsonable.line, items)
    out(f'{{\n  "mlops": 1,\n  "kind": {json.dumps(kind)},\n  "data": [', end="")
    between = "\n    "
    while some := list(islice(lines, _AT_ONCE)):
        out(between + ",\n    ".join(some), end="")
        between = ",\n    "
    out("]\n}" if between == "\n    " else "\n  ]\n}")


_AT_ONCE = 500


@contextmanager
def aside() -> Iterator[None]:
    """What others print (a pipeline, its stages) goes to stderr meanwhile: stdout is for our own answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns aligned by what a terminal shows; numbers to the right. No rows: nothing."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    by_column(header, list(zip(*cells, strict=True)), [(None, len(cells))])


def by_column(
    header: Sequence[str], columns: Sequence[Sequence[str]], groups: Iterable[tuple[str | None, int]]
) -> None:
    """The same of columns of text, however many rows; below headings with the number of rows that each has.

    Rows below a heading are indented; empty lines stand between the groups.
    """
    if not columns or not columns[0]:
        return
    counted = list(groups)
    indent = "  " if any(title is not None for title, _rows in counted) else ""
    found = [aligned.column([head.upper(), *some]) for head, some in zip(header, columns, strict=True)]
    found[0] = [indent + cell for cell in found[0]] if indent else found[0]
    lines = map(str.rstrip, map("  ".join, zip(*found, strict=True)))
    shown = [next(lines)]
    for number, (title, rows) in enumerate(counted):
        if title is not None:
            shown.append(f"\n{title}" if number else title)
        shown += islice(lines, rows)
    out("\n".join(shown))


def count(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """`a`, `b` and so many more, in backticks."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def few(names: Sequence[str], most: int = 10) -> str:
    """The first of many names."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def paint(text: str, colour: str, stream: object = None) -> str:
    """`text` in an ANSI colour, where the stream is a terminal and nobody asked for none."""
    stream = sys.stdout if stream is None else stream
    plain = env.get("NO_COLOR") or env.get("TERM") == "dumb" or not getattr(stream, "isatty", bool)()
    return text if plain else f"\033[{colour}m{text}\033[0m"


def progress(label: str) -> Callable[[int, int], None]:
    """A callback (done, total) that draws one line on a terminal and nothing elsewhere."""
    if not sys.stderr.isatty() or env.get("TERM") == "dumb":
        return lambda _done, _total: None

    def draw(done: int, total: int) -> None:
        import shutil

        room = max(10, min(40, shutil.get_terminal_size().columns - len(label) - 20))
        filled = room * done // max(total, 1)
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{label} [{'#' * filled}{'.' * (room - filled)}] {done}/{total}{end}")
        sys.stderr.flush()

    return draw


def guard(work: Callable[[], int | None]) -> int:
    """Run a whole command: turn what it raises into a message and a documented exit code."""
    try:
        code = work() or errors.OK
        sys.stdout.flush()
    except MlopsError as problem:
        error(str(problem), hint=problem.hint)
        return problem.exit_code
    except KeyboardInterrupt:
        error("interrupted")
        return errors.INTERRUPTED
    except BrokenPipeError:
        # the reader (`| head`) has what it wanted; keep Python from complaining at exit
        sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123  # lives until the process ends
        return errors.OK
    except PermissionError as problem:
        error(f"no permission: {problem.filename or problem}")
        return errors.CANNOT_EVALUATE
    except OSError as problem:
        error(f"{problem.strerror or problem}: {problem.filename}" if problem.filename else str(problem))
        return errors.CANNOT_EVALUATE
    except Exception as problem:  # the last line of defence: a defect of ours, said as such
        if env.get("MLOPS_TRACE"):
            raise
        error(
            f"a defect in git-mlops: {type(problem).__name__}: {problem}",
            hint="run it again with `MLOPS_TRACE=1` and report what it prints",
        )
        return errors.CANNOT_EVALUATE
    return code


_COLOUR = re.compile(r"(\033\[(?:0|1|31|32|33|36)m)")


def _printable(text: str, stream: TextIO) -> str:
    """Text the stream can carry. Control characters from data cannot drive a terminal; plain colours pass."""
    parts = _COLOUR.split(text) if stream.isatty() else [text]
    shown = "".join(part if number % 2 else _escaped(part) for number, part in enumerate(parts))
    encoding = stream.encoding or "utf-8"
    return shown if shown.isascii() else shown.encode(encoding, "backslashreplace").decode(encoding)


def _escaped(text: str) -> str:
    if text.replace("\n", "").isprintable():
        return text
    return "\n".join(line if line.isprintable() else _escaped_line(line) for line in text.split("\n"))


def _escaped_line(line: str) -> str:
    return "".join(c if c == "\t" or c.isprintable() else repr(c)[1:-1] for c in line)
