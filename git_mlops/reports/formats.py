"""Findings rendered: `FORMATS` is the list, and each format is one module with `render`."""

from collections.abc import Sequence
from typing import Protocol

from git_mlops.findings import Finding
from git_mlops.reports import github, gitlab, html, json, junit, markdown, sarif, text


class Format(Protocol):
    """A module of this package."""

    def render(self, findings: Sequence[Finding], *, title: str) -> str:
        """The whole report; `title` says what was checked."""


FORMATS: dict[str, Format] = {
    "text": text,
    "json": json,
    "markdown": markdown,
    "html": html,
    "junit": junit,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
}
