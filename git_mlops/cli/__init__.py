"""The command line. One noun per file, loaded when it is asked for; `COMMANDS` is the whole list."""

from typing import NamedTuple


class Entry(NamedTuple):
    """Where a command lives, and its line in `git mlops -h`."""

    module: str
    help: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "Arm this clone: configuration, hooks, drivers"),
    "clone": Entry("clone", "Clone a repository with its experiments and data"),
    "new": Entry("new", "Start a project from a template"),
    "add": Entry("data", "Put data under version control"),
    "status": Entry("data", "Show how data and pointers differ"),
    "push": Entry("data", "Upload data to the DVC remote"),
    "pull": Entry("data", "Download data from the DVC remote"),
    "schema": Entry("schema", "Infer and check schemas of data"),
    "check": Entry("check", "Check data, pointers and configuration"),
    "exp": Entry("exp", "Run, record and compare experiments"),
    "mlflow": Entry("mlflow", "Exchange experiments with MLflow"),
    "ci": Entry("ci", "Generate CI workflows"),
    "hooks": Entry("hooks", "Show, install or remove the git hooks"),
    "config": Entry("config", "Show the settings in force and their source"),
    "completion": Entry("completion", "Print the completion script of a shell"),
}

_EPILOG = "Run `git mlops COMMAND -h` for a command, `git mlops --help` for the manual."


def overview() -> str:
    """What `git mlops -h` prints: made without click, because it is asked for most."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {entry.help}" for name, entry in COMMANDS.items()]
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
