"""MLflow's model directories through MLflow's own loader: the one place where serving needs MLflow."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from git_mlops import env
from git_mlops.errors import CANNOT_EVALUATE, MlopsError


class Pyfunc:
    """A model directory, loaded."""

    def __init__(self, folder: Path) -> None:
        """Import MLflow, and load.

        Raises:
            MlopsError: MLflow cannot (3).
        """
        env.change({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own parts that it will drop some day
            from mlflow.exceptions import MlflowException
            from mlflow.pyfunc import load_model

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                self._model = load_model(str(folder))
        except MlflowException as error:
            said = str(error).strip().splitlines()[0]
            raise MlopsError(f"MLflow cannot load the model: {said}", exit_code=CANNOT_EVALUATE) from error
        schema = self._model.metadata.get_params_schema()
        self.params = frozenset(param.name for param in schema.params) if schema is not None else frozenset()
        self.features: tuple[str, ...] = ()

    def predict(self, rows: Any, params: Mapping[str, object] | None = None) -> Any:
        """What the model says of a data frame or an array."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return self._model.predict(rows, params=dict(params) if params else None)
