"""Armed repositories, and pointers whose objects are in the cache, made by hand: no DVC is started."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from git_mlops.git.repo import Repo
from git_mlops.hooks import install


class Armed(NamedTuple):
    """A repository with our hooks, and what tests do in it."""

    repo: Repo

    @property
    def root(self) -> Path:
        return self.repo.root

    def git(self, *words: str, status: int = 0, skip: str = "") -> str:
        """Both outputs of a git command, as the user would see them; `skip` is MLOPS_SKIP."""
        done = subprocess.run(
            ["git", *words], cwd=self.root, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "MLOPS_SKIP": skip},
        )  # fmt: skip
        assert done.returncode == status, f"git {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def commit(self, message: str, *, status: int = 0, skip: str = "") -> str:
        self.git("add", "-A")
        return self.git("commit", "-m", message, status=status, skip=skip)

    def data(self, name: str, text: str) -> Path:
        """A file of data with its object in the cache and its pointer beside it, as `dvc add` leaves them."""
        content = text.encode()
        object_ = store(self.repo, content)
        self.write(f"{name}.dvc", pointer(Path(name).name, object_, len(content)))
        ignore = self.root / Path(name).parent / ".gitignore"
        lines = ignore.read_text().splitlines() if ignore.exists() else []
        if f"/{Path(name).name}" not in lines:
            ignore.write_text("\n".join([*lines, f"/{Path(name).name}"]) + "\n")
        return self.write(name, text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")


def store(repo: Repo, content: bytes) -> str:
    """Put an object into DVC's cache; its md5."""
    md5 = hashlib.md5(content).hexdigest()
    file = repo.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_bytes(content)
        file.chmod(0o444)
    return md5


def pointer(name: str, md5: str, size: int) -> str:
    return f"outs:\n- md5: {json.dumps(md5)}\n  size: {size}\n  hash: md5\n  path: {json.dumps(name)}\n"


@pytest.fixture
def armed(repo: Repo) -> Armed:
    """Plain git with our hooks and drivers."""
    install.install(repo)
    return Armed(repo)


@pytest.fixture
def project(dvc_repo: Repo) -> Armed:
    """DVC, mlops.yaml and our hooks, all committed."""
    (dvc_repo.root / "mlops.yaml").write_text("version: 1\n")
    (dvc_repo.root / ".gitattributes").write_text("*.dvc diff=mlops merge=mlops\ndvc.lock merge=mlops\n")
    install.install(dvc_repo)
    armed = Armed(dvc_repo)
    armed.commit("mlops")
    return armed


@pytest.fixture
def two_versions(project: Armed) -> Armed:
    """`main` with data `old`, the branch `new` with data `new`; `main` is checked out."""
    project.data("data.csv", "old\n")
    project.commit("old data")
    project.git("switch", "-q", "-c", "new")
    project.data("data.csv", "new\n")
    project.commit("new data")
    project.git("switch", "-q", "main")
    return project


def tree(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file below, with mode and content; links with their target."""
    return {
        str(p.relative_to(folder)): (
            p.lstat().st_mode,
            str(p.readlink()) if p.is_symlink() else p.read_bytes(),
        )
        for p in sorted(folder.rglob("*"))
        if p.is_symlink() or p.is_file()
    }
