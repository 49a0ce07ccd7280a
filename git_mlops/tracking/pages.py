"""Answers of MLflow that come in pages. Knows no MLflow."""

from collections.abc import Iterator
from typing import Any


def pages(ask: Any) -> Iterator[Any]:
    """All that a question has; it is given the token of the next page."""
    token: str | None = None
    while True:
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return
