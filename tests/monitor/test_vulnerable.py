"""Packages beside a database of known vulnerabilities in the OSV format."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from git_mlops.errors import MlopsError
from git_mlops.monitor import vulnerable


def _record(id_: str, *events: dict[str, str], name: str = "Some_Package", **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [*events]}]
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}
    return {"id": id_, "summary": "it leaks", "affected": [affected], **more}


ONE = _record("GHSA-1", {"introduced": "0"}, {"fixed": "1.10.0"}, aliases=["CVE-1"])


def _ids(version: str, *records: dict[str, Any]) -> list[tuple[str, ...]]:
    return [hit.ids for hit in vulnerable.found({"some-package": version}, records)]


@pytest.mark.parametrize(
    ("version", "known"),
    [("1.9.0", True), ("1.10.0", False), ("1.10.0rc1", True), ("1.11", False), ("git+https://x@abc", False)],
)
def test_versions_are_compared_as_versions(version: str, known: bool) -> None:
    assert _ids(version, ONE) == ([("GHSA-1", "CVE-1")] if known else [])


@pytest.mark.parametrize(("version", "known"), [("1.0", False), ("2.1", True), ("2.2", False), ("3.5", True)])
def test_what_comes_back_in_a_later_version_is_there_again(version: str, known: bool) -> None:
    events = [{"introduced": "3"}, {"introduced": "2"}, {"last_affected": "2.1"}]
    assert bool(_ids(version, _record("PYSEC-2", *events))) is known


def test_versions_that_are_named_count_other_ecosystems_and_withdrawn_ones_do_not() -> None:
    named = _record("A", {"introduced": "9"})
    named["affected"][0]["versions"] = ["1.0.post1"]
    other = json.loads(json.dumps(ONE).replace("PyPI", "npm"))
    gone = {**ONE, "withdrawn": "2024-01-01T00:00:00Z"}
    assert _ids("1.0.post1", named, other, gone) == [("A",)]


def test_one_that_goes_by_two_names_is_told_once_with_the_version_that_mends_it() -> None:
    twin = _record("PYSEC-9", {"introduced": "0"}, {"fixed": "1.10.0"}, aliases=["CVE-1"])
    (hit,) = vulnerable.found({"some-package": "1.0"}, [ONE, twin])
    assert (hit.ids, hit.fixed, hit.summary) == (("GHSA-1", "CVE-1", "PYSEC-9"), "1.10.0", "it leaks")


def _zip(*records: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number, one in enumerate(records):
            packed.writestr(f"{number}.json", json.dumps(one))
    return file.getvalue()


OTHER = _record("GHSA-8", {"introduced": "0"}, name="elsewhere")
FORMS: dict[str, bytes] = {
    "one.json": json.dumps(ONE).encode(),
    "list.json": json.dumps([ONE, OTHER]).encode(),
    "vulns.json": json.dumps({"vulns": [ONE, OTHER]}).encode(),
    "lines.jsonl": f"{json.dumps(ONE)}\n\n{json.dumps(OTHER)}\n".encode(),
    "all.zip": _zip(ONE, OTHER),
    "folder/PyPI/one.json": json.dumps(ONE, indent=2).encode(),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_database_may_have_any_of_its_usual_forms(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(FORMS[name])
    (found,) = vulnerable.judge({"some-package": "1.0"}, name.partition("/")[0], (), tmp_path)
    assert found.message == "`some-package` 1.0 has GHSA-1 (CVE-1): it leaks"
    assert found.hint is not None
    assert found.hint.startswith("1.10.0 has not")
    assert vulnerable.judge({"some-package": "1.0"}, name.partition("/")[0], ("CVE-1",), tmp_path) == []


@pytest.fixture
def served() -> Iterator[tuple[str, list[bytes]]]:
    """A database behind a URL, and what was sent to it."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(self.requestline.encode())
            self.send_response(200 if self.path == "/all.zip" else 404)
            self.end_headers()
            self.wfile.write(FORMS["all.zip"])

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


def test_a_database_is_fetched_whole_and_nothing_is_told_to_it(
    tmp_path: Path, served: tuple[str, list[bytes]]
) -> None:
    url, sent = served
    (found,) = vulnerable.judge({"some-package": "1.0"}, f"{url}/all.zip", (), tmp_path)
    assert (found.level, found.data["package"]) == ("error", "some-package")
    assert sent == [b"GET /all.zip HTTP/1.1"]


def test_a_database_that_cannot_be_reached_is_a_warning_and_no_verdict(
    tmp_path: Path, served: tuple[str, list[bytes]]
) -> None:
    for url in (f"{served[0]}/nothing", "http://127.0.0.1:9/all.zip"):
        (found,) = vulnerable.judge({"some-package": "1.0"}, url, (), tmp_path)
        assert (found.level, "cannot be reached" in found.message) == ("warning", True)


@pytest.mark.parametrize("content", [b'{"name": "some-package"', b'PK\x03\x04 "name": "some-package"'])
def test_what_is_no_database_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(MlopsError, match="is no database of vulnerabilities"):
        vulnerable.judge({"some-package": "1.0"}, "bad.json", (), tmp_path)
    with pytest.raises(MlopsError, match="there is no database"):
        vulnerable.judge({"some-package": "1.0"}, "none.json", (), tmp_path)


def test_records_that_make_no_sense_are_passed_over() -> None:
    broken: list[dict[str, Any]] = [
        {}, {"affected": 7}, {"affected": [{"package": 1}]}, {**ONE, "affected": [{"package": {}}]},
        _record("Z", {"introduced": "not a version"}),
    ]  # fmt: skip
    assert _ids("1.0", *broken) == []
