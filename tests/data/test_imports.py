"""Which imports of a pickle are harmless: the models of the usual libraries raise nothing."""

import io
import pickle
import warnings
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.utils import all_estimators

from git_mlops.data.imports import judge
from git_mlops.data.modelscan import scan_bytes
from git_mlops.data.pickles import COMPUTED, Import


def fitted() -> list[Any]:
    """Every estimator of scikit-learn that takes the iris table as it is; the slow ones left out."""
    features, target = (table[::4] for table in load_iris(return_X_y=True, as_frame=True))
    found = []
    for name, kind in all_estimators():
        if "CV" in name or name in ("TSNE", "MDS", "MLPClassifier", "MLPRegressor", "DictionaryLearning"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found.append(kind().fit(features, target))
            except (TypeError, ValueError, AttributeError):
                continue
    return found


@pytest.mark.slow
def test_models_of_scikit_learn_raise_nothing() -> None:
    models = fitted()
    assert len(models) > 100
    said = []
    for model in models:
        joined = io.BytesIO()
        joblib.dump(model, joined)
        for content in (pickle.dumps(model), joined.getvalue()):
            found = scan_bytes(content, "m.pkl")
            bad = [str(each) for each in found.imports if judge(each) != "known"]
            hidden = [str(each) for each in found.hidden if judge(each) == "dangerous"]
            said += (
                [(type(model).__name__, bad, hidden, found.problem)] if bad or hidden or found.problem else []
            )
    assert said == []


@pytest.mark.parametrize(
    ("name", "danger"),
    [
        ("os system", "dangerous"),
        ("posix popen", "dangerous"),
        ("subprocess Popen", "dangerous"),
        ("builtins exec", "dangerous"),
        ("builtins getattr", "dangerous"),
        ("__builtin__ eval", "dangerous"),
        ("builtins set", "known"),
        ("builtins ValueError", "known"),
        ("builtins print", "unknown"),
        ("operator attrgetter", "dangerous"),
        ("operator mul", "known"),
        ("importlib import_module", "dangerous"),
        ("sklearn.base os.system", "dangerous"),
        ("numpy.testing._private.utils runstring", "dangerous"),
        ("torch.hub load", "dangerous"),
        ("torch.storage _load_from_bytes", "known"),
        ("torch._utils _rebuild_tensor_v2", "known"),
        ("torch FloatStorage", "known"),
        ("collections OrderedDict", "known"),
        ("joblib load", "dangerous"),
        ("pandas.io.pickle read_pickle", "dangerous"),
        ("pandas.core.frame DataFrame", "known"),
        ("pandas.core.frame DataFrame.to_csv", "unknown"),
        ("xgboost.core Booster", "known"),
        ("lightgbm.sklearn LGBMClassifier", "known"),
        ("cloudpickle.cloudpickle _make_function", "dangerous"),
        ("mycompany.models Model", "unknown"),
        ("__main__ Model", "unknown"),
    ],
)
def test_an_import_is_judged(name: str, danger: str) -> None:
    module, _, member = name.partition(" ")
    assert judge(Import(module, member)) == danger


def test_what_the_project_vouches_for_is_known_but_never_a_computed_name() -> None:
    assert judge(Import("mycompany.models", "Model"), ["mycompany.*"]) == "known"
    assert judge(COMPUTED, ["*"]) == "dangerous"
