"""The state of the registry is what GTO says it is; a version is found by name, number and stage."""

import json
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo, discover
from git_mlops.git.run import git
from git_mlops.registry import read, write
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from tests.conftest import Run
from tests.registry.conftest import Tagger


def gto(run: Run, repo: Repo, name: str) -> dict[str, object]:
    """What `gto show` has for a model: versions, the greatest first, and who holds which stage."""
    rows = json.loads(run("gto", "show", name, "--json", cwd=repo.root).stdout)
    stages = {stage["stage"]: row["version"] for row in rows for stage in row["stages"]}
    return {"versions": [row["version"] for row in rows], "stages": stages}


def ours(repo: Repo, name: str) -> dict[str, object]:
    found = read.artifact(repo, name)
    versions = [one.version for one in found.versions if one.active]
    return {"versions": versions, "stages": {stage: event.version for stage, event in found.stages.items()}}


def test_stages_go_to_who_got_them_last(repo: Repo, commits: list[str], tagged: Tagger) -> None:
    a, b, _c = commits
    tagged("m@v1.0.0", at=a)
    tagged("m@v1.1.0", at=b)
    tagged("m#prod#1", at=a)
    tagged("m#prod#2", "m#canary#3", at=b)
    assert ours(repo, "m") == {
        "versions": ["v1.1.0", "v1.0.0"],
        "stages": {"canary": "v1.1.0", "prod": "v1.1.0"},
    }
    tagged("m#prod#4", at=a)
    assert ours(repo, "m")["stages"] == {"canary": "v1.1.0", "prod": "v1.0.0"}


def test_what_is_taken_off_goes_back_to_who_had_it_as_in_gto(
    repo: Repo, commits: list[str], tagged: Tagger, run: Run
) -> None:
    a, b, c = commits
    for version, commit in zip(("v1.0.0", "v1.1.0", "v2.0.0-rc.1"), commits, strict=True):
        tagged(f"m@{version}", at=commit)
    tagged("m#prod#1", "m#old#2", at=a)
    tagged("m#prod#3", at=b)
    tagged("m#prod#4", "m#canary#5", at=c)
    tagged("m#prod!#6", at=c)
    assert ours(repo, "m")["stages"] == {"prod": "v1.1.0", "old": "v1.0.0", "canary": "v2.0.0-rc.1"}
    tagged("m@v1.1.0!#7", at=b)
    tagged("m#old!#8", at=a)
    found = ours(repo, "m")
    assert found == {
        "versions": ["v2.0.0-rc.1", "v1.0.0"],
        "stages": {"prod": "v1.0.0", "canary": "v2.0.0-rc.1"},
    }
    theirs = run("gto", "show", "m", "--json", cwd=repo.root)
    rows = json.loads(theirs.stdout)
    assert [row["version"] for row in rows] == found["versions"]


