"""The expressions of `--where`: `metrics.auc > 0.9 and params.lr < 0.1`. Parsed, never evaluated as Python.

    expression  = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation    = "not" negation | "(" expression ")" | comparison
    comparison  = value [ sign value | "in" "(" value { "," value } ")" ]
    sign        = "==" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
    value       = number | 'text' | "text" | true | false | null | name

A name is a column: `metrics.auc`, `params.train.lr`, `status`; the short form (`auc`) does where it is
one thing; one with unusual characters stands in backticks. A comparison with a value that is not there, or
of text with a number, is false (so `not` of it is true). `~` looks for text, whatever its case. A name alone
asks whether the value is there and not false.
"""

import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from git_mlops.decode import unknown
from git_mlops.errors import MlopsError

Row = Mapping[str, object]
Predicate = Callable[[Row], bool]
_Value = Callable[[Row], object]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<quoted>`[^`]+`)
    | (?P<name>[^\W\d][\w./\-:]*(?:\[\d+\][\w./\-:]*)*)
    | (?P<sign>==|!=|<=|>=|[=<>~(),])
    )""",
    re.VERBOSE,
)
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "none": None}
_WHOLE = re.compile(r"[-+]?\d{1,300}")
_DEEPEST = 50


class WhereError(MlopsError):
    """An expression that cannot be read; the message points at the place."""


def compile_where(text: str, known: Collection[str] | None = None) -> Predicate:
    """The predicate that `text` describes.

    Args:
        known: every column that there is; None: not known, any name will do, in its full form.

    Raises:
        WhereError: with the position of the first thing that does not fit.
        MlopsError: a name that is no known column: whatever is said of it would be true of none, or of all.
    """
    return _parsed(text, known)[0]


def full_name(name: str, known: Sequence[str], *, what: str = "column") -> str:
    """The full name of what is asked for: `metrics.auc`, or `auc` where that is one thing.

    Raises:
        MlopsError: no such name, with what was meant perhaps, or one of two kinds.
    """
    full = [one for one in (name, f"metrics.{name}", f"params.{name}") if one in known]
    if name in known or len(full) == 1:
        return full[0]
    if full:
        raise MlopsError(f"`{name}` is a metric and a parameter", hint=f"`{full[0]}` or `{full[1]}`")
    bare = [one.removeprefix("metrics.").removeprefix("params.") for one in known]
    raise MlopsError(f"no {what} `{name}`", hint=unknown(name, dict.fromkeys((*known, *bare)), "").hint)


def names_in(text: str) -> list[str]:
    """The columns that an expression asks for, each once."""
    return list(dict.fromkeys(_parsed(text, None)[1].names))


def _parsed(text: str, known: Collection[str] | None) -> "tuple[Predicate, _Parser]":
    parser = _Parser(text, known)
    predicate = parser.expression(0)
    if parser.at < len(parser.tokens) - 1:
        raise parser.error("expected `and`, `or` or the end")
    return predicate, parser


class _Parser:
    def __init__(self, text: str, known: Collection[str] | None) -> None:
        self.text = text
        self.known = known
        self.tokens = _tokens(text)
        self.at = 0
        self.names: list[str] = []

    def peek(self) -> str:
        return self.tokens[self.at][1]

    def kind(self) -> str:
        return self.tokens[self.at][0]

    def take(self) -> tuple[str, str]:
        kind, word, _place = self.tokens[self.at]
        self.at += 1
        return kind, word

    def accept(self, *words: str) -> str | None:
        if self.kind() in ("sign", "name") and self.peek().lower() in words:
            return self.take()[1].lower()
        return None

    def error(self, message: str) -> WhereError:
        place = self.tokens[self.at][2]
        return WhereError(f"in `{self.text}` at character {place + 1}: {message}", hint=_HINT)

    def expression(self, depth: int) -> Predicate:
        if depth > _DEEPEST:
            raise self.error("nested too deeply")
        terms = [self.conjunction(depth)]
        while self.accept("or"):
            terms.append(self.conjunction(depth))
        return terms[0] if len(terms) == 1 else lambda row: any(term(row) for term in terms)

    def conjunction(self, depth: int) -> Predicate:
        terms = [self.negation(depth)]
        while self.accept("and"):
            terms.append(self.negation(depth))
        return terms[0] if len(terms) == 1 else lambda row: all(term(row) for term in terms)

    def negation(self, depth: int) -> Predicate:
        if self.accept("not"):
            if depth > _DEEPEST:
                raise self.error("nested too deeply")
            inner = self.negation(depth + 1)
            return lambda row: not inner(row)
        if self.accept("("):
            inner = self.expression(depth + 1)
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Predicate:
        left = self.value()
        if sign := self.accept("==", "=", "!=", "~", *_ORDERED):
            right = self.value()
            return _comparison(left, sign, right)
        if self.accept("in"):
            self.expect("(")
            choices = [self.value()]
            while self.accept(","):
                choices.append(self.value())
            self.expect(")")
            return lambda row: any(_equal(left(row), choice(row)) for choice in choices)
        return lambda row: bool(left(row))

    def expect(self, sign: str) -> None:
        if self.accept(sign) is None:
            raise self.error(f"expected `{sign}`")

    def value(self) -> _Value:
        kind = self.kind()
        if kind not in ("number", "text", "quoted", "name") or self.peek().lower() in (
            "and",
            "or",
            "not",
            "in",
        ):
            raise self.error("expected a name, a number or a quoted text")
        _kind, word = self.take()
        if kind == "number":
            return _constant(int(word) if _WHOLE.fullmatch(word) else float(word))
        if kind == "text":
            return _constant(re.sub(r"\\(.)", r"\1", word[1:-1]))
        if kind == "name" and word.lower() in _WORDS:
            known = _WORDS[word.lower()]
            return _null if known is None else _constant(known)
        name = word.strip("`")
        if self.known is not None:
            name = self.resolved(name)
        self.names.append(name)
        return lambda row: row.get(name)

    def resolved(self, name: str) -> str:
        assert self.known is not None
        try:
            return full_name(name, list(self.known), what="metric, parameter or other column")
        except MlopsError as error:
            if self.at > 1 and self.tokens[self.at - 2][0] == "sign":
                raise MlopsError(str(error), hint=f"text stands in quotes: `'{name}'`") from None
            raise


