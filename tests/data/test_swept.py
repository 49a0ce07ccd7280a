"""What DVC tries links with does not stay behind an interruption."""

from pathlib import Path

import pytest

from git_mlops.data import dvc

NEW, OLD, OTHER = ".BiJBD3oMIOqNuStusGm5jw.tmp", ".AiJBD3oMIOqNuStusGm5jw.tmp", ".mine.tmp"


def test_only_what_came_during_the_interrupted_work_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / OLD).write_text("")
    with pytest.raises(KeyboardInterrupt), dvc._swept(tmp_path):
        (tmp_path / NEW).write_text("test")
        (tmp_path / OTHER).write_text("mine")
        raise KeyboardInterrupt
    assert sorted(file.name for file in tmp_path.iterdir()) == [OLD, OTHER]
