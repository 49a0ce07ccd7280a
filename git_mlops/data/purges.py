"""What was withdrawn: objects that were removed for good, why, and what each place said when it was asked.

`refs/mlops/purges` is a commit history with two folders: `purges/<id>.json`, one for each withdrawal, and
`objects/<2>/<rest of the hash>`, the ids of the withdrawals that an object is in, so that one is looked up
without reading the others. No other history is touched: pointers go on naming what is gone.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from git_mlops.data import cache
from git_mlops.data.pointers import HASH, Out
from git_mlops.errors import MlopsError
from git_mlops.git import histories, objects, refs, remotes
from git_mlops.git.repo import Repo

REF = "refs/mlops/purges"
VERSION = 1


class Word(NamedTuple):
    """One statement."""

    purged: bool
    """False: it was lifted, the data may come back."""
    why: str
    who: str
    time: str
    """UTC, ISO 8601."""


class Proof(NamedTuple):
    """What one place answered when it was asked for each object, after the removal."""

    place: str
    """`cache`, `workspace`, `remote NAME`."""
    where: str
    """A remote's URL as configured, without secrets; empty for what is private to a clone."""
    time: str
    who: str
    asked: int
    removed: int
    """How many were there before."""
    present: tuple[str, ...]
    """Hashes that are still there: a proof has none."""
    problem: str
    """Why the place could not be asked; empty where it could."""

    @property
    def good(self) -> bool:
        """Whether the place was asked, and has none of the objects."""
        return not self.problem and not self.present


class Object(NamedTuple):
    """One object that was withdrawn."""

    algorithm: str
    hash: str
    path: str
    """Where it was named."""
    size: int | None = None


class Purge(NamedTuple):
    """One withdrawal."""

    id: str
    label: str
    said: tuple[Word, ...]
    """The oldest first; never empty."""
    objects: tuple[Object, ...]
    kept: tuple[Object, ...] = ()
    """Files of a withdrawn directory that other data has, too, and that stay."""
    proof: tuple[Proof, ...] = ()
    """The oldest first; of each place the last counts."""

    @property
    def holds(self) -> bool:
        """Whether it was not lifted."""
        return self.said[-1].purged

    @property
    def last(self) -> dict[tuple[str, str], Proof]:
        """The last answer of each place; of a cache or a workspace of each person's."""
        return {(one.place, one.where or one.who): one for one in self.proof}

    def part_of(self, out: Out) -> bool:
        """Whether of a directory only files are gone, and not the whole of it."""
        return out.is_dir and all(one.hash != out.hash for one in self.objects)

    def sentence(self) -> str:
        """`purged on 2026-11-21 by Ada: consent withdrawn`."""
        word = self.said[-1]
        done = "purged" if word.purged else "given back"
        return f"{done} on {word.time[:10]} by {word.who.partition(' <')[0]}: {word.why}"


def name(label: str, said: Word, found: Iterable[Object]) -> str:
    """The id of a withdrawal: what it is of, by whom, when."""
    lines = (label, said.who, said.time, *sorted(one.hash for one in found))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:16]


# -- reading ------------------------------------------------------------------------------------------------


def of_hashes(repo: Repo, hashes: Iterable[str]) -> dict[str, Purge]:
    """The withdrawals in force that objects are in, by hash. One process where there is none."""
    names = {f"{REF}:{_place(hash_)}": hash_ for hash_ in hashes}
    found = {names[one]: content.decode().split() for one, content in objects.read_blobs(repo, names).items()}
    if not found:
        return {}
    known = _read(repo, {id_ for ids in found.values() for id_ in ids})
    held = {hash_: [known[id_] for id_ in ids if id_ in known] for hash_, ids in found.items()}
    return {hash_: one for hash_, some in held.items() for one in some if one.holds}


def in_force(repo: Repo) -> Mapping[str, Purge]:
    """Every object that is withdrawn, by hash. Costs no process where nothing ever was."""
    if not _any(repo):
        return {}
    tip = refs.read(repo, REF)
    return _at(repo, tip) if tip else {}


@lru_cache(maxsize=2)  # several rules of one check ask
def _at(repo: Repo, tip: str) -> Mapping[str, Purge]:
    return {each.hash: one for one in _listed(repo, tip) if one.holds for each in one.objects}