_HINT = "for example `metrics.auc > 0.9 and params.lr < 0.1`, `params.model in ('rf', 'gbm')`"


def _tokens(text: str) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise WhereError(f"in `{text}` at character {place + 1}: unexpected `{text[place]}`", hint=_HINT)
        kind = str(match.lastgroup)
        found.append((kind, match[kind], match.start(kind)))
        at = match.end()
    return [*found, ("end", "", len(text))]


def _constant(value: object) -> _Value:
    return lambda _row: value


def _comparison(left: _Value, sign: str, right: _Value) -> Predicate:
    if sign in ("==", "="):
        return lambda row: _equal(left(row), right(row))
    if sign == "!=":
        return lambda row: _differ(_said(left, row), _said(right, row))
    if sign == "~":
        return lambda row: _contains(left(row), right(row))
    compare = _ORDERED[sign]
    return lambda row: _ordered(compare, left(row), right(row))


def _null(_row: Row) -> object:
    """The word: what it is compared with may be missing on purpose."""
    return None


def _said(value: _Value, row: Row) -> object:
    """A value; `_MISSING` where there is none, and nobody said `null`."""
    found = value(row)
    return _MISSING if found is None and value is not _null else found


_MISSING = object()


def _differ(a: object, b: object) -> bool:
    return _MISSING not in (a, b) and not _equal(a, b)


def _equal(a: object, b: object) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b


def _ordered(compare: Callable[[Any, Any], bool], a: object, b: object) -> bool:
    """Numbers with numbers, text with text; anything else has no order."""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
    texts = isinstance(a, str) and isinstance(b, str)
    return (numbers or texts) and compare(a, b)


def _contains(value: object, part: object) -> bool:
    return value is not None and str(part).casefold() in str(value).casefold()
