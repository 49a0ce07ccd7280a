"""The facts of a range for programs."""

from git_mlops import jsonable
from git_mlops.data import diff as data_diff
from git_mlops.data.shift import shifts
from git_mlops.experiments.results import Result
from git_mlops.findings import exit_code
from git_mlops.review.facts import Facts
from git_mlops.review.sections import verdict


def plain(facts: Facts) -> dict[str, object]:
    """What `--format json` has below `data`."""
    found = jsonable.finite(
        {
            "title": facts.title,
            "head": facts.head,
            "base": facts.base,
            "exit_code": exit_code(facts.findings),
            "verdict": verdict(facts),
            "results": {"base": _result(facts.old), "head": _result(facts.new), "stale": facts.stale},
            "metrics": [one._asdict() for one in facts.metrics],
            "gates": [one._asdict() for one in facts.judged],
            "loosened": [{"gate": pattern, "how": how} for pattern, how in facts.loosened],
            "params": [one._asdict() for one in facts.params],
            "data": [_change(one) for one in facts.data],
            "audit": facts.maturity.plain() if facts.maturity else None,
            "findings": [one.to_json() for one in facts.findings],
        }
    )
    assert isinstance(found, dict)
    return found


def _result(result: Result | None) -> dict[str, object] | None:
    if result is None:
        return None
    one = result.experiment
    return {
        "commit": result.commit,
        "experiment": one.name if one else None,
        "key": one.commit.message.key if one else None,
        "failed": result.failed,
        "parts": result.parts._asdict(),
        "spread": dict(result.spread),
    }


def _change(one: data_diff.Change) -> dict[str, object]:
    moved = []
    if one.table is not None and all(one.table.profiles):
        old, new = one.table.profiles
        assert old is not None
        assert new is not None
        moved = [shift._asdict() for shift in shifts(old, new)]
    return {**data_diff.plain(one), "moved": moved}
