"""What is no run: traces, evaluation sets, scorers and the like, kept by MLflow's own SQLite store.

It stands beside our private state (`<git directory>/mlops/mlflow.db`), is made when it is needed, stays on
this machine and may be deleted. Loaded by the entry points alone.
"""

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException, MlflowNotImplementedException
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.abstract_store import AbstractStore

if TYPE_CHECKING:
    from git_mlops.git.repo import Repo

_OURS = frozenset(
    (
        "search_runs", "log_metric_async", "log_param_async", "set_tag_async", "log_batch_async",
        "end_async_logging", "flush_async_logging", "shut_down_async_logging", "set_model_versions_tags",
        "get_metric_history_bulk_interval", "get_metric_history_bulk_interval_from_steps",
        "supports_workspaces", "supports_trace_archival",
    )
)  # fmt: skip
_EMPTY = ("search_", "list_", "query_", "find_", "get_active_online", "get_online_scoring_configs")
"""How questions begin that MLflow's pages ask again and again: nothing is the answer until there is any."""
_LISTS = ("find_", "list_scorers", "get_")


class Delegating(AbstractStore):  # type: ignore[misc]  # MLflow has no types
    """Hands on what the store itself does not know."""

    repo: "Repo"
    root: str
    _other: Any = None
    _mutex = threading.Lock()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {name for one in cls.__mro__ if one.__module__.startswith("git_mlops.") for name in vars(one)}
        for name in dir(AbstractStore):
            known = getattr(AbstractStore, name)
            private = name.startswith("_") and name != "_delete_traces"
            if not (private or name in own or name in _OURS) and callable(known):
                setattr(cls, name, _handed_on(name))

    @property
    def database(self) -> Path:
        """MLflow's own store."""
        return self.repo.private / "mlflow.db"

    def genai(self) -> Any:
        """MLflow's own store, made when it is asked for; with our experiments in it."""
        with self._mutex:
            if self._other is None:
                self._other = self._opened()
        self._mirror()
        return self._other

    def _opened(self) -> Any:
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        self.database.parent.mkdir(parents=True, exist_ok=True)
        with self.database.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of two that make it at once, one fails
            return SqlAlchemyStore(f"sqlite:///{self.database}", self.root)

    def _mirror(self) -> None:
        """Traces name an experiment by its id: it must be there."""
        from mlflow.store.tracking.dbmodels.models import SqlExperiment

        wanted = {one.experiment_id: one for one in self.search_experiments(ViewType.ALL, 50_000)}
        with self._other.ManagedSessionMaker() as session:
            rows = {str(row.experiment_id): row for row in session.query(SqlExperiment)}
            for place in rows.keys() & wanted.keys():
                if rows[place].artifact_location != wanted[place].artifact_location:
                    rows[place].artifact_location = wanted[place].artifact_location  # served, or not
            for place in wanted.keys() - rows.keys():
                one = wanted[place]
                session.add(
                    SqlExperiment(
                        experiment_id=int(place),
                        name=one.name if int(place) else "Default",
                        artifact_location=one.artifact_location,
                        lifecycle_stage=one.lifecycle_stage,
                        creation_time=one.creation_time or 0,
                        last_update_time=one.last_update_time or 0,
                    )
                )


def _nothing(name: str) -> Any:
    if name == "search_traces":
        return [], None
    return [] if name.startswith(_LISTS) else PagedList([], None)


def _handed_on(name: str) -> Callable[..., Any]:
    def call(self: Delegating, *args: Any, **kwargs: Any) -> Any:
        if name.startswith(_EMPTY) and self._other is None and not self.database.exists():
            return _nothing(name)
        known = getattr(self.genai(), name, None)
        if known is None:
            raise MlflowNotImplementedException(f"git-mlops does not know `{name}`")
        try:
            return known(*args, **kwargs)
        except NotImplementedError as error:
            raise MlflowNotImplementedException(f"git-mlops does not know `{name}`: {error}") from error
        except MlflowException:
            raise

    call.__name__ = name
    return call
