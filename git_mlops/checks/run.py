"""Run rules over a scope. `RULES` is the whole list; the CLI, the hooks, CI and the docs derive from it."""

from collections.abc import Collection, Iterator

from git_mlops.checks import (
    config_valid,
    data_added,
    data_in_git,
    data_pushed,
    data_retention,
    data_sheet,
    folder_rules,
    gates,
    labels,
    large_file,
    model_code,
    pii,
    pointer_valid,
    profile_fresh,
    purged,
    reviewed,
    run_files,
    schema_holds,
    sensitive_remote,
    table_rules,
    weaker,
)
from git_mlops.checks.context import Context, Looking, Rule, Rules
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding, Level, ordered

RULES: dict[str, Rule] = {
    "config-valid": config_valid,
    "pointer-valid": pointer_valid,
    "profile-fresh": profile_fresh,
    "purged": purged,
    "large-file": large_file,
    "data-in-git": data_in_git,
    "data-added": data_added,
    "run-files": run_files,
    "data-pushed": data_pushed,
    "data-sheet": data_sheet,
    "data-retention": data_retention,
    "sensitive-remote": sensitive_remote,
    "schema": schema_holds,
    "tables": table_rules,
    "folders": folder_rules,
    "labels": labels,
    "reviewed": reviewed,
    "model-code": model_code,
    "pii": pii,
    "gates": gates,
    "weaker-rules": weaker,
}

LOOKING: dict[str, Looking] = {"model-code": model_code, "pii": pii}
"""Rules that look into data, and so have verdicts of their own."""


def check(context: Context, *, skip: Collection[str] = (), rules: Rules = RULES) -> list[Finding]:
    """Everything that the rules have to say about the scope, worst first.

    Levels come from `checks:` in mlops.yaml; a rule that is `off` there or in `skip` is not run. A range does
    not lower the levels of the branch that it is to enter.
    """
    return ordered(_findings(context, skip, rules))


def _findings(context: Context, skip: Collection[str], rules: Rules) -> Iterator[Finding]:
    levels = weaker.stricter(context.config.checks, context.target.checks if context.target else None)
    for name, rule in rules.items():
        wanted = levels.get(name)
        if name in skip or wanted == "off" or context.scope.kind not in rule.KINDS:
            continue
        for finding in _run(name, rule, context):
            # a rule that could not be evaluated stays that: a level in the configuration must not hide it
            yield finding if wanted is None or finding.level != "error" else _at(finding, wanted)


def _run(name: str, rule: Rule, context: Context) -> Iterator[Finding]:
    try:
        yield from rule.check(context)
    except MlopsError as error:
        if error.exit_code != CANNOT_EVALUATE:
            raise
        yield Finding(name, "unknown", str(error), hint=error.hint)


def _at(finding: Finding, level: Level) -> Finding:
    return finding._replace(level=level)
