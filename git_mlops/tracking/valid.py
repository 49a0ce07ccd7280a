"""What MLflow's stores refuse, in MLflow's words. Loaded by the entry points alone.

MLflow's own validators are private and change from version to version.
"""

import json
import logging
import numbers
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import DatasetInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

_NAME = re.compile(r"[/\w.\- :]*")
_URI = re.compile(r"[a-zA-Z][\w.+-]*:")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_LONGEST_KEY, _LONGEST_PARAM, _LONGEST_TAG, _LONGEST_EXPERIMENT = 250, 6000, 8000, 500
_LONGEST_MODEL, _LONGEST_MODEL_TAG = 256, 100_000
_MOST_METRICS, _MOST_OTHERS = 1000, 100
_LONGEST_DATASET = {"name": 500, "digest": 36, "source": 65535, "schema": 1048575, "profile": 16777215}
_CHARACTERS = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), "
    "colon(:) and slashes (/)."
)
_log = logging.getLogger(__name__)
_good: set[str] = set()
"""Names that were looked at: the same few come again and again."""


def refuse(text: str) -> MlflowException:
    """The error."""
    return MlflowException(text, INVALID_PARAMETER_VALUE)


def _invalid(path: str, value: object, why: str = "") -> MlflowException:
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return refuse(f"Invalid value {shown} for parameter '{path}' supplied{': ' + why if why else '.'}")


