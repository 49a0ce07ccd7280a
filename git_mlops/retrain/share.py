"""Data, experiment and branch to the remotes, one pull request to the forge; a version for the challenger."""

from typing import NamedTuple

from git_mlops import forges
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import sync
from git_mlops.experiments.pulling import What
from git_mlops.forges import Draft, Opened, Target
from git_mlops.models import facts, promote, register
from git_mlops.registry import read, share
from git_mlops.registry.write import Made
from git_mlops.reports import document_markdown
from git_mlops.retrain import land, work
from git_mlops.retrain import report as reports
from git_mlops.retrain.plan import CHALLENGER, Plan
from git_mlops.retrain.report import Report
from git_mlops.retrain.work import Trained


def changes(report: Report) -> bool:
    """Whether the result is another than what the base has: if not, there is nothing to propose."""
    plan, landed = report.plan, report.trained.landed
    names = (f"{landed.commit}^{{tree}}", f"{plan.base.commit}^{{tree}}")
    return len(set(plan.repo.text("rev-parse", *names).split())) > 1


def push(report: Report) -> tuple[str, ...]:
    """Data first, then the experiment, then the branch. Notes for people.

    Raises:
        MlopsError: something did not arrive (3), or somebody pushed to the branch meanwhile (1).
    """
    plan, trained = report.plan, report.trained
    remote = plan.base.remote
    assert remote
    done = sync.push(plan.repo, What(names=(trained.experiment.ref,)), remote, plan.config.data.remote)
    if done.rejected or done.data.missing:
        said = "; ".join(f"{one.name}: {one.reason}" for one in done.rejected) or "data is missing"
        raise MlopsError(
            f"the challenger did not arrive at `{remote}`: {said}",
            hint="`git mlops exp push` and `git mlops push` say more; then run the command again",
            exit_code=CANNOT_EVALUATE,
        )
    land.push(plan.repo, trained.landed, plan.tip, remote)
    return (done.data.skipped,) if done.data.skipped else ()


def open_pull(report: Report, target: Target) -> Opened:
    """The pull request of the branch, opened or brought up to date.

    Raises:
        MlopsError: the forge refuses or cannot be reached (3).
    """
    made = reports.document(report)
    whole = f"`git mlops report {report.plan.base.branch}...{report.trained.landed.branch}` prints the whole."
    draft = Draft(
        report.trained.landed.branch,
        report.plan.base.branch,
        f"Retrain {report.plan.model}: {report.plan.request.cause.text}",
        document_markdown.render(made),
        whole,
    )
    return forges.open_pull(target._replace(head=report.trained.landed.commit), draft)


class Registered(NamedTuple):
    """The challenger as a version."""

    version: str
    new: bool
    refused: tuple[str, ...]
    """Why it does not hold the stage `challenger`."""


def enrol(plan: Plan, trained: Trained) -> Registered:
    """Register the challenger and give it its stage; sent at once where the work is shared.

    Raises:
        MlopsError: somebody else was quicker (1); the remote refuses (3).
    """
    if not plan.request.share or plan.base.remote is None:
        return _enrolled(plan, trained)[0]
    (done, _made), _sent = share.shared(
        plan.repo, plan.base.remote, plan.model, lambda: _enrolled(plan, trained), lambda one: one[1]
    )
    return done


def _enrolled(plan: Plan, trained: Trained) -> tuple[Registered, list[Made]]:
    made: list[Made] = []
    version = _version(plan, trained.landed.commit)
    new = version is None
    if version is None:
        request = register.Request(
            plan.model,
            trained.landed.commit,
            path=trained.model,
            message=plan.request.cause.text,
            more={"retrain": work.facts(plan), **_measured(plan, trained)},
        )
        done = register.register(plan.repo, request, plan.context)
        version = done.version.version
        made.append(done.made)
    asked = promote.Request(f"{plan.model}@{version}", CHALLENGER, plan.request.cause.text)
    promotion = promote.promote(plan.repo, asked, plan.context)
    made += [promotion.made] if promotion.made else []
    return Registered(version, new, tuple(one.message for one in promotion.refused)), made


def _measured(plan: Plan, trained: Trained) -> dict[str, object]:
    """Both figures on the same data, for the rule `no_worse`: the champion's own are of other data."""
    sides = trained.sides
    if sides.problem is not None:
        return {}
    champion, challenger = (
        {name: facts.plain(value) for name, value in [*one.metrics.items()][: facts.MOST_METRICS]}
        for one in (sides.champion, sides.challenger)
    )
    against = {
        "model_version": plan.champion.version,
        "registration": plan.champion.oid,
        "metrics": champion,
    }
    return {"measured": {"how": trained.how[0], "metrics": challenger, "against": against}}


def _version(plan: Plan, commit: str) -> str | None:
    """The version that is registered of this very commit."""
    found = read.artifact(plan.repo, plan.model)
    for one in found.versions:
        if not one.active:
            continue
        said = read.version_of(plan.repo, found, one).facts
        if commit in (one.commit, said.get("commit")):
            return one.version
    return None
