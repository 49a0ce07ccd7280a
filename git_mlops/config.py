"""Configuration: mlops.yaml, then `git config mlops.*`, then `MLOPS_*`; flags come on top in the CLI.

This file alone knows where settings come from. Features get plain values.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_origin, get_type_hints

from git_mlops import CONFIG, env
from git_mlops.checks.settings import Gates, Levels
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.decode import DecodeError, decode, from_text, json_schema
from git_mlops.errors import MlopsError
from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.findings import Finding
from git_mlops.git import config as git_config
from git_mlops.git.repo import Repo
from git_mlops.governance import settings as governance
from git_mlops.governance.settings import Settings as GovernanceSettings
from git_mlops.models import retraining
from git_mlops.models import settings as models
from git_mlops.models.retraining import Settings as RetrainSettings
from git_mlops.models.settings import Settings as ModelSettings
from git_mlops.monitor import settings as monitoring
from git_mlops.monitor.settings import Settings as MonitorSettings
from git_mlops.nesting import too_deep
from git_mlops.reports.settings import Settings as ReportSettings
from git_mlops.scaffold.settings import Settings as CiSettings
from git_mlops.schema.settings import Bindings, Verdicts
from git_mlops.serve.settings import Settings as ServeSettings
from git_mlops.tables import forms
from git_mlops.tables.settings import Folders, Forms, Tables

FILE = CONFIG
MINIMAL = "version: 1\n"


class Config(NamedTuple):
    """Every feature's settings. A minimal file is `version: 1`."""

    version: Literal[1] = 1
    data: DataSettings = DataSettings()
    forms: Forms = {}  # noqa: RUF012  # as below
    schemas: Bindings = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    tables: Tables = {}  # noqa: RUF012  # as above
    folders: Folders = {}  # noqa: RUF012  # as above
    experiments: ExperimentSettings = ExperimentSettings()
    gates: Gates = {}  # noqa: RUF012  # as above
    verdicts: Verdicts = Verdicts()
    models: ModelSettings = ModelSettings()
    serve: ServeSettings = ServeSettings()
    monitor: MonitorSettings = MonitorSettings()
    report: ReportSettings = ReportSettings()
    retrain: RetrainSettings = RetrainSettings()
    governance: GovernanceSettings = GovernanceSettings()
    checks: Levels = {}  # noqa: RUF012  # as above
    ci: CiSettings = CiSettings()


class Loaded(NamedTuple):
    """The settings in force, and where each that is no default came from."""

    config: Config
    sources: dict[str, str]
    """Dotted key → `mlops.yaml`, `git config mlops.data.remote (local)` or `MLOPS_DATA_REMOTE`."""


def parse(content: bytes) -> Config:
    """A mlops.yaml.

    Raises:
        DecodeError: not YAML, an unknown key, a wrong value, or a version of a later git-mlops.
    """
    values_ = values(content)
    if not isinstance(values_, dict):
        raise DecodeError("", "expected a mapping that starts with `version: 1`")
    if "version" not in values_:
        raise DecodeError("version", "is missing", hint="add the line `version: 1`")
    config = decode(Config, values_)
    forms.checked(config.forms)
    models.checked(config.models)
    retraining.checked(config.retrain)
    monitoring.checked(config.monitor)
    governance.checked(config.governance)
    return config


_SMALL, _DEEPEST = 2000, 50