def test_a_version_is_found_by_number_stage_and_greatest(
    repo: Repo, commits: list[str], tagged: Tagger
) -> None:
    a, b, _c = commits
    tagged("dir=m@v1.9.0", at=a)
    tagged("dir=m@v1.10.0", at=b)
    tagged("dir=m#prod#1", at=a)
    found = [read.resolve(repo, text) for text in ("dir:m", "dir:m@latest", "dir=m#prod", "dir:m@1.9.0")]
    assert [(one.name, one.version, one.commit) for one in found] == [
        ("dir:m", "v1.10.0", b), ("dir:m", "v1.10.0", b), ("dir:m", "v1.9.0", a), ("dir:m", "v1.9.0", a),
    ]  # fmt: skip
    assert (found[2].tag, found[2].stages, found[2].facts, found[2].who) == (
        "dir=m@v1.9.0",
        ("prod",),
        {},
        "Ada",
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("mm", "no model `mm` is registered", "did you mean `m`?"),
        ("m@v3.0.0", "model `m` has no version v3.0.0", "it has v1.0.0"),
        ("m#stg", "no version of model `m` holds the stage `stg`", "stages of it that are held: `prod`"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    repo: Repo, tagged: Tagger, text: str, message: str, hint: str
) -> None:
    tagged("m@v1.0.0", "m#prod#1")
    with pytest.raises(NotFoundError) as error:
        read.resolve(repo, text)
    assert (str(error.value), error.value.hint) == (message, hint)


def test_a_version_that_was_taken_back_is_found_by_its_name_alone(repo: Repo, tagged: Tagger) -> None:
    tagged("m@v1.0.0", "m@v1.0.0!#1")
    version = read.resolve(repo, "m@v1.0.0")
    assert version.active is False
    with pytest.raises(MlopsError, match="was taken back"):
        read.active(version)
    with pytest.raises(NotFoundError, match="every version of model `m` was taken back"):
        read.resolve(repo, "m")
    tagged("m@v1.0.0#2")
    assert read.resolve(repo, "m").version == "v1.0.0"


def test_tags_that_only_look_like_ours_count_for_nothing(repo: Repo, tagged: Tagger) -> None:
    tagged("m@v1.0.0", "v9.9.9", "me@v1.0.0", "m@v2", "m#prod#1#2")
    repo.git("tag", "m@v3.0.0")  # not annotated
    oid = repo.text("rev-parse", "m@v1.0.0")
    repo.git("update-ref", "refs/tags/m@v4.0.0", oid)  # a signed tag under another name
    assert [one.version for one in read.artifact(repo, "m").versions] == ["v1.0.0"]
    assert [*read.artifacts(repo)] == ["m", "me"]


def test_two_versions_on_one_commit_are_read_where_gto_gives_up(repo: Repo, tagged: Tagger, run: Run) -> None:
    tagged("m@v1.0.0", "m#prod#1", "m@v2.0.0")
    assert ours(repo, "m") == {"versions": ["v2.0.0", "v1.0.0"], "stages": {"prod": "v1.0.0"}}
    assert "Multiple versions" in run("gto", "show", "m", cwd=repo.root, status=None).stderr
    tagged("m#prod#2")
    assert ours(repo, "m")["stages"] == {"prod": "v2.0.0"}


def test_a_stage_of_a_commit_without_a_version_is_nobodys(
    repo: Repo, commits: list[str], tagged: Tagger
) -> None:
    tagged("m@v1.0.0", at=commits[0])
    tagged("m#prod#1", at=commits[1])
    found = read.artifact(repo, "m")
    assert (dict(found.stages), [event.version for event in found.events]) == ({}, ["v1.0.0", None])


def test_packed_tags_and_a_linked_worktree_make_no_difference(
    repo: Repo, tagged: Tagger, tmp_path: Path
) -> None:
    tagged("a/b@v1.0.0", "a/b#prod#1")
    repo.git("pack-refs", "--all")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    tagged("a/b#prod!#2")
    assert ours(discover(tmp_path / "linked"), "a/b") == {"versions": ["v1.0.0"], "stages": {}}


def test_tags_of_what_is_no_commit_and_names_with_odd_ends_do_no_harm(repo: Repo, tagged: Tagger) -> None:
    tagged("m@v1.0.0")
    tagged("m@v2.0.0", at="HEAD^{tree}")
    tagged("m@v3.0.0", at="m@v1.0.0")
    date = {"GIT_COMMITTER_NAME": "Ada\u2028\x85Eve", "GIT_COMMITTER_DATE": "1700000999 +0000"}
    git("tag", "-a", "-m", "x", "m#prod#1", "HEAD", cwd=repo.root, extra=date)
    found = read.artifact(repo, "m")
    assert [one.version for one in found.versions] == ["v1.0.0"]
    assert found.stages["prod"].who == "Ada\u2028\x85Eve"


def test_a_repository_of_sha256_has_a_registry_too(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "--object-format=sha256", tmp_path / "r", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path / "r")
    repo = discover(tmp_path / "r")
    found = read.artifact(repo, "m")
    for version in ("v1.0.0", "v1.1.0"):
        target = write.place(repo, found, repo.text("rev-parse", "HEAD"), version)
        write.tag(repo, Tag("register", "m", version), target, Message("t", facts={"a": 1}), found)
        found = read.artifact(repo, "m")
    latest = read.resolve(repo, "m")
    assert (len(latest.commit), latest.version, latest.facts["a"]) == (64, "v1.1.0", 1)


def test_a_stage_with_a_slash_is_found_by_its_model_s_name(repo: Repo, tagged: Tagger) -> None:
    tagged("m@v1.0.0", "m#eu/west/prod#1", "m#eu#2")
    assert ours(repo, "m")["stages"] == {"eu": "v1.0.0", "eu/west/prod": "v1.0.0"}
    assert read.resolve(repo, "m#eu/west/prod").stages == ("eu", "eu/west/prod")
    tagged("approve/m@v1.0.0#eu/prod#0123456789", at="m@v1.0.0")
    assert [one.stage for one in read.approvals(repo, "m", "v1.0.0")] == ["eu/prod"]
