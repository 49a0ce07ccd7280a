"""Repositories whose data is in the cache, and a whole check in this process."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from git_mlops.checks import scope
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.hooks.check import checked


class Project(NamedTuple):
    """A repository with DVC."""

    repo: Repo

    @property
    def root(self) -> Path:
        return self.repo.root

    def write(self, name: str, content: bytes) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def data(self, name: str, content: bytes) -> Path:
        """Data as a pointer alone; where its object is."""
        file, md5 = self._stored(content)
        lines = f"outs:\n- md5: {json.dumps(md5)}\n  size: {len(content)}\n  hash: md5\n"
        self.write(f"{name}.dvc", f"{lines}  path: {json.dumps(Path(name).name)}\n".encode())
        return file

    def folder(self, name: str, files: dict[str, bytes]) -> None:
        """A directory as a pointer alone."""
        items = [{"md5": self._stored(c)[1], "relpath": path} for path, c in sorted(files.items())]
        _file, md5 = self._stored(json.dumps(items).encode(), ".dir")
        lines = f"outs:\n- md5: {md5}\n  nfiles: {len(files)}\n  hash: md5\n  path: {json.dumps(name)}\n"
        self.write(f"{name}.dvc", lines.encode())

    def _stored(self, content: bytes, suffix: str = "") -> tuple[Path, str]:
        md5 = hashlib.md5(content).hexdigest() + suffix
        file = self.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file, md5

    def settings(self, text: str) -> None:
        self.write("mlops.yaml", f"version: 1\n{text}".encode())

    def check(self, rule: str, *, deep: bool = False) -> list[Finding]:
        """What a rule says of the index, after everything was staged."""
        self.git("add", "-A")
        return [f for f in checked(scope.staged(self.repo), deep=deep) if f.rule == rule]

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)


@pytest.fixture
def project(dvc_repo: Repo) -> Project:
    return Project(dvc_repo)


def said(findings: list[Finding]) -> list[tuple[str, str | None, str]]:
    return [(finding.level, finding.path, finding.message) for finding in findings]
