"""Runs of the monitor, shown."""

from git_mlops import jsonable
from git_mlops.monitor import document, prometheus
from git_mlops.monitor.observed import Observation, plain
from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.reports.formats import FORMATS as FINDINGS

_DOCUMENTS = {
    "text": document_text.render,
    "markdown": document_markdown.render,
    "html": document_html.render,
}
FORMATS = (*FINDINGS, "prometheus")
DRAWN = ("text", "markdown", "html")
"""Formats that have pictures, if only of characters."""


def rendered(one: Observation, how: str) -> str:
    """In one of `FORMATS`: documents for people, findings and figures for programs."""
    if how in _DOCUMENTS:
        return _DOCUMENTS[how](document.document(one, brief=how == "text"))
    if how == "prometheus":
        return prometheus.render(one)
    if how == "json":
        return jsonable.indented({"mlops": 1, "kind": "monitor", "data": plain(one)})
    return FINDINGS[how].render(list(one.findings), title=document.title(one))