def _any(repo: Repo) -> bool:
    """Whether the ref may be there, told by git's files: asked by every check, and nearly never so."""
    if (repo.common_dir / REF).exists() or (repo.common_dir / "reftable").exists():
        return True
    try:
        return f" {REF}\n".encode() in (repo.common_dir / "packed-refs").read_bytes()
    except OSError:
        return False


def of_outs(repo: Repo, outs: Iterable[Out], known: Mapping[str, Purge] | None = None) -> dict[Out, Purge]:
    """The withdrawals in force of which outputs have something: themselves, or files of a directory.

    Args:
        known: `in_force`, where it was asked already.
    """
    wanted = list(outs)
    known = in_force(repo) if wanted and known is None else known
    found: dict[Out, Purge] = {}
    for out in wanted if known else ():
        assert known
        members = cache.members(repo, out).values() if out.is_dir and out.hash not in known else ()
        hit = next((one.hash for one in (out, *members) if one.hash in known), None)
        if hit is not None:
            found[out] = known[hit]
    return found


def rest(repo: Repo, out: Out, known: Mapping[str, Purge]) -> dict[str, Out]:
    """The files of a directory that are on this machine, where every other one was withdrawn.

    Empty where nothing is lacking, and where something can be brought still.

    Args:
        known: `in_force`.
    """
    if not known or not out.is_dir or out.hash in known:
        return {}
    where, members = cache.cache_dir(repo), cache.members(repo, out)
    here = {name: one for name, one in members.items() if cache.object_path(where, one).is_file()}
    gone = all(one.hash in known for name, one in members.items() if name not in here)
    return here if gone and len(here) < len(members) else {}


def nothing_left(repo: Repo, out: Out, known: Mapping[str, Purge]) -> bool:
    """Whether an output was withdrawn as a whole, by itself or file by file."""
    members = cache.members(repo, out).values() if out.is_dir and out.hash not in known else ()
    return out.hash in known or (bool(members) and all(one.hash in known for one in members))


def listed(repo: Repo) -> list[Purge]:
    """Every withdrawal, also lifted ones, the oldest first; what cannot be read is left out."""
    tip = refs.read(repo, REF)
    return _listed(repo, tip) if tip else []


def _listed(repo: Repo, tip: str) -> list[Purge]:
    entries = objects.tree_entries(repo, tip, "purges/")
    contents = objects.read_blobs(repo, [entry.oid for entry in entries])
    found = (_parsed(contents.get(entry.oid, b"")) for entry in entries)
    return sorted((one for one in found if one is not None), key=lambda one: (one.said[0].time, one.id))


def _read(repo: Repo, ids: Iterable[str]) -> dict[str, Purge]:
    names = [f"{REF}:purges/{id_}.json" for id_ in sorted(ids)]
    found = map(_parsed, objects.read_blobs(repo, names).values())
    return {one.id: one for one in found if one is not None}


def _place(hash_: str) -> str:
    return f"objects/{hash_[:2]}/{hash_[2:]}"


