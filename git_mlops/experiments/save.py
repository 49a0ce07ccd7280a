"""`exp save`: the workspace as it is, recorded."""

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import environment, recording, snapshot, subject
from git_mlops.experiments.record import Record
from git_mlops.experiments.recording import Maker, Recorded, Request
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.subject import Task
from git_mlops.git.repo import Repo, resolve


def save(repo: Repo, request: Request, settings: Settings, data: DataSettings) -> Recorded:
    """Record the workspace as an experiment of HEAD; index and workspace stay as they are.

    Raises:
        MlopsError: no commit yet, the name cannot be used, or git does not know the user.
    """
    baseline = resolve(repo, "HEAD")
    taken = snapshot.take(repo, data)
    found = subject.study(repo, taken, Task(), settings)
    time = recording.stamp(recording.now())
    record = Record(how="save", status="finished", start=time, end=time, host=environment.host())
    maker = Maker(repo, baseline, found, record, request.message)
    written = recording.publish(repo, baseline, maker, request)
    return recording.recorded(found, "finished", written)
