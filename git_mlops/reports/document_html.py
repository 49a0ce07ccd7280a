"""A document as one HTML file, light and dark: it needs no network, and nothing in it can run or load."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html import escape

from git_mlops import resources
from git_mlops.reports.document import WORDS, Cell, Document, Picture, Section, Table, cells, numeric


def render(document: Document) -> str:
    """The whole page. Its policy allows its own style sheet and pictures inside it, and nothing else."""
    style = resources.path("templates", "report", "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; {_REST}"
    title = _text(document.title)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            f'<header class="verdict {document.outcome}">',
            *([f'<p class="word">{word}</p>'] if (word := WORDS[document.outcome]) else []),
            f"<h1>{title}</h1>",
            f"<p>{_said(document.verdict)}</p>",
            "</header>",
            *(line for section in document.sections for line in _section(section)),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


_REST = "base-uri 'none'; form-action 'none'"


def _section(section: Section) -> Iterator[str]:
    title = _text(section.title)
    yield f"<details>\n<summary>{title}</summary>" if section.folded else f"<section>\n<h2>{title}</h2>"
    for table in section.tables:
        yield from _table(table)
    if section.notes:
        yield f"<ul>{''.join(f'<li>{_said(note)}</li>' for note in section.notes)}</ul>"
    yield from map(_figure, section.pictures)
    yield "</details>" if section.folded else "</section>"


def _table(table: Table) -> Iterator[str]:
    right = numeric(table)
    yield '<div class="wide"><table>'
    if table.caption:
        yield f"<caption>{_text(table.caption)}</caption>"
    heads = (
        f'<th scope="col"{_class("number" if number else "")}>{_text(name)}</th>'
        for name, number in zip(table.header, right, strict=True)
    )
    yield f"<thead><tr>{''.join(heads)}</tr></thead>"
    yield "<tbody>"
    for row in cells(table):
        texts = (
            f"<td{_class(*_classes(one, number=number))}>{_said(one.text)}</td>"
            for one, number in zip(row, right, strict=True)
        )
        yield f"<tr>{''.join(texts)}</tr>"
    yield "</tbody></table></div>"


_SHORT = 24
"""Characters of a text that is not broken."""


def _classes(one: Cell, *, number: bool) -> Iterator[str]:
    yield one.outcome if one.outcome != "none" else ""
    yield "number" if number else ""
    yield "short" if len(one.text) <= _SHORT else ""


def _class(*names: str) -> str:
    found = " ".join(filter(None, names))
    return f' class="{found}"' if found else ""


def _figure(picture: Picture) -> str:
    data = base64.b64encode(picture.svg).decode()
    name, text = _text(picture.name), _text(picture.text)
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{name}: {text}">'
        f"<figcaption>{name}</figcaption></figure>"
    )


def _said(text: str) -> str:
    """With what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    return escape("".join(c if c.isprintable() else " " for c in text))
