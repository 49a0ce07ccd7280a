"""What goes wrong on the way: refused, busy, slow, cut, redirected, endless."""

import ast
import socket
import ssl
import subprocess
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.forges import FORGES, Secret
from git_mlops.forges.client import Client
from tests.forges.apps import TOKEN, GitHub, GitLab
from tests.forges.conftest import Fault, Forge, Start


def test_a_token_that_is_not_accepted_is_named_by_its_variable(forge: Forge) -> None:
    wrong = forge.target._replace(token=Secret("wrong-t0ken"))
    with pytest.raises(MlopsError, match=r"does not accept the token in `FORGE_TOKEN` \(401") as caught:
        forge.post(target=wrong)
    assert caught.value.exit_code == 3
    assert "wrong-t0ken" not in str(caught.value) + str(caught.value.hint)


def test_a_missing_permission_is_named(forge: Forge) -> None:
    forge.fail(Fault("POST", 403, path="/7/"))
    with pytest.raises(MlopsError, match="does not let this token comment on the pull request") as caught:
        forge.post()
    assert caught.value.hint == FORGES[forge.target.forge].NEEDS["comment"]
    assert "\x1b" not in str(caught.value)


def test_a_pull_request_that_is_not_there_is_named(forge: Forge) -> None:
    with pytest.raises(MlopsError, match=rf"knows no `{forge.app.repository}#9`") as caught:
        forge.post(target=forge.target._replace(number=9))
    assert "--repo" in str(caught.value.hint)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_forge_is_asked_again(forge: Forge, status: int) -> None:
    forge.fail(Fault("GET", status), Fault("GET", status))
    assert forge.post().action == "created"
    assert forge.waits == [1, 2]


def test_retry_after_is_heeded(forge: Forge) -> None:
    date = formatdate(time.time() + 90, usegmt=True)
    forge.fail(Fault("GET", 429, {"Retry-After": "17"}), Fault("GET", 503, {"Retry-After": date}))
    assert forge.post().action == "created"
    assert forge.waits[0] == 17
    assert 60 < forge.waits[1] <= 90


def test_too_long_a_wait_is_an_error(forge: Forge) -> None:
    forge.fail(Fault("GET", 429, {"Retry-After": "3600"}))
    with pytest.raises(MlopsError, match="429") as caught:
        forge.post()
    assert (caught.value.hint, forge.waits) == ("it is busy: try again later", [])


def test_githubs_other_limit_is_a_403_that_passes(start: Start) -> None:
    forge = start(GitHub)
    forge.fail(Fault("POST", 403, {"Retry-After": "5"}, path="/comments"))
    assert forge.post().action == "created"
    assert forge.waits == [5]


def test_a_forge_that_stays_broken_is_an_error(forge: Forge) -> None:
    forge.fail(*[Fault("GET", 500)] * 4)
    with pytest.raises(MlopsError, match="500") as caught:
        forge.post()
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("how", ["lost", "cut", "slow"])
def test_a_reading_request_without_an_answer_is_sent_again(start: Start, how: str) -> None:
    forge = start(GitLab)
    forge.fail(Fault("GET", how=how))
    assert forge.post().action == "created"


@pytest.mark.parametrize("status", [500, 504])
def test_a_comment_that_may_have_arrived_is_looked_for(forge: Forge, status: int) -> None:
    forge.fail(Fault("POST", status, path="/7/", how="late"))
    assert forge.post().action == "unchanged"
    assert len([line for line in forge.app.sent("POST") if "graphql" not in line]) == 1
    assert len(forge.app.written()) == 1


def test_a_line_that_is_always_cut_ends_in_an_error_and_one_comment(forge: Forge) -> None:
    forge.fail(*[Fault("POST", path="/7/", how="lost")] * 6)
    forge.post()
    assert len(forge.app.written()) == 1


def test_an_update_without_an_answer_is_sent_again(forge: Forge) -> None:
    forge.post("### one")
    method = "PATCH" if forge.target.forge in ("github", "gitea", "azure") else "PUT"
    forge.fail(Fault(method, 503))
    assert forge.post("### two").action == "updated"
    assert len(forge.app.written()) == 1


def test_a_sign_in_page_is_not_taken_for_an_answer(forge: Forge) -> None:
    forge.fail(Fault("GET", how="html"))
    with pytest.raises(MlopsError, match="answered with text/html, not with JSON"):
        forge.post()


