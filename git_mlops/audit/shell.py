"""The commands of a CI script, as far as their failure ends the job. Pure; nothing is run."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_DEEPEST = 3
_SEPARATORS = frozenset(("&&", "||", ";", "|", "&", "(", ")", ";;", "{", "}"))
_HIDING = frozenset(("true", ":"))
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_WRAPPERS = frozenset((
    "sudo", "time", "env", "nice", "xvfb-run", "exec", "command", "run", "then", "do", "else", "if", "!",
    "poe", "uv run", "poetry run", "pdm run", "hatch run", "pipenv run", "rye run", "pixi run",
    "coverage run", "conda run",
))  # fmt: skip
_VALUED = frozenset(
    (
        "-n",
        "-e",
        "--environment",
        "--name",
        "-p",
        "--prefix",
        "--group",
        "--extra",
        "--with",
        "--source",
        "--rcfile",
    )
)
_MODULES = re.compile(r"python[0-9.]*")
_MAKE_VARIABLE = re.compile(r"^(?:\$\([^)]*\)|\$\{[^}]*\})[ \t/]*(?:bin/)?")


class Command(NamedTuple):
    """One command whose failure counts."""

    words: tuple[str, ...]
    """The program by its own name, and its arguments."""
    path: str
    """The file that has it."""
    when: frozenset[str]
    """What starts it: `push`, `pull_request`, `schedule`, `tag`."""


def commands(text: str, files: Mapping[str, str], depth: int = 0) -> Iterator[tuple[str, ...]]:
    """The commands of a script, and of what it calls: Makefiles and scripts of the project.

    Args:
        files: the project's texts by path, as far as they may be called.
    """
    for line in _lines(text):
        for words in _split(line):
            program = tuple(_unwrapped(words))
            if not program:
                continue
            yield program
            if depth < _DEEPEST:
                yield from _called(program, files, depth)


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").split("\n"):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield stripped


_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
"""What a forge replaces; nothing is known of it."""


def _split(line: str) -> Iterator[list[str]]:
    """The commands of one line; those whose failure is hidden (`|| true`) are left out."""
    lexer = shlex.shlex(_EXPRESSION.sub("X", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError:
        return
    found: list[tuple[list[str], str]] = []
    current: list[str] = []
    for word in [*words, ";"]:
        if word in _SEPARATORS:
            if current:
                found.append((current, word))
            current = []
        else:
            current.append(word)
    for number, (command, after) in enumerate(found):
        following = found[number + 1][0] if number + 1 < len(found) else []
        if after == "||" and following and (following[0] in (*_HIDING, "echo") or following == ["exit", "0"]):
            continue
        yield command


def _unwrapped(words: list[str]) -> list[str]:
    """Without what stands before the program itself: `env A=b uv run python -m`."""
    rest = list(words)
    while rest:
        name = rest[0].rpartition("/")[2]
        pair = f"{name} {rest[1]}" if len(rest) > 1 else ""
        if _ASSIGNMENT.fullmatch(rest[0]):
            rest = rest[1:]
        elif pair in _WRAPPERS:
            rest = _after_options(rest[2:])
        elif name in _WRAPPERS:
            rest = _after_options(rest[1:])
        elif _MODULES.fullmatch(name) and len(rest) > 2 and rest[1] == "-m":
            rest = rest[2:]
        else:
            return [name if "/" in rest[0] and _is_tool(rest[0]) else rest[0], *rest[1:]]
    return rest


def _is_tool(path: str) -> bool:
    """A program of an environment, not a script of the project."""
    return "bin/" in path and not path.endswith((".sh", ".py"))


def _after_options(rest: list[str]) -> list[str]:
    while rest and rest[0].startswith("-"):
        if rest[0] == "-m":
            return rest[1:]
        rest = rest[2:] if rest[0] in _VALUED and len(rest) > 1 else rest[1:]
    return rest


def _called(words: tuple[str, ...], files: Mapping[str, str], depth: int) -> Iterator[tuple[str, ...]]:
    program, *arguments = words
    plain = [word for word in arguments if not word.startswith("-") and "=" not in word]
    if program in ("make", "gmake") and "-C" not in arguments and "-n" not in arguments:
        text = next((files[name] for name in ("Makefile", "makefile", "GNUmakefile") if name in files), "")
        for target in plain or [""]:
            yield from commands("\n".join(_recipe(text, target)), files, depth + 1)
    elif program in ("sh", "bash") and plain:
        yield from commands(files.get(_inside(plain[0]), ""), files, depth + 1)
    elif program.endswith(".sh"):
        yield from commands(files.get(_inside(program), ""), files, depth + 1)
    elif program in ("sh", "bash") and "-c" in arguments[:-1]:
        yield from commands(arguments[arguments.index("-c") + 1], files, depth + 1)
    elif task := _task(program, files):
        yield from commands(task, files, depth + 1)
    elif any("pytest" in files.get(name, "") for name in _RUNNERS.get(program, ())):
        yield ("pytest",)


_RUNNERS = {"tox": ("tox.ini", "pyproject.toml", "setup.cfg"), "nox": ("noxfile.py",)}


def _task(name: str, files: Mapping[str, str]) -> str:
    """What a task of pixi, PDM, Hatch or Poe is: `NAME = "..."` or `NAME = { cmd = "..." }`."""
    for file in ("pixi.toml", "pyproject.toml"):
        start = rf"^{re.escape(name)}[ \t]*=[ \t]*(?:\{{[^}}\n]*\b(?:cmd|shell)[ \t]*=[ \t]*)?"
        if match := re.search(start + r"([\"'])(.+?)\1", files.get(file, ""), re.MULTILINE):
            return match[2]
    return ""


def _inside(path: str) -> str:
    return path.removeprefix("./")


_RULE = re.compile(r"^(?P<targets>[A-Za-z0-9_.$()/ %-]+?)::?(?!=)(?P<needs>[^=\n#]*)")


def _recipe(makefile: str, target: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The lines of a target and of what it needs; a line that may fail (`-`) is left out."""
    rules: dict[str, tuple[list[str], list[str]]] = {}
    current: list[str] = []
    for line in makefile.replace("\\\n", " ").split("\n"):
        if line.startswith("\t"):
            for name in current:
                rules[name][1].append(line.strip())
        elif match := _RULE.match(line):
            current = [name for name in match["targets"].split() if not name.startswith(".")]
            for name in current:
                rules.setdefault(name, ([], []))[0].extend(match["needs"].split())
    target = target or next(iter(rules), "")
    needs, lines = rules.get(target, ([], []))
    for need in needs:
        if need in rules and need not in seen:
            yield from _recipe(makefile, need, seen | {target})
    for line in lines:
        plain = line.lstrip("@+ ")
        if not plain.startswith("-"):
            yield _MAKE_VARIABLE.sub("", plain)
