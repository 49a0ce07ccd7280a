"""Data in a repository: made by hand where DVC itself is not what is tested."""

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from git_mlops.data import cache, listing
from git_mlops.data.pointers import Out
from git_mlops.git.repo import Repo
from tests.hooks.conftest import pointer, store


class Data(NamedTuple):
    """A repository with DVC, and what tests do in it."""

    repo: Repo

    @property
    def root(self) -> Path:
        return self.repo.root

    def git(self, *words: str, status: int = 0, extra: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.root, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, **(extra or {})},
        )  # fmt: skip
        assert done.returncode == status, f"git {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def commit(self, message: str = "x") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def file(self, name: str, text: str, *flags: str) -> Out:
        """A file with its object and pointer, as `dvc add` leaves them."""
        md5 = store(self.repo, text.encode())
        self.write(name, text)
        self._ignored(name)
        lines = "".join(f"  {flag}\n" for flag in flags)
        self.write(f"{name}.dvc", pointer(Path(name).name, md5, len(text.encode())) + lines)
        return self.out(name)

    def folder(self, name: str, files: dict[str, str]) -> Out:
        """A directory with its objects and pointer."""
        items = [
            {"md5": store(self.repo, text.encode()), "relpath": path} for path, text in sorted(files.items())
        ]
        for path, text in files.items():
            self.write(f"{name}/{path}", text)
        return self.listed(name, items)

    def listed(self, name: str, items: object) -> Out:
        """A pointer to a directory, and its listing in the cache, as given."""
        content = json.dumps(items, sort_keys=True).encode()
        md5 = store(self.repo, content)
        object_ = cache.cache_dir(self.repo) / "files" / "md5" / md5[:2] / md5[2:]
        object_.rename(object_.with_name(f"{md5[2:]}.dir"))
        self._ignored(name)
        self.write(f"{name}.dvc", pointer(Path(name).name, f"{md5}.dir", len(content)))
        return self.out(name)

    def _ignored(self, name: str) -> None:
        ignore = self.root / Path(name).parent / ".gitignore"
        lines = ignore.read_text().splitlines() if ignore.exists() else []
        ignore.parent.mkdir(parents=True, exist_ok=True)
        if f"/{Path(name).name}" not in lines:
            ignore.write_text("\n".join([*lines, f"/{Path(name).name}"]) + "\n")

    def out(self, name: str) -> Out:
        """What the pointer of some data names."""
        return next(iter(listing.outs({f"{name}.dvc": (self.root / f"{name}.dvc").read_bytes()})))

    def object(self, out: Out) -> Path:
        return cache.object_path(cache.cache_dir(self.repo), out)

    def lose(self, out: Out) -> None:
        """Remove one object from the cache."""
        self.object(out).unlink()


@pytest.fixture
def data(dvc_repo: Repo) -> Data:
    return Data(dvc_repo)