def test_an_endless_answer_is_cut_off(start: Start) -> None:
    forge = start(GitLab)
    forge.pace = forge.pace._replace(timeout=20)
    forge.fail(Fault("GET", how="huge"))
    with pytest.raises(MlopsError, match="longer than 16 MiB"):
        forge.post()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_takes_the_token_to_another_host(start: Start, status: int) -> None:
    forge, other = start(GitLab), start(GitLab)
    forge.fail(Fault("GET", status, {"Location": f"{other.target.api}/user"}))
    forge.fail(Fault("GET", status, {"Location": f"{other.target.api}/user"}))
    with pytest.raises(MlopsError, match="a token is not taken there"):
        forge.post()
    assert other.app.log == []


def test_a_renamed_repository_is_followed_on_the_same_host(start: Start) -> None:
    forge = start(GitHub)
    forge.fail(Fault("GET", 301, {"Location": f"{forge.app.base}/repos/ada/models/pulls/7"}))
    assert forge.post().action == "created"


def test_a_redirect_in_circles_ends(start: Start) -> None:
    forge = start(GitHub)
    forge.fail(*[Fault("GET", 302, {"Location": forge.app.base + "/repos/ada/models/pulls/7"})] * 4)
    with pytest.raises(MlopsError, match="302"):
        forge.post()


def test_a_next_page_on_another_host_is_not_asked(start: Start) -> None:
    forge, other = start(GitLab), start(GitLab)
    client = Client(FORGES["gitlab"], forge.target)
    with pytest.raises(MlopsError, match="points to another host"):
        client.get(other.app.base + "/x")
    assert other.app.log == []


def test_nobody_there_is_an_error(forge: Forge) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(MlopsError, match=r"cannot be reached: .*refused") as caught:
        forge.post(target=forge.target._replace(api=f"http://127.0.0.1:{port}"))
    assert caught.value.exit_code == 3


def test_a_server_without_tls_is_an_error_at_once(start: Start) -> None:
    forge = start(GitLab)
    api = forge.target.api.replace("http:", "https:")
    with pytest.raises(MlopsError, match="cannot be reached"):
        forge.post(target=forge.target._replace(api=api))


def test_a_certificate_nobody_trusts_is_not_asked_again(start: Start, tmp_path: Path) -> None:
    forge = start(GitLab)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    forge.server.socket = context.wrap_socket(forge.server.socket, server_side=True)
    api = forge.target.api.replace("http:", "https:")
    with pytest.raises(MlopsError, match="its certificate is not trusted") as caught:
        forge.post(target=forge.target._replace(api=api))
    assert (forge.waits, forge.app.log) == ([], [])
    assert "SSL_CERT_FILE" in str(caught.value.hint)


def _certificate(folder: Path) -> Path:
    place = folder / "both.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", *words, "-subj", "/CN=127.0.0.1", "-keyout", str(place), "-out", str(folder / "c.pem")],
        check=True,
        capture_output=True,
    )
    place.write_text(place.read_text() + (folder / "c.pem").read_text())
    return place


def test_the_token_is_in_no_text(forge: Forge) -> None:
    client = Client(FORGES[forge.target.forge], forge.target, dry=True)
    client.send("POST", f"/echo?key={TOKEN}", purpose="comment", body={"text": f"my {TOKEN}"})
    assert TOKEN not in client.requests[0]
    assert "***" in client.requests[0]
    assert TOKEN not in repr(forge.target) + str(forge.target) + f"{forge.target.token}"


def test_a_forge_that_repeats_the_token_does_not_get_it_printed(start: Start) -> None:
    forge = start(GitLab)
    forge.fail(*[Fault("GET", 403, says=f"bad header: {TOKEN}")] * 2)
    with pytest.raises(MlopsError, match=r"403: bad header: \*\*\*"):
        forge.post()


def test_what_stands_in_a_path_is_encoded(start: Start) -> None:
    forge = start(GitHub)
    client = Client(FORGES["github"], forge.target, dry=True)
    client.get("/repositories/{a b}/models é%2F~")
    path = "/repositories/%7Ba%20b%7D/models%20%C3%A9%2F~"
    assert client.requests[0].splitlines()[0] == f"GET {forge.target.api}{path}"


def test_only_the_client_speaks_http() -> None:
    folder = Path(FORGES["github"].__file__).parent  # type: ignore[attr-defined]  # a module
    speaking = {"urllib.request", "http.client", "socket", "ssl", "requests", "httpx"}
    for file in folder.glob("*.py"):
        imported = {
            alias.name
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            node.module or ""
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert not imported & speaking or file.name == "client.py"
