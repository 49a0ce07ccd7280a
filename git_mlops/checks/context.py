"""What every rule gets, and what every rule is."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from git_mlops.checks.scope import Kind, Scope
from git_mlops.checks.settings import Gates, Levels
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.findings import Finding
from git_mlops.governance.settings import Settings as GovernanceSettings
from git_mlops.schema.settings import Bindings, Trust
from git_mlops.tables.settings import Folders, Tables


class Configuration(Protocol):
    """The settings that rules use, as `config.Config` has them."""

    @property
    def data(self) -> DataSettings:
        """The section `data:`."""

    @property
    def schemas(self) -> Bindings:
        """The section `schemas:`."""

    @property
    def tables(self) -> Tables:
        """The section `tables:`."""

    @property
    def folders(self) -> Folders:
        """The section `folders:`."""

    @property
    def experiments(self) -> ExperimentSettings:
        """The section `experiments:`."""

    @property
    def governance(self) -> GovernanceSettings:
        """The section `governance:`."""

    @property
    def gates(self) -> Gates:
        """The section `gates:`."""

    @property
    def checks(self) -> Levels:
        """The section `checks:`."""


class Context(NamedTuple):
    """One check: the state that is looked at, and the settings of that state."""

    scope: Scope
    config: Configuration
    problems: Callable[[bytes], Iterator[Finding]]
    """What is wrong with the content of a mlops.yaml."""
    deep: bool = False
    """Whether rules that look at a sample look at everything."""
    trust: Trust | None = None
    """Whose verdicts count; None: all that are here."""
    target: Configuration | None = None
    """The settings of the branch that a range is to enter: what a change must not decide for itself."""


class Rule(Protocol):
    """A module of this package; its docstring is the rule's documentation."""

    SUMMARY: str
    """One line for `git mlops check --list`."""
    KINDS: frozenset[Kind]
    """Where the rule makes sense."""

    def check(self, context: Context) -> Iterator[Finding]:
        """Everything the rule has to say."""


class Looking(Protocol):
    """What the short way of a commit asks of a rule with verdicts."""

    def meaning(self, path: str, settings: DataSettings) -> str | None:
        """What decides besides the data's hash, without `;`, tab or newline; None: nothing to say of it."""


Rules = Mapping[str, Rule]
EVERYWHERE: frozenset[Kind] = frozenset({"staged", "workspace", "range"})
