"""Pushing: all or nothing, and of two at once one."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, discover
from git_mlops.registry import read, share, write
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from git_mlops.registry.write import Made
from tests.conftest import Run
from tests.registry.conftest import Tagger


@pytest.fixture
def clones(repo: Repo, tagged: Tagger, tmp_path: Path, run: Run) -> tuple[Repo, Repo]:
    """Two clones of a hub that has `m@v1.0.0`."""
    tagged("m@v1.0.0")
    run("git", "clone", "-q", "--bare", repo.root, tmp_path / "hub.git", cwd=tmp_path)
    for name in ("one", "two"):
        run("git", "clone", "-q", tmp_path / "hub.git", tmp_path / name, cwd=tmp_path)
    return discover(tmp_path / "one"), discover(tmp_path / "two")


def assign(repo: Repo, stage: str, words: str = "") -> Callable[[], Made]:
    def work() -> Made:
        found = read.artifact(repo, "m")
        said = Tag("assign", "m", stage=stage, number=found.next_number)
        return write.tag(repo, said, found.versions[0].commit, Message("t", words), found)

    return work


def push(repo: Repo, stage: str) -> Made:
    return share.shared(repo, "origin", "m", assign(repo, stage), lambda made: [made])[0]


def there(repo: Repo) -> set[str]:
    names = (line.split("\t")[1] for line in repo.text("ls-remote", "origin").splitlines())
    return {name.removeprefix("refs/tags/") for name in names if "tags/" in name and not name.endswith("^{}")}


def test_a_push_brings_what_the_remote_has_and_counts_on_from_it(clones: tuple[Repo, Repo]) -> None:
    one, two = clones
    push(one, "staging")
    assert push(two, "prod").tag == "m#prod#2"
    assert [event.tag for event in read.artifact(two, "m").events] == ["m@v1.0.0", "m#staging#1", "m#prod#2"]
    assert there(one) == {"m@v1.0.0", "m#staging#1", "m#prod#2"}


@pytest.mark.parametrize("other", ["prod", "canary"])
def test_of_two_at_once_one_wins_and_the_other_is_told_and_keeps_no_tag(
    clones: tuple[Repo, Repo], other: str
) -> None:
    one, two = clones
    seen = share.look(two, "origin", "m")
    push(one, "prod")
    made = assign(two, other, "in words of my own")()
    with pytest.raises(MlopsError) as error:
        share.push(two, seen, [made])
    said = "somebody else changed the model `m` on `origin` meanwhile"
    lost = f"{said}: `{made.tag}` was not pushed, and is taken back here"
    assert (str(error.value), error.value.exit_code) == (lost, 1)
    assert (two.text("tag"), there(two)) == ("m@v1.0.0", {"m@v1.0.0", "m#prod#1"})
    assert push(two, other).tag == f"m#{other}#2"


def test_many_at_once_lose_nothing_that_was_promised(clones: tuple[Repo, Repo]) -> None:
    promised: list[str] = []
    codes: set[int] = set()

    def promote(repo: Repo, stage: str) -> None:
        try:
            promised.append(push(repo, stage).tag)
        except MlopsError as error:
            codes.add(error.exit_code)

    threads = [threading.Thread(target=promote, args=(clones[n % 2], f"s{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert promised
    assert codes <= {1}
    assert there(clones[0]) == {"m@v1.0.0", *promised}


def test_a_tag_that_is_another_one_there_stops_it(clones: tuple[Repo, Repo]) -> None:
    one, two = clones
    assign(two, "prod", "in words of my own")()
    push(one, "prod")
    with pytest.raises(MlopsError, match="the tag `m#prod#1` is another one on `origin`") as error:
        push(two, "prod")
    assert (
        error.value.hint == "`git tag -d 'm#prod#1'`, then `git fetch origin --tags`, and look at what it did"
    )


def test_what_was_only_here_goes_along(clones: tuple[Repo, Repo]) -> None:
    one, _two = clones
    assign(one, "eu/staging")()
    sent = share.shared(one, "origin", "m", assign(one, "prod"), lambda made: [made])[1]
    assert (sent.along, there(one)) == (("m#eu/staging#1",), {"m@v1.0.0", "m#eu/staging#1", "m#prod#2"})


def test_a_remote_that_refuses_leaves_no_tag(clones: tuple[Repo, Repo], tmp_path: Path) -> None:
    one, _two = clones
    hook = tmp_path / "hub.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'tags are for robots' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(
        MlopsError, match=r"`m#prod#1` was not pushed to `origin`.*tags are for robots"
    ) as error:
        push(one, "prod")
    assert (error.value.exit_code, one.text("tag")) == (3, "m@v1.0.0")


def test_a_remote_that_is_not_there_leaves_no_tag(clones: tuple[Repo, Repo], tmp_path: Path) -> None:
    one, _two = clones
    (tmp_path / "hub.git").rename(tmp_path / "gone.git")
    with pytest.raises(MlopsError, match="the git remote `origin` cannot be used") as error:
        push(one, "prod")
    assert (error.value.exit_code, one.text("tag")) == (3, "m@v1.0.0")


def test_models_whose_names_begin_alike_are_pushed_both(clones: tuple[Repo, Repo]) -> None:
    one, _two = clones
    for name in ("m", "m/n", "m/n/o"):

        def work(name: str = name) -> Made:
            said = Tag("register", name, "v2.0.0")
            return write.tag(one, said, "HEAD", Message("t"), read.artifact(one, name))

        share.shared(one, "origin", name, work, lambda made: [made])
    assert there(one) == {"m@v1.0.0", "m@v2.0.0", "m/n@v2.0.0", "m/n/o@v2.0.0"}
