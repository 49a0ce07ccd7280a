"""Regular expressions of Python for an engine that has its own dialect.

What is written back matches no text that Python would not: classes are ASCII, `$` is the very end. The only
texts that it may miss hold a line break or letters beyond ASCII; who counts failures looks at these again.
Look-around, back references, flags, word boundaries and negated classes of kinds have no such form.
"""

import re
from re import _constants as codes  # type: ignore[attr-defined]  # the parse tree has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST_REPEATS = 1000
_KINDS = {
    codes.CATEGORY_DIGIT: "0-9",
    codes.CATEGORY_WORD: "0-9A-Za-z_",
    codes.CATEGORY_SPACE: r" \t\n\r\f\x0b",
}


class UntranslatableError(Exception):
    """A pattern that has no equal; says what is in the way."""


def translated(pattern: str, *, at_start: bool) -> str:
    """A pattern that Python searches for (or, `at_start`, matches from the start) for Rust's `regex`.

    Raises:
        UntranslatableError: there is none.
    """
    if at_start:
        pattern = pattern.removeprefix("^")  # as pandas does: `^a|b` matches `a` or `b` at the start
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UntranslatableError(f"is not one of Python's: {error}") from error
    if tree.state.flags & ~int(re.UNICODE):
        raise UntranslatableError("has flags")
    return f"^(?:{_sequence(tree)})" if at_start else _sequence(tree)


def _sequence(tree: Any) -> str:
    return "".join(_part(code, argument) for code, argument in tree)


def _part(code: Any, argument: Any) -> str:
    if code is codes.LITERAL:
        return _character(argument)
    if code is codes.NOT_LITERAL:
        return f"[^{_character(argument)}]"
    if code is codes.ANY:
        return "."
    if code is codes.IN:
        return _class(argument)
    if code is codes.AT:
        return _place(argument)
    if code is codes.BRANCH:
        return f"(?:{'|'.join(_sequence(branch) for branch in argument[1])})"
    if code is codes.SUBPATTERN and not argument[1] and not argument[2]:
        return f"(?:{_sequence(argument[3])})"
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        return _repeat(*argument)  # greedy or not: whether it matches is the same
    raise UntranslatableError(f"has {str(code).lower().replace('_', ' ')}")


def _character(number: int) -> str:
    return f"\\x{{{number:x}}}"


def _class(items: Any) -> str:
    negated = items[0][0] is codes.NEGATE
    inside = []
    for code, argument in items[negated:]:
        if code is codes.LITERAL:
            inside.append(_character(argument))
        elif code is codes.RANGE:
            inside.append(f"{_character(argument[0])}-{_character(argument[1])}")
        elif code is codes.CATEGORY and argument in _KINDS and not negated:
            inside.append(_KINDS[argument])
        else:
            raise UntranslatableError("negates a kind of characters")
    return f"[{'^' if negated else ''}{''.join(inside)}]"


def _place(where: Any) -> str:
    if where in (codes.AT_BEGINNING, codes.AT_BEGINNING_STRING):
        return r"\A"
    if where in (codes.AT_END, codes.AT_END_STRING):
        return r"\z"
    raise UntranslatableError("has word boundaries")


def _repeat(least: int, most: Any, tree: Any) -> str:
    endless = most is codes.MAXREPEAT
    if least > _MOST_REPEATS or (not endless and most > _MOST_REPEATS):
        raise UntranslatableError("repeats too often")
    return f"(?:{_sequence(tree)}){{{least},{'' if endless else most}}}"