def _parsed(content: bytes) -> Purge | None:
    try:
        value = json.loads(content)
        if value["version"] != VERSION or not value["said"] or not re.fullmatch("[0-9a-f]{16}", value["id"]):
            return None
        words = (Word(bool(w["purged"]), str(w["why"]), str(w["who"]), str(w["time"])) for w in value["said"])
        return Purge(
            str(value["id"]), str(value["label"]), tuple(words),
            tuple(map(_object, value["objects"])), tuple(map(_object, value.get("kept", ()))),
            tuple(map(_proof, value.get("proof", ()))),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _object(value: Mapping[str, object]) -> Object:
    size, hash_, algorithm = value.get("size"), str(value["hash"]), str(value["algorithm"])
    if not HASH.fullmatch(hash_) or algorithm not in ("md5", "md5-dos2unix"):
        raise ValueError(hash_)  # it becomes a path of the cache: anyone may have written the record
    return Object(algorithm, hash_, str(value["path"]), size if isinstance(size, int) else None)


def _proof(value: Mapping[str, object]) -> Proof:
    asked, removed = (one if isinstance(one := value.get(key), int) else 0 for key in ("asked", "removed"))
    place, where, time, who = (str(value.get(key) or "") for key in ("place", "where", "time", "who"))
    still = value.get("present")
    present = tuple(map(str, still)) if isinstance(still, list) else ()
    return Proof(place, where, time, who, asked, removed, present, str(value.get("problem") or ""))


# -- writing ------------------------------------------------------------------------------------------------


def write(repo: Repo, purge: Purge, title: str, *, sign: bool = False) -> None:
    """Add a withdrawal, or what was said and proved of it since; what others wrote meanwhile stays."""
    histories.record(repo, REF, partial(_files, repo, purge), f"{title}\n\n{purge.said[-1].why}\n", sign=sign)


def _files(repo: Repo, purge: Purge, tip: str | None) -> dict[str, bytes]:
    path = f"purges/{purge.id}.json"
    places = [_place(one.hash) for one in purge.objects]
    before = objects.read_blobs(repo, [f"{tip}:{one}" for one in (path, *places)]) if tip else {}
    there = {known.partition(":")[2]: content for known, content in before.items()}
    ids = {place: there.get(place, b"").decode().split() for place in places}
    files = {
        place: "".join(f"{one}\n" for one in sorted({*known, purge.id})).encode()
        for place, known in ids.items()
        if purge.id not in known
    }
    return {**files, path: _united([_rendered(purge), *([there[path]] if path in there else [])])}


def _rendered(purge: Purge) -> bytes:
    value = {
        "version": VERSION,
        "id": purge.id,
        "label": purge.label,
        "said": [word._asdict() for word in purge.said],
        "objects": [_plain(one) for one in purge.objects],
        "kept": [_plain(one) for one in purge.kept],
        "proof": [one._asdict() for one in purge.proof],
    }
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _plain(one: Object) -> dict[str, object]:
    return {name: value for name, value in one._asdict().items() if value is not None}


# -- sharing ------------------------------------------------------------------------------------------------


def pull(repo: Repo, remote: str, *, seconds: float | None = None) -> None:
    """Take a git remote's withdrawals into ours.

    Args:
        seconds: how long to wait for an answer.

    Raises:
        MlopsError: the remote cannot be reached (exit code 3).
    """
    if theirs := histories.fetch(repo, remote, REF, seconds=seconds):
        merge(repo, theirs)


def hear(repo: Repo, remote: str | None = None) -> bool:
    """Ask a git remote for withdrawals, as far as that can be done; whether we have any now.

    Args:
        remote: a name; what is none (a push to a URL) is not asked. None: the usual one.
    """
    try:
        name = remotes.chosen(repo, remote)
        pull(repo, name)
    except MlopsError:
        pass  # what is known here holds anyway
    return _any(repo)


def news(repo: Repo) -> list[str]:
    """Ask the usual git remotes for withdrawals, without waiting long; what kept them from answering."""
    problems: list[str] = []
    for name in remotes.usual(repo):
        try:
            pull(repo, name, seconds=_PATIENCE)
        except MlopsError as error:
            problems.append(str(error))
    return problems


_PATIENCE = 20.0
"""Seconds: a passphrase may have to be typed."""


def push(repo: Repo, remote: str) -> None:
    """Send ours.

    Raises:
        MlopsError: the remote cannot be reached or refuses (exit code 3).
    """
    if refs.read(repo, REF) is not None:
        histories.push(repo, remote, REF, partial(merge, repo))


def merge(repo: Repo, theirs: str) -> None:
    """The union of both: every word, every proof, of each object every withdrawal."""
    histories.merge(repo, REF, theirs, _joined)


def _joined(pairs: histories.Pairs) -> dict[str, bytes]:
    return {path: _united(both) if path.startswith("purges/") else _ids(both) for path, both in pairs.items()}


def _ids(both: Sequence[bytes]) -> bytes:
    return b"".join(one + b"\n" for one in sorted({id_ for content in both for id_ in content.split()}))


def _united(contents: Sequence[bytes]) -> bytes:
    known = sorted((one for one in map(_parsed, contents) if one is not None), key=_rendered)
    if not known:
        return min(contents)
    # of two words of one second the withdrawal is the last
    words = sorted({word for one in known for word in one.said}, key=lambda w: (w.time, w.purged, w))
    proof = sorted({each for one in known for each in one.proof}, key=lambda each: (each.time, each))
    objects_ = tuple(dict.fromkeys(each for one in known for each in one.objects))
    kept = tuple(dict.fromkeys(each for one in known for each in one.kept))
    return _rendered(known[0]._replace(said=tuple(words), proof=tuple(proof), objects=objects_, kept=kept))
