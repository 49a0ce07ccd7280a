"""The environment a run has: packages as pip requirement lines, the interpreter, the machine.

The packages are those of the interpreter that runs the command, as far as that can be known: the `python`
the command names, the one in a script's first line, or else the first on PATH. Names and versions are read
from the names of `*.dist-info` folders: milliseconds, where parsing every package's metadata takes a tenth
of a second.
"""

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from git_mlops import processes

_DIST = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.(?:dist|egg)-info", re.IGNORECASE)
_PYTHON = re.compile(r"python[0-9.]*(?:\.exe)?")
_ASK = (
    "import json, platform, sys; "
    "print(json.dumps([platform.python_implementation(), platform.python_version(), sys.path[1:]]))"
)


class Environment(NamedTuple):
    """What the run sees of Python."""

    lock: bytes
    """environment.lock: `name==version` lines, sorted."""
    interpreter: str
    """`CPython 3.11.2`."""


def capture(command: Sequence[str] | None, directory: Path) -> Environment:
    """The environment of the interpreter that runs `command` (None: the first python on PATH)."""
    interpreter, folders = _interpreter(command, directory)
    return Environment(lock(folders), interpreter)


def _interpreter(command: Sequence[str] | None, directory: Path) -> tuple[str, list[str]]:
    own = f"{platform.python_implementation()} {platform.python_version()}", list(sys.path)
    program = _program(command, directory)
    if program is None or _same_environment(program):
        return own
    answer = processes.answer((program, "-c", _ASK), cwd=directory)
    try:
        implementation, version, folders = json.loads(answer or "")
    except ValueError:
        return own
    return f"{implementation} {version}", [str(folder) for folder in folders]


def _same_environment(program: str) -> bool:
    """Whether a program of our own environment's folder resolves to what runs us."""
    path = Path(program).absolute()
    return path.parent == Path(sys.executable).parent and path.resolve() == Path(sys.executable).resolve()


def _program(command: Sequence[str] | None, directory: Path) -> str | None:
    if command:
        program = shutil.which(command[0], path=None) or str(directory / command[0])
        if _PYTHON.fullmatch(Path(command[0]).name):
            return program
        if found := _shebang(program):
            return found
    return shutil.which("python") or shutil.which("python3")


def _shebang(program: str) -> str | None:
    """The python that a script's first line names."""
    try:
        with Path(program).open("rb") as file:
            line = file.readline(256).decode("utf-8", "replace")
    except OSError:
        return None
    words = line.removeprefix("#!").split() if line.startswith("#!") else []
    name = next((word for word in words if _PYTHON.fullmatch(Path(word).name)), None)
    return shutil.which(name) if name else None


def lock(folders: Iterable[str]) -> bytes:
    """Requirement lines of the packages in the folders; where two hold one, the first wins, as for import."""
    found: dict[str, str] = {}
    for folder in folders:
        for name, line in _packages(folder):
            found.setdefault(name, line)
    return "".join(f"{line}\n" for _name, line in sorted(found.items())).encode()


def _packages(folder: str) -> list[tuple[str, str]]:
    try:
        names = os.listdir(folder or ".") if folder else []  # noqa: PTH208  # names only, as quick as it gets
    except OSError:
        return []
    found = []
    for entry in names:
        match = _DIST.fullmatch(entry)
        if match:
            name = re.sub(r"[-_.]+", "-", match["name"]).lower()
            found.append((name, _line(name, match["version"], Path(folder, entry, "direct_url.json"))))
    return found


def _line(name: str, version: str, direct: Path) -> str:
    """`name==version`, or where it was installed from version control: `name @ git+URL@commit`."""
    try:
        origin = json.loads(direct.read_bytes())
        info = origin["vcs_info"]
        parts = urlsplit(str(origin["url"]))
        clean = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))  # no passwords in history
        return f"{name} @ {info['vcs']}+{clean}@{info['commit_id']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{name}=={version.replace('_', '-')}"


def parse_lock(content: bytes) -> dict[str, str]:
    """The inverse of `lock`: package → version, or where it was installed from."""
    found = {}
    for line in content.decode("utf-8", "replace").splitlines():
        match = re.fullmatch(r"(?P<name>[A-Za-z0-9._-]+)(?:==| @ )(?P<version>\S+)", line.strip())
        if match:
            found[match["name"]] = match["version"]
    return found


def host() -> dict[str, object]:
    """The machine, as far as it may matter for a result; no names of people."""
    gpus = _gpus()
    return {
        "name": platform.node(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        **({"gpus": gpus} if gpus else {}),
    }


def _gpus() -> list[str]:
    """Model, driver and memory of each GPU, as the vendor's own tool tells; none where there is no tool."""
    for program, *options in _GPU_TOOLS:
        found = shutil.which(program)
        said = processes.answer((found, *options), cwd=Path.cwd()) if found else None
        if said:
            return [line.strip() for line in said.splitlines() if line.strip()]
    return []


_GPU_TOOLS = (
    ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"),
    ("rocm-smi", "--showproductname", "--showdriverversion", "--csv"),
)
