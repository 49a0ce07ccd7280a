"""Which experiments go to MLflow, and under which name there."""

from collections.abc import Sequence

from git_mlops.experiments import names, read
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo
from git_mlops.tracking import mlflow
from git_mlops.tracking.mlflow import Exported


def export(repo: Repo, texts: Sequence[str], uri: str, into: str | None, settings: Settings) -> Exported:
    """Send the named experiments, or all that are not running, into one MLflow experiment.

    Args:
        into: the MLflow experiment's name; default: the name of the repository's directory.
    """
    found = read.pick(repo, texts) if texts else read.all_refs(repo)
    if not texts:  # what `exp apply` saved is no run
        found = [ref for ref in found if not ref.name.rpartition("/")[2].startswith(names.SNAPSHOT)]
    chosen = [experiment for experiment in read.load(repo, found, settings) if experiment.status != "running"]
    return mlflow.export(chosen, uri, into or repo.common_dir.parent.name)
