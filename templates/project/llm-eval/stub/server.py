"""An endpoint with the chat interface of OpenAI's that needs no model: it picks a sentence of the text.

`python stub/server.py [PORT]` prints its address and answers until it is stopped. The same question always
gets the same answer. It says "unknown" only where its instructions allow that, as a model would.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATH = "/v1/chat/completions"
LARGEST = 1_000_000
COMMON = frozenset(
    "a an and are as at be by do does for from has have how in is it its many may of on or than that the "
    "them to was what when where which who whom whose with".split()
)


def answer(messages: list[dict[str, str]]) -> str:
    """The sentence that has most words of the question."""
    instructions = " ".join(m["content"] for m in messages if m["role"] == "system").lower()
    content = messages[-1]["content"]
    text, _, question = content.removeprefix("Text: ").rpartition("\n\nQuestion: ")
    wanted = _words(question)
    sentences = re.findall(r"[^.!?]+(?:[.!?](?=\d)[^.!?]*)*[.!?]?", text)
    scores = [len(wanted & _words(sentence)) for sentence in sentences]
    best = max(scores, default=0)
    if best < min(2, len(wanted)) and "unknown" in instructions:
        return "unknown"
    return sentences[scores.index(best)].strip() if sentences else ""


def _words(text: str) -> set[str]:
    """Without endings and common words."""
    words = re.findall(r"\w+", text.lower())
    return {re.sub(r"(?<=\w{3})(es|s|ed|t)$", "", word) for word in words if word not in COMMON}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        if self.path != PATH:
            self._send(404, {"error": {"message": f"no such path: {self.path}"}})
            return
        try:
            length = int(self.headers.get("Content-Length", 0))
            if not 0 < length <= LARGEST:
                raise ValueError("the request is empty or too large")
            request = json.loads(self.rfile.read(length))
            content = answer(request["messages"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            self._send(400, {"error": {"message": f"not understood: {error}"}})
            return
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._send(200, {"object": "chat.completion", "model": request.get("model"), "choices": [choice]})

    def _send(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked may be private."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}{PATH}", flush=True)
        server.serve_forever()
