"""Which experiments go to MLflow, and under which name there."""

from collections.abc import Sequence

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import names, read
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo
from git_mlops.tracking import mlflow
from git_mlops.tracking.mlflow import Exported
from git_mlops.tracking.recorder import Recorder


def export(repo: Repo, texts: Sequence[str], uri: str, into: str | None, settings: Settings) -> Exported:
    """Send the named experiments, or all that are not running.

    Args:
        into: the MLflow experiment's name; default: as `mlflow.export` says.
    """
    found = read.pick(repo, texts) if texts else read.all_refs(repo)
    if not texts:  # what `exp apply` saved is no run
        found = [ref for ref in found if not ref.name.rpartition("/")[2].startswith(names.SNAPSHOT)]
    recorder = Recorder(repo, settings, DataSettings())
    recorder.index.refresh()
    entries = [entry for ref in found if (entry := recorder.index.of_ref(ref.name)) is not None]
    # of a run under way nothing is final; a model without a run is none
    chosen = [entry for entry in entries if not entry.live and not entry.facts.get("kind")]
    return mlflow.export(recorder, chosen, uri, into)
