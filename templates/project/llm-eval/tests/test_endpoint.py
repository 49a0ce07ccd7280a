"""The endpoint: it speaks the interface, and what goes wrong there is said."""

import json
import urllib.error
import urllib.request

import client
import pandas as pd
import pytest
from client import ask
from prompt import messages

HOW = {"model": "stub", "prompt": "careful", "temperature": 0.0, "seed": 1}


def test_it_answers_as_the_interface_says(address: str, table: pd.DataFrame) -> None:
    row = table.iloc[0]
    body = json.dumps({"model": "m", "messages": messages("careful", row["text"], row["question"])}).encode()
    with urllib.request.urlopen(address, body, timeout=10) as reply:
        said = json.load(reply)
    assert said["object"] == "chat.completion"
    assert said["choices"][0]["message"]["role"] == "assistant"


@pytest.mark.parametrize("body", [b"", b"no json", b"{}", b'{"messages": [1]}'])
def test_what_it_does_not_understand_is_refused(address: str, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(address, body, timeout=10)


def test_a_wrong_address_is_said(address: str) -> None:
    with pytest.raises(RuntimeError, match="refuses: 404"):
        ask(address.replace("chat", "chats"), "Text.", "What?", **HOW)


def test_an_endpoint_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TRIES", 1)
    with pytest.raises(RuntimeError, match="does not answer"):
        ask("http://127.0.0.1:9/v1/chat/completions", "Text.", "What?", **HOW)
