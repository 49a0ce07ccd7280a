"""Before a push: the data that its commits introduce goes to the DVC remote, so that no pointer dangles."""

import sys
from collections.abc import Sequence

from git_mlops import config, ui
from git_mlops.data import dvc, listing, purges, transfer
from git_mlops.data.pointers import Out
from git_mlops.errors import FINDINGS, OK, MlopsError
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import follow_data, owed, skips

_WITHOUT = "`git push --no-verify` pushes without the data"


def run(_name: str, arguments: Sequence[str]) -> int:
    """Stops the push when data is nowhere or the remote does not take it; never for lack of a remote."""
    lines = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").splitlines()
    if "data-pushed" in skips.rules():
        return OK
    repo = discover()
    try:
        needed = transfer.pointers_of_push(repo, lines, arguments[0])
        if needed:
            purges.hear(repo, arguments[0])  # before anything that others have withdrawn is sent again
        return push(repo, needed)
    except MlopsError:
        ui.note(f"the data was not pushed, so neither were the commits; {_WITHOUT}")
        raise


def push(repo: Repo, needed: dict[Out, str]) -> int:
    """Upload what the remote lacks of the data (each with its pointer)."""
    wanted = listing.kept(needed)
    settings = config.load(repo).config
    default = settings.data.remote or dvc.default_remote(repo)
    lost = [] if default else [out for out in wanted if out.remote is None]
    if lost:
        hint = "`dvc remote add -d NAME URL`; the next `git push` then uploads it, too"
        paths = follow_data.listed(sorted({out.path for out in lost}))
        ui.warn(f"no DVC remote: others will not get {paths}", hint=hint)
    owed.add(repo, lost)
    before = owed.read(repo) if default else []
    outs = [*(out for out in wanted if out not in lost), *before]
    done = transfer.push(repo, outs, remote=default, sensitive=settings.governance.sensitive)
    owed.settle(repo, before)
    done = done._replace(missing=tuple(out for out in done.missing if out in needed))
    if done.objects:
        ui.note(f"pushed data: {done.objects} object{'s' if done.objects > 1 else ''}")
    follow_data.tell_purged(repo, done.purged)
    for out in done.missing:
        ui.error(
            f"`{needed[out]}` names data that is neither here nor on the DVC remote ({out.path}, {out.hash})"
        )
    if done.missing:
        ui.note(f"hint: whoever has it runs `git mlops push`; {_WITHOUT}")
    return FINDINGS if done.missing else OK
