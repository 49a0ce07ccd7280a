"""What a commit object says, as far as experiments need it."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from git_mlops.experiments import message
from git_mlops.experiments.message import Message
from git_mlops.git.reader import Asked, Reader
from git_mlops.git.repo import Repo


class Commit(NamedTuple):
    """What is used of a commit object."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    time: int
    """When it was committed, in seconds since 1970."""
    message: Message


class Raw(NamedTuple):
    """A commit whose message nobody has looked into yet."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    time: int
    said: str

    @property
    def parsed(self) -> Commit:
        """With its message understood."""
        return Commit(*self[:4], message.parse_message(self.said))


def commits(objects: Reader, oids: Iterable[str]) -> dict[str, Commit]:
    """Commits by id; what is not here or is no commit is left out."""
    return {oid: found.parsed for oid, found in raw(objects, oids).items()}


def raw(objects: Reader, oids: Iterable[str]) -> dict[str, Raw]:
    """The same, their messages not looked into."""
    answers = objects.read(oids)
    return {
        oid: split(found.oid, found.content)
        for oid, found in answers.items()
        if found.kind == "commit" and found.content is not None
    }


def many(repo: Repo, oids: Iterable[str]) -> dict[str, Raw]:
    """The same of thousands: git reads while they are looked at."""
    answers = Asked(repo, dict.fromkeys(oids)).answers()
    return {
        oid: split(oid, content) for oid, kind, content in answers if kind == "commit" and content is not None
    }


def parse_commit(oid: str, content: bytes) -> Commit:
    """A commit object's text."""
    return split(oid, content).parsed


def split(oid: str, content: bytes) -> Raw:
    """A commit object's text in parts."""
    plain = _PLAIN(content)
    if plain:  # as nearly every one is: one parent, nothing more than there must be
        tree, parent, seconds = plain.groups()
        said = content[plain.end() :].decode("utf-8", "surrogateescape")
        return Raw(oid, tree.decode(), (parent.decode(),), int(seconds), said)
    text = content.decode("utf-8", "surrogateescape")
    head, _, said = text.partition("\n\n")
    match = _HEAD.match(head)
    time = _COMMITTER.search(head)
    parents = tuple(match[2].replace("parent ", "").split()) if match else ()
    return Raw(oid, match[1] if match else "", parents, int(time[1]) if time else 0, said)


_PLAIN = re.compile(
    rb"tree ([0-9a-f]+)\nparent ([0-9a-f]+)\nauthor [^\n]*\ncommitter [^\n]*> ([0-9]{1,12}) [^\n]*\n\n"
).match
_HEAD = re.compile(r"tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)")
_COMMITTER = re.compile(r"^committer .*> ([0-9]{1,12}) ", re.MULTILINE)
