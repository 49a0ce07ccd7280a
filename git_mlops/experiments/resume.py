"""`exp run --resume` and `--retry`: a recorded run once more, from what it left or from its beginning."""

from typing import Any, Literal, NamedTuple

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import apply as applying
from git_mlops.experiments import journal, read, recovery
from git_mlops.experiments.apply import Applied
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import Record
from git_mlops.experiments.run import Origin, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.start import Start
from git_mlops.git import objects
from git_mlops.git.repo import Repo, head

How = Literal["resumes", "retries"]
"""The key of record.json that names the commit of the earlier run."""

WRITTEN = "written"
"""The key of record.json with the paths that a run made, changed or deleted."""


class _Earlier(NamedTuple):
    experiment: Experiment
    plan: Plan
    written: tuple[str, ...]


def start(repo: Repo, name: str, how: How, settings: Settings) -> Start:
    """What a run starts from that resumes an earlier one, or tries it again.

    `resumes`: the recorded tree with all the run had written. `retries`: without that.

    Raises:
        MlopsError: no such experiment, nothing to resume, or no command recorded.
    """
    earlier = _earlier(repo, name, how, settings)
    baseline = earlier.experiment.baseline
    if not repo.text("rev-parse", "--verify", "--quiet", f"{baseline}^{{commit}}", ok=(0, 1, 128)):
        raise MlopsError(
            f"the commit that `{name}` started from is not here: {baseline[:12]}",
            hint="`git fetch --unshallow`, or fetch the branch it is on",
        )
    return Start(_tree(repo, earlier, how), baseline, earlier.plan)


def in_place(repo: Repo, name: str, settings: Settings, data: DataSettings) -> tuple[Plan, Applied]:
    """Bring what an earlier run left into the workspace, to go on from there.

    Raises:
        MlopsError: as `start`; HEAD is not the commit that the run started from.
    """
    earlier = _earlier(repo, name, "resumes", settings)
    baseline = earlier.experiment.baseline
    if head(repo) != baseline:
        raise MlopsError(
            f"`{name}` started from {baseline[:12]}, and HEAD is another commit",
            hint=f"`git mlops exp run --temp --resume {name}` resumes it beside your work",
        )
    return earlier.plan, applying.apply(repo, name, settings, data)


def _earlier(repo: Repo, name: str, how: How, settings: Settings) -> _Earlier:
    recovery.recover(repo)
    if any(one.ref == name or one.ref.rpartition("/")[2] == name for one in journal.under_way(repo)):
        raise MlopsError(f"`{name}` is running", hint="interrupt it first (Ctrl-C where it runs)")
    experiment = read.load(repo, [read.pick(repo, [name])[0]], settings)[0]
    record = read.record(repo, experiment)
    if record is None or record.how not in ("command", "pipeline"):
        raise MlopsError(
            f"`{name}` has no command recorded: git-mlops did not run it",
            hint=f"`git mlops exp apply {name}`, then `git mlops exp run -- COMMAND`",
        )
    if how == "resumes" and experiment.status == "finished":
        raise MlopsError(
            f"`{name}` is finished: there is nothing to resume",
            hint=f"`git mlops exp run --retry {name}` runs it again from the beginning",
        )
    return _Earlier(experiment, _plan(record, experiment, how), _written(record))


def _plan(record: Record, experiment: Experiment, how: How) -> Plan:
    origin = Origin(extra={how: experiment.commit.oid}, prepared=True, again=True)
    words = (tuple(map(str, record.command or ())), tuple(map(str, record.overrides or ())))
    return Plan(*words, directory=record.directory or "", origin=origin)


def _written(record: Record) -> tuple[str, ...]:
    said: Any = record.extra.get(WRITTEN)
    return tuple(path for path in said if isinstance(path, str)) if isinstance(said, list) else ()


def _tree(repo: Repo, earlier: _Earlier, how: How) -> str:
    """The recorded tree without the record; to try again, with the baseline's version of what was written."""
    with objects.scratch_index(repo) as index:
        repo.git("read-tree", earlier.experiment.commit.tree, index=index)
        repo.git("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", f":(top){RUN}", index=index)
        if how == "retries" and earlier.written:
            base = {e.path: e for e in objects.tree_entries(repo, earlier.experiment.baseline)}
            null = repo.null_oid()
            lines = [
                f"{base[path].mode} {base[path].oid}\t{path}\0" if path in base else f"0 {null}\t{path}\0"
                for path in earlier.written
            ]
            stdin = "".join(lines).encode("utf-8", "surrogateescape")
            repo.git("update-index", "-z", "--add", "--replace", "--index-info", stdin=stdin, index=index)
        return objects.write_tree(repo, index)
