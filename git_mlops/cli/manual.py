"""Documents made from the commands themselves: the man page, docs/reference.md, the blocks of the README.

`make docs` writes them; a test fails when one of them is not what the code would write.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from git_mlops import __version__, config, ui
from git_mlops.checks.run import RULES
from git_mlops.cli import COMMANDS, overview
from git_mlops.cli.root import root

_TOP = Path(__file__).parent.parent.parent


def documents() -> dict[str, str]:
    """Every generated file (path below the top of the project) and what it must hold."""
    readme = (_TOP / "README.md").read_text(encoding="utf-8")
    return {
        "docs/git-mlops.1": man_page(),
        "docs/reference.md": reference(),
        "docs/mlops.schema.json": json.dumps(config.schema(), indent=2) + "\n",
        "README.md": with_blocks(readme),
    }


def commands() -> Iterator[tuple[str, click.Command]]:
    """All commands with their full names, in the order of the overview."""
    context = click.Context(root, info_name="git mlops")
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        yield from _with_children(f"git mlops {name}", command)


def _with_children(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            yield from _with_children(f"{name} {child_name}", child)


def usage(name: str, command: click.Command) -> str:
    """The text of `NAME -h`, at a fixed width."""
    parent, _, last = name.rpartition(" ")
    top = click.Context(root, info_name=parent, **root.context_settings)
    context = click.Context(command, info_name=last, parent=top)
    context.max_content_width = context.terminal_width = 90
    return command.get_help(context)


def reference() -> str:
    """Markdown: every command's help, every rule, every setting."""
    parts = [
        "# Reference",
        "",
        "Made by `make docs` from the commands themselves.",
        "",
        "```",
        overview(),
        "```",
    ]
    for name, command in commands():
        parts += ["", f"## `{name}`", "", "```", usage(name, command), "```"]
    parts += ["", "## Rules of `git mlops check`", "", "| rule | what it holds | where |", "|---|---|---|"]
    parts += [
        f"| `{name}` | {rule.SUMMARY} | {', '.join(sorted(rule.KINDS))} |" for name, rule in RULES.items()
    ]
    parts += ["", "## Settings of `mlops.yaml`", "", "| key | default |", "|---|---|"]
    defaults = config.shown(config.Loaded(config.Config(), {}))
    parts += [f"| `{key}` | `{json.dumps(value)}` |" for key, value, _source in defaults]
    return "\n".join(parts) + "\n"


def man_page() -> str:
    """The page that `git mlops --help` opens, in man's macros."""
    lines = [
        f'.TH GIT-MLOPS 1 "" "git-mlops {__version__}" "Git Manual"',
        ".SH NAME",
        "git-mlops \\- any clone of a repository is the whole ML platform, with no server",
        ".SH SYNOPSIS",
        ".nf",
        "\\fIgit mlops\\fR [\\-C DIR] [\\-\\-version] [\\-h] COMMAND [ARGS]...",
        ".fi",
        ".SH DESCRIPTION",
        *_MAN_DESCRIPTION,
        ".SH COMMANDS",
    ]
    for name, command in commands():
        lines += [
            f".SS {_roff(name)}",
            ".nf",
            *(_roff(line) for line in usage(name, command).splitlines()),
            ".fi",
        ]
    lines += [".SH EXIT STATUS"]
    for code, meaning in _EXIT_CODES.items():
        lines += [".TP", f"\\fB{code}\\fR", meaning]
    lines += [".SH ENVIRONMENT"]
    for name, meaning in _VARIABLES.items():
        lines += [".TP", f"\\fB{_roff(name)}\\fR", meaning]
    lines += [".SH SEE ALSO", "git(1), gitrevisions(7), dvc(1)"]
    return "\n".join(lines) + "\n"


_MAN_DESCRIPTION = [
    "git is the database, DVC stores the large files, pandera checks them; git\\-mlops makes them one.",
    "Data and model files are pointers under version control and follow every git operation; experiments",
    "are commits under refs/exps/, readable by git and by DVC; what is staged is checked before it is",
    "committed, and again in CI.",
    ".PP",
    "\\fBgit mlops init\\fR arms a clone; \\fBgit mlops clone\\fR makes an armed one.",
]
_EXIT_CODES = {
    0: "Nothing wrong.",
    1: "Findings, or a failed check or run.",
    2: "Usage or configuration.",
    3: "Cannot be evaluated, or not comparable.",
    130: "Interrupted.",
}
_VARIABLES = {
    "MLOPS_SKIP": "1, all, or names of hooks and rules, separated by commas: what the hooks leave out.",
    "MLOPS_SECTION_KEY": "A setting of mlops.yaml, such as MLOPS_DATA_REMOTE.",
    "MLOPS_TRACE": "Show Python's traceback of an unexpected error.",
    "NO_COLOR": "No colours.",
}


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped[:1] in {".", "'"} else escaped


_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_blocks(text: str) -> str:
    """The README with its generated blocks renewed."""
    blocks = {"overview": f"```\n$ git mlops -h\n{overview()}\n```\n"}
    return _BLOCK.sub(lambda match: match[1] + blocks[match["name"]] + match[3], text)


if __name__ == "__main__":
    for path, content in documents().items():
        (_TOP / path).write_text(content, encoding="utf-8")
        ui.note(f"wrote {path}")
