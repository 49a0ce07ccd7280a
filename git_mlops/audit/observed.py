"""What `git mlops monitor` recorded under `refs/mlops/monitor`."""

from git_mlops.audit.facts import Observation
from git_mlops.git.repo import Repo

PREFIX = "refs/mlops/monitor"


def read(_repo: Repo) -> tuple[Observation, ...]:
    """The newest first."""
    return ()
