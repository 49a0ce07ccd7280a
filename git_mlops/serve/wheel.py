"""A model as a wheel: `import churn_model; churn_model.load().predict(rows)`. Holds no code of ours."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path

from git_mlops.data import hashes
from git_mlops.errors import MlopsError
from git_mlops.serve import container
from git_mlops.serve.load import Kind
from git_mlops.serve.loaded import Source

_LOADERS: dict[Kind, tuple[str, tuple[str, ...]]] = {
    "mlflow": ("from mlflow.pyfunc import load_model\n\n    return load_model(str(PATH))", ("mlflow",)),
    "pickle": ("import joblib\n\n    return joblib.load(PATH)", ("joblib", "scikit-learn")),
    "skops": (
        "from skops import io\n\n    return io.load(PATH, trusted=io.get_untrusted_types(file=PATH))",
        ("skops", "scikit-learn"),
    ),
    "onnx": (
        "import onnxruntime\n\n    return onnxruntime.InferenceSession(str(PATH))",
        ("onnxruntime",),
    ),
}
_BEFORE = re.compile(r"(?P<main>\d+\.\d+\.\d+)(?:-(?P<word>alpha|beta|rc|a|b)\.?(?P<number>\d*))?")


_WHEEL = b"Wheel-Version: 1.0\nGenerator: git-mlops\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def package(name: str) -> str:
    """What is imported."""
    return f"{re.sub('[^a-z0-9]+', '_', name.lower()).strip('_')}_model"


def filename(found: Source) -> str:
    """Of the wheel."""
    return f"{package(found.name)}-{_version(found)}-py3-none-any.whl"


def record(found: Source) -> str:
    """Where its list of files is."""
    return f"{package(found.name)}-{_version(found)}.dist-info/RECORD"


def _version(found: Source) -> str:
    """A semantic version as Python has them."""
    said = str(found.version).removeprefix("v").partition("+")[0]
    match = _BEFORE.fullmatch(said)
    if match is None:
        raise MlopsError(
            f"{found.label} cannot be the version of a wheel", hint="`-alpha.1`, `-beta.1` and `-rc.1` can"
        )
    short = {"alpha": "a", "beta": "b"}.get(match["word"] or "", match["word"] or "")
    return match["main"] + (f"{short}{match['number'] or 0}" if short else "")


def texts(
    found: Source, facts: Mapping[str, object], packages: Mapping[str, str], kind: Kind
) -> dict[str, bytes]:
    """All files but the model's own and the list of files."""
    name, version = package(found.name), _version(found)
    loading, needed = _LOADERS[kind]
    exact = [f"{one}=={packages[one]}" for one in needed if re.fullmatch(r"[\w.!+]+", packages.get(one, ""))]
    required = "".join(f"Requires-Dist: {one}\n" for one in exact)
    info = f"{name}-{version}.dist-info"
    return {
        f"{name}/__init__.py": f'''\
"""{found.label}, commit {found.commit}. Loading it may run what it says."""

from pathlib import Path
from typing import Any

VERSION = {json.dumps(found.version)}
PATH = Path(__file__).parent / {json.dumps(facts["path"])}


def load() -> Any:
    """The model."""
    {loading}
'''.encode(),
        f"{name}/{container.FILE}": f"{json.dumps(facts, indent=1, ensure_ascii=False)}\n".encode(),
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
            f"Summary: The model {found.label}, commit {found.commit}\n{required}"
        ).encode(),
        f"{info}/WHEEL": _WHEEL,
    }


def recorded(folder: Path, found: Source) -> str:
    """The list of files, with their hashes."""
    lines = []
    for name in sorted(hashes.walk(folder)):
        digest = bytes.fromhex(container.sha256(folder / name))
        text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        lines.append(f"{name},sha256={text},{(folder / name).stat().st_size}\n")
    return "".join([*lines, f"{record(found)},,\n"])
