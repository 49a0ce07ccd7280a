"""Refs move in transactions with their old value."""

import pytest

from git_mlops.git import refs
from git_mlops.git.refs import Move, Ref, RefMovedError
from git_mlops.git.repo import Repo, head


def test_a_transaction_creates_moves_and_deletes(repo: Repo) -> None:
    oid = head(repo)
    refs.move(repo, [Move("refs/mlops/a", oid, None), Move("refs/mlops/b", oid, None)], "test")
    refs.move(repo, [Move("refs/mlops/a", None, oid), Move("refs/mlops/c", oid, None)], "test")
    assert refs.list_refs(repo, "refs/mlops/") == [
        Ref("refs/mlops/b", str(oid)),
        Ref("refs/mlops/c", str(oid)),
    ]


@pytest.mark.parametrize(
    "late",
    [
        Move("refs/mlops/there", "HEAD", None),
        Move("refs/mlops/there", "HEAD", "1" * 40),
        Move("refs/mlops/gone", "HEAD", "1" * 40),
    ],
)
def test_a_move_refuses_to_overwrite_and_does_nothing_at_all(repo: Repo, late: Move) -> None:
    oid = head(repo)
    assert oid
    refs.move(repo, [Move("refs/mlops/there", oid, None)], "test")
    with pytest.raises(RefMovedError):
        refs.move(repo, [Move("refs/mlops/new", oid, None), late._replace(new=oid)], "test")
    assert refs.list_refs(repo, "refs/mlops/") == [Ref("refs/mlops/there", oid)]


def test_what_is_replaced_can_stay_in_a_reflog(repo: Repo) -> None:
    oid = head(repo)
    refs.move(repo, [Move("refs/mlops/a", oid, None)], "mlops test: made", reflog=True)
    assert repo.text("log", "-g", "--format=%gs", "refs/mlops/a") == "mlops test: made"


def test_a_missing_ref_is_none(repo: Repo) -> None:
    assert (refs.read(repo, "refs/heads/none"), refs.read(repo, "refs/heads/main")) == (None, head(repo))
