"""`git mlops audit --export FILE`: the record for an auditor."""

import time

from git_mlops import config, ui
from git_mlops.audit import document
from git_mlops.audit.run import Audit
from git_mlops.cli import model_context
from git_mlops.cli.sheet import how
from git_mlops.governance import record, record_document
from git_mlops.reports import document_html


def export(file: str, audited: Audit) -> None:
    """Write it: one page that needs no network."""
    repo, context = model_context.opened()
    found = record.gather(repo, context, how(config.load(repo).config), time.time())
    score = document.document(audited)
    more = [one._replace(title=f"Maturity: {one.title}", folded=True) for one in score.sections]
    first = more[0]._replace(notes=(f"{score.title}: {score.verdict}", *more[0].notes)) if more else None
    sections = [*([first] if first else []), *more[1:]]
    ui.write(document_html.render(record_document.document(found, repo, sections)), file)
    if file != "-":
        ui.note(f"written: {file}")
