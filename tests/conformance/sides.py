"""Two stores asked the same: ours and MLflow's SQLite; what they answer, as plain text without their ids."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

ADA = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))
}
_TIMES = ("creation_time", "creation_timestamp", "last_update_time", "last_updated_timestamp")
_OWN = {
    *_TIMES,
    "artifact_location",
    "artifact_uri",
    "user_id",
    "status_message",
    "workspace",
    "trace_location",
}
"""What differs by design, or by the clock."""


class Side:
    """One of the two: its stores, and its ids by the names that the calls give them."""

    def __init__(self, name: str, uri: str, artifacts: str | None = None) -> None:
        from mlflow.tracking._model_registry.utils import _get_store as registry
        from mlflow.tracking._tracking_service.utils import _get_store as tracking

        self.name, self.uri = name, uri
        self.tracking: Any = tracking(uri, artifacts)
        self.registry: Any = registry(uri, uri)
        self.ids: dict[str, str] = {}
        self.server = ""
        """Where its server listens."""

    def __getitem__(self, name: str) -> str:
        return self.ids[name]

    def text(self, value: object) -> str:
        """What was answered, ids by their names."""
        text = json.dumps(plain(value), default=str, sort_keys=True, ensure_ascii=False)
        for name, id_ in sorted(self.ids.items(), key=lambda pair: -len(pair[1])):
            if len(id_) > 3:
                text = text.replace(id_, f"<{name}>")
            else:  # SQLite counts its experiments
                text = re.sub(rf'("experiment_id": )"{id_}"', rf'\1"<{name}>"', text)
                text = re.sub(rf"\b(id[= ]|experiment ){id_}\b", rf"\1<{name}>", text)
        return re.sub(r" Error: \((raised as|sqlite3).*", '"', text)


Call = Callable[[Side], object]


class Difference(NamedTuple):
    """A call that is answered otherwise."""

    label: str
    ours: str
    theirs: str


class Both:
    """The two, and what differed so far."""

    def __init__(self, base: Path) -> None:
        repo = base / "repo"
        subprocess.run(["git", "init", "-q", str(repo)], check=True)
        commit = ["git", "-C", str(repo), "commit", "-q", "--allow-empty", "-m", "first"]
        subprocess.run(commit, check=True, env=os.environ | ADA)
        self.base = base
        theirs = Side("sqlite", f"sqlite:///{base / 'mlflow.db'}", (base / "mlruns").as_uri())
        self.sides = (Side("git-mlops", f"git-mlops://{repo}"), theirs)
        self.calls = 0
        self.differences: list[Difference] = []

    def ask(self, label: str, call: Call, keep: str = "") -> None:
        """One call on both; `keep` names the id that it answers."""
        self.calls += 1
        ours, theirs = (self._answer(side, call, keep) for side in self.sides)
        if ours != theirs:
            self.differences.append(Difference(label, ours, theirs))

    def each(self, label: str, values: Iterable[Any], call: Callable[[Side, Any], object]) -> None:
        """A call with each of some values."""
        for value in values:
            self.ask(f"{label} {value!r}"[:90], lambda side, value=value: call(side, value))  # type: ignore[misc]

    def _answer(self, side: Side, call: Call, keep: str) -> str:
        from mlflow.exceptions import MlflowException

        try:
            found = call(side)
        except MlflowException as error:
            return side.text(f"{error.error_code}: {error.message}")
        except Exception as error:  # noqa: BLE001  # whatever it is, both must raise it
            return f"{type(error).__name__}: {error}"
        if keep:
            side.ids[keep] = _id(found)
            return f"{side.text(found) if hasattr(found, '__dict__') else 'an id'}"
        token = f" token:{bool(getattr(found, 'token', None))}"
        return side.text(found) + token


def _id(found: Any) -> str:
    info = getattr(found, "info", None)
    return str(info.run_id if info is not None else getattr(found, "model_id", found))


def plain(value: object) -> object:
    """Entities as dictionaries, without times and places."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items() if key not in _OWN and one is not None}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    known = {name.lstrip("_"): one for name, one in vars(value).items()} if hasattr(value, "__dict__") else {}
    if not getattr(known.get("outputs"), "model_outputs", True):  # nothing, in two ways
        del known["outputs"]
    return plain(known) if known else str(value)
