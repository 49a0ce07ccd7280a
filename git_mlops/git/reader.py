"""A view of the object store over one `cat-file --batch`: many rounds of questions, one process."""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from io import BufferedReader
from typing import IO, NamedTuple, cast

from git_mlops.git.objects import Entry
from git_mlops.git.repo import Repo
from git_mlops.git.run import conversation, scratch, started

LIMIT = 4 * 1024 * 1024
"""Bytes of the largest object that is kept in memory unless the caller says otherwise."""

# a round of questions must fit into a pipe, so that neither side waits for the other
_ROUND = 32 * 1024


class Object(NamedTuple):
    """One object. `content` is None when it is larger than the limit."""

    oid: str
    kind: str
    size: int
    content: bytes | None


Answer = tuple[str, str, bytes | None]
"""Id, kind, and content of an object."""


class Reader:
    """Answers while it is open. Trees are parsed once and remembered."""

    def __init__(self, repo: Repo, questions: IO[bytes], answers: IO[bytes]) -> None:
        self._questions = questions
        self._answers = answers
        self._raw = 20 if repo.object_format == "sha1" else 32
        self._trees: dict[str, dict[str, Entry]] = {}

    def read(self, names: Iterable[str], *, limit: int = LIMIT) -> dict[str, Object]:
        """Objects by name (an id, `REV:path`); names that do not exist are left out.

        Names with a newline are left out as well: git could not be asked for them.
        """
        found: dict[str, Object] = {}
        for round_ in _rounds(name for name in dict.fromkeys(names) if "\n" not in name):
            self._questions.write("".join(f"{name}\n" for name in round_).encode("utf-8", "surrogateescape"))
            self._questions.flush()
            for name in round_:
                answer = self._answer(limit)
                if answer is not None:
                    found[name] = answer
        return found

    def _answer(self, limit: int) -> Object | None:
        header = self._answers.readline()
        words = header.rsplit(b" ", 2)
        if len(words) != 3 or not words[2].strip().isdigit():
            return None
        size = int(words[2])
        content = None
        if size <= limit:
            content = self._answers.read(size)
        else:
            self._skip(size)
        self._answers.read(1)
        return Object(words[0].decode(), words[1].decode(), size, content)

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._answers.read(min(size, 1 << 20))) or size

    def trees(self, oids: Iterable[str]) -> dict[str, dict[str, Entry]]:
        """The direct entries of trees, by name; subtrees have the mode `40000`."""
        wanted = list(dict.fromkeys(oids))
        objects = self.read([oid for oid in wanted if oid not in self._trees], limit=64 * 1024 * 1024)
        for oid, found in objects.items():
            self._trees[oid] = {e.path: e for e in _parse_tree(found.content or b"", self._raw)}
        return {oid: self._trees[oid] for oid in wanted if oid in self._trees}


class Asked:
    """Many objects, being read by a process of their own while this one does something else."""

    def __init__(self, repo: Repo, oids: Iterable[str]) -> None:
        self._oids = list(oids)
        # a file, not a pipe: neither side waits for the other, whatever the number of questions
        with scratch() as questions:
            questions.write("\n".join([*self._oids, ""]).encode())
            questions.seek(0)
            self._process = started(
                "cat-file", f"--batch={_FORM}", "--buffer", cwd=repo.root, stdin=questions
            )

    def close(self) -> None:
        """End it, whatever was not read."""
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()

    def answers(self, limit: int = LIMIT) -> Iterator[Answer]:
        """Of each that is here, in the order asked for; once.

        Args:
            limit: the content of what is larger is None.
        """
        assert self._process.stdout
        with self._process, self._process.stdout as stream:
            yield from _answers(self._oids, stream, limit)


class Talk:
    """One process that is asked for many objects again and again: to start takes as long as to read hundreds.

    git < 2.36 knows no such thing, and ends; each question then has a process of its own, as `Asked` has.
    """

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._process = started("cat-file", f"--batch-command={_FORM}", "--buffer", cwd=repo.root, stdin=None)
        self._oids: list[str] | None = None
        self._lives = True

    @property
    def free(self) -> bool:
        """Whether nothing that it was asked for is still to be read."""
        return self._oids is None

    def ask(self, oids: Iterable[str]) -> "Talk | Asked":
        """Itself, whose `answers` are to be read then; or another, while it is asked already."""
        if not self.free or not self._lives:
            return Asked(self._repo, oids)
        self._oids = list(oids)
        assert self._process.stdin
        try:
            lines = (f"contents {oid}\n" for oid in self._oids)
            self._process.stdin.write("".join([*lines, "flush\n"]).encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            self._lives = False
        return self

    def answers(self, limit: int = LIMIT) -> Iterator[Answer]:
        """The same as of `Asked`."""
        assert self._process.stdout
        oids = self._oids or []
        if not self._lives or (oids and not cast("BufferedReader", self._process.stdout).peek(1)):
            self._lives, self._oids = False, None
            with closing(Asked(self._repo, oids)) as asked:
                yield from asked.answers(limit)
            return
        yield from _answers(oids, self._process.stdout, limit)
        self._oids = None

    def close(self) -> None:
        """Nothing, where all answers were read: it can be asked again."""
        if not self.free:
            self.end()

    def end(self) -> None:
        """End the process, whatever was not read."""
        self._lives, self._oids = False, None
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdout.close()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def _answers(oids: Iterable[str], stream: IO[bytes], limit: int) -> Iterator[Answer]:
    readline, read = stream.readline, stream.read
    for oid in oids:  # each is answered in its turn, and there may be half a million
        kind, number = readline().split() or (b"", b"missing")
        if number == b"missing":  # as all are to which a git that died gave no answer
            continue
        size = int(number)
        if size <= limit:
            yield oid, _KINDS[kind], read(size + 1)[:-1]
            continue
        while size >= 0:
            size -= len(read(min(size + 1, 1 << 20))) or size + 1
        yield oid, _KINDS[kind], None


_FORM = "%(objecttype) %(objectsize)"
_KINDS = {kind.encode(): kind for kind in ("blob", "tree", "commit", "tag")}


class Few:
    """The same of a reader that is open."""

    def __init__(self, objects: Reader, oids: Iterable[str]) -> None:
        self._objects = objects
        self._oids = oids

    def close(self) -> None:
        """Nothing: the reader stays open."""

    def answers(self, limit: int = LIMIT) -> Iterator[Answer]:
        """Of each that is here, in the order asked for."""
        for oid, found in self._objects.read(self._oids, limit=limit).items():
            yield oid, found.kind, found.content


@contextmanager
def reader(repo: Repo) -> Iterator[Reader]:
    """Open a reader; its process ends with the block."""
    with conversation("cat-file", "--batch", cwd=repo.root) as (questions, answers):
        yield Reader(repo, questions, answers)


def _rounds(names: Iterable[str]) -> Iterator[list[str]]:
    round_: list[str] = []
    size = 0
    for name in names:
        size += 4 * len(name) + 1
        if round_ and size > _ROUND:
            yield round_
            round_, size = [], 4 * len(name) + 1
        round_.append(name)
    if round_:
        yield round_


def _parse_tree(content: bytes, raw: int) -> Iterator[Entry]:
    for mode, name, oid in _ENTRY[raw].findall(content):
        yield Entry(mode.decode(), oid.hex(), name.decode("utf-8", "surrogateescape"))


_ENTRY = {raw: re.compile(rb"([0-7]+) ([^\0]+)\0([\s\S]{%d})" % raw) for raw in (20, 32)}
