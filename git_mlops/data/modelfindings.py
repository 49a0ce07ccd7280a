"""What is found in a model file, as findings with the format that runs nothing."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from git_mlops.data import imports, modelscan
from git_mlops.data.modelscan import Scanned
from git_mlops.data.pickles import Import
from git_mlops.findings import Finding, Level

RULE = "model-code"
_SHOWN = 5
_SAFER = (
    (("sklearn", "imblearn"), "`skops.io.dump` keeps scikit-learn models without code"),
    (("torch", "torchvision", "transformers", "sentence_transformers"),
     "`safetensors.torch.save_file` keeps weights without code"),
    (("xgboost",), "`save_model('model.ubj')` keeps it without a pickle"),
    (("lightgbm",), "`booster_.save_model('model.txt')` keeps it without a pickle"),
    (("catboost",), "`save_model('model.cbm')` keeps it without a pickle"),
    (("pandas", "polars", "pyarrow"), "`to_parquet` keeps tables without code"),
    (("numpy", "joblib"), "`numpy.save(…, allow_pickle=False)` or safetensors keep arrays without code"),
)  # fmt: skip
_OTHERWISE = "ONNX, skops and safetensors keep models without code"


def of_file(file: Path, name: str, trusted: Sequence[str] = ()) -> list[Finding]:
    """What loading the file would run.

    Args:
        name: its path in the repository.
        trusted: patterns of imports that the project vouches for.
    """
    try:
        return list(_findings(modelscan.scan(file, name), trusted))
    except OSError as error:
        return [Finding(RULE, "unknown", f"cannot be read: {error.strerror or error}")]


def of_bytes(content: bytes, name: str, trusted: Sequence[str] = ()) -> list[Finding]:
    """The same of what is in memory."""
    return list(_findings(modelscan.scan_bytes(content, name), trusted))


def _findings(found: Scanned, trusted: Sequence[str]) -> Iterator[Finding]:
    judged = {each: imports.judge(each, trusted) for each in found.imports}
    dangerous = [each for each, danger in judged.items() if danger == "dangerous"]
    hidden = [each for each in found.hidden if imports.judge(each, trusted) == "dangerous"]
    unknown = [each for each, danger in judged.items() if danger == "unknown"]
    safer = _safer(found.imports)
    if dangerous:
        yield _said("error", "loading it can run {}", dangerous, f"do not load it; {safer}")
    if hidden:
        yield _said("error", "in it, where not every reader looks, is {}", hidden, f"do not load it; {safer}")
    if found.code:
        hint = "a layer class that is registered by name, or ONNX, keeps the model without code"
        yield Finding(RULE, "error", f"loading it can run {', '.join(found.code)}", hint=hint)
    if unknown:
        hint = f"list what you trust under `data.model_imports` in mlops.yaml; {safer}"
        yield _said("warning", "loading it imports {}, which may run anything", unknown, hint)
    if found.problem:
        yield Finding(RULE, "unknown", f"{found.problem}; not all of it was looked at", hint=safer)
    elif found.kind and not (dangerous or hidden or found.code or unknown):
        message = f"loading it runs what it says ({found.kind}); it imports nothing but the usual"
        yield Finding(RULE, "note", message, hint=safer, data={"imports": len(found.imports)})


def _said(level: Level, sentence: str, found: Sequence[Import], hint: str) -> Finding:
    names = [str(each) for each in found]
    shown = ", ".join(
        f"`{name}`" if each.module else name
        for name, each in zip(names, found, strict=True)
        if name in names[:_SHOWN]
    )
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Finding(RULE, level, sentence.format(shown + more), hint=hint, data={"imports": names[:100]})


def _safer(found: Iterable[Import]) -> str:
    tops = {each.module.partition(".")[0] for each in found}
    return next((hint for names, hint in _SAFER if tops & set(names)), _OTHERWISE)
