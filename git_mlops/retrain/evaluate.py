"""Champion and challenger measured by the project's own command, on the same data, one after the other."""

from collections.abc import Mapping
from pathlib import Path

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import run as running
from git_mlops.experiments import tree, values
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.models import retraining
from git_mlops.models.retraining import Settings


def measure(
    place: Repo,
    label: str,
    model: Path,
    settings: Settings,
    experiments: ExperimentSettings,
    data: DataSettings,
) -> Mapping[str, object]:
    """The metrics of one model, by the command of mlops.yaml in a worktree that holds the new data.

    Raises:
        MlopsError: the command fails, or writes no metrics (exit code 3).
    """
    words = retraining.command(settings, str(model))
    own = place.root / settings.metrics if settings.metrics else None
    for path in _metrics_files(place, experiments):
        (place.root / path).unlink(missing_ok=True)  # what is there afterwards, the command wrote
    if own is not None:
        own.unlink(missing_ok=True)
    done = running.attempt(place, Plan(words, directory=""), experiments, data)
    if done.status == "interrupted":
        raise KeyboardInterrupt
    if done.status != "finished":
        raise MlopsError(
            f"{label} cannot be measured: {done.problem or done.status}",
            hint="does `retrain.evaluate` of mlops.yaml work with the code and data of now?",
            exit_code=CANNOT_EVALUATE,
        )
    found = done.metrics if own is None else _read(own, settings.metrics or "")
    if not found:
        where = f"`{settings.metrics}`" if settings.metrics else "a metrics file of the pipeline"
        raise MlopsError(
            f"{label} was not measured: `retrain.evaluate` did not write {where}",
            hint="`retrain: {metrics: FILE}` in mlops.yaml names the file",
            exit_code=CANNOT_EVALUATE,
        )
    return found


def _metrics_files(place: Repo, experiments: ExperimentSettings) -> tuple[str, ...]:
    with reader(place) as answers:
        root = place.text("rev-parse", "HEAD^{tree}")
        declared = tree.contents(Trees(answers), [root], experiments.params)[root].layout.metrics
    return tuple(path for path in declared if (place.root / path).is_file())


def _read(file: Path, path: str) -> Mapping[str, object]:
    if not file.is_file():
        return {}
    value, problem = values.read(path, file.read_bytes())
    if problem is not None:
        raise MlopsError(
            f"`{path}`, which `retrain.evaluate` wrote, cannot be read: {problem}", exit_code=CANNOT_EVALUATE
        )
    return values.metrics_of(value)
