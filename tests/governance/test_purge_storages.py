"""Withdrawal from S3 and SSH: servers in this process, where their packages are installed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from git_mlops.data import dvc, transfer, versions
from git_mlops.data.dvc import Removed
from git_mlops.errors import MlopsError
from git_mlops.governance import purge, withdraw
from git_mlops.governance.withdraw import Wanted
from tests.governance.conftest import LESS, TABLE, WHOLE, Sick, hash_of

# pygtrie under DVC, botocore and moto warn of their own future
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a server that speaks S3."""
    pytest.importorskip("dvc_s3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ada")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _client(url: str) -> Any:
    return pytest.importorskip("boto3").client("s3", endpoint_url=url)


def _configured(sick: Sick, url: str, **options: str) -> None:
    config = sick.remote("cloud", url)
    lines = "".join(f"    {name} = {value}\n" for name, value in options.items())
    config.write_text(config.read_text() + lines)


def _pushed(sick: Sick) -> None:
    transfer.push(sick.repo, transfer.ever_named(sick.repo), remote="cloud")


def test_a_bucket_is_asked_and_gives_the_object_up(sick: Sick, s3: str, tmp_path: Path) -> None:
    old, new = (hash_of(text, tmp_path) for text in (WHOLE, LESS))
    _client(s3).create_bucket(Bucket="data")
    _configured(sick, "s3://data/project", endpointurl=s3)
    _pushed(sick)
    plan = withdraw.plan(sick.repo, Wanted((f"HEAD~1:{TABLE}",)))
    done = purge.carry_out(sick.repo, plan, "217 withdrew", lambda _path: ())
    last = done.places[-1]
    assert (last.place, last.before, last.after, last.problem) == (
        "remote cloud",
        frozenset({old}),
        frozenset(),
        "",
    )
    assert dvc.remove(sick.repo, [old, new], "cloud", dry=True).after == {new}


def test_a_bucket_that_is_not_there_proves_nothing(sick: Sick, s3: str, tmp_path: Path) -> None:
    _configured(sick, "s3://nowhere/project", endpointurl=s3)
    with pytest.raises(MlopsError, match=r"the remote `cloud` cannot be used for this: .* does not exist"):
        dvc.remove(sick.repo, [hash_of(WHOLE, tmp_path)], "cloud", dry=True)


def test_a_bucket_that_keeps_versions_gives_up_every_one(sick: Sick, s3: str, tmp_path: Path) -> None:
    old, new = (hash_of(text, tmp_path) for text in (WHOLE, LESS))
    client = _client(s3)
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    _configured(sick, "s3://data/project", endpointurl=s3)
    _pushed(sick)
    keys = {hash_: f"project/files/md5/{hash_[:2]}/{hash_[2:]}" for hash_ in (old, new)}
    client.delete_object(Bucket="data", Key=keys[old])  # as another tool does: a version of it stays
    client.put_object(Bucket="data", Key=keys[new], Body=LESS.encode())
    first = dvc.remove(sick.repo, [old], "cloud")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Suspended"})
    second = dvc.remove(sick.repo, [new], "cloud")  # what it has kept before is kept
    assert (first, second) == tuple(Removed(frozenset({one}), frozenset()) for one in (old, new))
    assert "Versions" not in client.list_object_versions(Bucket="data")


def test_many_objects_are_looked_for_page_by_page(s3: str) -> None:
    s3fs = pytest.importorskip("s3fs")
    client = _client(s3)
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for number in range(1005):
        client.put_object(Bucket="data", Key=f"x/{number:04}", Body=b"")
    paths = [f"data/x/{number:04}" for number in range(0, 1005, 5)]
    storage = s3fs.S3FileSystem(endpoint_url=s3)
    found = versions.kept(storage, paths)
    versions.remove(storage, found)
    assert (list(found), versions.kept(storage, paths)) == (paths, {})
    assert len(versions.kept(storage, ["data/x/0001"])) == 1


@contextmanager
def _ssh(folder: Path) -> Iterator[tuple[int, Path]]:
    """An SSH server on a thread: its port, and the key that it lets in."""
    asyncssh = pytest.importorskip("asyncssh")
    key, ready, port = asyncssh.generate_private_key("ssh-ed25519"), Event(), list[int]()
    key.write_private_key(folder / "key")
    key.write_public_key(folder / "key.pub")
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        known = str(folder / "key.pub")
        server = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[key], authorized_client_keys=known, sftp_factory=True
        )
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.wait_closed()

    thread = Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(10)
    yield port[0], folder / "key"
    # the client keeps its connection for the whole process: the server ends with that, too


def test_a_server_of_ssh_gives_the_object_up(sick: Sick, tmp_path: Path) -> None:
    pytest.importorskip("dvc_ssh")
    old, store = hash_of(WHOLE, tmp_path), tmp_path / "vault"
    store.mkdir()
    with _ssh(tmp_path) as (port, key):
        _configured(sick, f"ssh://ada@127.0.0.1:{port}{store}", keyfile=str(key))
        _pushed(sick)
        plan = withdraw.plan(sick.repo, Wanted((f"HEAD~1:{TABLE}",)))
        last = purge.carry_out(sick.repo, plan, "217 withdrew", lambda _path: ()).places[-1]
        assert (last.place, last.before, last.after, last.problem) == (
            "remote cloud",
            frozenset({old}),
            frozenset(),
            "",
        )
        assert [file.name for file in store.rglob("*") if file.is_file()] == [hash_of(LESS, tmp_path)[2:]]
        store.rename(tmp_path / "moved")
        with pytest.raises(MlopsError, match="the directory of the remote `cloud` is not there"):
            dvc.remove(sick.repo, [old], "cloud", dry=True)
