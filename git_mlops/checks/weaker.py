"""A change that makes the rules of mlops.yaml other or fewer says so: who reviews it must see it.

Levels that it lowers do not count for the change itself, and neither do gates (rule `gates`): the target
branch's hold. Everything else is told here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from git_mlops.checks.context import Configuration, Context
from git_mlops.checks.scope import Kind
from git_mlops.checks.settings import Levels
from git_mlops.findings import Finding

SUMMARY = "a change says which rules it makes weaker"
KINDS: frozenset[Kind] = frozenset({"range"})
RULE = "weaker-rules"

_GUARDING = ("owners", "pii", "pii_scan", "labels", "keys", "size_limit")
_LOOSENING = ("allow", "pii_allow", "model_imports")
"""What is added there is let through."""
_ORDER = ("off", "note", "warning", "error")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each setting that guards the target branch and is gone or another."""
    if context.target is None:
        return
    before, after = _guards(context.target), _guards(context.config)
    for key, old in before.items():
        if key not in after:
            yield _finding(f"`{key}` is gone; the target branch has {_shown(old)}")
        elif after[key] != old:
            yield _finding(f"`{key}` is {_shown(after[key])}; the target branch has {_shown(old)}")
    let, more = _allowed(context.target), _allowed(context.config)
    for key in more.keys() - let.keys():
        yield _finding(f"`{key}` is new, and lets something through")
    for rule, level in sorted(context.config.checks.items()):
        if stricter({rule: level}, context.target.checks).get(rule) != level:
            held = context.target.checks.get(rule, "its own level")
            yield _finding(f"`checks.{rule}` is {level}; the target branch has {held}, which holds here")


def unread() -> Finding:
    """The target branch's settings cannot be read. No error: the change may be the one that mends them."""
    message = "the target branch's mlops.yaml is wrong: owners, gates and levels are the change's own"
    return Finding(RULE, "warning", message, "mlops.yaml", hint="`git mlops check` there says what is wrong")


def stricter(own: Levels, target: Levels | None) -> Levels:
    """The levels that a change is judged by: its own, where they do not lower the target branch's."""
    if target is None:
        return own
    found: Levels = {}
    for rule in {*own, *target}:
        mine, theirs = own.get(rule), target.get(rule)
        if mine is None or (theirs is not None and _ORDER.index(theirs) >= _ORDER.index(mine)):
            if theirs is not None:
                found[rule] = theirs
        elif theirs is not None or mine == "error":
            found[rule] = mine
        # else: the target has no level for it, so the rule's own holds
    return found


def _guards(config: Configuration) -> dict[str, object]:
    sections: dict[str, Any] = {
        "schemas": config.schemas,
        "tables": config.tables,
        "folders": config.folders,
        "data": {name: value for name, value in config.data._asdict().items() if name in _GUARDING},
        "governance": config.governance,
        "verdicts": getattr(config, "verdicts", ()),
    }
    return dict(_flat("", sections))


def _allowed(config: Configuration) -> dict[str, object]:
    values = config.data._asdict()
    return {
        f"data.{name}: {pattern}": True
        for name in _LOOSENING
        for pattern, _value in _flat("", {one: one for one in values[name]})
    }


def _flat(key: str, value: Any) -> Iterator[tuple[str, object]]:
    """Settings by dotted key; what is empty or not set is left out."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), inner)
    elif value is not None and value != ():
        yield key, value


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text[:100]}`"


def _finding(message: str) -> Finding:
    hint = "is that meant? Then let it be reviewed, best as a change of its own"
    return Finding(RULE, "warning", message, "mlops.yaml", hint=hint)
