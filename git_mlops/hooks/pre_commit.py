"""Before a commit or a merge: `data.track` turns files into pointers, and every rule runs on the index."""

import shlex
import time
from collections.abc import Sequence

from git_mlops import config, ui
from git_mlops.checks import run as checks
from git_mlops.checks import scope
from git_mlops.checks.context import Context
from git_mlops.checks.scope import Scope
from git_mlops.config import Config
from git_mlops.data import listing, track
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding, exit_code
from git_mlops.git import diff
from git_mlops.git.repo import discover
from git_mlops.hooks import shims, skips, triage
from git_mlops.hooks.check import settings_of
from git_mlops.reports import text
from git_mlops.schema.bindings import schema_for
from git_mlops.schema.python import split


def run(name: str, _arguments: Sequence[str]) -> int:
    """Refuse the commit by the exit code of its findings."""
    repo, started, skip = discover(), time.time(), skips.rules(_SKIPPABLE)
    chosen = scope.staged(repo)
    settings, findings = settings_of(chosen)
    if settings.data.track and "auto-track" not in skip:
        made = track.auto_track(repo, diff.staged(repo), settings.data)
        chosen = scope.staged(repo) if made else chosen
    findings = findings or checks.check(Context(chosen, settings, config.problems), skip=skip)
    if track.of_named_files():
        findings = [_told_only(finding, chosen) for finding in findings]
    findings += _unstaged_bindings(chosen, settings)
    settled = "data-added" not in skip and not any(f.rule in _UNSETTLED for f in findings)
    _remember(chosen, settings, started if settled else None)
    if not findings:
        return 0
    ui.note(text.render(findings, title=chosen.title))
    return _verdict(name, findings)


def _told_only(finding: Finding, chosen: Scope) -> Finding:
    """`git commit -- PATH` says by name what is meant: other data that waits is no mistake then."""
    other = finding.rule == "data-added" and f"{finding.path}.dvc" not in chosen.paths
    return finding._replace(level="warning") if other else finding


def _unstaged_bindings(chosen: Scope, staged: Config) -> list[Finding]:
    """Data that the mlops.yaml on disk binds to a schema, and the staged one does not: it is not checked."""
    if not any(path.endswith(".dvc") for path in chosen.paths) or not listing.on_disk(
        chosen.repo.root / config.FILE
    ):
        return []
    try:
        bindings = config.load(chosen.repo, judging=False).config.schemas
    except MlopsError:
        return []
    if bindings == staged.schemas:
        return []
    contents = chosen.read([path for path in chosen.paths if path.endswith(".dvc")])
    found = []
    for out in listing.outs(contents):
        schema = schema_for(out.path, bindings)
        if schema and schema_for(out.path, staged.schemas) != schema:
            message = f"not checked by `{schema}`: {config.FILE} binds it, and that is not staged"
            hint = f"`git add {config.FILE} {shlex.quote(split(schema)[0])}`"
            found.append(Finding("schema", "note", message, out.path, hint=hint))
    return found


_SKIPPABLE = frozenset((*checks.RULES, "auto-track", *shims.OURS))
_UNSETTLED = frozenset(("config-valid", "data-added"))


def _verdict(name: str, findings: Sequence[Finding]) -> int:
    code = exit_code(findings)
    if code == CANNOT_EVALUATE and name == "pre-merge-commit":
        # the data of a merged branch need not be here; what cannot be judged now is judged in CI
        return 0
    if code:
        ui.note("nothing was committed; `git commit --no-verify` commits without any check")
    return code


def _remember(chosen: Scope, settings: Config, settled: float | None) -> None:
    """Let the next commit pass in sh. The workspace's configuration counts, since that is what sh sees."""
    repo = chosen.repo
    staged, here = chosen.read([config.FILE]), listing.on_disk(repo.root / config.FILE)
    try:
        same = staged.get(config.FILE) == here
        triage.write(repo, settings if same else config.load(repo).config, settled=settled)
    except MlopsError:
        triage.forget(repo)
