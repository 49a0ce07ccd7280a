"""A model's file or directory as something that predicts. What is loaded may run code: see `source`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.serve.pyfunc import Pyfunc

Kind = Literal["mlflow", "pickle", "skops", "onnx"]

_PICKLES = (".pkl", ".pickle", ".joblib", ".jl", ".sav")
_SUFFIXES: dict[str, Kind] = {**dict.fromkeys(_PICKLES, "pickle"), ".skops": "skops", ".onnx": "onnx"}
_PACKED = (".gz", ".bz2", ".xz", ".z", ".lzma")


class Model(Protocol):
    """Whatever predicts."""

    features: tuple[str, ...]
    """What the model itself calls its inputs, in order; nothing where it does not say."""
    params: frozenset[str]
    """Parameters that it takes besides rows."""

    def predict(self, rows: Any, params: Mapping[str, object] | None = None) -> Any:
        """Of a pandas data frame, or a NumPy array."""


def kind_of(path: Path) -> tuple[Kind, Path]:
    """How a model is loaded, and the file or directory that counts.

    Raises:
        MlopsError: nobody knows how (3).
    """
    if (path / "MLmodel").is_file():
        return "mlflow", path
    if path.is_dir():
        known = [file for file in sorted(path.rglob("*")) if file.is_file() and _kind(file)]
        if len(known) == 1:
            return kind_of(known[0])
        message = f"`{path.name}` is a directory with {len(known)} model files and no `MLmodel`"
        raise MlopsError(message, hint="register the file: `--path FILE`", exit_code=CANNOT_EVALUATE)
    kind = _kind(path)
    if kind is None:
        raise MlopsError(
            f"`{path.name}` is no model that can be served",
            hint="MLflow's model directories, and files named .joblib, .pkl, .skops or .onnx are",
            exit_code=CANNOT_EVALUATE,
        )
    return kind, path


def _kind(file: Path) -> Kind | None:
    name = file.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return _SUFFIXES.get(Path(name).suffix)


def load(path: Path) -> Model:
    """Load it, code and all.

    Raises:
        MlopsError: it cannot be loaded (3).
    """
    kind, file = kind_of(path)
    try:
        return _LOADERS[kind](file)
    except MlopsError:
        raise
    except ImportError as error:
        raise MlopsError(
            f"the model needs `{error.name or error}`, which is not installed here",
            hint="use the environment that it was trained in (`git mlops model show` names it)",
            exit_code=CANNOT_EVALUATE,
        ) from error
    except Exception as error:  # whatever the model's own code raises
        said = f"{type(error).__name__}: {str(error).strip() or 'without a word'}".splitlines()[0]
        raise MlopsError(f"`{file.name}` cannot be loaded: {said}", exit_code=CANNOT_EVALUATE) from error


class _Estimator:
    """An object with `predict`."""

    def __init__(self, loaded: Any) -> None:
        if not callable(getattr(loaded, "predict", None)):
            message = f"what was loaded is a {type(loaded).__name__}, and has no `predict`"
            raise MlopsError(message, exit_code=CANNOT_EVALUATE)
        self._model = loaded
        names = getattr(loaded, "feature_names_in_", None)
        self.features = tuple(map(str, names)) if names is not None else ()
        # one that was fitted without names warns of each frame
        self._plain = names is None and hasattr(loaded, "n_features_in_")
        self.params: frozenset[str] = frozenset()

    def predict(self, rows: Any, params: Mapping[str, object] | None = None) -> Any:
        plain = self._plain and hasattr(rows, "to_numpy")
        return self._model.predict(rows.to_numpy() if plain else rows)


def _pickle(file: Path) -> Model:
    try:
        import joblib
    except ImportError:
        import pickle

        with file.open("rb") as stream:
            return _Estimator(pickle.load(stream))  # noqa: S301  # `source` has asked for trust
    return _Estimator(joblib.load(file))


def _skops(file: Path) -> Model:
    from skops import io

    return _Estimator(io.load(file, trusted=io.get_untrusted_types(file=file)))


class _Onnx:
    """A graph; one array, or one array per column."""

    def __init__(self, file: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        self._inputs = self._session.get_inputs()
        self.features = tuple(one.name for one in self._inputs) if len(self._inputs) > 1 else ()
        self.params: frozenset[str] = frozenset()

    def predict(self, rows: Any, params: Mapping[str, object] | None = None) -> Any:
        import numpy as np

        kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
        if len(self._inputs) > 1:
            given = {
                one.name: rows[one.name].to_numpy().reshape(-1, 1).astype(kinds.get(one.type, object))
                for one in self._inputs
            }
        else:
            (one,) = self._inputs
            given = {one.name: np.asarray(rows).astype(kinds.get(one.type, np.float32))}
        return self._session.run(None, given)[0]


_LOADERS: dict[Kind, Callable[[Path], Model]] = {
    "mlflow": Pyfunc,
    "pickle": _pickle,
    "skops": _skops,
    "onnx": _Onnx,
}
