"""For a job summary or a comment: a verdict line and a table. Data in it is text, never markup."""

import re
from collections.abc import Sequence

from git_mlops.findings import Finding, Level, exit_code
from git_mlops.reports.text import summary

LIMIT = 60_000
"""Characters; forges refuse comments over 65,536."""

_VERDICTS = {0: "✅ pass", 1: "❌ fail", 3: "⚠️ cannot evaluate"}
_MARKS: dict[Level, str] = {"error": "❌", "unknown": "⚠️", "warning": "🔶", "note": "🔹"}


def render(findings: Sequence[Finding], *, title: str) -> str:
    """Worst first; what does not fit is counted, never cut in the middle."""
    head = [f"### {_VERDICTS[exit_code(findings)]}: {escape(title)}", "", escape(summary(findings, title))]
    if not findings:
        return "\n".join(head) + "\n"
    lines = [*head, "", "| | where | what | rule |", "|---|---|---|---|"]
    room = LIMIT - sum(len(line) + 1 for line in lines) - 100
    for number, finding in enumerate(findings):
        row = _row(finding)
        room -= len(row) + 1
        if room < 0:
            lines += ["", f"… and {len(findings) - number} more (`git mlops check --format json` has all)"]
            break
        lines.append(row)
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or ""
    what = escape(finding.message, 1000)
    if finding.hint:
        what += f"<br><sub>hint: {escape(finding.hint, 500)}</sub>"
    return f"| {_MARKS[finding.level]} {finding.level} | {code(place)} | {what} | {code(finding.rule)} |"


def escape(text: str, most: int = 2000) -> str:
    """Text that no Markdown or HTML reader takes for markup, a link, an image or a mention."""
    short = text if len(text) <= most else text[:most] + "…"
    plain = "".join(c if c.isprintable() else " " for c in short)
    return "".join(
        _quoted(part) if number % 2 else _inert(part) for number, part in enumerate(_CODE.split(plain))
    )


def _inert(text: str) -> str:
    inert = "".join(_ENTITIES.get(c, c) for c in text)
    # forges decode entities before they look for names: a space of no width keeps it from being one
    inert = _MENTION.sub("@\u200b", inert)
    return _AUTOLINK.sub(lambda match: match[0][:-1] + f"&#{ord(match[0][-1])};", inert)


def _quoted(text: str) -> str:
    """A code span stays one: in it nothing is markup, and entities are not read; only a table reads `|`."""
    return text.replace("|", "¦")


# one backtick on each side: what is left of any other number of them is escaped, so that none can pair
_CODE = re.compile(r"((?<!`)`(?!`)[^`]+`(?!`))")
# the characters that start anything in Markdown or HTML, as entities; a backtick here has no partner
_ENTITIES = {c: f"&#{ord(c)};" for c in "&<>*_[]#|\\~@$`"}
_MENTION = re.compile(r"(?<!\w)&#64;(?=\w)")
# what becomes a link by itself
_AUTOLINK = re.compile(r"\w:(?=//)|www\.", re.IGNORECASE)


def code(text: str) -> str:
    """Text as a code span that cannot be left, in a table cell."""
    plain = "".join(c if c.isprintable() else " " for c in text[:300]).replace("`", "'").replace("|", "¦")
    return f"`{plain}`" if plain else ""
