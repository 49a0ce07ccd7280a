"""Which versions answer, and how that changes while the server runs: models are swapped whole."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.registry import grammar, read, share
from git_mlops.serve import loaded, source
from git_mlops.serve.slots import Slot, Slots, Wanted
from git_mlops.serve.source import Asked

Say = Callable[[str], None]

_AGAIN = 30.0
"""Seconds until what could not be loaded is tried again."""


class Fleet(Slots):
    """Models of a registry."""

    def __init__(self, repo: Repo | None, wanted: Sequence[Wanted], asked: Asked, say: Say) -> None:
        self.repo, self.asked, self._say = repo, asked, say
        super().__init__([one._replace(follow=_followed(one.text)) for one in wanted])
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Load all of them.

        Raises:
            MlopsError: one cannot be loaded. A canary or shadow of a stage that nobody holds waits for it.
        """
        for slot in self.slots:
            try:
                slot.put(loaded.load(source.find(self.repo, slot.wanted.text, self.asked)))
            except NotFoundError as error:
                if slot is self.main or not slot.watched:
                    raise
                slot.problem = str(error)
                self._say(f"the {slot.wanted.role} {slot.wanted.text} waits: {error}")

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
        here = slot.current.source if slot.current else None
        if here is not None and here.registration == one.event.oid:
            slot.problem = None
            return
        if slot.failed and slot.failed[0] == one.event.oid and time.monotonic() - slot.failed[1] < _AGAIN:
            return
        try:
            version = read.active(read.version_of(self.repo, found, one))
            slot.put(loaded.load(source.of_version(self.repo, version, self.asked)))
        except Exception as error:  # noqa: BLE001  # whatever a model's code raises: the one that is there goes on
            slot.failed, slot.problem = (one.event.oid, time.monotonic()), str(error)
            self._say(f"{slot.wanted.text} is {one.version} now, which cannot be loaded: {error}")
            return
        slot.swaps += 1
        before = f", before: {here.version}" if here else ""
        self._say(f"{slot.wanted.text} is {one.version} now{before}")


def _followed(text: str) -> bool:
    return "#" in text and not source.is_file(text)


def log_folder(repo: Repo, name: str) -> Path:
    """Where the log of a model is, unless somebody says otherwise."""
    return repo.private / "serve" / quote(grammar.in_tag(name), safe="=")
