"""What a killed recorder's run had tracked, added to the commit that its journal holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import (
    artifacts,
    code,
    documents,
    message,
    snapshot,
    tracked,
    tree,
    values,
    worktree,
)
from git_mlops.experiments.documents import DocumentError
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.record import RecordError, format_record, parse_record
from git_mlops.experiments.snapshot import with_files
from git_mlops.experiments.tracked import Tracked
from git_mlops.experiments.tree import Contents, Trees
from git_mlops.git import objects
from git_mlops.git.objects import Entry
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo


def rescued(repo: Repo, held: str, place: Path, name: str, left: Repo | None = None) -> str:
    """The commit `held`, with what is in the folder `place`; itself where there is nothing.

    No ref moves, and the folder stays: two processes may do this at once.

    Args:
        name: the experiment's.
        left: the run's own worktree, with all it had written.
    """
    found = tracked.collect(place)
    logged, _notes = artifacts.files(repo, found.artifacts, DataSettings().size_limit)
    logged |= artifacts.with_models(repo, found.models, DataSettings().size_limit, found.facts)[0]
    if not (found.metrics or found.params or logged or left or found.facts):
        return held
    head, _, said = repo.text("cat-file", "commit", held).partition("\n\n")
    words = [line.split(" ") for line in head.splitlines()]
    root = next(line[1] for line in words if line[0] == "tree")
    parents = [line[1] for line in words if line[0] == "parent"]
    with reader(repo) as objects_:
        trees = Trees(objects_)
        contents = tree.contents(trees, [root])[root]
        files = _files(trees, root)
        written: list[str] = []
        if left is not None:
            root, written = _left(left, trees, root)
        entries = trees.entries(root)
        inner = trees.entries(entries[".mlops"].oid) if ".mlops" in entries else {}
    made, metrics, _params = _made(found, contents)
    files |= {**made, **logged}
    files["record.json"] = _record(files.get("record.json", b"{}"), made, written, found.facts)
    files["dvc.yaml"] = _declaration(files.get("dvc.yaml", b""), made)
    whole = with_files(repo, entries, inner, files)
    title = message.title(name, metrics)
    return objects.commit_tree(repo, whole, parents, "\n".join([title, *said.split("\n")[1:]]) + "\n")


def _left(place: Repo, trees: Trees, root: str) -> tuple[str, list[str]]:
    """The tree of a worktree as a run left it, with the code of its start, and what the run wrote."""
    settings = DataSettings()
    layout = tree.contents(trees, [root])[root].layout
    mine = [entry for entry in trees.files(root) if not entry.path.startswith(RUN)]
    try:
        worktree.keep(place, settings)
        whole = snapshot.take(place, settings, keep=code.fixed(mine, layout, ())).tree
    except (MlopsError, OSError):
        return root, []
    paths = place.paths("diff-tree", "-r", "-z", "--no-renames", "--name-only", root, whole)
    return whole, [path for path in paths if not path.startswith(RUN)]


def _files(trees: Trees, root: str) -> dict[str, bytes]:
    """The run's files as the journal's commit has them."""
    below: list[Entry] = list(trees.files(root, RUN[:-1]))
    texts = trees.reader.read(entry.oid for entry in below)
    return {e.path.removeprefix(RUN): texts[e.oid].content or b"" for e in below if e.oid in texts}


def _made(
    found: Tracked, contents: Contents
) -> tuple[dict[str, bytes], dict[str, object], dict[str, object]]:
    """Metrics files of the project are all older than the run: they leave nothing out."""
    return tracked.files(found, {}, (), values.labelled(contents.values.params))


def _record(
    content: bytes, made: Mapping[str, bytes], written: Sequence[str], facts: Mapping[str, object]
) -> bytes:
    """record.json: the metrics that were rescued are not older than the run."""
    try:
        record = parse_record(content)
    except RecordError:
        return content
    mine = {RUN + name for name in made}
    older = [path for path in record.metrics_not_written or [] if path not in mine]
    extra = {**record.extra, **({"written": list(written)} if written else {})}
    extra |= {"mlflow": dict(facts)} if facts else {}
    return format_record(record._replace(metrics_not_written=older or None, extra=extra))


def _declaration(content: bytes, made: Mapping[str, bytes]) -> bytes:
    try:
        old = documents.load("dvc.yaml", content)
    except DocumentError:
        old = None
    said: dict[str, list[object]] = {k: list(v) for k, v in old.items()} if isinstance(old, dict) else {}
    for kind, file in (("metrics", "metrics.json"), ("params", "params.yaml")):
        if file in made:
            said[kind] = [*(one for one in said.get(kind, []) if one != file), file]
    if any(name.startswith("plots/") for name in made):
        said["plots"] = [tracked.PLOTS]
    return yaml.safe_dump(said, allow_unicode=True).encode()
