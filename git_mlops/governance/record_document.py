"""The record for an auditor as one page."""

from collections.abc import Iterator, Sequence

from git_mlops.data.purges import Purge
from git_mlops.git.repo import Repo
from git_mlops.governance import dossier
from git_mlops.governance.dossier import Dossier
from git_mlops.governance.log import Entry, day
from git_mlops.governance.purge import rows as proof_rows
from git_mlops.governance.record import MOST, Held, Record
from git_mlops.lineage.graph import Node
from git_mlops.registry.message import Message
from git_mlops.reports.document import Cell, Document, Outcome, Section, Table

_MOST_PROOF = 200
"""Rows of one withdrawal's proof."""
_Rows = list[list[str | Cell]]


def document(record: Record, repo: Repo, more: Sequence[Section] = ()) -> Document:
    """The record as one page.

    Args:
        more: sections that others make of the same state, e.g. of the audit's score.
    """
    outcome: Outcome = "fail" if _problems(record) else "pass" if record.held or record.data else "none"
    at = f"commit `{record.commit[:12]}`" if record.commit else "no commit yet"
    problems = _problems(record)
    verdict = f"{record.time} UTC, {at}: " + ("; ".join(problems) if problems else "nothing is found wrong")
    sections = (
        _overview(record, repo), *_stages(record), *_registered(record), *_origins(record), *_data(record),
        _taints(record), *_purges(record), *more, _log(record),
    )  # fmt: skip
    return Document("Record for an audit", outcome, verdict, sections)


def _problems(record: Record) -> list[str]:
    lacking = [one for one in record.data if one.missing]
    expired = [one for one in record.data if one.expired and one.purge is None]
    tainted = [one for one in record.held if one.lineage.nodes[one.start].facts.get("tainted")]
    unproved = [one for one in record.purges if one.holds and not _proved(one)]
    counts = (
        (len(record.wrong), "what verifying versions that hold a stage found"),
        (len(tainted), "stages with a tainted version"),
        (len(lacking), "data sheets that lack something"),
        (len(expired), "data kept for longer than allowed"),
        (len(unproved), "withdrawals without a whole proof"),
    )
    return [f"{what}: {count}" for count, what in counts if count]


def _proved(one: Purge) -> bool:
    return bool(one.last) and all(proof.good for proof in one.last.values())


def _overview(record: Record, repo: Repo) -> Section:
    urls = repo.text("config", "--get-regexp", r"^remote\..*\.url$", ok=(0, 1)).split("\n")
    origin = next((line.partition(" ")[2] for line in urls if line.startswith("remote.origin.")), "")
    active = sum(one.holds for one in record.taints), sum(one.holds for one in record.purges)
    rows: _Rows = [
        ["repository", _without_secret(origin) or repo.root.name],
        ["rules of stages from", record.rules],
        ["models", str(len(record.models))],
        ["registered versions", str(sum(len(one.versions) for one in record.models.values()))],
        ["stages held", str(len(record.held))],
        ["data under version control", str(len(record.data))],
        ["tainted now", str(active[0])],
        ["withdrawn", str(active[1])],
    ]
    made = "made by `git mlops audit --export` from git's objects alone: tags, refs and commits of this clone"
    shallow = "this clone is shallow: what is before its first commits is not in here"
    notes = (made, shallow) if repo.shallow else (made,)
    return Section("Overview", (Table(("what", ""), rows),), notes)


