"""A packaged model behind a function service: events of AWS API Gateway (1.0 and 2.0), or rows alone."""

import base64
import binascii
import json
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from git_mlops.errors import MlopsError
from git_mlops.jsonable import line
from git_mlops.serve import answers, requests
from git_mlops.serve.columns import Extra
from git_mlops.serve.container import Packaged
from git_mlops.serve.loaded import Loaded, ModelError, answer
from git_mlops.serve.requests import RequestError

ENTRY = "git_mlops.serve.handler"


class Handler:
    """Called with an event; the model is loaded at the first one that needs it."""

    def __init__(self, folder: Path) -> None:
        self._packaged = Packaged(folder)
        asked = self._packaged.said.get("serve") or {}
        self._extra: Extra = "ignore" if asked.get("extra") == "ignore" else "refuse"
        self._most = int(asked.get("body") or 10 << 20)
        self._lock = threading.Lock()

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, object]:
        """The answer in the form of the gateway; of rows alone (`{"inputs": …}`) predictions, or an error."""
        request = str(getattr(context, "aws_request_id", None) or uuid.uuid4().hex)
        if any(name in event for name in requests.FORMATS):
            return self._alone(event, request)
        try:
            status, body = 200, line(self._answered(event))
        except RequestError as error:
            status, body = error.status, error.body(request).decode()
        headers = {"content-type": "application/json", "x-request-id": request}
        version = self._packaged.said.get("model_version")
        return {"statusCode": status, "headers": headers | {"x-mlops-version": str(version)}, "body": body}

    def _alone(self, event: Mapping[str, Any], request: str) -> dict[str, object]:
        try:
            return self._predictions(requests.JSON, line(dict(event)).encode("utf-8", "backslashreplace"))
        except RequestError as error:
            found: dict[str, object] = json.loads(error.body(request))
            return found

    def _answered(self, event: Mapping[str, Any]) -> dict[str, object]:
        http = (event.get("requestContext") or {}).get("http") or {}
        path = str(event.get("rawPath") or event.get("path") or "/invocations").rstrip("/")
        method = str(event.get("httpMethod") or http.get("method") or "POST").upper()
        if path.endswith(("/ping", "/health")):
            return {}
        if method != "POST":
            raise RequestError(405, "rows are sent by POST")
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        return self._predictions(requests.media(headers.get("content-type", "")), self._body(event))

    def _body(self, event: Mapping[str, Any]) -> bytes:
        text = str(event.get("body") or "")
        try:
            body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        except (binascii.Error, UnicodeEncodeError) as error:
            raise RequestError(400, "the body cannot be read") from error
        if len(body) > self._most:
            raise RequestError(413, f"a body may have {self._most} bytes")
        return body

    def _predictions(self, kind: str, body: bytes) -> dict[str, object]:
        loaded = self._loaded()
        parsed = requests.parse(kind, body)
        fitting = requests.fitted(parsed, loaded.takes, self._extra)
        try:
            return {"predictions": answers.plain(answer(loaded, fitting.rows, dict(parsed.params)))}
        except ModelError as error:
            raise RequestError(500, "the model failed at these rows") from error

    def _loaded(self) -> Loaded:
        with self._lock:
            if self._packaged.main.current is None:
                self._packaged.load()
        if self._packaged.main.current is None:
            raise MlopsError("the model is not loaded")
        return self._packaged.main.current
