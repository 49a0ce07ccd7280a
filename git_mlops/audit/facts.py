"""Everything that the rules look at, gathered once. Values alone: no rule reads a repository."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from git_mlops.audit.declared import Declaration
from git_mlops.audit.evidence import AUTOMATED, DAY, LASTS, MANUAL, Evidence, Points
from git_mlops.audit.pipelines import Pipelines
from git_mlops.audit.shell import Command
from git_mlops.audit.suites import Suites, Test
from git_mlops.checks.context import Configuration
from git_mlops.data.pointers import Out
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record
from git_mlops.findings import Finding
from git_mlops.models.settings import Settings as ModelSettings
from git_mlops.monitor.settings import Settings as MonitorSettings
from git_mlops.registry.state import Artifact, Event
from git_mlops.scaffold.settings import Settings as CiSettings
from git_mlops.serve.settings import Settings as ServeSettings
from git_mlops.tables.settings import Forms

LOCKS = (
    "requirements.lock",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "conda-lock.yml",
    "pixi.lock",
)
"""Names of files that pin every package."""


class Settings(Configuration, Protocol):
    """The settings that the audit looks at, as `config.Config` has them."""

    @property
    def forms(self) -> Forms:
        """The section `forms:`."""

    @property
    def models(self) -> ModelSettings:
        """The section `models:`."""

    @property
    def monitor(self) -> MonitorSettings:
        """The section `monitor:`."""

    @property
    def serve(self) -> ServeSettings:
        """The section `serve:`."""

    @property
    def ci(self) -> CiSettings:
        """The section `ci:`."""


class Table(NamedTuple):
    """Data that a schema is bound to, or may be."""

    path: str
    pointer: str
    """The file that names it: a pointer, or itself."""
    schema: str | None
    """The schema file that is bound to it."""
    problem: str | None
    """Why its schema shows nothing."""
    strict: bool
    """Whether columns that the schema does not name are refused."""
    outcome: str | None
    """Of the verdict on exactly this data under exactly this schema; None: there is none."""
    when: int | None
    scanned: bool
    """Whether a verdict says that it holds no personal data and no secrets."""
    raw: bool
    """Whether it comes from outside, and is not made by a stage."""


class State(NamedTuple):
    """What the files of one revision say."""

    commit: str | None
    time: int
    """Of the commit."""
    paths: frozenset[str]
    texts: Mapping[str, str]
    """Those that were read."""
    settings: Settings
    problems: tuple[Finding, ...]
    """What is wrong with mlops.yaml and docs/readiness.yaml."""
    ci: Pipelines
    suites: Suites
    tables: tuple[Table, ...]
    outs: tuple[Out, ...]
    """Every object that a pointer names."""
    declared: tuple[Declaration, ...]


class Run(NamedTuple):
    """A finished experiment, and what its record says."""

    experiment: Experiment
    record: Record | None
    """None where it was not read: only the newest are."""


class Promoted(NamedTuple):
    """One event of a model, and what its tag says."""

    model: str
    event: Event
    facts: Mapping[str, Any]


class Observation(NamedTuple):
    """What `git mlops monitor` saw of a served model."""

    ref: str
    commit: str
    model: str
    version: str | None
    time: int
    kinds: frozenset[str]
    """What was looked at: `drift`, `schema`, `skew`, `staleness`, `quality`, `numeric`, `performance`, …"""
    metrics: Mapping[str, float]
    """Of quality, against labels that came later."""


class Verified(NamedTuple):
    """A run that was made again."""

    ref: str
    experiment: str
    """Its commit."""
    outcome: str
    time: int


class Change(NamedTuple):
    """A commit of the history."""

    oid: str
    time: int
    author: str
    committer: str
    parents: int
    reviewers: tuple[str, ...]
    """Of the trailers `Reviewed-by` and `Approved-by`."""
    paths: tuple[str, ...]


class Shared(NamedTuple):
    """What refs and tags say: of today, whatever revision is audited."""

    runs: tuple[Run, ...] = ()
    """Finished and not tainted; the newest first."""
    verified: tuple[Verified, ...] = ()
    models: Mapping[str, Artifact] = {}  # the default of a frozen tuple, never changed
    events: tuple[Promoted, ...] = ()
    """Registrations, assignments and their ends; the oldest first, without what is tainted."""
    approvals: tuple[Event, ...] = ()
    observed: tuple[Observation, ...] = ()
    """The newest first."""
    history: tuple[Change, ...] = ()
    """Of HEAD; the newest first."""
    times: Mapping[str, int] = {}  # as above
    """When registered commits were made."""
    tainted: tuple[str, ...] = ()
    """What counts for nothing any more, for people."""


class Facts(NamedTuple):
    """One revision, and what is shared."""

    state: State
    shared: Shared
    now: int

    def until(self, time: int, days: int = LASTS) -> int:
        """When something of that time stops to count."""
        return time + days * DAY

    @property
    def alive(self) -> int:
        """Until when CI counts: what nobody pushes to runs nothing."""
        return self.until(self.state.time)

    def automated(self, what: str, command: Command, points: Points = AUTOMATED) -> Evidence:
        """Evidence that something runs in CI."""
        return Evidence(f"{what} (CI: `{' '.join(command.words[:4])}`)", command.path, points, self.alive)

    def testing(self, path: str) -> Command | None:
        """The command of CI that runs the tests of a file."""
        ci = self.state.ci
        return next((one for one in ci.commands if _runs(one, path, ci.testpaths)), None)

    def checking(self, rule: str | None = None) -> Command | None:
        """The command of CI that runs our rules, unless mlops.yaml has turned this one off."""
        if rule is not None and self.state.settings.checks.get(rule) in ("off", "note"):
            return None
        starts = (("git", "mlops", "check"), ("git-mlops", "check"))
        found = self.state.ci.running(*starts)
        return next((one for one in found if rule is None or not _skips(one, rule)), None)

    def tested(self, tests: Sequence[Test], what: str, points: Points = AUTOMATED) -> list[Evidence]:
        """Evidence that tests say something: what CI runs counts whole, what lies there half."""
        found: dict[str, Evidence] = {}
        for one in tests:
            command = self.testing(one.path)
            said = f"{what}: `{one.name}`"
            piece = (
                self.automated(said, command, points)._replace(where=one.where)
                if command
                else Evidence(f"{said}; CI does not run it", one.where, MANUAL, self.alive)
            )
            found.setdefault(f"{one.path}", piece)
        return list(found.values())


def _skips(command: Command, rule: str) -> bool:
    pairs = zip(command.words, command.words[1:], strict=False)
    return any(pair == ("--skip", rule) for pair in pairs) or f"--skip={rule}" in command.words


_IDLE = frozenset(("--collect-only", "--co", "--version", "--help", "-h", "-V", "--fixtures", "--markers"))


def _runs(command: Command, path: str, testpaths: Sequence[str]) -> bool:
    program, *rest = command.words
    if program == "git" or _IDLE & set(rest):
        return False
    if program == "unittest":
        return True
    if program not in ("pytest", "py.test"):
        return False
    ignored = [word.removeprefix("--ignore=") for word in rest if word.startswith("--ignore=")]
    if any(_below(path, one) for one in ignored):
        return False
    # `-k slow` has a value that is no path
    plain = [word.partition("::")[0] for word in rest if not word.startswith("-")]
    named = [one for one in plain if "/" in one or one.endswith(".py") or one == "." or _below(path, one)]
    wanted = named or testpaths
    return not wanted or any(_below(path, one) for one in wanted)


def _below(path: str, place: str) -> bool:
    place = place.removeprefix("./").rstrip("/")
    return place in ("", ".", path) or path.startswith(f"{place}/")
