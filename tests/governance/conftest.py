"""A project with data that is on the DVC remote, and what is asked of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from git_mlops.data import stored
from git_mlops.data.hashes import md5
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.models.conftest import project

__all__ = ["project"]

TABLE, IMAGES = "data/patients.csv", "data/images"
WHOLE, LESS = "id,age\n1,20\n217,-5\n", "id,age\n1,20\n"


class Sick:
    """The project, and its hashes."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.root = repo.root
        self.store = repo.root.parent / "store"

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def add(self, path: str, *, message: str) -> None:
        """A pointer, and its objects in the cache and on the remote: by hand, which takes no second."""
        file = self.root / path
        kept = stored.keep(self.repo, file) if file.is_dir() else None
        hash_ = kept.hash if kept else stored.keep_file(self.repo, file)
        size = kept.size if kept else file.stat().st_size
        files = f"  nfiles: {kept.nfiles}\n" if kept else ""
        text = f"outs:\n- md5: {hash_}\n  size: {size}\n{files}  hash: md5\n  path: {file.name}\n"
        self.write(f"{path}.dvc", text)
        (file.parent / ".gitignore").write_text(f"/{file.name}\n")
        shutil.copytree(self.root / ".dvc/cache", self.store, dirs_exist_ok=True)
        self.commit(message)

    def remote(self, name: str, url: object) -> Path:
        """One more DVC remote; returns the configuration, whose text undoes it."""
        config = self.root / ".dvc/config"
        config.write_text(f"{config.read_text()}['remote \"{name}\"']\n    url = {url}\n")
        return config

    def commit(self, message: str) -> None:
        subprocess.run(["git", "add", "-A"], cwd=self.root, check=True)
        subprocess.run(["git", "commit", "-q", "--no-verify", "-m", message], cwd=self.root, check=True)

    def stored(self, hash_: str) -> tuple[bool, bool]:
        """Whether the cache and the remote have an object."""
        inside = Path("files", "md5", hash_[:2], hash_[2:])
        return (self.root / ".dvc/cache" / inside).exists(), (self.store / inside).exists()


@pytest.fixture
def sick(dvc_repo: Repo) -> Sick:
    """Two versions of a table; the first has patient 217."""
    made = Sick(dvc_repo)
    made.write(TABLE, WHOLE)
    made.add(TABLE, message="first")
    made.write(TABLE, LESS)
    made.add(TABLE, message="without 217")
    return made


@pytest.fixture
def images(dvc_repo: Repo) -> Sick:
    """Two versions of a directory: the second lacks one file."""
    made = Sick(dvc_repo)
    for name in ("a", "b", "c"):
        made.write(f"{IMAGES}/{name}.txt", f"picture {name}\n")
    made.add(IMAGES, message="first")
    (made.root / IMAGES / "a.txt").unlink()
    made.add(IMAGES, message="without a")
    return made


def hash_of(text: str, folder: Path) -> str:
    """The md5 of a text as a file."""
    file = folder / "text"
    file.write_text(text, encoding="utf-8")
    return md5(file)


@pytest.fixture
def clone(sick: Sick, tmp_path: Path, run: Run) -> Repo:
    """A colleague's clone with its own cache, all objects in it."""
    run("git", "clone", "-q", sick.root, tmp_path / "other", cwd=tmp_path)
    shutil.copytree(sick.root / ".dvc/cache", tmp_path / "other/.dvc/cache")
    return discover(tmp_path / "other")
