"""`git mlops purge`: withdraw data for good, and prove it."""

import shlex
from collections.abc import Iterable, Sequence

import click

from git_mlops import ui
from git_mlops.checks import table_rules
from git_mlops.cli.common import json_option, open_repo
from git_mlops.config import Config
from git_mlops.data import listing, purges
from git_mlops.data.purges import Purge
from git_mlops.errors import OK, MlopsError, NotFoundError
from git_mlops.git import remotes
from git_mlops.git.repo import Repo
from git_mlops.governance import places, withdraw
from git_mlops.governance import purge as purging
from git_mlops.governance.places import Asked
from git_mlops.governance.purge import Done
from git_mlops.governance.withdraw import Plan, Wanted
from git_mlops.hooks import triage
from git_mlops.lineage import show


@click.command()
@click.argument("subjects", nargs=-1, metavar="[FILE|REV:FILE|HASH]...")
@click.option("-m", "--message", "why", metavar="WHY", help="Why; it is kept.")
@click.option("-y", "--yes", is_flag=True, help="Do it; without, it is only shown.")
@click.option("--history", is_flag=True, help="Every version that these files ever had.")
@click.option("--shared", is_flag=True, help="Also files of a directory that other data has, too.")
@click.option("--anyway", is_flag=True, help="Also where a model that came from it holds a stage.")
@click.option("--local", is_flag=True, help="Instead: what this clone has of all that was purged.")
@click.option("--verify", is_flag=True, help="Instead: ask every place again, and record the answers.")
@click.option("--lift", is_flag=True, help="Instead: the data may come back.")
@click.option("--list", "list_", is_flag=True, help="List what was purged.")
@click.option("--show", "show_", metavar="ID", help="Show one, with its proof, object by object.")
@click.option("--pull", is_flag=True, help="First get what others have purged.")
@click.option("--push", is_flag=True, help="Then send it to others, with the taints.")
@click.option("--remote", metavar="NAME", help="The git remote, for --pull and --push.")
@json_option
def purge(  # noqa: PLR0913  # one parameter per option
    *,
    subjects: tuple[str, ...],
    why: str | None,
    yes: bool,
    history: bool,
    shared: bool,
    anyway: bool,
    local: bool,
    verify: bool,
    lift: bool,
    list_: bool,
    show_: str | None,
    pull: bool,
    push: bool,
    remote: str | None,
    as_json: bool,
) -> int:
    """Withdraw data for good, and prove it

    Removes objects from the workspace, DVC's cache and every DVC remote, asks each place again, and records
    the answers under refs/mlops/purges. Shows what would go; `--yes` does it. Rewrites no history: pointers
    go on naming what is gone, and every command says that it was purged, when and why. A file of a tracked
    directory can be named, too.
    """
    repo, config = open_repo()
    if not (subjects or local or verify or list_ or show_ or pull or push):
        raise click.UsageError("name what is withdrawn, or `--list`")
    if pull:
        withdraw.pull(repo, remotes.chosen(repo, remote))
    code = OK
    if lift:
        _lift(repo, subjects, why)
    elif subjects and not verify:
        wanted = Wanted(subjects, history, shared)
        code = _purge(repo, config, wanted, why, yes=yes, anyway=anyway, as_json=as_json)
    if local:
        code = max(code, _local(repo, yes=yes, as_json=as_json))
    if verify:
        code = max(code, _verify(repo, subjects, as_json=as_json))
    if push:
        withdraw.push(repo, to := remotes.chosen(repo, remote))
        ui.note(f"sent to {to}")
    if list_ or show_:
        _list(repo, show_, as_json=as_json)
    return code


def _rest(repo: Repo) -> None:
    """What others get of a directory, and how a pointer comes to name no more than that."""
    gone = purges.of_outs(repo, listing.in_workspace(repo))
    for path in sorted({out.path for out, one in gone.items() if one.part_of(out)})[:5]:
        ui.note(
            f"others who know of it get the rest of `{path}` (`git mlops pull`); "
            f"a version without it: `git mlops add --force {shlex.quote(path)}`, and a commit"
        )


def _would_refuse(repo: Repo, plan: Plan, *, anyway: bool) -> None:
    try:
        withdraw.refuse_in_use(repo, plan, anyway=anyway)
    except MlopsError as error:
        ui.warn(f"`--yes` will be refused: {error}", hint=error.hint)


