"""What the content of a commit came to: the result recorded for the same code, data and parameters.

It is found wherever it was recorded: history may have been amended, rebased or squashed since. Where nobody
recorded one, the metrics files that the commit itself holds are all there is.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from git_mlops.experiments import names, read, tree, verify
from git_mlops.experiments.parts import Parts, of_tree
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import PATH, RecordError, parse_record
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.experiments.values import labelled
from git_mlops.git.reader import Reader, reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo


class Result(NamedTuple):
    """One commit's result."""

    commit: str
    parts: Parts
    metrics: Mapping[str, object]
    params: Mapping[str, object]
    experiment: Experiment | None = None
    """None: nobody recorded one of this content; the metrics are those of files in the commit, if any."""
    spread: Mapping[str, float] = {}
    """Metric → how far apart results of this same content lie: its noise, where it was run more than once."""
    failed: str | None = None
    """An experiment of this content that did not finish, where none did."""


def of(repo: Repo, commit: str, settings: Settings) -> Result:
    """The result of one commit's content."""
    with reader(repo) as objects:
        known = read.commits(objects, [commit])[commit]
        parts = of_tree(objects, known.tree, settings)
        near, far = _placed(read.all_refs(repo), {commit, *known.parents})
        found = same(objects, near, parts) or same(objects, far, parts)
        contents = tree.contents(Trees(objects), [known.tree], settings.params)[known.tree]
    metrics, params = labelled(contents.values.metrics), labelled(contents.values.params)
    experiments = [one for one in read.load(repo, found, settings) if not one.unadded]
    if ended := finished(experiments):
        newest = max(ended, key=lambda one: (one.time, one.ref))
        return Result(commit, parts, newest.metrics, newest.params, newest, _spread(repo, ended))
    failed = next((one.name for one in experiments), None)
    return Result(commit, parts, metrics, params, failed=failed)


def finished(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Those that ended well and wrote their own record: in DVC's a record is another one's."""
    return [one for one in experiments if one.status == "finished" and one.commit.message.version is not None]


def _placed(found: Iterable[Ref], baselines: set[str]) -> tuple[list[Ref], list[Ref]]:
    """Those recorded at a commit or at its parents, and the others."""
    near: list[Ref] = []
    far: list[Ref] = []
    for ref in found:
        place = names.parse_ref(ref.name)
        (near if place and place.baseline in baselines else far).append(ref)
    return near, far


def same(objects: Reader, found: Sequence[Ref], parts: Parts) -> list[Ref]:
    """Of some experiments those that recorded exactly this code, data and parameters."""
    files = {ref: f"{ref.oid}:{PATH}" for ref in found}
    answers = objects.read(files.values())
    texts = {ref: answers[name].content or b"" for ref, name in files.items() if name in answers}
    return [ref for ref, text in texts.items() if parts.code.encode() in text and recorded(text) == parts]


def recorded(content: bytes) -> Parts | None:
    """The parts that a record.json names."""
    try:
        found: Mapping[str, str] = parse_record(content).key or {}
    except RecordError:
        return None
    return Parts(*(found.get(part, "") for part in Parts._fields))


def _spread(repo: Repo, experiments: Sequence[Experiment]) -> dict[str, float]:
    """From runs of the same content, and from what `exp repeat` measured of each."""
    found: dict[str, float] = {}
    for one in experiments[:_LOOKED_AT]:
        for name, width in verify.spread(repo, one).items():
            found[name] = max(width, found.get(name, 0.0))
    for name in {name for one in experiments for name in one.metrics}:
        values = [one.metrics.get(name) for one in experiments]
        numbers = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
        if len(numbers) > 1:
            found[name] = max(max(numbers) - min(numbers), found.get(name, 0.0))
    return found


_LOOKED_AT = 20
