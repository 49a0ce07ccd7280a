"""What MLflow loads: `MLFLOW_TRACKING_URI=git-mlops:` or `git-mlops:///path`. Entry points, tiny and lazy.

MLflow imports this module at its own start: nothing of MLflow may be imported here before it is asked for,
or the scheme would silently not be there.
"""

TYPE_CHECKING = False  # `typing` costs 12 ms
if TYPE_CHECKING:
    from typing import Any

SCHEME = "git-mlops"
SERVED = "_MLFLOW_SERVER_FILE_STORE"
"""MLflow's server tells its processes by this variable where runs are."""

_recorders: "dict[str, Any]" = {}


def tracking_store(store_uri: "str | None" = None, artifact_uri: "str | None" = None) -> "Any":
    """MLflow's tracking store; parameters as MLflow names them."""
    from git_mlops.tracking.store import Store

    return Store(_recorder(store_uri), artifact_uri)


def registry_store(store_uri: "str | None" = None, tracking_uri: "str | None" = None) -> "Any":
    """MLflow's model registry; parameters as MLflow names them."""
    from git_mlops import config
    from git_mlops.git.trust import Trust
    from git_mlops.models.context import Context
    from git_mlops.tracking.registry_store import Registry

    recorder = _recorder(store_uri or tracking_uri)
    settings = config.load(recorder.repo).config

    def trust() -> Trust | None:
        file = recorder.repo.root / settings.verdicts.signers
        gpg = tuple(key.replace(" ", "").upper() for key in settings.verdicts.gpg)
        if file.is_file():
            return Trust(file.read_bytes(), gpg)
        return Trust(gpg=gpg) if gpg else None

    context = Context(settings.models, settings.experiments, settings.schemas, trust)
    return Registry(recorder, context)


def artifact_repository(
    artifact_uri: str, tracking_uri: "str | None" = None, registry_uri: "str | None" = None
) -> "Any":
    """MLflow's artifact repository; parameters as MLflow names them."""
    del registry_uri
    from git_mlops.tracking.files import Artifacts

    return Artifacts(artifact_uri, _recorder(tracking_uri or _in_force()), tracking_uri)


def _in_force() -> "str | None":
    import mlflow

    uri = mlflow.get_tracking_uri()
    return uri if isinstance(uri, str) and uri.startswith(f"{SCHEME}:") else None


def _recorder(uri: "str | None") -> "Any":
    """One for each repository of this process, whoever asks.

    `git-mlops:` alone is the repository that the process stood in when it asked first, as for MLflow, which
    keeps its store: code that changes the directory goes on in the same one.
    """
    from mlflow.exceptions import MlflowException

    from git_mlops import config, env
    from git_mlops.errors import MlopsError
    from git_mlops.git.repo import discover
    from git_mlops.tracking.recorder import Recorder

    served = env.get(SERVED) or ""
    if (uri is None or not uri.startswith(f"{SCHEME}:")) and served.startswith(f"{SCHEME}:"):
        uri = served
    place = _place(uri)
    if place in _recorders:
        return _recorders[place]
    try:
        repo = discover(place)
        known = _recorders.get(str(repo.root))
        if known is None:
            settings = config.load(repo).config
            known = Recorder(repo, settings.experiments, settings.data, served=bool(served))
            _recorders[str(repo.root)] = known
    except MlopsError as error:
        raise MlflowException(f"{error}{f' ({error.hint})' if error.hint else ''}") from error
    if place == ".":
        _recorders[place] = known
    return known


def _place(uri: "str | None") -> str:
    """The directory that a URI names: after `git-mlops://`, or here."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(uri or "")
    return unquote(f"{parts.netloc}{parts.path}") or "."
