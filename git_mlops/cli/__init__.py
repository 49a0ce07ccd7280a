"""The command line. One noun per file, loaded when it is asked for; `COMMANDS` is the whole list."""

# name: (module of this package, first line of its help); plain tuples, because `typing` costs 12 ms
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Arm this clone: configuration, hooks, drivers"),
    "clone": ("clone", "Clone a repository with its experiments and data"),
    "new": ("new", "Start a project from a template"),
    "templates": ("templates", "List the templates of projects"),
    "scaffold": ("scaffold", "Merge a template into this repository"),
    "update": ("update", "Merge the template's changes into this project"),
    "add": ("data", "Put data under version control"),
    "status": ("data", "Show how data and pointers differ"),
    "sheet": ("sheet", "Show or change data sheets"),
    "push": ("data", "Upload data to the DVC remote"),
    "pull": ("data", "Download data from the DVC remote"),
    "merge-file": ("merge_file", "Merge data that both sides changed"),
    "diff": ("diff", "Show what changed in the data"),
    "schema": ("schema", "Infer and check schemas of data"),
    "check": ("check", "Check data, pointers and configuration"),
    "report": ("report", "Report what a range of commits changes"),
    "verdicts": ("verdicts", "Share what checks of data came to"),
    "exp": ("exp", "Run, record and compare experiments"),
    "bisect": ("bisect", "Find the commit that made a metric worse"),
    "model": ("model", "Register, promote and compare models"),
    "monitor": ("monitor", "Watch what is served for drift and decay"),
    "retrain": ("retrain", "Train again, compare with what serves, propose"),
    "lineage": ("lineage", "Show what came from what"),
    "taint": ("taint", "Mark what must not be used"),
    "purge": ("purge", "Withdraw data for good, and prove it"),
    "audit": ("audit", "Score how mature the practice is, from evidence"),
    "mlflow": ("mlflow", "See runs in MLflow, and exchange them"),
    "ci": ("ci", "Generate CI pipelines"),
    "hooks": ("hooks", "Show, install or remove the git hooks"),
    "doctor": ("doctor", "Say whether MLflow finds this repository"),
    "config": ("config", "Show the settings in force and their source"),
    "completion": ("completion", "Print the completion script of a shell"),
}

_EPILOG = "Run `git mlops COMMAND -h` for a command, `git mlops --help` for the manual."


def overview() -> str:
    """What `git mlops -h` prints: made without click, because it is asked for most."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {line}" for name, (_module, line) in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: git mlops [-C DIR] [--version] [-h] COMMAND [ARGS]...",
            "",
            "  Any clone of a repository is the whole ML platform, with no server.",
            "",
            "Commands:",
            *lines,
            "",
            _EPILOG,
        ]
    )
