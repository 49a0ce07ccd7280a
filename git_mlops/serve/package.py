"""What a container is built from, a bundle or a wheel: made of what the tag of a version names, and no more.

The same version gives the same bytes, in any clone and on any day: times and modes of files are fixed, too.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from git_mlops.data import hashes
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import environment
from git_mlops.experiments.layout import RUN
from git_mlops.git.objects import read_blobs
from git_mlops.git.repo import Repo
from git_mlops.models import bom, dossier
from git_mlops.registry.read import Version
from git_mlops.serve import archive, container, handler, load, source, vendored, wheel
from git_mlops.serve.loaded import Source
from git_mlops.serve.settings import Settings
from git_mlops.serve.source import Asked

Form = Literal["container", "bundle", "wheel"]


class Request(NamedTuple):
    """What to make."""

    target: Path
    form: Form = "container"
    base: str | None = None
    """The image to build on; None: Python of the version that the model was trained with."""
    requirements: Path | None = None
    """Packages, instead of those that were recorded."""
    image: str | None = None
    """What the built image will be called: then there are manifests for Kubernetes, too."""


class Package(NamedTuple):
    """What was made."""

    source: Source
    target: Path
    files: int
    digest: str
    """SHA-256 of all paths and contents."""


class _Locked(NamedTuple):
    text: bytes
    """As pip reads it."""
    whole: bool
    """Whether it names everything, so that pip must not resolve anything."""
    python: str | None


def build(repo: Repo, version: Version, request: Request, asked: Asked, settings: Settings) -> Package:
    """Write the directory, or the file; it appears when it is complete.

    Args:
        settings: as the version's own commit has them.

    Raises:
        MlopsError: the version cannot be had, its environment is not known (3), or something is there (2).
    """
    _refuse_taken(request)
    found = source.of_version(repo, version, asked)
    locked = _locked(repo, version, found, request)
    texts = _FORMS[request.form](_Case(repo, version, found, locked, request, settings))
    under = wheel.package(found.name) if request.form == "wheel" else ""
    with tempfile.TemporaryDirectory(prefix=f".{request.target.name}-", dir=request.target.parent) as folder:
        made = Path(folder, "package")
        for name, content in texts.items():
            _written(made / name, content)
        _copied(found.path, made / under / container.MODEL / found.path.name)
        if request.form == "wheel":
            _written(made / wheel.record(found), wheel.recorded(made, found).encode())
        _fixed(made, version.time)
        digest, count = _digest(made)
        target = request.target
        if request.form == "container":
            if target.is_dir():
                target.rmdir()
            made.rename(target)
        else:
            target = target / wheel.filename(found) if request.form == "wheel" else target
            archive.write(made, Path(folder, "archive"), version.time).replace(target)
    return Package(found, target, count, digest)


def _refuse_taken(request: Request) -> None:
    target = request.target
    if request.form == "wheel":
        if target.exists() and not target.is_dir():
            raise MlopsError(f"`{target}` is a file", hint="`--to` names the directory for the wheel")
        if not target.absolute().parent.is_dir():
            raise MlopsError(f"there is no directory for `{target}`")
        target.mkdir(exist_ok=True)
        return
    if request.form == "bundle" and target.suffix != ".zip":
        raise MlopsError(f"`{target}` is no name for a bundle", hint="`--to NAME.zip`")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise MlopsError(f"`{target}` is there already", hint="name something that is not there yet")
    if not target.absolute().parent.is_dir():
        raise MlopsError(f"there is no directory for `{target}`")


def _locked(repo: Repo, version: Version, found: Source, request: Request) -> _Locked:
    """The packages that the model needs: of the run, of MLflow's model, or those that the user names."""
    said = version.facts.get("environment")
    known = said if isinstance(said, Mapping) else {}
    python = str(known.get("python") or "").rpartition(" ")[2] or None
    if request.requirements is not None:
        return _Locked(_read(request.requirements), whole=False, python=python)
    if known.get("lock"):
        return _Locked(_recorded(repo, version, str(known["lock"])), whole=True, python=python)
    own = found.path / "requirements.txt"
    if own.is_file():
        return _Locked(own.read_bytes(), whole=False, python=python or _of_mlflow(found))
    raise MlopsError(
        f"nobody recorded the packages that {found.label} needs",
        hint="register an experiment (`git mlops exp run` records them), or `--requirements FILE`",
        exit_code=CANNOT_EVALUATE,
    )


