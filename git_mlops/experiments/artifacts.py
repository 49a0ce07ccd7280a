"""What a run logged as artifacts: a pointer among the run's files, or, without DVC, the files themselves."""

from pathlib import Path

from git_mlops.data import dvc, stored
from git_mlops.data.hashes import walk
from git_mlops.git.repo import Repo


def files(repo: Repo, folder: Path | None, limit: int) -> tuple[dict[str, bytes], list[str]]:
    """Files of `.mlops/run/` for a folder of artifacts, and notes on what was left out.

    Whatever happens to the artifacts, the run is recorded.

    Args:
        limit: bytes of the largest file that goes into git, where there is no DVC.
    """
    if folder is None:
        return {}, []
    try:
        if not dvc.initialised(repo):
            return _plain(folder, limit)
        done = stored.keep(repo, folder)
        return ({"artifacts.dvc": done.pointer("artifacts")} if done else {}), []
    except OSError as error:
        return {}, [f"the artifacts could not be kept: {error.strerror or error}"]


def _plain(folder: Path, limit: int) -> tuple[dict[str, bytes], list[str]]:
    made: dict[str, bytes] = {}
    notes = []
    for name in sorted(walk(folder)):
        file = folder / name
        if file.is_symlink() or not file.is_file():
            continue
        if file.stat().st_size > limit:
            size = f"{file.stat().st_size / 2**20:.1f} MiB"
            notes.append(f"the artifact `{name}` ({size}) was left out: git is no place for it without DVC")
        else:
            made[f"artifacts/{name}"] = file.read_bytes()
    return made, notes
