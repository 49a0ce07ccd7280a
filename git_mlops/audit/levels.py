"""Google's levels 0 to 2 and Microsoft's levels 0 to 4, from the same evidence.

Google: "MLOps: Continuous delivery and automation pipelines in machine learning". Microsoft: "Machine
Learning operations maturity model". A level is reached when every
criterion of it and of those below it is met.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_mlops.audit import common
from git_mlops.audit.evidence import AUTOMATED, Item
from git_mlops.audit.facts import Facts

_RETRAIN = (
    ("git", "mlops", "retrain"),
    ("git-mlops", "retrain"),
    ("git", "mlops", "exp", "run"),
    ("dvc", "repro"),
)


class Met(NamedTuple):
    """One criterion of a level."""

    level: int
    title: str
    met: bool
    by: str
    """Where it is seen, or what would help."""


class Level(NamedTuple):
    """Where a project stands on one scale."""

    title: str
    level: int
    of: int
    criteria: tuple[Met, ...]

    def plain(self) -> dict[str, object]:
        """For `--json`."""
        return {**self._asdict(), "criteria": [one._asdict() for one in self.criteria]}


class _Signals:
    """The questions that both scales ask, each answered once: (yes or no, by what)."""

    def __init__(self, facts: Facts, items: Sequence[Item]) -> None:
        self.facts = facts
        self.items = {one.id: one for one in items}

    def item(self, name: str, least: float = 0.5) -> tuple[bool, str]:
        one = self.items[name]
        if one.points >= least and one.evidence:
            return True, one.evidence[0].where
        return False, one.next or ""

    def tracked(self) -> tuple[bool, str]:
        run = next((one for one in self.facts.shared.runs if one.record), None)
        return (True, run.experiment.ref) if run else (False, common.RUN)

    def versioned_data(self) -> tuple[bool, str]:
        out = next(iter(self.facts.state.tables), None)
        pointer = (
            out.pointer if out else next((p for p in self.facts.state.paths if p.endswith(".dvc")), None)
        )
        return (True, pointer) if pointer else (False, "`git mlops add PATH`")

    def pipeline(self) -> tuple[bool, str]:
        path = next((p for p in sorted(self.facts.state.paths) if p.endswith("dvc.yaml")), None)
        locked = any("stages" in self.facts.state.texts.get(p, "") for p in [path] if p)
        return (True, path) if path and locked else (False, "write `dvc.yaml`, then `git mlops exp run`")

    def registry(self) -> tuple[bool, str]:
        event = next((e for e in reversed(self.facts.shared.events) if e.event.kind == "register"), None)
        return (True, event.event.tag) if event else (False, common.register(self.facts))

    def trigger(self) -> tuple[bool, str]:
        command = next(iter(self.facts.state.ci.running(*_RETRAIN)), None)
        good = command is not None and bool(command.when & {"schedule", "push"})
        return (
            (True, command.path)
            if good and command
            else (False, "let CI run `git mlops retrain` on a schedule")
        )

    def tests(self) -> tuple[bool, str]:
        for one in self.facts.state.suites.tests:
            if command := self.facts.testing(one.path):
                return True, command.path
        return False, common.ci(self.facts)

    def checks(self) -> tuple[bool, str]:
        command = self.facts.checking()
        return (True, command.path) if command else (False, common.ci(self.facts))

    def deploys(self) -> tuple[bool, str]:
        command = next((c for c in self.facts.state.ci.commands if "tag" in c.when), None)
        deployed = common.deployments(self.facts)
        if command and deployed:
            return True, deployed[-1].event.tag
        return False, common.promote(self.facts) if command else "set `ci.deploy` in mlops.yaml"

    def released(self) -> tuple[bool, str]:
        held = common.held(self.facts)
        return (True, held[-1].event.tag) if held else (False, common.promote(self.facts))

    def watched(self) -> tuple[bool, str]:
        one = next((i for i in self.items.values() if i.section == "monitor" and _seen(i)), None)
        return (True, _seen(one)[0]) if one else (False, common.monitor(self.facts))


def _seen(item: Item) -> list[str]:
    return [
        one.where
        for one in item.evidence
        if one.points == AUTOMATED and one.where.startswith("refs/mlops/monitor/")
    ]


def of(facts: Facts, items: Sequence[Item]) -> Mapping[str, Level]:
    """Both scales."""
    ask = _Signals(facts, items)
    google = [
        Met(1, "data is versioned", *ask.versioned_data()),
        Met(1, "steps are a pipeline", *ask.pipeline()),
        Met(1, "runs are recorded with their metadata", *ask.tracked()),
        Met(1, "data is validated automatically", *ask.item("data-1", AUTOMATED)),
        Met(1, "models are validated automatically", *ask.item("infra-4", AUTOMATED)),
        Met(1, "models are registered", *ask.registry()),
        Met(1, "training is triggered, not started by hand", *ask.trigger()),
        Met(2, "the pipeline's code is tested by CI", *ask.tests()),
        Met(2, "the pipeline as a whole is tested by CI", *ask.item("infra-3", AUTOMATED)),
        Met(2, "models are deployed by CI", *ask.deploys()),
        Met(2, "what is served is monitored", *ask.watched()),
    ]
    microsoft = [
        Met(1, "code is tested by CI", *ask.tests()),
        Met(1, "changes are checked by CI", *ask.checks()),
        Met(2, "data is versioned", *ask.versioned_data()),
        Met(2, "training is a pipeline", *ask.pipeline()),
        Met(2, "runs are recorded and comparable", *ask.tracked()),
        Met(2, "training is reproducible", *ask.item("infra-1")),
        Met(2, "models are registered", *ask.registry()),
        Met(3, "models are deployed by CI", *ask.deploys()),
        Met(3, "models are validated before serving", *ask.item("infra-4", AUTOMATED)),
        Met(3, "a release is traced to its data and code", *ask.item("infra-5", AUTOMATED)),
        Met(3, "the pipeline as a whole is tested by CI", *ask.item("infra-3", AUTOMATED)),
        Met(4, "what is served is monitored", *ask.watched()),
        Met(4, "quality in production is measured", *ask.item("monitor-7", AUTOMATED)),
        Met(4, "training is triggered, not started by hand", *ask.trigger()),
    ]
    return {
        "google": Level("Google", _reached(google), 2, tuple(google)),
        "microsoft": Level("Microsoft", _reached(microsoft), 4, tuple(microsoft)),
    }


def _reached(criteria: Sequence[Met]) -> int:
    """The highest level below the first one that lacks anything."""
    lacking = [one.level for one in criteria if not one.met]
    return min(lacking) - 1 if lacking else max(one.level for one in criteria)
