"""Ask an endpoint that has the chat interface of OpenAI's, or the stub that this project brings."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from project import TOP
from prompt import messages

TRIES, TIMEOUT = 4, 60
BUSY = (408, 429, 500, 502, 503, 504)


@contextmanager
def endpoint(address: str) -> Iterator[str]:
    """The address to ask; for `stub` one that lives as long as the block."""
    if address != "stub":
        yield address
        return
    server = TOP / "stub" / "server.py"
    with subprocess.Popen([sys.executable, server], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def ask(
    address: str, text: str, question: str, *, model: str, prompt: str, temperature: float, seed: int
) -> str:
    """The answer, without spaces around it.

    Raises:
        RuntimeError: the endpoint refuses, does not answer, or answers something else.
    """
    body = {
        "model": model,
        "messages": messages(prompt, text, question),
        "temperature": temperature,
        "seed": seed,
    }
    answer = _post(address, json.dumps(body).encode())
    try:
        return str(json.loads(answer)["choices"][0]["message"]["content"]).strip()
    except (ValueError, LookupError, TypeError) as error:
        raise RuntimeError(f"{address} answers in another form: {answer[:200]!r}") from error


def _post(address: str, body: bytes) -> bytes:
    """Whoever is busy is asked again, later each time."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("LLM_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(
                urllib.request.Request(address, body, headers), timeout=TIMEOUT
            ) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            if error.code not in BUSY or attempt == TRIES - 1:
                raise RuntimeError(f"{address} refuses: {error.code} {error.reason}") from error
        except OSError as error:
            if attempt == TRIES - 1:
                raise RuntimeError(f"{address} does not answer: {error}") from error
        time.sleep(0.1 * 4**attempt)
    raise AssertionError  # the last attempt returned or raised