def _of_mlflow(found: Source) -> str | None:
    """The interpreter that MLflow noted beside the model."""
    with suppress(OSError):
        text = (found.path / "python_env.yaml").read_text(encoding="utf-8", errors="replace")
        said = re.search(r"^python: *['\"]?(\d+\.\d+\.\d+)\b", text, re.MULTILINE)
        return said[1] if said else None
    return None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MlopsError(f"cannot read `{file}`: {error.strerror}") from error


def _recorded(repo: Repo, version: Version, wanted: str) -> bytes:
    made = version.facts.get("experiment")
    commit = made.get("commit") if isinstance(made, Mapping) else None
    names = [f"{one}:{RUN}environment.lock" for one in (version.commit, commit) if isinstance(one, str)]
    for content in read_blobs(repo, [name for name in names if "\n" not in name]).values():
        if hashlib.sha256(content).hexdigest() == wanted:
            return content
    raise MlopsError(
        f"the environment of {version.name} {version.version} is not in this clone",
        hint="`git mlops exp pull` gets the experiment, or `--requirements FILE`",
        exit_code=CANNOT_EVALUATE,
    )


class _Case(NamedTuple):
    """What a form is made of."""

    repo: Repo
    version: Version
    found: Source
    locked: _Locked
    request: Request
    settings: Settings

    @property
    def packages(self) -> dict[str, str]:
        """Name → version."""
        return environment.parse_lock(self.locked.text)

    def common(self, needed: Mapping[str, str]) -> dict[str, bytes]:
        """Packages, facts and bill of materials."""
        lines = [x for x in self.locked.text.decode("utf-8", "replace").splitlines() if not _ours(x)]
        known = dossier.gather(self.repo, self.version.tag)._replace(packages=self.packages)
        return {
            "requirements.txt": "".join(f"{line}\n" for line in lines).encode(),
            "requirements-server.txt": _server(self.packages, self.found, needed).encode(),
            container.FILE: _json(_model(self.version, self.found, self.settings)),
            "sbom.cdx.json": _json(bom.document(known)),
        }


def _container(case: _Case) -> dict[str, bytes]:
    base = case.request.base or f"python:{case.locked.python or '3.12'}-slim"
    image = case.request.image
    return {
        "Dockerfile": _dockerfile(case.found, base, whole=case.locked.whole).encode(),
        ".dockerignore": b"Dockerfile\nsbom.cdx.json\nkserve.yaml\n",
        **case.common(_NEEDED | {"uvicorn": ">=0.30,<1"}),
        **({"kserve.yaml": _kserve(case.version, image).encode()} if image else {}),
        **{f"app/{name}": content for name, content in vendored.needed(container.ENTRY).items()},
    }


_HANDLER = b'''"""The function's entry: `handler.handle`."""

from pathlib import Path

from git_mlops.serve.handler import Handler

handle = Handler(Path(__file__).parent)
'''


def _bundle(case: _Case) -> dict[str, bytes]:
    return {"handler.py": _HANDLER, **case.common(_NEEDED), **vendored.needed(handler.ENTRY)}


def _wheel(case: _Case) -> dict[str, bytes]:
    facts = _model(case.version, case.found, case.settings)
    return wheel.texts(case.found, facts, case.packages, load.kind_of(case.found.path)[0])


_FORMS: dict[Form, Callable[[_Case], dict[str, bytes]]] = {
    "container": _container,
    "bundle": _bundle,
    "wheel": _wheel,
}


