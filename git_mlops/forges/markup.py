"""Markdown that forges read differently: made inert, made plain, cut where nothing stays open."""

import html
import re
import unicodedata

# a character nobody sees, put where markup would begin: it works in text and in code alike, whatever
# the forge takes for code. GitHub decodes `&#64;` before it looks for mentions, so entities do not help
_GAP = "\u200b"

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)", re.DOTALL)
_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[a-zA-Z][a-zA-Z0-9]{1,40});")
# these are inert as entities; until all else is broken each is a private character, which no text has
_ENTITIES = {c: (chr(0xE000 + n), f"&#{ord(c)};") for n, c in enumerate("&<>*_[]|\\`")}
_TAGS = re.compile(r"<(?!/?(?:details|summary|sub|br)>)")
_FENCE = re.compile(r"(?<!`)(`{3,}+)[ \t]*+([^\s`]++)")
_LANGUAGES = frozenset({"text", "json", "yaml", "diff", "python", "sh", "csv"})
_BREAKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"&(?=[#\w])"), f"&{_GAP}"),
    (_TAGS, f"<{_GAP}"),
    (re.compile(r"\](?=[(\[:])"), f"]{_GAP}"),
    (re.compile(r"\[(?=\[)"), f"[{_GAP}"),
    (re.compile(r"([@~$^])"), rf"\1{_GAP}"),
    (re.compile(r"#(?=[^#\s])"), f"#{_GAP}"),
    (re.compile(r'([!%])(?=[\w"])'), rf"\1{_GAP}"),
    # a backslash before punctuation is gone when the forge looks for addresses
    (re.compile(r":(?=[\\/])"), f":{_GAP}"),
    (re.compile(r"(www(?=\\?\.)|GH(?=\\?-\d))", re.IGNORECASE), rf"\1{_GAP}"),
    (re.compile(r"\\(?=[\ue000-\ue00f])"), f"\\\\{_GAP}"),
    (re.compile(r"^([ \t>]*)/(?=\w)", re.MULTILINE), rf"\1{_GAP}/"),
)
_MOST_FOLDS = 10
_FOLD = re.compile(r"(<)(/?details)")
_COMMAND = re.compile(r"^/(?=[a-zA-Z])", re.MULTILINE)


def inert(markdown: str) -> str:
    """Somebody else's Markdown with its tables, headings, lists and code, and without anything that acts.

    No link, image, mention, reference, diagram or command of the forge is left, and no HTML but the
    few tags that our own reports use; nothing stays open at the end.
    """
    words = _FENCE.sub(_fence, _ENTITY.sub(_entity, _visible(markdown)))
    for pattern, replacement in _BREAKS:
        words = pattern.sub(replacement, words)
    for placeholder, entity in _ENTITIES.values():
        words = words.replace(placeholder, entity)
    return closed(words)


def _visible(words: str) -> str:
    """Without control, direction and other invisible characters, terminal sequences and lone surrogates."""
    lines = _ANSI.sub("", words.replace("\r\n", "\n").replace("\r", "\n"))
    found = (c for c in set(lines) if c not in "\n\t")
    return lines.translate({ord(c): None for c in found if unicodedata.category(c) in _UNSEEN})


def _entity(match: re.Match[str]) -> str:
    """Decoded, so that the rules see what the forge sees; what is inert only as an entity stays one."""
    decoded = _visible(html.unescape(match[0])).replace("\n", " ")
    return "".join(_ENTITIES[c][0] if c in _ENTITIES else c for c in decoded)


def _fence(match: re.Match[str]) -> str:
    """A code block in no language that a forge draws: diagrams and maps have links of their own."""
    language = match[2].lower()
    return match[0] if language in _LANGUAGES else match[1] + _GAP + match[0][len(match[1]) :]


def closed(markdown: str) -> str:
    """With every code block and `<details>` that is still open at the end closed."""
    fence = ""
    depth = 0
    for line in markdown.splitlines():
        mark = re.match(r"[ \t>]*(`{3,}(?=[^`]*$)|~{3,})", line)
        if fence:
            bare = line.strip(" \t>")
            if bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1]
        else:
            depth = max(0, depth + line.count("<details") - line.count("</details>"))
    if depth > _MOST_FOLDS:
        return closed(_FOLD.sub(rf"\1{_GAP}\2", markdown))
    return markdown + (f"\n{fence}" if fence else "") + "\n\n</details>" * depth


_NAMING = re.compile(r"&#(35|36|58|64|126);")


def disarmed(markdown: str) -> str:
    """Our own Markdown: `@`, `#`, `:`, `~` and `$` as entities are decoded before a forge looks for names.

    GitHub makes a mention of `&#64;ada` and an email address of `a&#64;b.example`, GitLab a link of
    `https&#58;//…`: the character itself with a gap behind it is no name.
    """
    return _NAMING.sub(lambda match: chr(int(match[1])) + _GAP, markdown)


def without_commands(markdown: str) -> str:
    """No line begins with `/`: GitLab would take `/merge` for an order of the comment's author."""
    return _COMMAND.sub(f"{_GAP}/", markdown)


def size(words: str) -> int:
    """Length as the strictest forges count it: UTF-16 units."""
    return len(words) + sum(c > "\uffff" for c in words)


def cut(markdown: str, most: int, whole: str) -> str:
    """At most `most` characters, cut between lines, with `whole` saying where the rest is."""
    if size(markdown) <= most:
        return markdown
    room = most - size(whole) - 300
    kept, used = 0, 0
    lines = markdown.split("\n")
    while kept < len(lines) and used + size(lines[kept]) < room:
        used += size(lines[kept]) + 1
        kept += 1
    while True:
        start = "\n".join(lines[:kept])
        left = f"{len(markdown) - len(start):,} more characters do not fit into this forge's comments."
        made = f"{closed(start)}\n\n… {left} {whole}\n"
        if size(made) <= most or not kept:
            return made
        kept //= 2  # what closes it is longer than the room that was left for that


_PLAIN_TAGS = re.compile(r"</?(?:details|sub|sup|b|i|kbd|p|div)(?: [^<>]*)?>|<!--[^>]{0,500}-->")
_SUMMARY = re.compile(r"<summary>([^<\n]*)</summary>")
_NUMERIC = re.compile(r"&#(\d{2,3});")


def without_html(markdown: str) -> str:
    """For a forge that shows HTML as text: tags as words, entities as escaped or broken characters."""
    words = _SUMMARY.sub(lambda m: f"**{m[1].strip()}**\n", markdown)
    words = _PLAIN_TAGS.sub("", re.sub(r"<br ?/?>", " · ", words))
    return _NUMERIC.sub(lambda m: _escaped(chr(int(m[1]))), words)


def _escaped(character: str) -> str:
    if character in "*_[]#\\|`":
        return f"\\{character}"
    return character + (_GAP if character in "@:." else "")


def phrase(words: str, most: int = 120) -> str:
    """One short line of text in which nothing is markup: writing and reading it again gives the same."""
    line = "".join(c if c.isprintable() and c not in _MARKUP else " " for c in words)
    line = re.sub(r"\b(www)\.", r"\1 ", line.replace("://", " "), flags=re.IGNORECASE)
    return " ".join(line.split())[:most].rstrip()


_MARKUP = frozenset("<>[]()*_`#@|\\~!$^&{}\"'" + _GAP)