def _purge(  # noqa: PLR0913  # the options
    repo: Repo, config: Config, wanted: Wanted, why: str | None, *, yes: bool, anyway: bool, as_json: bool
) -> int:
    plan = withdraw.plan(repo, wanted)
    if not why and yes:
        raise MlopsError("nobody will know why", hint="`-m WHY`")
    if not why or not yes:
        asked = list(places.ask(repo, plan.hashes))
        if as_json:
            ui.emit("purge", {"done": False, **_plan(plan), "places": [_place(one) for one in asked]})
        else:
            _tell(plan)
            _asked(asked, done=False)
            ui.note(f"{ui.count(len(plan.objects), 'object')} would go for good; `--yes` does it")
            _would_refuse(repo, plan, anyway=anyway)
        return OK
    withdraw.refuse_in_use(repo, plan, anyway=anyway)
    if not as_json:
        _tell(plan)
    done = purging.carry_out(repo, plan, why, lambda path: _meanings(config, path))
    triage.forget(repo)
    if as_json:
        ui.emit("purge", {"done": True, **_plan(plan), **_done(done)})
    else:
        _asked(done.places, done=True)
        _rest(repo)
        _afterwards(done)
    return done.exit_code


def _meanings(config: Config, path: str) -> Iterable[tuple[str, str]]:
    """What verdicts of the rule `tables` on a path go by; they may name values."""
    found = table_rules.meanings(path, config.tables, config.data.keys) or ()
    return [(table_rules.RULE, means) for means in found]


def _tell(plan: Plan) -> None:
    for one in plan.targets:
        ui.note(f"withdraw: {one.path} {one.hash[:10]}")
    others = [path for path in plan.named if path not in {one.path for one in plan.objects}]
    if others:
        ui.note(f"the same bytes are also named {ui.listed(others)}")
    for kept in plan.kept[:5]:
        by = f"{'another version of ' if kept.by in plan.label.split(' ') else ''}`{kept.by}`"
        ui.note(f"kept: {kept.object.path}, which {by} has, too (`--shared` takes it as well)")
    if len(plan.kept) > 5:
        ui.note(f"and {len(plan.kept) - 5} more files that other data has, too")
    if plan.earlier:
        others_ = ui.count(plan.earlier, "other version")
        ui.warn(f"{others_} of it in history stay" + ("s" if plan.earlier == 1 else ""), hint="`--history`")
    for path in plan.unknown:
        ui.warn(f"what `{path}` holds is known neither here nor on a remote: files in it are not looked at")
    if plan.reached:
        ui.note("came from it, and is tainted with it; none of that is removed:")
        ui.out("\n".join(show.said(node) for node in plan.reached))


def _asked(asked: Sequence[Asked], *, done: bool) -> None:
    header = ("place", "had", "has now") if done else ("place", "has")
    rows = []
    for one in asked:
        where = f"{one.place} ({one.where})" if one.where else one.place
        had = f"{len(one.before)} ({', '.join(one.paths[:3])})" if one.paths else str(len(one.before))
        now = one.problem or (f"{len(one.after)} STILL THERE" if one.after else "absent")
        rows.append((where, had if not one.problem else "?", now) if done else (where, one.problem or had))
    ui.table(header, rows)


def _afterwards(done: Done) -> None:
    if done.verdicts:
        ui.note(
            f"{ui.count(done.verdicts, 'verdict')} on it hold no values any more; the ref's history has them"
        )
    ui.note(f"recorded as {done.purge.id}: `git mlops purge --show {done.purge.id}`")
    ui.note(
        "other clones' caches, backups and versions that a storage keeps are not reached from here: "
        "`git mlops purge --push`, there `git mlops purge --pull --local --yes`"
    )
    if any(one.problem for one in done.places):
        ui.error("not every place could be asked", hint="the same command again goes on")
    elif done.exit_code:
        ui.error("not everything is gone", hint="the same command again goes on")


def _local(repo: Repo, *, yes: bool, as_json: bool) -> int:
    found = purging.left(repo)
    done = purging.settle(repo, found) if yes else []
    if yes:
        triage.forget(repo)
    if as_json:
        ui.emit("purge-local", {"done": yes, "left": [one.purge.id for one in found]})
    else:
        rows = [
            (one.purge.id, one.purge.label, each.place, each.problem or len(each.before))
            for one in (done if yes else found)
            for each in one.places
            if each.before or each.problem
        ]
        ui.table(("purge", "what", "place", "removed" if yes else "objects here"), rows)
        if not rows:
            ui.note("this clone has nothing of what was purged")
        elif not yes:
            ui.note("`git mlops purge --local --yes` removes it here")
    return max((one.exit_code for one in done), default=OK)


