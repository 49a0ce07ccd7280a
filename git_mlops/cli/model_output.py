"""What the commands that change or judge models print; what only reads tags is in `model_text`."""

import shlex
from collections.abc import Sequence

from git_mlops import errors, ui
from git_mlops.cli import exp_output, model_text
from git_mlops.experiments import present
from git_mlops.findings import exit_code
from git_mlops.models.approve import Approval
from git_mlops.models.diff import ModelDifference
from git_mlops.models.promote import Promotion
from git_mlops.models.register import Registration
from git_mlops.models.retire import Retired
from git_mlops.models.verify import Verified
from git_mlops.registry.share import Sent
from git_mlops.registry.write import Made
from git_mlops.reports.formats import FORMATS


def registered(done: Registration, remote: str | None, *, as_json: bool) -> int:
    """A new version."""
    version = done.version
    ui.note(f"registered {version.name} {version.version}: the tag `{version.tag}` of {version.commit[:12]}")
    if done.copied:
        ui.note(
            "that commit is another version already, and GTO knows one per commit: the tag has a copy of it"
        )
    for doubt in done.doubts:
        ui.warn(doubt)
    _sent([done.made], remote)
    if as_json:
        ui.emit("model-version", model_text.plain(version))
    return 0


def promoted(done: Promotion, remote: str | None, *, dry: bool, as_json: bool) -> int:
    """A stage with another version, or what is missing."""
    version, stage = done.version, done.stage
    label = f"{version.name} {version.version}"
    if as_json:
        ui.emit("promotion", promotion_plain(done))
    if done.refused:
        ui.error(f"{label} does not get the stage `{stage}`")
        for finding in done.refused:
            ui.note(f"  - {finding.message}" + (f"\n    {finding.hint}" if finding.hint else ""))
        return errors.FINDINGS
    if done.made is None and not dry:
        ui.note(f"{label} holds the stage `{stage}` already")
        return 0
    for checked in done.verdict.checked:
        ui.note(f"  + {checked}")
    before = f", before: {done.before}" if done.before else ""
    ui.note(f"{label} {'may have' if dry else 'is'} {stage}{before}")
    _sent([done.made] if done.made else [], remote)
    return 0


def promotion_plain(done: Promotion) -> dict[str, object]:
    """For `--json`."""
    return {
        "model": done.version.name,
        "version": done.version.version,
        "stage": done.stage,
        "before": done.before,
        "tag": done.made.tag if done.made else None,
        "refused": [finding.to_json() for finding in done.refused],
        "checked": list(done.verdict.checked),
        "approvals": [one._asdict() for one in done.verdict.approvals],
    }


def approved(done: Approval, remote: str | None, *, as_json: bool) -> int:
    """An approval."""
    version = done.version
    ui.note(f"approved {version.name} {version.version} for {done.stage}: the tag `{done.made.tag}`")
    if done.again:
        ui.note("you had approved it before: each person counts once")
    if done.problem is not None:
        hint = "whoever may change the main branch adds your key to `.mlops/allowed_signers`"
        ui.warn(f"by what is trusted here it does not count: {done.problem}", hint=hint)
    _sent([done.made], remote)
    if as_json:
        said = {"model": version.name, "version": version.version, "stage": done.stage, "tag": done.made.tag}
        ui.emit("approval", said)
    return 0


def retired(done: Retired, remote: str | None, *, as_json: bool) -> int:
    """What is not to be used any more, and which stages that changed."""
    if done.stage is not None:
        ui.note(f"no version of {done.name} is {done.stage} any more")
    else:
        ui.note(f"{done.name} {done.version} is taken back" if done.version else f"{done.name} is deprecated")
    for stage, event in done.before.stages.items():
        now = done.after.stages.get(stage)
        if done.stage is None and (now is None or now.version != event.version):
            held = f"is {now.version} again, as it was before" if now else "is empty now"
            ui.warn(f"the stage `{stage}` {held}", hint=f"`git mlops model promote {done.name}@V {stage}`")
    _sent(done.made, remote)
    if as_json:
        ui.emit("deprecation", {"model": done.name, "version": done.version, "stage": done.stage,
                                "tags": [one.tag for one in done.made]})  # fmt: skip
    return 0


def heard(sent: Sent) -> None:
    """What the hooks of a push said, and what went along."""
    if sent.said.strip():
        ui.note(sent.said.rstrip())
    if sent.along:
        ui.note(f"sent along, being only here until now: {ui.listed(sent.along, 10)}")
    if sent.left:
        ui.note(f"only here: `git push {sent.remote} {shlex.join(sent.left)}` sends them")


def _sent(made: Sequence[Made], remote: str | None) -> None:
    names = " ".join(shlex.quote(one.tag) for one in made)
    if made and remote:
        ui.note(f"sent to {remote}")
    elif made:
        ui.note(f"`git push origin {names}` shares it")


def compared(found: ModelDifference, *, as_json: bool) -> int:
    """Two versions."""
    if as_json:
        rest = present.difference_plain(found.rest)
        ui.emit("model-diff", {**rest, "model": [change._asdict() for change in found.changes]})
        return 0
    header = ("model", found.rest.a, found.rest.b)
    ui.table(header, [(f"{c.what} {c.name}".rstrip(), _cell(c.old), _cell(c.new)) for c in found.changes])
    if found.changes:
        ui.out()
    exp_output.compared(found.rest)
    return 0


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def verified(done: Verified, *, as_json: bool) -> int:
    """What a version's tags and facts come to."""
    version = done.version
    if as_json:
        signers = [{"tag": tag, "signed_by": who} for tag, who in done.signers]
        said = [finding.to_json() for finding in done.findings]
        ui.emit("model-verified", {"tag": version.tag, "signatures": signers, "findings": said})
        return exit_code(done.findings)
    for tag, who in done.signers:
        if who is not None:
            ui.note(f"`{tag}` is signed by {who}")
    ui.write(FORMATS["text"].render(done.findings, title=f"{version.name} {version.version}"))
    return exit_code(done.findings)