def _ours(line: str) -> bool:
    return line.replace("_", "-").lower().startswith(("git-mlops==", "git-mlops @"))


_NEEDED = {"numpy": "", "pandas": ">=2.2", "pyarrow": ">=17", "pyyaml": ">=6"}


def _server(packages: Mapping[str, str], found: Source, needed_: Mapping[str, str]) -> str:
    """What the server needs, where the model's own environment has it not."""
    needed = dict(needed_)
    if load.kind_of(found.path)[0] == "mlflow":
        needed["mlflow"] = ">=3.5"
    lacking = [f"{name}{bounds}\n" for name, bounds in needed.items() if name not in packages]
    head = "# what the server needs and the model's environment has not\n"
    return head + "".join(lacking)


def _model(version: Version, found: Source, settings: Settings) -> dict[str, object]:
    names = sorted(hashes.walk(found.path)) if found.path.is_dir() else [""]
    files = {
        f"{container.MODEL}/{found.path.name}/{name}".rstrip("/"): container.sha256(found.path / name)
        for name in names
    }
    return {
        "version": 1,
        "name": found.name,
        "model_version": found.version,
        "tag": version.tag,
        "commit": found.commit,
        "hash": found.hash,
        "path": f"{container.MODEL}/{found.path.name}",
        "files": files,
        "contract": found.contract.to_json() if found.contract else None,
        "serve": {"extra": settings.extra, "body": settings.body, "redact": list(settings.redact)},
    }


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=1, ensure_ascii=False, default=str)}\n".encode()


def _dockerfile(found: Source, base: str, *, whole: bool) -> str:
    label = json.dumps(found.name)
    return f"""\
# {found.label}, commit {found.commit}
# docker build -t {found.name.lower().replace(":", "-")}:{str(found.version).replace("+", "-")} .
# pin the base for a build that is the same for ever: --build-arg BASE=python@sha256:...
ARG BASE={base}
FROM ${{BASE}}
LABEL org.opencontainers.image.title={label} \\
      org.opencontainers.image.version="{found.version}" \\
      org.opencontainers.image.revision="{found.commit}"
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/served
COPY requirements.txt requirements-server.txt ./
RUN pip install {"--no-deps " if whole else ""}-r requirements.txt \\
 && pip install -c requirements.txt -r requirements-server.txt
COPY . .
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin served
USER 10001:10001
ENV PYTHONPATH=/opt/served/app
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=60s \\
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/ping', timeout=2)"]
ENTRYPOINT ["python", "-m", "git_mlops.serve", "/opt/served", "--host", "0.0.0.0"]
"""


def _kserve(version: Version, image: str) -> str:
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in version.name.lower()).strip("-")
    return f"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name[:50].rstrip("-") or "model"}
  annotations:
    git-mlops/tag: {json.dumps(version.tag)}
    git-mlops/commit: "{version.commit}"
spec:
  predictor:
    containers:
      - name: kserve-container
        image: {json.dumps(image)}
        ports:
          - containerPort: 8080
            protocol: TCP
        readinessProbe:
          httpGet: {{path: /ping, port: 8080}}
        livenessProbe:
          httpGet: {{path: /health, port: 8080}}
          periodSeconds: 15
        securityContext:
          runAsNonRoot: true
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {{drop: [ALL]}}
"""


def _written(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _copied(path: Path, target: Path) -> None:
    """Copies: what a build changes must not be the private model."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(path, target)


def _fixed(folder: Path, time: int) -> None:
    """Modes and times that say nothing of this machine and day."""
    for base, folders, names in os.walk(folder, topdown=False):
        for name in (*folders, *names, "."):
            file = Path(base, name)
            file.chmod(0o755 if file.is_dir() else 0o644)
            os.utime(file, (time, time))


def _digest(folder: Path) -> tuple[str, int]:
    names = sorted(hashes.walk(folder))
    lines = "".join(f"{container.sha256(folder / name)}  {name}\n" for name in names)
    return hashlib.sha256(lines.encode()).hexdigest(), len(names)
