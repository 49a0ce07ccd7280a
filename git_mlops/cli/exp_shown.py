"""What `git mlops exp show` prints."""

from git_mlops import ui
from git_mlops.cli import exp_output
from git_mlops.experiments import history, mlflow_facts, present
from git_mlops.experiments.history import History
from git_mlops.experiments.mlflow_facts import Told
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record


def shown(
    experiment: Experiment, record: Record | None, told: Told, course: History, *, as_json: bool
) -> None:
    """One experiment."""
    if as_json:
        facts = record._asdict() if record else None
        data = {**present.plain(experiment), **mlflow_facts.plain(told), "record": facts}
        ui.emit("experiment", {**data, **history.plain(course)})
        return
    pairs = [*present.facts(experiment, record), *mlflow_facts.facts(told)]
    width = max(len(name) for name, _value in pairs)
    for name, value in pairs:
        ui.out(f"{name:{width}}  " + value.replace("\n", "\n" + " " * (width + 2)))
    exp_output.values(experiment.metrics, experiment.params, gap=True)
    _courses(course)
    exp_output.notes((*experiment.notes, *course.notes))


def _courses(found: History) -> None:
    if found.series:
        ui.out()
        marks = history.BLOCKS if ui.shows(f"{history.BLOCKS}→") else history.ASCII
        ui.table(history.HEADER, history.rows(found, marks))
