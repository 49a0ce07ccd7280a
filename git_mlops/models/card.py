"""A model card from what is recorded, by the sections that model cards commonly have. Pure.

What people must say themselves stands between markers: a card that is made again keeps it. Every other word
is a recorded fact; what is not recorded is said to be so, not guessed.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from git_mlops.experiments import slices
from git_mlops.experiments.message import short
from git_mlops.lineage.graph import IN_TREE
from git_mlops.models.dossier import Datum, Dossier
from git_mlops.reports.markdown import code, escape

_OPEN, _CLOSE = "<!-- yours: {} -->", "<!-- end of yours -->"
_YOURS = re.compile(r"<!-- yours: (?P<name>[a-z-]+) -->\n(?P<text>.*?)<!-- end of yours -->", re.DOTALL)
_PROMPTS = {
    "description": "What it predicts, for whom, and who answers for it.",
    "intended-use": "Uses it was made for, and uses it must not be put to.",
    "factors": "Groups, conditions and instruments for which it may behave differently.",
    "ethics": "Risks and harms that were considered, and what was done about them.",
    "caveats": "What is not known, and what should be done next.",
}
_MOST_COLUMNS = 200
_MOST_ROWS = 500


def render(one: Dossier, before: str = "") -> str:
    """The card.

    Args:
        before: the card as it is now, whose own parts are kept.
    """
    yours = {found["name"]: found["text"] for found in _YOURS.finditer(before)}
    lines = [*_lines(one, yours)]
    unknown = [name for name in yours if name not in _PROMPTS]
    for name in unknown:  # of another version of this program: nothing that somebody wrote is dropped
        lines += ["", f"## {escape(name.replace('-', ' ').capitalize())}", "", *_own(name, yours)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _lines(one: Dossier, yours: Mapping[str, str]) -> Iterator[str]:
    yield f"# {escape(one.version.name)} {escape(one.version.version)}"
    yield ""
    yield "<!-- Made by `git mlops model card`. Write between the markers; the rest is made anew. -->"
    if one.taints:
        yield ""
        for taint in one.taints:
            yield f"> **Not to be used:** it came from {code(taint.label)}: {escape(taint.words[-1].why)}"
    sections = (
        ("Model details", _details(one, yours)),
        ("Intended use", _own("intended-use", yours)),
        ("Factors", _own("factors", yours)),
        ("Metrics", _metrics(one)),
        ("Quantitative analyses", _slices(one)),
        ("Training data", _data(one)),
        ("Parameters", _params(one)),
        ("Inputs and outputs", _contract(one)),
        ("Ethical considerations", _own("ethics", yours)),
        ("Caveats and recommendations", _own("caveats", yours)),
        ("Environment", _environment(one)),
        ("Reproducing it", _reproducing(one)),
    )
    for title, body in sections:
        yield ""
        yield f"## {title}"
        yield ""
        yield from body


def _own(name: str, yours: Mapping[str, str]) -> Iterator[str]:
    text = yours.get(name)
    yield _OPEN.format(name)
    yield from (f"_{_PROMPTS[name]}_",) if text is None else text.rstrip("\n").split("\n")
    yield _CLOSE


def _details(one: Dossier, yours: Mapping[str, str]) -> Iterator[str]:
    yield from _own("description", yours)
    yield ""
    version, object_ = one.version, one.fact("object")
    when = datetime.fromtimestamp(version.time, UTC).date().isoformat()
    size = object_.get("size")
    rows = [
        ("registered", f"{when} by {version.who}"),
        ("tag", version.tag),
        ("file", str(object_.get("path") or "not recorded")),
        ("hash", f"{object_.get('algorithm')}:{object_.get('hash')}" if object_ else "not recorded"),
        ("size", f"{size:,} bytes" if isinstance(size, int) else "not recorded"),
        ("stages", ", ".join(version.stages) or "none"),
        ("approved by", ", ".join(one.approvals) or "nobody"),
        ("interpreter", str(one.fact("environment").get("python") or "not recorded")),
    ]
    yield from _table(("", ""), rows)


def _metrics(one: Dossier) -> Iterator[str]:
    rows = [(name, _number(value)) for name, value in one.metrics.items() if slices.parse(name) is None]
    yield from _table(("metric", "value"), rows) if rows else ("None is recorded.",)


def _slices(one: Dossier) -> Iterator[str]:
    found = [(slices.parse(name), value) for name, value in one.metrics.items()]
    rows = sorted((part.metric, part.name, _number(value)) for part, value in found if part)
    if rows:
        yield from _table(("metric", "slice", "value"), rows)
    else:
        yield "No metric of a part of the data is recorded (`slices.NAME.METRIC` in the metrics file)."


def _data(one: Dossier) -> Iterator[str]:
    if not one.data:
        yield "None is recorded."
        return
    rows = [(datum.path, _rows(datum), f"{datum.algorithm}:{datum.hash}", datum.way) for datum in one.data]
    yield from _table(("data", "rows", "hash", "the run"), rows)
    for datum in one.data:
        if datum.profile is not None and datum.way != IN_TREE:
            yield ""
            yield f"Columns of {code(datum.path)}:"
            yield ""
            yield from _table(("column", "type", "nulls", "distinct", "values"), _columns(datum))


def _rows(datum: Datum) -> str:
    return f"{datum.profile.rows:,}" if datum.profile else "not recorded"


def _columns(datum: Datum) -> list[tuple[str, ...]]:
    assert datum.profile
    found = list(datum.profile.columns.items())
    rows = [
        (name, *(str(column.get(key, "")) for key in ("type", "nulls", "distinct")), _values(column))
        for name, column in found[:_MOST_COLUMNS]
    ]
    more = len(found) - len(rows)
    return rows + ([(f"and {more} more", "", "", "", "")] if more > 0 else [])


def _values(column: Mapping[str, object]) -> str:
    if "mean" in column:
        return f"{_number(column.get('min'))} to {_number(column.get('max'))}, mean {_number(column['mean'])}"
    top = column.get("top")
    return (
        ", ".join(f"{name} ({count})" for name, count in list(top.items())[:5])
        if isinstance(top, dict)
        else ""
    )


def _params(one: Dossier) -> Iterator[str]:
    rows = [(name, value if isinstance(value, str) else json.dumps(value, default=str))
            for name, value in one.params.items()]  # fmt: skip
    yield from _table(("parameter", "value"), _most(rows)) if rows else ("None is recorded.",)


def _most(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    more = len(rows) - _MOST_ROWS
    return [*rows[:_MOST_ROWS], *([(f"and {more} more", "")] if more > 0 else [])]


def _environment(one: Dossier) -> Iterator[str]:
    """Without the name of the machine, which says nothing to who reads a card."""
    said, host = one.fact("environment"), (one.record.host or {}) if one.record else {}
    machine = " ".join(str(host[key]) for key in ("system", "machine") if key in host)
    rows = [
        ("interpreter", str(said.get("python") or "not recorded")),
        ("system", machine or "not recorded"),
        ("packages", f"sha256:{said['lock']}" if "lock" in said else "not recorded"),
    ]
    yield from _table(("", ""), rows)
    if one.packages:
        yield ""
        yield f"<details><summary>{len(one.packages)} packages</summary>"
        yield ""
        yield from _table(("package", "version"), _most(sorted(one.packages.items())))
        yield ""
        yield "</details>"
    elif "lock" in said:
        yield ""
        yield "The list of packages is of an experiment that is not in this clone."


def _contract(one: Dossier) -> Iterator[str]:
    inputs, outputs = one.columns
    if not inputs and not outputs:
        yield "No signature is recorded (an `MLmodel` or `signature.json` beside the model)."
        return
    rows = [
        (way, str(column.get("name", "")), str(column.get("type", "")), _required(column))
        for way, columns in (("input", inputs), ("output", outputs))
        for column in columns
    ]
    yield from _table(("", "name", "type", ""), rows)


def _required(column: Mapping[str, object]) -> str:
    return "optional" if column.get("required") is False or column.get("optional") is True else ""


def _reproducing(one: Dossier) -> Iterator[str]:
    version, record = one.version, one.record
    rows = [("commit", version.commit), ("experiment", one.experiment or "not recorded")]
    if record is not None:
        seeds = ", ".join(f"{name}={value}" for name, value in (record.seeds or {}).items())
        rows += [
            ("command", " ".join(map(str, record.command)) if record.command else str(record.how)),
            ("seeds", seeds or "none declared"),
            ("wall time", f"{record.wall:.1f} s" if record.wall is not None else "not recorded"),
        ]
    yield from _table(("", ""), rows)
    yield ""
    yield "```sh"
    if one.experiment:
        yield f"git mlops exp verify {_word(one.experiment)}"
    yield f"git mlops lineage {_word(f'{version.name}@{version.version}')}"
    yield "```"


def _word(text: str) -> str:
    return text if re.fullmatch(r"[\w@./=+-]+", text) else "NAME"


def _number(value: object) -> str:
    return short(value) if isinstance(value, int | float) else str(value)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _name in header)} |"
    for row in rows:
        yield f"| {' | '.join(escape(cell, 300) for cell in row)} |"
