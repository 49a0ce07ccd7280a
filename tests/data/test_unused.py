"""Objects of the cache that nothing names: found, and only those."""

from pathlib import Path

import pytest

from git_mlops.data import cache, unused
from git_mlops.errors import MlopsError
from tests.data.conftest import Data
from tests.experiments.conftest import listed, save


def test_objects_that_nothing_names_are_found(data: Data) -> None:
    data.file("a.csv", "first")
    data.commit("one")
    old = data.out("a.csv")
    data.file("a.csv", "second")
    folder = data.folder("raw", {"x": "1", "y": "2"})
    data.git("branch", "side")
    data.commit("two")
    lost = data.file("lost.csv", "lost")
    (data.root / "lost.csv.dvc").unlink()
    found = {one.file for one in unused.unused(data.repo, grace=-1)}
    assert found == {cache.object_path(cache.cache_dir(data.repo), lost)}
    assert unused.unused(data.repo) == []
    assert unused.delete(unused.unused(data.repo, grace=-1)) == 4
    kept = [old, data.out("a.csv"), folder, *cache.members(data.repo, folder).values()]
    assert all(cache.locate(data.repo, out) for out in kept)


def test_objects_of_experiments_worktrees_and_the_index_are_needed(data: Data) -> None:
    data.file("base.csv", "base")
    data.commit("base")
    data.file("exp.csv", "of an experiment")
    save(data.repo, "e")
    (data.root / "exp.csv.dvc").unlink()
    data.file("staged.csv", "staged")
    data.git("add", "staged.csv.dvc")
    (data.root / "staged.csv.dvc").unlink()
    assert unused.unused(data.repo, grace=-1) == []
    data.git("update-ref", "-d", listed(data.repo)[0].ref)
    assert [one.size for one in unused.unused(data.repo, grace=-1)] == [len("of an experiment")]


def test_a_cache_elsewhere_is_not_touched(data: Data, tmp_path: Path) -> None:
    data.write(".dvc/config.local", f"[cache]\n    dir = {tmp_path / 'shared'}\n")
    with pytest.raises(MlopsError, match="outside of this repository"):
        unused.unused(data.repo)
