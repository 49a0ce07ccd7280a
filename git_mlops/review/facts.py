"""What a range of commits does, gathered once; how it is shown is another matter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.checks import gating
from git_mlops.checks.gating import Judged
from git_mlops.checks.scope import Scope
from git_mlops.checks.settings import Gates
from git_mlops.config import Config
from git_mlops.data import diff as data_diff
from git_mlops.data.diff import Change
from git_mlops.experiments import diff, history, read, results
from git_mlops.experiments.diff import ValueChange
from git_mlops.experiments.history import History
from git_mlops.experiments.record import Record
from git_mlops.experiments.results import Result
from git_mlops.experiments.settings import Metric
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo

if TYPE_CHECKING:
    from git_mlops.audit.compare import Delta


class Facts(NamedTuple):
    """Everything a report can say."""

    title: str
    head: str
    """Commit ids."""
    base: str | None
    findings: tuple[Finding, ...]
    old: Result | None
    new: Result
    metrics: tuple[ValueChange, ...]
    judged: tuple[Judged, ...]
    """Every metric under every gate, also those that pass."""
    loosened: tuple[tuple[str, str], ...]
    """Gates of the target that the change makes weaker."""
    params: tuple[ValueChange, ...]
    data: tuple[Change, ...]
    commits: int
    record: Record | None
    """Of the recorded result."""
    course: History | None
    stale: bool
    """Whether the only metrics are files that were the same before the content changed."""
    maturity: "Delta | None" = None
    """What it does to the audit's score; None: it was not asked for."""


def gather(
    scope: Scope, settings: Config, target: Config | None, findings: Sequence[Finding], *, look: bool = True
) -> Facts:
    """The facts of a range.

    Args:
        scope: a range of commits.
        settings: of its tip.
        target: of the branch that it is to enter.
        findings: what the rules said of it.
        look: False: nothing is read but git; data is compared by the profiles in its pointers.
    """
    repo, own = scope.repo, settings.experiments
    assert scope.tip
    old = results.of(repo, scope.base, own) if scope.base else None
    new = results.of(repo, scope.tip, own)
    gates = _gates(settings, target)
    before = old.metrics if old else {}
    return Facts(
        title=scope.title,
        head=scope.tip,
        base=scope.base,
        findings=tuple(findings),
        old=old,
        new=new,
        metrics=_changes(before, new.metrics, own.metrics),
        judged=tuple(one for each in gates for one in gating.judge(each, old, new, own.metrics)),
        loosened=tuple(gating.loosened(target.gates, settings.gates)) if target else (),
        params=tuple(
            change
            for change in _changes(old.params if old else {}, new.params, {})
            if change.old != change.new
        ),
        data=tuple(_data(repo, scope, settings, look=look)),
        commits=int(repo.text("rev-list", "--count", scope.tip, *([f"^{scope.base}"] if scope.base else []))),
        record=read.record(repo, new.experiment) if new.experiment else None,
        course=history.read(repo, [new.experiment]).get(new.experiment.ref) if new.experiment else None,
        stale=old is not None and gating.is_stale(old, new),
    )


def _gates(settings: Config, target: Config | None) -> list[Gates]:
    """The change's own, and those of the target that it loosens."""
    if target is None:
        return [settings.gates]
    weaker = {pattern for pattern, _how in gating.loosened(target.gates, settings.gates)}
    return [settings.gates, {name: gate for name, gate in target.gates.items() if name in weaker}]


def _changes(
    old: Mapping[str, object], new: Mapping[str, object], declared: Mapping[str, Metric]
) -> tuple[ValueChange, ...]:
    names = dict.fromkeys((*new, *old))
    return tuple(diff.compared(name, old.get(name), new.get(name), declared) for name in names)


def _data(repo: Repo, scope: Scope, settings: Config, *, look: bool) -> Sequence[Change]:
    if scope.base is None or scope.tip is None:
        return ()
    request = data_diff.Request(scope.base, scope.tip, largest=settings.data.profile_limit if look else 0)
    return tuple(data_diff.difference(repo, request, settings.data))
