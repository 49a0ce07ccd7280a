"""Make data/texts.csv, once: what NumPy, pandas, SciPy and scikit-learn say of their functions.

Replace this file and the table by your own data; then let `git mlops schema infer` draft the schema.
"""

import importlib
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from project import TOP

PATH = Path("data/texts.csv")
WHERE = {
    "numpy": ["numpy", "numpy.fft", "numpy.linalg", "numpy.polynomial.polynomial", "numpy.ma"],
    "pandas": ["pandas", "pandas.DataFrame", "pandas.Series", "pandas.Timestamp", "pandas.api.types"],
    "scipy": ["scipy.signal", "scipy.stats", "scipy.optimize", "scipy.linalg", "scipy.interpolate"],
    "sklearn": [
        *("sklearn.cluster", "sklearn.datasets", "sklearn.decomposition", "sklearn.ensemble"),
        *("sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection", "sklearn.preprocessing"),
    ],
}
NAMES = re.compile(r"\b(numpy|np|pandas|pd|scipy|sp|scikit-learn|scikit|sklearn)\b", re.IGNORECASE)


def table() -> pd.DataFrame:
    """One row per function, method or class, with `name` as key and `package` as label."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are deprecated
        rows = [row for package, places in WHERE.items() for place in places for row in _rows(package, place)]
    texts = pd.DataFrame(rows, columns=["name", "text", "package"])
    lengths = texts["text"].str.len().between(20, 2000)
    once = ~texts["text"].duplicated(keep=False)  # who says the same as another is told apart by nobody
    return texts[lengths & once].sort_values("name", ignore_index=True)


def _rows(package: str, place: str) -> Iterator[tuple[str, str, str]]:
    module, _, last = place.rpartition(".")
    is_class = last[:1].isupper()
    found = getattr(importlib.import_module(module), last) if is_class else importlib.import_module(place)
    for name in sorted(set(dir(found))):
        thing = getattr(found, name, None)
        if not name.startswith("_") and callable(thing):
            yield f"{place}.{name}", _first_paragraphs(inspect.getdoc(thing) or ""), package


def _first_paragraphs(text: str) -> str:
    """Up to the first heading, on one line, without a signature and without names of packages."""
    before = re.split(r"\n[^\n]*\n-{3,}", text)[0]
    before = re.sub(r"\A\w+\([^)]*\)[^\n]*\n", "", before)
    return NAMES.sub("…", " ".join(before.split()))


if __name__ == "__main__":
    (TOP / PATH).parent.mkdir(exist_ok=True)
    table().to_csv(TOP / PATH, index=False, lineterminator="\n")
    print(f"wrote {PATH}")
