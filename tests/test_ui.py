"""The terminal: what data may do to it."""

import io
import sys

import pytest

from git_mlops import ui


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(text: str, stream: io.TextIOWrapper, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdout", stream)
    ui.out(text, end="")
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode()


def test_nothing_of_data_drives_a_pipe_or_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\033[8mhidden\033[2J\033]0;title\007\u202e"
    escaped = "a\\x1b[8mhidden\\x1b[2J\\x1b]0;title\\x07\\u202e"
    assert shown(text, io.TextIOWrapper(io.BytesIO(), "utf-8"), monkeypatch) == escaped
    assert shown(text, Terminal(io.BytesIO(), "utf-8"), monkeypatch) == escaped


def test_colours_only_reach_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("\033[31mred\033[0m", Terminal(io.BytesIO(), "utf-8"), monkeypatch) == "\033[31mred\033[0m"
    piped = shown("\033[31mred\033[0m", io.TextIOWrapper(io.BytesIO(), "utf-8"), monkeypatch)
    assert piped == "\\x1b[31mred\\x1b[0m"


def test_counts_have_their_plural() -> None:
    assert [ui.count(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
