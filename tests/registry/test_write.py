"""Tags made here: later than all before, one version per commit, never twice."""

import pytest

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, head
from git_mlops.registry import read, write
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from tests.registry.conftest import Tagger


def test_a_tag_is_later_than_every_event_of_its_model_also_of_a_clock_that_is_ahead(
    repo: Repo, tagged: Tagger
) -> None:
    tagged("m@v1.0.0", later=600_000_000)
    ahead = read.artifact(repo, "m").last_time
    for number in (1, 2):
        found = read.artifact(repo, "m")
        write.tag(
            repo, Tag("assign", "m", stage="prod", number=found.next_number), "HEAD", Message("t"), found
        )
        assert (read.artifact(repo, "m").last_time, found.next_number) == (ahead + number, number)


def test_a_second_version_of_a_commit_gets_a_commit_of_its_own(repo: Repo, tagged: Tagger) -> None:
    tagged("m@v1.0.0", "m@v1.0.0!#1", "other@v1.0.0")
    commit = head(repo) or ""
    copy = write.place(repo, read.artifact(repo, "m"), commit, "v2.0.0")
    assert repo.text("rev-parse", f"{copy}^") == commit
    assert repo.text("rev-parse", f"{copy}^{{tree}}") == repo.text("rev-parse", f"{commit}^{{tree}}")
    assert write.place(repo, read.artifact(repo, "new"), commit, "v1.0.0") == commit


def test_the_same_tag_is_not_made_twice(repo: Repo) -> None:
    found = read.artifact(repo, "m")
    said = Tag("assign", "m", stage="prod", number=1)
    write.tag(repo, said, "HEAD", Message("t"), found)
    with pytest.raises(MlopsError) as error:
        write.tag(repo, said, "HEAD", Message("t"), found)
    assert (str(error.value), error.value.exit_code) == (
        "the tag `m#prod#1` was made by another process meanwhile",
        1,
    )


def test_a_line_that_git_would_take_for_a_comment_stays(repo: Repo) -> None:
    made = write.tag(
        repo, Tag("register", "m", "v1.0.0"), "HEAD", Message("t", "# heading"), read.artifact(repo, "m")
    )
    assert read.messages(repo, [made.oid])[made.oid].text == "# heading"


def test_who_signs_is_what_git_is_configured_to(repo: Repo) -> None:
    said = [write.signs(repo)]
    for key, value in (("user.signingkey", "k"), ("tag.gpgSign", "false"), ("mlops.models.sign", "true")):
        repo.git("config", key, value)
        said.append(write.signs(repo))
    assert said == [False, True, False, True]


def test_a_key_that_cannot_sign_is_said_and_no_tag_is_left(repo: Repo) -> None:
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingkey", "/nowhere/key")
    with pytest.raises(MlopsError, match=r"git cannot sign the tag `m@v1\.0\.0`") as error:
        write.tag(repo, Tag("register", "m", "v1.0.0"), "HEAD", Message("t"), read.artifact(repo, "m"))
    assert (error.value.exit_code, repo.text("tag")) == (3, "")
