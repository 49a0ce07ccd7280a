"""Names: ref ↔ (baseline, name), what a name may be, and names made up for those who give none. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random

    from git_mlops.git.refs import Ref

PREFIX = "refs/exps/"
REMOTE_PREFIX = "refs/mlops/remotes/"
ARCHIVE = "refs/mlops/archive/"
NAMED = ("refs/heads/", "refs/tags/")
DECISIVE = (PREFIX, *NAMED, ARCHIVE, REMOTE_PREFIX)
"""Refs that decide what of a remote's experiments may be offered here."""
ALONG = "refs/mlops/mlflow/"
"""What MLflow knows besides runs; `tracking.share` takes it in where it was fetched."""
BACKUP_PREFIX = "refs/mlops/backup/exps/"
SNAPSHOT = "before-apply-"
"""Begins the name of what `exp apply` saves before it replaces it: kept, never shared unasked."""

# DVC's own bookkeeping under refs/exps, never touched and never listed
BOOKKEEPING = ("stash", "exec", "apply", "celery", "temp")
_REF = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38}|[0-9a-f]{62})/([^/]+)")


class ExperimentRef(NamedTuple):
    """An experiment's place: the commit it started from, and its name."""

    baseline: str
    name: str


def format_ref(ref: ExperimentRef) -> str:
    """The full ref name, at exactly the depth that DVC expects."""
    return f"{PREFIX}{ref.baseline[:2]}/{ref.baseline[2:]}/{ref.name}"


def parse_ref(text: str) -> ExperimentRef | None:
    """The inverse; None for anything that is no experiment."""
    match = _REF.fullmatch(text)
    return ExperimentRef(match[1] + match[2], match[3]) if match else None


def of_ref(ref: Ref) -> str:
    """What people call it."""
    return ref.name.rpartition("/")[2]


def baseline_prefix(baseline: str) -> str:
    """Where the experiments of one commit are, with the last slash."""
    return f"{PREFIX}{baseline[:2]}/{baseline[2:]}/"


def held(remote: str, ref: str) -> str:
    """Where a remote's experiment is held after a fetch, before it is offered."""
    return f"{REMOTE_PREFIX}{remote}/exps/{ref.removeprefix(PREFIX)}"


def held_along(remote: str) -> str:
    """Where a remote's `ALONG` is held after a fetch."""
    return f"{REMOTE_PREFIX}{remote}/{ALONG.removeprefix('refs/mlops/')}"


def offered(remote: str, held_ref: str) -> str | None:
    """The inverse of `held`; None for what can be no experiment here."""
    ref = PREFIX + held_ref.removeprefix(f"{REMOTE_PREFIX}{remote}/exps/")
    return ref if parse_ref(ref) else None


def backup(ref: str, stamp: str) -> str:
    """Where an experiment stays reachable after it is removed or replaced; `stamp` tells removals apart."""
    return f"{BACKUP_PREFIX}{stamp}/{ref.removeprefix(PREFIX)}"


def problem(name: str) -> str | None:
    """Why `name` cannot be an experiment's name, or None. Whether it is taken is another question."""
    if _PLAIN.fullmatch(name) and not _OTHER.search(name):
        return None  # as nearly every one is
    if not name:
        return "it is empty"
    for reason, pattern in _FORBIDDEN:
        if re.search(pattern, name):
            return reason
    if len(name.encode("utf-8", "surrogateescape")) > 200:
        return "it is longer than 200 bytes"
    return None


def of_run(text: str) -> str:
    """What an experiment may be called whose run has this name in MLflow."""
    name = re.sub(r"[^\w.+=-]+|\.\.+|@\{", "-", text).strip("-.")[:80] or "run"
    name = name.removesuffix(".lock")
    return f"run-{name}" if problem(name) else name


# git-check-ref-format(1), and what git or DVC would take for something else
_FORBIDDEN = (
    ("it holds a `/`", "/"),
    ("it holds a space or a control character", r"[\x00-\x20\x7f]"),
    ("it holds one of `~ ^ : ? * [ \\`", r"[~^:?*\[\\]"),
    ("it holds `..` or `@{`", r"\.\.|@\{"),
    ("it begins or ends with a dot, or with `.lock`", r"^\.|\.$|\.lock$"),
    ("it begins with a dash", r"^-"),
    ("it is not valid UTF-8", r"[\ud800-\udfff]"),
    ("it looks like a commit id", r"^[0-9a-fA-F]{4,64}$|-g[0-9a-fA-F]{4,64}$"),
    ("it means something else to git or DVC", r"^@$|^[A-Z_]*HEAD$|^workspace$|^refs$"),
)

_PLAIN = re.compile("(?!-)[A-Za-z0-9_-]{1,200}")
_OTHER = re.compile("|".join(pattern for _reason, pattern in _FORBIDDEN[-2:]))


def generate(chance: random.Random, *, attempt: int = 0) -> str:
    """A name such as `quiet-otter`; after some collisions (`attempt`) a number makes it wider."""
    name = f"{chance.choice(_ADJECTIVES)}-{chance.choice(_NOUNS)}"
    return name if attempt < 4 else f"{name}-{chance.randrange(10 ** (attempt - 1))}"


# ruff: noqa: SIM905  # a paragraph is read better than 300 lines
_ADJECTIVES = (
    "able airy amber ample apt arctic azure bold brave brief bright brisk broad calm candid clean clear "
    "clever coastal cool coral cosy crisp curly daily deep deft dry eager early easy even exact fair "
    "famous fast fine firm fleet fluid fond frank free fresh frosty full gentle glad golden grand great "
    "green happy hardy hazel high honest humble icy ideal indigo ivory jolly keen kind large late lean "
    "light lively local long loud loyal lucid lucky lunar major mellow merry mild minor misty modest neat "
    "new nimble noble olive open patient plain polite prime proud pure quick quiet rapid rare ready rich "
    "ripe rosy round royal rural rustic sandy scarlet serene sharp shiny short shy silent silver simple "
    "sincere sleek slow small smart smooth snowy sober soft solar solid sound spare spry stable stark "
    "steady still stony strong subtle sunny super sure sweet swift tall tame tender terse tidal tidy true "
    "urban vast velvet vivid warm wary wide wild windy wise witty young zesty"
).split()
_NOUNS = (
    "acorn alder anchor apple arch arrow ash aspen aster atlas atoll badger bay beacon bear beaver beech "
    "birch bison bloom breeze brook canary canyon cedar cliff cloud clover comet coral cove crane creek "
    "crest crow dale dawn delta dove dune eagle echo elk elm ember falcon fern field finch fjord flint "
    "forest fox frost garden geyser glade glen grove gull harbor hare hawk hazel heron hill holly iris "
    "island ivy jade jay kelp kite lake lark laurel leaf lemur lichen lily linden lion lotus lynx maple "
    "marsh meadow meteor mint mist moon moor moose moss moth nest oak oasis ocean orchid otter owl palm "
    "panda peak pearl pebble pine planet plover plum pond poplar prairie quail quartz rain raven reed "
    "reef ridge river robin rose rowan sage sail salmon seal shore sky slate snow sparrow spring spruce "
    "star stone storm stream summit sun swan swift teal thistle thrush tide tiger topaz trout tulip "
    "tundra valley violet vole walnut wave whale willow wind wolf wren yak yew zebra"
).split()
