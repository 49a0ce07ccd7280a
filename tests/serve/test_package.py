"""A directory to build a container from."""

import base64
import hashlib
import http.client
import importlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from git_mlops.cli.run import run
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import save
from git_mlops.experiments.recording import Request as Saving
from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.git.repo import Repo, discover
from git_mlops.models import register
from git_mlops.models.context import Context
from git_mlops.registry import read
from git_mlops.serve import package, wheel
from git_mlops.serve.handler import Handler
from git_mlops.serve.loaded import Source
from git_mlops.serve.package import Request
from git_mlops.serve.settings import Settings
from git_mlops.serve.source import Asked
from tests.serve.conftest import expected, git, rows


@pytest.fixture
def recorded(project: Repo) -> Repo:
    """With a version that was registered from an experiment."""
    (project.root / "train.py").write_text("print(1)\n")
    save.save(project, Saving("trained"), ExperimentSettings(), DataSettings())
    request = register.Request("churn", "trained", version="v3.0.0", path="model/m.joblib")
    register.register(project, request, Context())
    return project


def built(repo: Repo, target: Path, **request: object) -> package.Package:
    version = read.resolve(repo, str(request.pop("model", "churn@v3.0.0")))
    return package.build(repo, version, Request(target, **request), Asked(), Settings())  # type: ignore[arg-type]


