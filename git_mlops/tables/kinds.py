"""Personal data and secrets by their looks: a quick pattern for the engine, a strict one for the rest.

Strict means few false alarms: card numbers pass Luhn's check, IBANs their remainder of 97, and a number alone
is no telephone number.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ENGINE = "1"
"""Raised when a scan could come out otherwise."""


class Kind(NamedTuple):
    """One kind of value that does not belong into data."""

    says: str
    """For people, in the plural."""
    quick: str
    """What the engine (Rust's regular expressions: no look-around) lets through."""
    exact: Callable[[str], bool]
    """Whether a text that was let through holds one."""
    secret: bool = False
    alone: float = 0.0
    """The share of a column's candidates that must be real: others are numbers that happen to pass."""


_MAIL = re.compile(r"(?<![\w.%+-])[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w@])")
_PHONE = re.compile(r"(?<![\w.+-])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,14}(?![\w.-]*\d)")
_CARD = re.compile(
    r"(?<![\w.,-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|3[47]\d{2}([ -])\d{6}\2\d{5}|\d{13,19})(?![\w.,-])"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_COUNTRIES = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29
    ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20
    LB28 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24
    RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 VA22 VG24 XK20
"""
_LENGTHS: Mapping[str, int] = {each[:2]: int(each[2:]) for each in _COUNTRIES.split()}
_TOKENS = {
    "private keys": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "AWS keys": r"(?:^|[^A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?:$|[^A-Za-z0-9])",
    "GitHub tokens": r"(?:^|[^A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})",
    "GitLab tokens": r"(?:^|[^A-Za-z0-9_])glpat-[A-Za-z0-9_-]{20,64}",
    "Slack tokens": r"(?:^|[^A-Za-z0-9_])xox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}",
    "Google keys": r"(?:^|[^A-Za-z0-9_])AIza[A-Za-z0-9_-]{35}(?:$|[^A-Za-z0-9_-])",
    "Stripe keys": r"(?:^|[^A-Za-z0-9_])[sr]k_live_[A-Za-z0-9]{24,}",
    "OpenAI or Anthropic keys": r"(?:^|[^A-Za-z0-9_])sk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{40,}",
    "Hugging Face tokens": r"(?:^|[^A-Za-z0-9_])hf_[A-Za-z0-9]{34}(?:$|[^A-Za-z0-9])",
    "npm or PyPI tokens": r"(?:^|[^A-Za-z0-9_])(?:npm_[A-Za-z0-9]{36}|pypi-AgEI[A-Za-z0-9_-]{50,})",
    "JSON web tokens": r"(?:^|[^A-Za-z0-9_])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
}
_FILES = re.compile(
    r"@\d+x\.|(?:^|[^\w])git@|@\S+\.(?:png|jpe?g|gif|webp|svg|csv|json|py|js|md|txt)(?:\W|$)", re.IGNORECASE
)


def _mail(text: str) -> bool:
    return any(not _FILES.search(match[0]) for match in _MAIL.finditer(text))


def _phone(text: str) -> bool:
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if match[0].count(".") == 1:
            continue  # a number with a sign: +50.8503396
        spaced = len(re.findall(r"[ ()./-]+", match[0])) >= 1
        if match[0][0] == "+" and (spaced or 10 <= len(digits) <= 15) and len(set(digits)) > 2:
            return True
        if match[0][0] != "+" and spaced and 11 <= len(digits) <= 17 and len(set(digits)) > 3:
            return True
    return False


def _card(text: str) -> bool:
    return any(_is_card(re.sub(r"\D", "", match[0])) for match in _CARD.finditer(text))


def _is_card(digits: str) -> bool:
    """An issuer's beginning, the length that goes with it, and Luhn's check."""
    issuer = (
        (digits[0] == "4" and len(digits) in (13, 16, 19))
        or (
            re.match(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|6011|65|64[4-9]|35[2-8]", digits)
            and len(digits) == 16
        )
        or (re.match(r"3[47]", digits) and len(digits) == 15)
    )
    return bool(issuer) and len(set(digits)) > 1 and luhn(digits)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in digits[::-2])) % 10 == 0


def _iban(text: str) -> bool:
    return any(iban(match[0]) for match in _IBAN.finditer(text))


def iban(text: str) -> bool:
    """Whether it has its country's length and the remainder 1."""
    plain = text.replace(" ", "")
    length = _LENGTHS.get(plain[:2])
    if length is None or len(plain) < length:
        return False
    moved = plain[4:length] + plain[:4]
    return len(plain) == length and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _token(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda text: compiled.search(text) is not None


KINDS: dict[str, Kind] = {
    "email": Kind("e-mail addresses", r"[A-Za-z0-9]@[A-Za-z0-9-]+\.[A-Za-z]", _mail),
    "phone": Kind("phone numbers", r"(?:\+|00)[1-9][0-9 ()./-]{7}", _phone),
    "card": Kind("payment card numbers", r"\d{4}[ -]?\d{4,6}[ -]?\d{4,5}", _card, alone=0.7),
    "iban": Kind("IBANs", r"[A-Z]{2}\d{2} ?[A-Z0-9]{3}", _iban, alone=0.2),
} | {name: Kind(name, pattern, _token(pattern), secret=True) for name, pattern in _TOKENS.items()}

_PHONE_COLUMN = re.compile(
    r"(?:^|[^a-z])(?:tele)?(?:phone|fon|mobile|fax|gsm|cell|tel|handy)(?:$|[^a-z]|number|no\b|nr)"
)
_LOCAL = re.compile(r"\(?0?\d{1,4}\)?(?:[ ./-]?\d{2,5}){2,4}")


def phones_by_name(column: str, values: Sequence[str]) -> list[str]:
    """Numbers without a country, where the column's name says what they are."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()
    if not _PHONE_COLUMN.search(name):
        return []
    return [
        text for text in values if _LOCAL.fullmatch(text.strip()) and 7 <= sum(map(str.isdigit, text)) <= 13
    ]


def of_text(text: str) -> str | None:
    """The kind of what one text holds, e.g. a column's name in a file without a header."""
    return next((name for name, kind in KINDS.items() if kind.exact(text)), None)
