"""The settings that models are registered and promoted by, as plain values: `config` is above."""

from collections.abc import Callable
from typing import NamedTuple

from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.git.trust import Trust
from git_mlops.models.settings import Settings
from git_mlops.schema.settings import Bindings


def _nobody() -> Trust | None:
    return None


class Context(NamedTuple):
    """What decides besides the registry itself."""

    models: Settings = Settings()
    experiments: ExperimentSettings = ExperimentSettings()
    schemas: Bindings = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    trust: Callable[[], Trust | None] = _nobody
    """Whose signatures count; None: whoever git itself trusts. Asked when it is needed."""
    rules: str = "workspace"
    """Where the settings are from, for people: a revision, or the workspace."""