def values(content: bytes) -> Any:
    """What a mlops.yaml holds, right or not: by a safe loader, in C where there is one.

    Late: without a mlops.yaml it takes no import.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        deep = len(content) > _SMALL and too_deep(content, _DEEPEST)
        found = None if deep else yaml.load(content, Loader=loader)  # noqa: S506  # a safe one
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise DecodeError("", f"not valid YAML{where}: {getattr(error, 'problem', None) or error}") from error
    if deep:
        raise DecodeError("", "it nests too deeply")
    return found


def problems(content: bytes) -> Iterator[Finding]:
    """What is wrong with a mlops.yaml, as findings of the rule `config-valid`."""
    from git_mlops.checks.contradictions import contradictions

    try:
        wrong = [*contradictions(parse(content))]
    except DecodeError as error:
        wrong = [error]
    for one in wrong:
        yield Finding("config-valid", "error", str(one), path=FILE, hint=one.hint)


def load(repo: Repo, content: bytes | None = None, *, judging: bool = True) -> Loaded:
    """The settings in force: of the workspace's mlops.yaml, or of `content` (the staged or a commit's file).

    Args:
        repo: whose git config counts, too.
        content: a mlops.yaml in place of the workspace's.
        judging: whether tables are read by it: how they are written (`forms:`) is in force from here on for
            the whole process. False for a file that is asked for something else.

    Raises:
        MlopsError: the file, git config or a variable holds a bad value (exit code 2).
    """
    if content is None:
        content = _read(repo.root / FILE)
    try:
        config = parse(content) if content is not None else Config()
        sources = dict.fromkeys(_keys(content), FILE)
        for source, section, name, text in _private(repo):
            config = _override(config, (section, name), text, source)
            sources[f"{section}.{name}"] = source
    except DecodeError as error:
        raise MlopsError(f"{FILE}: {error}", hint=error.hint) from error
    if judging:
        forms.declare(config.forms)
    return Loaded(config, sources)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MlopsError(f"cannot read {path.name}: {error.strerror}") from error


def _keys(content: bytes | None) -> list[str]:
    found = values(content) if content else {}
    sections = {key: value for key, value in found.items() if isinstance(value, dict) and key in _sections()}
    return [*found, *(f"{section}.{name}" for section, inner in sections.items() for name in inner)]


def _private(repo: Repo) -> Iterator[tuple[str, str, str, str]]:
    """Private preferences in order of precedence: (source, section, name, text)."""
    known = {(s, name): None for s, kind in _sections().items() for name in kind._fields}
    plain = {(section, name.replace("_", "")): (section, name) for section, name in known}
    for key, setting in git_config.read(repo, git_config.OURS).items():
        section, _, name = key.removeprefix("mlops.").partition(".")
        if (section, name) in plain:
            yield (f"git config {key} ({setting.scope})", *plain[section, name], setting.value)
    for section, name in known:
        variable = f"MLOPS_{section}_{name}".upper()
        if (value := env.get(variable)) is not None:
            yield variable, section, name, value


def _sections() -> dict[str, Any]:
    """The sections with fixed keys; only their plain values can be set from outside the file."""
    return {name: kind for name, kind in get_type_hints(Config).items() if hasattr(kind, "_fields")}


def _override(config: Config, key: tuple[str, str], text: str, source: str) -> Config:
    section, name = key
    settings: Any = getattr(config, section)
    kind = get_type_hints(type(settings))[name]
    if get_origin(kind) is dict:
        raise DecodeError(f"{section}.{name}", "can only be set in mlops.yaml")
    try:
        value = from_text(kind, text, f"{section}.{name}")
    except DecodeError as error:
        raise DecodeError("", f"{source}: {error}", hint=error.hint) from error
    return config._replace(**{section: settings._replace(**{name: value})})


def shown(loaded: Loaded) -> list[tuple[str, object, str]]:
    """Every setting as (dotted key, plain value, source), in the order of the file."""
    rows: list[tuple[str, object, str]] = []
    for section, value in loaded.config._asdict().items():
        inner = value._asdict() if hasattr(value, "_asdict") else {None: value}
        for name, setting in inner.items():
            key = f"{section}.{name}" if name else section
            rows.append((key, _plain(setting), loaded.sources.get(key, "default")))
    return rows


def _plain(value: object) -> object:
    """With the names of what has names."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(inner) for name, inner in value._asdict().items()}
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def schema() -> dict[str, object]:
    """The JSON Schema of mlops.yaml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mlops.yaml, the configuration of git-mlops",
        **json_schema(Config),
        "required": ["version"],
    }
