"""Places for models, and who of them answers a request."""

import hashlib
import random
import time
from collections.abc import Sequence
from typing import Literal, NamedTuple

from git_mlops.serve.loaded import Loaded

Role = Literal["main", "canary", "shadow"]


class Wanted(NamedTuple):
    """A model that takes part."""

    text: str
    """`NAME`, `NAME@V`, `NAME#STAGE`, or a file."""
    role: Role = "main"
    weight: float = 100.0
    """Of a canary: its share of the requests, in per cent."""
    follow: bool = False
    """Whether what it means may change: a stage."""


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
        return self.wanted.follow

    def put(self, loaded: Loaded) -> None:
        """From now on this one answers."""
        self.current, self.since, self.problem, self.failed = loaded, time.time(), None, None


class Slots:
    """All the models of a server; here they stay what they are."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self.slots = [Slot(one) for one in wanted]
        self.main = next(slot for slot in self.slots if slot.wanted.role == "main")
        self.canaries = [slot for slot in self.slots if slot.wanted.role == "canary"]
        self.shadows = [slot for slot in self.slots if slot.wanted.role == "shadow"]

    def load(self) -> None:
        """Load all of them.

        Raises:
            MlopsError: one cannot be loaded.
        """

    def watch(self, seconds: float, remote: str | None = None) -> None:
        """Begin to look, every so often, whether one of them should be another."""

    def stop(self) -> None:
        """Look no more."""

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
