"""Which versions answer, and how that changes while the server runs: models are swapped whole."""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.registry import grammar, read, share
from git_mlops.serve import source
from git_mlops.serve.source import Asked, Loaded

Role = Literal["main", "canary", "shadow"]
Say = Callable[[str], None]

_AGAIN = 30.0
"""Seconds until what could not be loaded is tried again."""


class Wanted(NamedTuple):
    """A model that takes part."""

    text: str
    """`NAME`, `NAME@V`, `NAME#STAGE`, or a file."""
    role: Role = "main"
    weight: float = 100.0
    """Of a canary: its share of the requests, in per cent."""


class Slot:
    """A place for a model. Who answers a request takes `current` once and keeps it."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.current: Loaded | None = None
        self.since = 0.0
        self.problem: str | None = None
        self.failed: tuple[str, float] | None = None
        """The registration that could not be loaded, and when."""
        self.swaps = 0

    @property
    def watched(self) -> bool:
        """Whether what it means may change."""
        return "#" in self.wanted.text and not source.is_file(self.wanted.text)

    def put(self, loaded: Loaded) -> None:
        """From now on this one answers."""
        self.current, self.since, self.problem, self.failed = loaded, time.time(), None, None


class Fleet:
    """All the models of a server."""

    def __init__(self, repo: Repo | None, wanted: Sequence[Wanted], asked: Asked, say: Say) -> None:
        self.repo, self.asked, self._say = repo, asked, say
        self.slots = [Slot(one) for one in wanted]
        self.main = next(slot for slot in self.slots if slot.wanted.role == "main")
        self.canaries = [slot for slot in self.slots if slot.wanted.role == "canary"]
        self.shadows = [slot for slot in self.slots if slot.wanted.role == "shadow"]
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Load all of them.

        Raises:
            MlopsError: one cannot be loaded. A canary or shadow of a stage that nobody holds waits for it.
        """
        for slot in self.slots:
            try:
                slot.put(source.loaded(source.find(self.repo, slot.wanted.text, self.asked)))
            except NotFoundError as error:
                if slot is self.main or not slot.watched:
                    raise
                slot.problem = str(error)

    def choose(self, key: str | None = None) -> Slot:
        """Who answers: the main one, or a canary by its weight; the same for the same key."""
        if not self.canaries:
            return self.main
        if key is None:
            at = random.random() * 100  # noqa: S311  # no secret
        else:
            at = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32 * 100
        for slot in self.canaries:
            if slot.current is not None:
                if at < slot.wanted.weight:
                    return slot
                at -= slot.wanted.weight
        return self.main

    def watch(self, seconds: float, remote: str | None = None) -> None:
        """Look at the stages every so often, from a thread of its own.

        Args:
            remote: a git remote whose tags of these models are fetched, at most every half minute.
        """
        if any(slot.watched for slot in self.slots):
            self._thread = threading.Thread(target=self._watch, args=(seconds, remote), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _watch(self, seconds: float, remote: str | None) -> None:
        fetched = 0.0
        while not self._stop.wait(seconds):
            if remote and time.monotonic() - fetched > _AGAIN:
                fetched = time.monotonic()
                self._fetch(remote)
            for slot in self.slots:
                if slot.watched and not self._stop.is_set():
                    self.refresh(slot)

    def _fetch(self, remote: str) -> None:
        assert self.repo
        for name in {grammar.parse_spec(slot.wanted.text).name for slot in self.slots if slot.watched}:
            try:
                share.look(self.repo, remote, name)
            except MlopsError as error:
                self._say(f"cannot ask `{remote}` for the tags of {name}: {error}")

    def refresh(self, slot: Slot) -> None:
        """Load what the stage means now beside the old one, and swap; the old one stays where that fails."""
        assert self.repo
        try:
            spec = grammar.parse_spec(slot.wanted.text)
            found = read.artifact(self.repo, spec.name)
            one = read.chosen(self.repo, found, spec)
        except MlopsError as error:
            slot.problem = str(error)
            return
        here = slot.current.source.registered if slot.current else None
        if here is not None and here.oid == one.event.oid:
            slot.problem = None
            return
        if slot.failed and slot.failed[0] == one.event.oid and time.monotonic() - slot.failed[1] < _AGAIN:
            return
        try:
            version = read.active(read.version_of(self.repo, found, one))
            slot.put(source.loaded(source.of_version(self.repo, version, self.asked)))
        except Exception as error:  # noqa: BLE001  # whatever a model's code raises: the one that is there goes on
            slot.failed, slot.problem = (one.event.oid, time.monotonic()), str(error)
            self._say(f"{slot.wanted.text} is {one.version} now, which cannot be loaded: {error}")
            return
        slot.swaps += 1
        before = f", before: {here.version}" if here else ""
        self._say(f"{slot.wanted.text} is {one.version} now{before}")

    def told(self) -> list[dict[str, object]]:
        """For `/version`."""
        return [_told(slot) for slot in self.slots]


def _told(slot: Slot) -> dict[str, object]:
    said: dict[str, object] = {"role": slot.wanted.role, "asked": slot.wanted.text}
    if slot.current is not None:
        found = slot.current.source
        said |= {"model": found.name, "version": found.version, "commit": found.commit, "hash": found.hash}
    if slot.wanted.role == "canary":
        said["weight"] = slot.wanted.weight
    if slot.problem:
        said["problem"] = "not up to date"  # what exactly is on the server's own terminal
    return said