def everything(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Path → content, mode and time."""
    return {
        file.relative_to(folder).as_posix(): (
            hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
            file.stat().st_mode,
            file.stat().st_mtime_ns,
        )
        for file in sorted(folder.rglob("*"))
    }


def test_two_clones_make_the_same_bytes(recorded: Repo, tmp_path: Path) -> None:
    first = built(recorded, tmp_path / "one")
    git(tmp_path, "clone", "-q", str(recorded.root), "clone")
    shutil.copytree(recorded.root / ".dvc" / "cache", tmp_path / "clone" / ".dvc" / "cache")
    before = os.umask(0o077)
    try:
        second = built(discover(tmp_path / "clone"), tmp_path / "two")
    finally:
        os.umask(before)
    assert (first.digest, first.files) == (second.digest, second.files)
    assert everything(tmp_path / "one") == everything(tmp_path / "two")


def test_what_is_in_it(recorded: Repo, tmp_path: Path) -> None:
    built(recorded, tmp_path / "made", base="python@sha256:abc", image="store/churn:3")
    made = tmp_path / "made"
    dockerfile = (made / "Dockerfile").read_text()
    for line in (
        "ARG BASE=python@sha256:abc",
        "FROM ${BASE}",
        "USER 10001:10001",
        "RUN pip install --no-deps -r requirements.txt \\",
    ):
        assert line in dockerfile.splitlines()
    assert "HEALTHCHECK" in dockerfile
    lock = recorded.text("show", "churn@v3.0.0:.mlops/run/environment.lock").splitlines()
    wanted = [line for line in lock if not line.startswith("git-mlops")]
    assert (made / "requirements.txt").read_text().splitlines() == wanted
    bom = json.loads((made / "sbom.cdx.json").read_bytes())
    assert (bom["bomFormat"], bom["metadata"]["component"]["name"]) == ("CycloneDX", "churn")
    libraries = [one["name"] for one in bom["components"] if one["type"] == "library"]
    assert "scikit-learn" in libraries
    manifest = yaml.safe_load((made / "kserve.yaml").read_text())
    (container,) = manifest["spec"]["predictor"]["containers"]
    assert (manifest["metadata"]["name"], container["image"]) == ("churn", "store/churn:3")
    assert not [file for file in (made / "app").rglob("*.py") if "dvc" in file.name], "what it does not need"


@pytest.mark.slow
def test_it_serves_without_git_and_refuses_changed_files(recorded: Repo, tmp_path: Path) -> None:
    made = built(recorded, tmp_path / "made").target
    child = {"PATH": "/nowhere", "PYTHONPATH": str(made / "app"), "PYTHONDONTWRITEBYTECODE": "1"}
    log = str(tmp_path / "log")
    command = [sys.executable, "-m", "git_mlops.serve", str(made), "--port", "0", "--log", log]
    with subprocess.Popen(command, cwd="/", env=child, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        line = process.stderr.readline()
        assert line.startswith("serving churn v3.0.0 on http://127.0.0.1:"), line
        port = int(line.split(":")[-1].split(" ")[0])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            body = json.dumps({"inputs": rows(60)})
            connection.request("POST", "/invocations", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            wanted = {"predictions": expected(rows(60), turned=True)}
            assert (answer.status, json.loads(answer.read())) == (200, wanted)
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert len([*(tmp_path / "log").rglob("*.parquet")]) == 1
    (made / "model" / "m.joblib").write_bytes(b"other")
    done = subprocess.run(command, cwd="/", env=child, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: `model/m.joblib` is not the file that was packaged\n"


@pytest.mark.parametrize("form", ["bundle", "wheel"])
def test_archives_are_the_same_bytes_too(recorded: Repo, tmp_path: Path, form: str) -> None:
    made = []
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        target = tmp_path / str(number) / ("b.zip" if form == "bundle" else "")
        made.append(built(recorded, target, form=form).target.read_bytes())
    assert made[0] == made[1]


class Lambda:
    aws_request_id = "aws-1"


def test_a_bundle_answers_events(recorded: Repo, tmp_path: Path) -> None:
    with zipfile.ZipFile(built(recorded, tmp_path / "b.zip", form="bundle").target) as archive:
        archive.extractall(tmp_path / "function")
    child = {"PATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "import handler, git_mlops; print(git_mlops.__file__, handler.handle)"]
    done = subprocess.run(
        command, cwd=tmp_path / "function", env=child, capture_output=True, check=True, text=True
    )
    assert done.stdout.startswith(str(tmp_path / "function" / "git_mlops")), "what it needs is all in it"
    handle = Handler(tmp_path / "function")
    said = {"predictions": expected(rows(5), turned=True)}
    text = json.dumps({"inputs": rows(5)})
    assert handle({"inputs": rows(5)}, None) == said
    event: dict[str, object] = {"headers": {"Content-Type": "application/json"}, "body": text}
    answer = handle(event, Lambda())
    assert (answer["statusCode"], json.loads(str(answer["body"]))) == (200, said)
    assert answer["headers"] == {
        "content-type": "application/json", "x-request-id": "aws-1", "x-mlops-version": "v3.0.0",
    }  # fmt: skip
    packed = {**event, "body": base64.b64encode(text.encode()).decode(), "isBase64Encoded": True}
    assert json.loads(str(handle(packed, None)["body"])) == said
    assert handle({"inputs": {"visits": [1]}}, None)["message"] == "the column `age` is missing"
    other: list[dict[str, Any]] = [
        {**event, "body": "{"}, {**event, "body": '{"inputs": {"visits": [1]}}'}, {**event, "headers": {}},
        {**event, "body": "?", "isBase64Encoded": True}, {**event, "httpMethod": "GET"},
        {"requestContext": {"http": {"method": "GET"}}, "rawPath": "/ping"},
    ]  # fmt: skip
    assert [handle(one, None)["statusCode"] for one in other] == [400, 422, 415, 400, 405, 200]


def test_a_wheel_is_imported_and_lists_its_files(
    recorded: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = built(recorded, tmp_path, form="wheel").target
    assert target.name == "churn_model-3.0.0-py3-none-any.whl"
    info = "churn_model-3.0.0.dist-info"
    with zipfile.ZipFile(target) as archive:
        listed = [line.split(",")[0] for line in archive.read(f"{info}/RECORD").decode().split()]
        assert sorted(listed) == sorted(archive.namelist())
        archive.extractall(tmp_path / "site")
        metadata = archive.read(f"{info}/METADATA").decode()
    assert "Requires-Dist: scikit-learn==" in metadata
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    churn = importlib.import_module("churn_model")
    assert churn.load().predict(pd.DataFrame(rows(5))).tolist() == expected(rows(5), turned=True)
    monkeypatch.delitem(sys.modules, "churn_model")


@pytest.mark.parametrize(
    ("version", "python"),
    [("v1.2.3", "1.2.3"), ("v1.0.0-rc.2", "1.0.0rc2"), ("v1.0.0-alpha", "1.0.0a0"), ("v1.0.0+b", "1.0.0")],
)
def test_versions_of_wheels(version: str, python: str) -> None:
    found = Source("services/Churn:m", version, None, "", Path(), None)
    assert wheel.filename(found) == f"services_churn_m_model-{python}-py3-none-any.whl"


def test_without_a_recorded_environment_somebody_must_name_one(project: Repo, tmp_path: Path) -> None:
    with pytest.raises(MlopsError, match=r"nobody recorded the packages that churn v2\.0\.0 needs") as error:
        built(project, tmp_path / "made", model="churn@v2.0.0")
    assert error.value.exit_code == 3
    (tmp_path / "r.txt").write_text("scikit-learn==1.9.1\nnumpy==2.0.0\n")
    made = built(project, tmp_path / "made", model="churn@v2.0.0", requirements=tmp_path / "r.txt").target
    assert (made / "requirements.txt").read_text() == "scikit-learn==1.9.1\nnumpy==2.0.0\n"
    assert (made / "requirements-server.txt").read_text().splitlines()[1:] == [
        "pandas>=2.2", "pyarrow>=17", "pyyaml>=6", "uvicorn>=0.30,<1",
    ]  # fmt: skip
    assert "RUN pip install -r requirements.txt \\" in (made / "Dockerfile").read_text().splitlines()


def test_what_is_there_is_not_overwritten(recorded: Repo, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine.txt").touch()
    with pytest.raises(MlopsError, match="is there already"):
        built(recorded, tmp_path / "made")
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["mine.txt"]


def test_the_settings_are_those_of_the_version_not_of_the_workspace(
    recorded: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (recorded.root / "mlops.yaml").write_text("version: 1\nserve: {extra: ignore}\n")
    monkeypatch.chdir(recorded.root)
    assert run(["model", "package", "churn@v3.0.0", "--to", str(tmp_path / "made"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["data"]["sha256"] == built(recorded, tmp_path / "other").digest
    assert json.loads((tmp_path / "made" / "model.json").read_bytes())["serve"]["extra"] == "refuse"