def _verify(repo: Repo, subjects: Sequence[str], *, as_json: bool) -> int:
    held = [one for one in purges.listed(repo) if one.holds]
    chosen = [one for one in held if not subjects or {one.id, one.label} & set(subjects)]
    if subjects and not chosen:
        raise NotFoundError(f"`{subjects[0]}` was not purged", hint="`git mlops purge --list`")
    done = [purging.verify(repo, one) for one in chosen]
    if as_json:
        ui.emit("purge-verify", [_done(one) for one in done])
        return max((one.exit_code for one in done), default=OK)
    for one in done:
        ui.note(f"{one.purge.label}: {one.purge.sentence()}")
        _asked(one.places, done=True)
    if not done:
        ui.note("nothing is purged")
    return max((one.exit_code for one in done), default=OK)


def _lift(repo: Repo, subjects: Sequence[str], why: str | None) -> None:
    if not subjects:
        raise click.UsageError("name what may come back")
    if not why:
        raise MlopsError("nobody will know why", hint="`-m WHY`")
    for one in purging.lifted(repo, subjects[0], why):
        ui.note(f"{one.label} may come back; `git mlops taint --lift` says that it may be used")


def _list(repo: Repo, show_: str | None, *, as_json: bool) -> None:
    found = purges.listed(repo)
    if show_ is not None:
        chosen = [one for one in found if one.id.startswith(show_)]
        if len(chosen) != 1:
            raise NotFoundError(f"no purge `{show_}`", hint="`git mlops purge --list`")
        found = chosen
    if as_json:
        ui.emit("purges", [_whole(one) for one in found])
    elif show_ is not None:
        _show(found[0])
    else:
        header = ("id", "what", "purged", "objects", "why", "who", "when", "proof")
        ui.table(header, [_row(one) for one in found])
        if not found:
            ui.note("nothing was purged")


def _row(one: Purge) -> tuple[object, ...]:
    word = one.said[-1]
    state = "yes" if word.purged else "lifted"
    when = (one.id, one.label, state, len(one.objects), word.why, word.who, word.time)
    return (*when, verdict(one))


def verdict(one: Purge) -> str:
    """What the last answers come to."""
    last = one.last.values()
    if any(proof.present for proof in last):
        return "still there: " + ", ".join(proof.place for proof in last if proof.present)
    if any(proof.problem for proof in last):
        return "not asked: " + ", ".join(proof.place for proof in last if proof.problem)
    return f"absent in {ui.count(len(last), 'place')}" if last else "none"


def _show(one: Purge) -> None:
    ui.note(f"{one.label}: {one.sentence()}")
    rows = [(place, each.path, each.hash, state, time) for place, each, time, state in purging.rows(one)]
    ui.table(("place", "path", "object", "state", "asked"), rows)
    for kept in one.kept:
        ui.note(f"kept, because other data has it, too: {kept.path} {kept.hash}")


def _plan(plan: Plan) -> dict[str, object]:
    return {
        "label": plan.label,
        "objects": [one._asdict() for one in plan.objects],
        "kept": [{**one.object._asdict(), "by": one.by} for one in plan.kept],
        "named": list(plan.named),
        "reached": [{"id": one.id, "kind": one.kind, "label": one.label} for one in plan.reached],
        "holding": list(plan.holding),
        "other_versions": plan.earlier,
        "unknown": list(plan.unknown),
    }


def _place(one: Asked) -> dict[str, object]:
    return {
        **one._asdict(),
        "before": sorted(one.before),
        "after": sorted(one.after),
        "paths": list(one.paths),
    }


def _done(done: Done) -> dict[str, object]:
    places_ = [_place(one) for one in done.places]
    return {"id": done.purge.id, "places": places_, "verdicts": done.verdicts, "code": done.exit_code}


def _whole(one: Purge) -> dict[str, object]:
    said, proof = ([each._asdict() for each in some] for some in (one.said, one.proof))
    objects, kept = ([each._asdict() for each in some] for some in (one.objects, one.kept))
    return {"id": one.id, "label": one.label, "holds": one.holds, "said": said, "objects": objects,
            "kept": kept, "proof": proof}  # fmt: skip
