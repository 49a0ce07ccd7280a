"""Verdicts on data that was withdrawn: what they say of single values goes, that it failed stays.

A verdict's name is a hash of what it is about, so those on an object are found by trying what that may be:
every schema that history ever had, in every form that its paths have.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from git_mlops.data.purges import Object
from git_mlops.findings import Finding
from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.schema import subjects, trust, verdicts
from git_mlops.schema.cluster import partitions
from git_mlops.schema.verdicts import Verdict
from git_mlops.tables.forms import form_of

Meanings = Callable[[str], Iterable[tuple[str, str]]]
"""Path → other rules whose verdicts may hold values: the rule, and what it goes by."""
_SCHEMAS = tuple(f":(glob)**/*.{suffix}" for suffix in ("yaml", "yml", "json", "py"))


def found(repo: Repo, withdrawn: Sequence[Object], meanings: Meanings) -> dict[str, Verdict]:
    """Verdicts on these objects that hold findings, by their place in the tree of the ref."""
    tip = refs.read(repo, verdicts.REF)
    if tip is None:
        return {}
    there = {entry.path: entry.oid for entry in objects.tree_entries(repo, tip)}
    named = {place: rule for place, rule in _places(repo, withdrawn, meanings) if place in there}
    contents = objects.read_blobs(repo, [there[place] for place in named])
    known: dict[str, Verdict] = {}
    for place, rule in named.items():
        first, second, _name = place.split("/")
        verdict = verdicts.parse(first + second, contents.get(there[place], b""), rule)
        if verdict is not None and verdict.findings and not verdicts.blank(verdict):
            known[place] = verdict
    return known


def blank(repo: Repo, wanted: Mapping[str, Verdict]) -> int:
    """Replace them by verdicts that say how much failed, and nothing of what. The ref's history stays."""
    files = {place: verdicts.render(_blanked(verdict)) for place, verdict in wanted.items()}
    if files:
        title = f"verdicts: {len(files)} without values, their data was purged\n"
        histories.record(repo, verdicts.REF, lambda _tip: files, title, sign=trust.signs(repo))
    return len(files)


def _blanked(verdict: Verdict) -> Verdict:
    said = "what was found here was purged with its data"
    kept = tuple(Finding(one.rule, one.level, said, data={"purged": True}) for one in verdict.findings)
    return verdict._replace(findings=kept)


def _places(repo: Repo, withdrawn: Sequence[Object], meanings: Meanings) -> Iterator[tuple[str, str]]:
    tables = [(one, form) for one in withdrawn if (form := form_of(one.path)) is not None]
    schemas = list(_schemas(repo)) if withdrawn else []
    for one, form in tables:
        for oid in schemas:
            for text in dict.fromkeys((str(form), form.name)):
                subject = verdicts.subject(one.algorithm, one.hash, oid, text)
                yield verdicts.place(subject), verdicts.RULE
    for one in withdrawn:
        for rule, means in meanings(one.path):
            subject = subjects.subject_of(rule, means, one.algorithm, one.hash)
            yield verdicts.place(subject, rule), rule
    for hash_ in _folders(withdrawn):
        for oid in schemas:
            yield verdicts.place(verdicts.subject("partitions", hash_, oid, "partitions")), verdicts.RULE


def _folders(withdrawn: Sequence[Object]) -> Iterator[str]:
    """The hashes under which directories among them are tables of partitions, as a check makes them."""
    for folder in (one for one in withdrawn if one.hash.endswith(".dir")):
        inside = f"{folder.path}/"
        names = {one.path.removeprefix(inside): one for one in withdrawn if one.path.startswith(inside)}
        lines = [_line(name, names[name]) for name in partitions(folder.path, names)]
        yield hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _line(name: str, one: Object) -> str:
    return f"{name}\0{form_of(one.path)}\0{one.algorithm}:{one.hash}\n"


def _schemas(repo: Repo) -> Iterator[str]:
    """Every blob that history, the index or the workspace has under a name that a schema may have."""
    options = ("--raw", "-z", "--no-abbrev", "--no-renames", "--format=", "-c", "--full-history")
    every = ("--all", "--reflog", "--ignore-missing")
    words = repo.paths("-c", "log.showRoot=true", "log", *options, *every, "--", *_SCHEMAS)
    found = dict.fromkeys(word.split(" ")[-2] for word in words if word.startswith(":"))
    listed = repo.paths("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_SCHEMAS)
    for path in listed:
        file = repo.root / path
        if file.is_file() and not file.is_symlink():
            found[objects.blob_id(repo, file.read_bytes())] = None
    yield from found