def _name(name: Any, path: str, label: str) -> None:
    if name in _good:
        return
    if name is None:
        raise _invalid(path, name, f"{label} cannot be None. A key name must be provided.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _invalid(path, name, _CHARACTERS)
    normal = posixpath.normpath(name)
    if normal != name or normal == "." or normal.startswith(("..", "/")):
        raise _invalid(
            path,
            name,
            "Names may be treated as files in certain cases, and must not resolve to other names when "
            f"treated as such. This name would resolve to {normal!r}",
        )
    _length(label, _LONGEST_KEY, name)
    if len(_good) < 100_000:
        _good.add(name)


def _length(label: str, limit: int, value: str | None) -> str:
    if len(value or "") > limit:
        raise refuse(f"'{label}' exceeds the maximum length of {limit} characters")
    return value or ""


def _truncated(label: str, limit: int, value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    if len(text) <= limit:
        return text
    from mlflow.environment_variables import MLFLOW_TRUNCATE_LONG_VALUES

    if not MLFLOW_TRUNCATE_LONG_VALUES.get():
        return _length(label, limit, text)
    _log.warning(
        "%s '%s...' (%d characters) is truncated to %d characters", label, text[:100], len(text), limit
    )
    return text[:limit]


def metric(one: Metric, path: str) -> None:
    """A value of a metric."""
    dot = f"{path}." if path else ""
    _name(one.key, f"{dot}name", "Metric name")
    if one.value is None:
        raise refuse(f"Missing value for required parameter '{dot}value'.")
    if isinstance(one.value, bool) or not isinstance(one.value, numbers.Number):
        why = f"(timestamp={one.timestamp}). Please specify value as a valid double (64-bit floating point)"
        raise _invalid(f"{dot}value", one.value, why)
    if not isinstance(one.timestamp, numbers.Number) or one.timestamp < 0:  # type: ignore[operator]  # a number
        raise _invalid(
            f"{dot}timestamp",
            one.timestamp,
            f"metric '{one.key}' (value={one.value}). Timestamp must be a nonnegative long (64-bit integer) ",
        )
    if not isinstance(one.step, numbers.Number):
        raise _invalid(
            f"{dot}step",
            one.step,
            f"metric '{one.key}' (value={one.value}). Step must be a valid long (64-bit integer).",
        )


def param(one: Param, path: str = "") -> Param:
    """A parameter, cut where it is too long."""
    _name(one.key, f"{path}.key" if path else "key", "Param key")
    return Param(one.key, _truncated("Param value", _LONGEST_PARAM, one.value))


def truncated_tag(one: RunTag, path: str = "") -> RunTag:
    """A tag, cut where it is too long."""
    _name(one.key, f"{path}.key" if path else "key", "key")
    return RunTag(one.key, _truncated("value", _LONGEST_TAG, one.value))


def tag(key: Any, value: Any) -> None:
    """A tag of an experiment or of a run that begins."""
    _name(key, "key", "key")
    _length("value", 20_000, value)


def batch(metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]) -> None:
    """A batch: what is in it, and how much."""
    for number, one in enumerate(metrics):
        metric(one, f"metrics[{number}]")
    for number, parameter in enumerate(params):
        _name(parameter.key, f"params[{number}].key", "Param key")
    for number, label in enumerate(tags):
        _name(label.key, f"tags[{number}].key", "key")
    total = len(metrics) + len(params) + len(tags)
    for what, limit, count in (
        ("metrics", _MOST_METRICS, len(metrics)),
        ("params", _MOST_OTHERS, len(params)),
        ("tags", _MOST_OTHERS, len(tags)),
        ("metrics, params, and tags", _MOST_METRICS, total),
    ):
        if count > limit:
            raise refuse(
                f"A batch logging request can contain at most {limit} {what}. Got {count} {what}. "
                f"Please split up {what} across multiple requests and try again."
            )
    keys = [one.key for one in params]
    if len(set(keys)) < len(keys):
        twice = [key for at, key in enumerate(keys) if key in keys[:at]]
        raise refuse(
            f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request contains "
            "only one param value per param key."
        )


def datasets(found: Sequence[DatasetInput]) -> None:
    """Inputs of a run."""
    for one in found:
        if one.dataset is None:
            raise refuse("Dataset cannot be None")
        for field in ("name", "digest", "source_type", "source"):
            if getattr(one.dataset, field) is None:
                raise refuse(f"Dataset {field} cannot be None")
        for field, limit in _LONGEST_DATASET.items():
            _length(field, limit, getattr(one.dataset, field))
        for label in one.tags or ():
            if label is None or label.key is None or label.value is None:
                raise refuse(f"InputTag {'key' if label and label.key is None else 'value'} cannot be None")
            _length("key", 255, label.key)
            _length("value", 500, label.value)


def run_id(value: Any) -> None:
    """A run's id."""
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        raise _invalid("run_id", value)


def experiment_name(name: Any) -> None:
    """An experiment's name."""
    if name is None or name == "":
        raise refuse(f"Invalid experiment name: '{name}'")
    if not isinstance(name, str):
        raise refuse(f"Invalid experiment name: {name}. Expects a string.")
    _length("name", _LONGEST_EXPERIMENT, name)


def location(given: Any) -> str:
    """Where an experiment's artifacts go: a path is of this machine, wherever it is read."""
    text = str(given).rstrip("/") or "/"
    if text.startswith("runs:"):
        raise refuse(f"Artifact location cannot be a runs:/ URI. Given: '{given}'")
    return text if _URI.match(text) else str(Path.cwd() / text)


def logged_model_name(name: str | None) -> None:
    """A logged model's name."""
    bad = ("/", ":", ".", "%", '"', "'")
    if name is not None and (not name or any(one in name for one in bad)):
        raise refuse(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot "
            f"contain the following characters: {bad}"
        )


def model_name(name: Any, path: str = "name") -> None:
    """A registered model's name; one in a directory of a monorepo, too."""
    if name is None or not str(name).strip():
        raise refuse(f"Missing value for required parameter '{path}'.")
    normal = posixpath.normpath(str(name))
    if normal != name or normal.startswith((".", "/")):
        raise _invalid(
            "name",
            name,
            "Names may be treated as files in certain cases, and must not resolve to other names when "
            f"treated as such. This name would resolve to {normal!r}",
        )
    _length("name", _LONGEST_MODEL, name)


def model_tag(key: Any, value: Any) -> None:
    """A tag of a registered model, or of a version."""
    _name(key, "key", "key")
    _length("key", _LONGEST_KEY, key)
    _length("value", _LONGEST_MODEL_TAG, value)


def most(value: Any, limit: int) -> None:
    """How many runs or experiments are asked for at once."""
    if isinstance(value, int) and value > limit:
        raise refuse(
            f"Invalid value {value} for parameter 'max_results' supplied. It must be at most {limit}"
        )
    max_results(value, limit)


def max_results(value: Any, most: int) -> None:
    """How many are asked for at once."""
    if not isinstance(value, int) or value < 1:
        why = f"Invalid value {value} for parameter 'max_results' supplied. It must be a positive integer"
        raise refuse(why)
    if value > most:
        raise refuse(
            f"Invalid value for request parameter max_results. It must be at most {most}, but got value "
            f"{value}"
        )
