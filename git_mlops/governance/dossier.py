"""A data sheet as a whole: what people said of some data, and what is recorded of it anyway."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.data import listing, profile, purges
from git_mlops.data.pointers import Out
from git_mlops.data.profile import Profile
from git_mlops.data.purges import Purge
from git_mlops.git import objects
from git_mlops.git.repo import Repo, head
from git_mlops.governance import ages, sheets
from git_mlops.governance.fields import FIELDS, ends
from git_mlops.governance.settings import Settings
from git_mlops.lineage import build, sources, taints
from git_mlops.lineage.graph import KINDS, Node, part
from git_mlops.lineage.sources import Sources
from git_mlops.lineage.taints import Taint
from git_mlops.reports.document import Cell, Document, Outcome, Section, Table
from git_mlops.schema import subjects, verdicts
from git_mlops.schema.bindings import schema_for
from git_mlops.schema.settings import Bindings
from git_mlops.tables.forms import form_of


class Looked(NamedTuple):
    """What a rule that looks into data came to, by its verdict; its findings hold no values."""

    rule: str
    outcome: Outcome
    said: tuple[str, ...]


class Version(NamedTuple):
    """A commit that changed the pointer."""

    time: str
    who: str
    commit: str
    title: str


class Dossier(NamedTuple):
    """Everything of one output of a pointer."""

    out: Out
    pointer: str
    sheet: Mapping[str, str]
    missing: tuple[str, ...]
    """Keys that `governance.require` asks for."""
    ends: dt.date | None
    """The last day on which it may be kept."""
    profile: Profile | None
    schema: str | None
    looked: tuple[Looked, ...]
    versions: tuple[Version, ...]
    """The newest first."""
    used: tuple[Node, ...]
    """What came from this version of it."""
    taints: tuple[Taint, ...]
    purge: Purge | None

    @property
    def expired(self) -> bool:
        """Whether it may not be kept any more."""
        return self.ends is not None and dt.datetime.now(dt.UTC).date() > self.ends


Meanings = Callable[[str], Iterable[tuple[str, str]]]
"""Path → rules that look into data, and what their verdicts go by."""


class How(NamedTuple):
    """What decides besides the data."""

    settings: Settings
    schemas: Bindings
    meanings: Meanings


def gather(repo: Repo, chosen: Mapping[str, str], how: How, *, deep: bool = True) -> list[Dossier]:
    """The dossiers of data (path → pointer), of the workspace's pointers.

    Args:
        deep: also versions, verdicts and lineage, which cost a walk each.
    """
    found = [out for out in listing.in_workspace(repo) if out.path in chosen]
    contents = {name: listing.on_disk(repo.root / name) or b"" for name in set(chosen.values())}
    said = {name: sheets.read(name, content) for name, content in contents.items()}
    today = dt.datetime.now(dt.UTC).date()
    added = ages.first_seen(repo, [name for name, sheet in said.items() if "retention" in sheet])
    gone = purges.of_outs(repo, found)
    lineage = sources.gather(repo) if deep and found else None
    marked = [one for one in taints.listed(repo) if one.holds]
    dossiers = []
    for out in found:
        name = chosen[out.path]
        sheet = said[name]
        dossiers.append(
            Dossier(
                out, name, sheet,
                tuple(key for key in how.settings.require if key not in sheet),
                ends(sheet, added.get(name, today)),
                profile.read(name, contents[name]),
                schema_for(out.path, how.schemas),
                tuple(_looked(repo, out, how)) if deep else (),
                tuple(_versions(repo, name)) if deep else (),
                tuple(_used(repo, lineage, out)) if lineage else (),
                tuple(one for one in marked if one.node == _node(out)),
                gone.get(out),
            )
        )  # fmt: skip
    return sorted(dossiers, key=lambda one: one.out.path)


def _node(out: Out) -> str:
    return f"object:{out.algorithm}:{out.hash}"


def _looked(repo: Repo, out: Out, how: How) -> Iterator[Looked]:
    schema, form = schema_for(out.path, how.schemas), form_of(out.path)
    file = listing.on_disk(repo.root / schema) if schema else None
    asked: dict[str, str] = {}
    if file is not None and form is not None:
        asked["schema"] = subjects.subject(out.algorithm, out.hash, objects.blob_id(repo, file), str(form))
    for rule, meaning in how.meanings(out.path):
        asked[rule] = subjects.subject_of(rule, meaning, out.algorithm, out.hash)
    for rule, subject in asked.items():
        verdict = verdicts.lookup(repo, [subject], rule).get(subject)
        if verdict is None:
            yield Looked(rule, "unknown", ("not looked at in this state",))
        else:
            # what a schema's findings quote are values of the data: only how many there are
            quoted = (f"{len(verdict.findings)} findings",) if verdict.findings else ()
            said = tuple(one.message for one in verdict.findings) if rule in _WITHOUT_VALUES else quoted
            yield Looked(rule, verdict.outcome, said or ("nothing found",))


_WITHOUT_VALUES = ("pii", "model-code")
"""Rules whose findings never hold a value of the data."""


def _versions(repo: Repo, name: str) -> Iterator[Version]:
    if head(repo) is None:
        return
    form = "--format=%aI%x00%an <%ae>%x00%H%x00%s"
    for line in repo.text("log", form, "--no-show-signature", "--", f":(literal){name}").splitlines():
        parts = line.split("\0")
        if len(parts) == 4:
            yield Version(*parts)


def _used(repo: Repo, found: Sources, out: Out) -> Iterator[Node]:
    start = _node(out)
    around = build.around(repo, found, start, up=False, added=False)
    graph = part(around, start, up=False, down=True, beside=False)
    below = (node for node in graph.nodes.values() if node.id != start)
    yield from sorted(below, key=lambda node: (KINDS.index(node.kind), node.label))


# -- shown --------------------------------------------------------------------------------------------------


def document(one: Dossier) -> Document:
    """One sheet, for text, Markdown and HTML."""
    outcome: Outcome = "fail" if one.missing or one.expired or one.purge else "none"
    wrong = [f"lacks {', '.join(one.missing)}"] if one.missing else []
    wrong += [f"its retention ended on {one.ends}"] if one.expired else []
    wrong += [one.purge.sentence()] if one.purge else []
    verdict = "; ".join(wrong) or one.sheet.get("purpose") or "a data sheet"
    return Document(f"Data sheet of {one.out.path}", outcome, verdict, tuple(sections(one)))


def sections(one: Dossier) -> Iterator[Section]:
    """Subject by subject."""
    yield Section("What is said of it", (Table(("what", "said"), list(_about(one))),))
    yield Section("What it is", (Table(("what", "is"), list(_is(one))),))
    if one.profile is not None and one.profile.columns:
        yield _columns(one.profile)
    if one.looked:
        yield _checks(one.looked)
    used = [[node.kind, node.label] for node in one.used]
    notes = () if used else ("nothing that is recorded",)
    yield Section("What came from it", (Table(("kind", "what"), used),) if used else (), notes)
    if one.versions:
        commits = [[each.time[:10], each.who, each.title, f"`{each.commit[:12]}`"] for each in one.versions]
        header = ("when", "who", "what", "commit")
        folded = len(commits) > _MANY
        yield Section(f"Versions: {len(commits)}", (Table(header, commits),), folded=folded)
    said = (*(f"tainted by {each.words[-1].who}: {each.words[-1].why}" for each in one.taints),)
    if said or one.purge:
        withdrawn = (*said, *([one.purge.sentence()] if one.purge else []))
        yield Section("Must not be used", notes=withdrawn)


_MANY = 12


def _columns(of: Profile) -> Section:
    rows: list[list[str | Cell]] = [
        [name, str(column.get("type", "")), *(_number(column.get(key)) for key in ("nulls", "distinct"))]
        for name, column in of.columns.items()
    ]
    return Section(
        "Columns", (Table(("column", "type", "nulls", "distinct"), rows),), folded=len(rows) > _MANY
    )


def _checks(looked: Iterable[Looked]) -> Section:
    rows: list[list[str | Cell]] = [
        [one.rule, Cell(one.outcome, one.outcome), "; ".join(one.said)] for one in looked
    ]
    return Section("What checks found", (Table(("rule", "outcome", "found"), rows),))


def _number(value: object) -> Cell:
    return Cell("" if value is None else str(value), number=True)


def _about(one: Dossier) -> Iterator[Sequence[str | Cell]]:
    for key in (*FIELDS, *sorted(one.sheet.keys() - FIELDS.keys())):
        if key in one.sheet:
            yield [key, one.sheet[key]]
        else:
            yield [key, Cell("missing", "fail") if key in one.missing else "not said"]
    if one.ends is not None:
        yield ["may be kept until", Cell(str(one.ends), "fail" if one.expired else "none")]


def _is(one: Dossier) -> Iterator[Sequence[str | Cell]]:
    yield ["object", f"`{one.out.algorithm}:{one.out.hash}`"]
    yield ["pointer", f"`{one.pointer}`"]
    known = {
        "bytes": one.out.size, "files": one.out.nfiles, "rows": one.profile.rows if one.profile else None,
        "key": ", ".join(one.profile.key) if one.profile and one.profile.key else None,
        "schema": one.schema, "DVC remote": one.out.remote,
    }  # fmt: skip
    yield from ([name, str(value)] for name, value in known.items() if value is not None)


def plain(one: Dossier) -> dict[str, object]:
    """For `--json`."""
    return {
        "path": one.out.path, "pointer": one.pointer, "hash": one.out.hash, "size": one.out.size,
        "nfiles": one.out.nfiles, "remote": one.out.remote, "sheet": dict(one.sheet),
        "missing": list(one.missing), "ends": str(one.ends) if one.ends else None, "expired": one.expired,
        "rows": one.profile.rows if one.profile else None,
        "columns": {name: dict(column) for name, column in one.profile.columns.items()}
        if one.profile else None,
        "schema": one.schema,
        "checks": [each._asdict() for each in one.looked],
        "versions": [each._asdict() for each in one.versions],
        "used": [{"id": node.id, "kind": node.kind, "label": node.label} for node in one.used],
        "tainted": [each.words[-1]._asdict() for each in one.taints],
        "purged": one.purge.sentence() if one.purge else None,
    }  # fmt: skip
