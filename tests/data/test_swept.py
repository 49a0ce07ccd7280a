"""What DVC tries links with does not stay behind an interruption."""

from pathlib import Path

import pytest

from git_mlops.data import dvc

NEW, OLD, OTHER = ".BiJBD3oMIOqNuStusGm5jw.tmp", ".AiJBD3oMIOqNuStusGm5jw.tmp", ".mine.tmp"


def interrupted(folder: Path) -> None:
    with dvc._swept(folder):
        (folder / NEW).write_text("test")
        (folder / OTHER).write_text("mine")
        raise KeyboardInterrupt


def test_only_what_came_during_the_interrupted_work_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / OLD).write_text("")
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [OLD, OTHER]
