"""Before a commit or a merge: `data.track` turns files into pointers, and every rule runs on the index."""

import time
from collections.abc import Sequence

from git_mlops import config, ui
from git_mlops.checks import scope
from git_mlops.config import Config
from git_mlops.data import track
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding, exit_code
from git_mlops.git import diff, objects
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import skips, triage
from git_mlops.hooks.check import checked
from git_mlops.reports import text


def run(name: str, _arguments: Sequence[str]) -> int:
    """Refuse the commit by the exit code of its findings."""
    repo, started, skip = discover(), time.time(), skips.rules()
    settings = _settings(repo)
    if settings.data.track and "auto-track" not in skip:
        track.auto_track(repo, diff.staged(repo), settings.data)
    findings = checked(scope.staged(repo), skip=skip)
    _remember(repo, findings, started, asked="data-added" not in skip)
    if not findings:
        return 0
    ui.note(text.render(findings, title="staged changes"))
    return _verdict(name, findings)


def _verdict(name: str, findings: Sequence[Finding]) -> int:
    code = exit_code(findings)
    if code == CANNOT_EVALUATE and name == "pre-merge-commit":
        # the data of a merged branch need not be here; what cannot be judged now is judged in CI
        return 0
    if code:
        ui.note("nothing was committed; `git commit --no-verify` commits without any check")
    return code


def _settings(repo: Repo) -> Config:
    """Of the staged mlops.yaml; one that is wrong is a finding, said by the check."""
    content = objects.read_blobs(repo, [f":{config.FILE}"]).get(f":{config.FILE}")
    if content is None or any(config.problems(content)):
        return Config()
    return config.load(repo, content).config


def _remember(repo: Repo, findings: Sequence[Finding], started: float, *, asked: bool) -> None:
    """Let the next commit pass in sh: the workspace's configuration counts, since that is what sh sees."""
    settled = asked and not any(finding.rule in {"data-added", "config-valid"} for finding in findings)
    try:
        triage.write(repo, config.load(repo).config, settled=started if settled else None)
    except MlopsError:
        triage.forget(repo)