def _without_secret(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else url


def _signed(one: Held | Entry, who: str) -> Cell:
    """`yes` where they signed it themselves."""
    said = "yes" if one.good and one.signed.removeprefix("by ") in who else one.signed
    return Cell(said, "none" if one.good is None else "pass" if one.good else "fail")


def _stages(record: Record) -> Iterator[Section]:
    header = ("model", "stage", "since (UTC)", "by", "signed", "approved by", "asked, and held")
    rows: _Rows = [
        [
            f"{one.name} {one.event.version}", one.stage, day(one.event.time),
            f"{one.event.who} <{one.event.email}>", _signed(one, one.event.email), _approved(one.said),
            _gate(one.said),
        ]
        for one in record.held
    ]  # fmt: skip
    notes = () if rows else ("no version holds a stage",)
    yield Section("Models in use", (Table(header, rows),) if rows else (), notes)
    levels: dict[str, Outcome] = {"error": "fail", "unknown": "unknown"}
    every = ((f"{one.name} {one.event.version}", each) for one in record.held for each in one.findings)
    found = {(version, each.level, each.message): (version, each) for version, each in every}
    wrong: _Rows = [
        [version, Cell(each.level, levels.get(each.level, "none")), each.message]
        for version, each in (found[key] for key in sorted(found))
    ]
    title = "What verifying them found"
    if wrong:
        yield Section(title, (Table(("version", "level", "found"), wrong),))
    elif record.held:
        fine = "every tag says what its tree is, and each stage was given by its rules"
        yield Section(title, notes=(fine,))


def _approved(said: Message) -> str:
    found = said.facts.get("approvals")
    items = found if isinstance(found, list) else []
    return ", ".join(str(one.get("who")) for one in items if isinstance(one, dict)) or "nobody"


def _gate(said: Message) -> str:
    if said.facts.get("rollback") is True:
        return "a rollback: nothing is asked"
    gate = said.facts.get("gate")
    checked = gate.get("checked") if isinstance(gate, dict) else None
    words = "; ".join(map(str, checked)) if isinstance(checked, list) else ""
    return words or "nothing was asked"


def _registered(record: Record) -> Iterator[Section]:
    rows: _Rows = [
        [one.name, each.version, day(each.event.time), f"{each.event.who} <{each.event.email}>",
         "in use" if (stages := one.stages_of(each.version)) else "" if each.active else "taken back",
         ", ".join(stages)]
        for one in record.models.values()
        for each in one.versions
    ]  # fmt: skip
    if rows:
        header = ("model", "version", "registered", "by", "state", "stages")
        yield Section(f"Registered versions: {len(rows)}", (Table(header, rows),), folded=True)


def _origins(record: Record) -> Iterator[Section]:
    """Of each version in use: what it was made from, link by link."""
    for start in dict.fromkeys(one.start for one in record.held):
        graph = next(one.lineage for one in record.held if one.start == start)
        rows: _Rows = [
            [_named(graph.nodes[edge.target]), edge.how, _named(graph.nodes[edge.source])]
            for edge in graph.edges
        ]
        title = f"Where {start.removeprefix('model:')} comes from"
        yield Section(title, (Table(("what", "how", "from"), rows),))


def _named(node: Node) -> Cell:
    hash_ = f" `{node.id.rpartition(':')[2][:10]}`" if node.kind == "object" else ""
    tainted = " (tainted)" if node.facts.get("tainted") else ""
    return Cell(f"{node.kind} {node.label}{hash_}{tainted}", "fail" if tainted else "none")


def _data(record: Record) -> Iterator[Section]:
    header = ("data", "licence", "consent", "sensitivity", "kept until", "contact", "lacks")
    keys = ("licence", "consent", "sensitivity")
    rows: _Rows = [
        [one.out.path, *(one.sheet.get(key, "") for key in keys), _until(one),
         one.sheet.get("contact", ""), Cell(", ".join(one.missing), "fail" if one.missing else "none")]
        for one in record.data
    ]  # fmt: skip
    yield Section("Data", (Table(header, rows),) if rows else (), () if rows else ("no data is tracked",))
    for one in record.data:
        every = (
            table._replace(caption=part.title) for part in dossier.sections(one) for table in part.tables
        )
        yield Section(f"Data sheet: {one.out.path}", tuple(every), folded=True)


def _until(one: Dossier) -> Cell:
    if one.purge is not None:
        return Cell(one.purge.sentence())
    return Cell(str(one.ends or ""), "fail" if one.expired else "none")


def _taints(record: Record) -> Section:
    rows: _Rows = [
        [one.label, "tainted" if word.tainted else "lifted", word.why, word.who, _minute(word.time)]
        for one in record.taints
        for word in one.words
    ]
    title = "What must not be used"
    if not rows:
        return Section(title, notes=("nothing was ever tainted",))
    return Section(title, (Table(("what", "said", "why", "by", "when (UTC)"), rows),))


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")


_LIMITS = (
    "a proof says what places answered that were asked; backups, versions that a storage keeps, and clones "
    "that did not answer are not in it"
)
_CLOCKS = "times are of the clocks of whoever acted: neither git's order nor a signature depends on them"

_CUT = f"tags, each history and the commits of HEAD have their newest {MOST} entries here"


def _purges(record: Record) -> Iterator[Section]:
    if not record.purges:
        yield Section("Withdrawn data", notes=("nothing was ever withdrawn",))
        return
    rows: _Rows = [
        [one.label, "withdrawn" if word.purged else "given back", word.why, word.who,
         _minute(word.time), _proof(one)]
        for one in record.purges
        for word in one.said
    ]  # fmt: skip
    header = ("what", "said", "why", "by", "when (UTC)", "proof")
    yield Section("Withdrawn data", (Table(header, rows),), (_LIMITS,))
    for one in record.purges:
        proof: _Rows = [
            [place, each.path, f"`{each.hash}`", Cell(state, _STATES.get(state, "none")), time]
            for place, each, time, state in proof_rows(one)
        ]
        cut = (f"and {len(proof) - _MOST_PROOF} more",) if len(proof) > _MOST_PROOF else ()
        table = Table(("place", "path", "object", "answer", "asked"), proof[:_MOST_PROOF])
        yield Section(f"Proof: {one.label}, {one.id}", (table,), cut, folded=True)


_STATES: dict[str, Outcome] = {"absent": "pass", "still there": "fail", "unknown": "unknown"}


def _proof(one: Purge) -> Cell:
    bad = [proof.place for proof in one.last.values() if not proof.good]
    if bad:
        return Cell(f"not proved: {', '.join(bad)}", "fail")
    said = f"{len(one.objects)} absent in {len(one.last)} places"
    return Cell(said if one.last else "none", "pass" if one.last else "fail")


def _log(record: Record) -> Section:
    rows: _Rows = [[day(one.time), one.who, one.what, one.where, _signed(one, one.who)] for one in record.log]
    title = f"Log: {len(rows)} entries"
    header = ("when (UTC)", "who", "what", "where", "signed")
    return Section(title, (Table(header, rows),) if rows else (), (_CLOCKS, _CUT))
