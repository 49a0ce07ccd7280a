"""Which experiments go to MLflow, and under which name there."""

from collections.abc import Sequence

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import names, read
from git_mlops.experiments.settings import Settings
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo
from git_mlops.tracking import mlflow
from git_mlops.tracking.mlflow import Exported
from git_mlops.tracking.recorder import Recorder


def export(
    repo: Repo, texts: Sequence[str], uri: str, into: str | None, settings: Settings, *, models: bool = False
) -> Exported:
    """Send the named experiments, or all that are not running.

    Args:
        texts: names of experiments, or of MLflow's: all runs that are in it.
        into: the MLflow experiment's name; default: as `mlflow.export` says.
    """
    recorder = Recorder(repo, settings, DataSettings())
    recorder.index.refresh()
    found = _named(repo, texts, recorder) if texts else read.all_refs(repo)
    if not texts:  # what `exp apply` saved is no run
        found = [ref for ref in found if not ref.name.rpartition("/")[2].startswith(names.SNAPSHOT)]
    entries = [entry for ref in found if (entry := recorder.index.of_ref(ref.name)) is not None]
    # of a run under way nothing is final; a model without a run is none
    chosen = [entry for entry in entries if not entry.live and not entry.facts.get("kind")]
    return mlflow.export(recorder, chosen, uri, into, models=models)


def _named(repo: Repo, texts: Sequence[str], recorder: Recorder) -> list[Ref]:
    """An experiment of ours counts more than one of MLflow that has the same name."""
    found: dict[Ref, None] = {}
    for text in texts:
        group = recorder.groups.named(text) if not read.matching(repo, text, prefixes=False) else None
        if group is None:
            found |= dict.fromkeys(read.pick(repo, [text]))
            continue
        runs = (e for e in recorder.index.entries.values() if e.facts.get("experiment_id") == group.id)
        found |= dict.fromkeys(Ref(run.ref, run.commit) for run in runs if run.ref and run.commit)
    return list(found)
