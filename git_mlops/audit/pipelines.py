"""What CI really runs: its definitions in a tree, with their triggers. Nothing is executed.

A definition that git-mlops generated counts when it is what mlops.yaml compiles to; one that people wrote is
read: which commands it has, what starts them, and whether their failure would be seen.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from git_mlops.audit.shell import Command, commands
from git_mlops.errors import MlopsError
from git_mlops.nesting import too_deep
from git_mlops.scaffold.ci_blocks import filled
from git_mlops.scaffold.ci_providers import PROVIDERS, SCRIPT, File
from git_mlops.scaffold.settings import Name, Settings

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 40
_MARK = " mlops-ci: 1 sha256:"
_STARTS = {
    "push": "push", "pull_request": "pull_request", "pull_request_target": "pull_request",
    "merge_group": "pull_request", "schedule": "schedule", "workflow_run": "push",
}  # fmt: skip
_ALWAYS = frozenset(("push", "pull_request"))
_SCRIPTS = ("run", "script", "inlineScript", "before_script", "bash", "command", "after_script")
_FOREIGN = {
    ".gitlab-ci.yml": "gitlab",
    "bitbucket-pipelines.yml": "bitbucket",
    ".circleci/config.yml": "circleci",
}


class Doubt(NamedTuple):
    """A definition that counts for nothing."""

    path: str
    why: str


class Pipelines(NamedTuple):
    """What CI runs."""

    commands: tuple[Command, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    files: tuple[str, ...] = ()
    """Every definition."""
    testpaths: tuple[str, ...] = ()
    """Where pytest looks when it is told nothing."""

    def running(self, *starts: tuple[str, ...], when: str | None = None) -> list[Command]:
        """The commands that begin with one of these words."""
        return [
            one
            for one in self.commands
            if any(one.words[: len(words)] == words for words in starts)
            and (when is None or when in one.when)
        ]


def is_definition(path: str) -> bool:
    """Whether a path may say what CI runs."""
    folder, _, name = path.rpartition("/")
    workflow = folder in (".github/workflows", ".gitea/workflows", ".forgejo/workflows")
    return _kind(path) is not None or path in _JENKINS or (workflow and name.endswith((".yml", ".yaml")))


def _kind(path: str) -> str | None:
    """Of the providers whose file is not GitHub's."""
    if _AZURE.search(path):
        return "azure"
    return _FOREIGN.get(path)


_JENKINS = frozenset(("Jenkinsfile", "Jenkinsfile.train", "Jenkinsfile.monitor"))
_AZURE = re.compile(r"^(?:(?:\.pipelines|\.azure-pipelines|\.azuredevops)/.+|azure-pipelines[^/]*)\.ya?ml$")


def read(files: Mapping[str, str], settings: Settings) -> Pipelines:
    """What the CI definitions among some files run.

    Args:
        files: texts by path: definitions, and the scripts and Makefiles that they may call.
        settings: the section `ci:` of the same mlops.yaml.
    """
    found: list[Command] = []
    doubts: list[Doubt] = []
    definitions = [path for path in files if is_definition(path)]
    generated = {one.path: (name, one) for name, p in PROVIDERS.items() for one in p.own}
    # our script has a function for each step: which ones run, its caller says
    others = {path: text for path, text in files.items() if path != SCRIPT.path}
    for path in sorted(definitions):
        text = files[path]
        if path in generated and _MARK in text[:2000]:
            name, file = generated[path]
            problem = _stale(name, file, files, settings)
            if problem is not None:
                doubts.append(problem)
            else:
                found += _generated(path, file, files, settings)
                found += (one for one in _written(path, text, others, doubts) if not _own(one))
        else:
            written = list(_written(path, text, others, doubts))
            found += (each for one in written for each in _steps(one, files, settings))
    return Pipelines(tuple(dict.fromkeys(found)), tuple(doubts), tuple(sorted(definitions)), testpaths(files))


def testpaths(files: Mapping[str, str]) -> tuple[str, ...]:
    """What the first file that configures pytest says, in the order in which pytest looks."""
    for name, section in _CONFIGURED.items():
        text = files.get(name, "")
        head = re.search(rf"^\[{re.escape(section)}\][ \t]*$", text, re.MULTILINE)
        if head is None:
            continue
        body = re.split(r"^\[", text[head.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        said = re.search(r"^testpaths\s*=\s*(\[[^\]]*\]|[^\n]*(?:\n[ \t]+[^\n]+)*)", body, re.MULTILINE)
        return tuple(re.findall(r"[^\s,\[\]\"']+", said[1])) if said else ()
    return ()


_CONFIGURED = {
    "pytest.ini": "pytest", ".pytest.ini": "pytest", "pyproject.toml": "tool.pytest.ini_options",
    "tox.ini": "pytest", "setup.cfg": "tool:pytest",
}  # fmt: skip


def _own(command: Command) -> bool:
    return command.words[:2] == ("sh", SCRIPT.path) or ".mlops/ci" in " ".join(command.words)


def _steps(command: Command, files: Mapping[str, str], settings: Settings) -> Iterator[Command]:
    """A command; of our script what its steps run, where it is what mlops.yaml compiles to."""
    yield command
    words = command.words[1:] if command.words[0] in ("sh", "bash") else command.words
    if not words or words[0].removeprefix("./") != SCRIPT.path or _differs("sh", SCRIPT, files, settings):
        return
    wanted = words[1:] or ("check", "test")
    if "check" in wanted:
        yield command._replace(words=("git", "mlops", "check"))
    if "test" in wanted:
        yield from (command._replace(words=one) for one in commands(settings.test or "", files))


# -- what we generated ---------------------------------------------------------------------------------------


def _stale(name: Name, file: File, files: Mapping[str, str], settings: Settings) -> Doubt | None:
    """Why a generated file is none: it, or the script that it calls, is not what mlops.yaml says."""
    if not file.wanted(settings):
        return Doubt(file.path, "mlops.yaml asks for it no more")
    problems = (_differs(name, one, files, settings) for one in (file, SCRIPT))
    return next((one for one in problems if one is not None), None)


def _differs(name: Name, file: File, files: Mapping[str, str], settings: Settings) -> Doubt | None:
    from git_mlops.scaffold.ci_compile import compiled

    present = files.get(file.path)
    if present is None:
        return Doubt(file.path, "it does not exist")
    present = present.replace("\r\n", "\n")
    try:
        whole = filled(compiled(name, settings, file), present)
    except MlopsError as error:
        return Doubt(file.path, str(error))
    return None if whole.text == present else Doubt(file.path, "it is not what mlops.yaml compiles to")


def _generated(path: str, file: File, files: Mapping[str, str], settings: Settings) -> Iterator[Command]:
    if file.asked_by == "comment":
        return
    if file.asked_by in ("train", "monitor"):
        yield from _of_models(path, file.asked_by, settings)
        return
    if file.asked_by == "deploy":
        yield Command(("git", "mlops", "model", "verify"), path, frozenset({"tag"}))
        for command in settings.deploy.values():
            yield from (Command(words, path, frozenset({"tag"})) for words in commands(command, files))
        return
    yield Command(("git", "mlops", "check"), path, _ALWAYS)
    yield Command(("git", "mlops", "report"), path, _ALWAYS)
    for words in commands(settings.test or "", files):
        yield Command(words, path, _ALWAYS)
    if settings.deploy and path not in (".github/workflows/mlops.yml", ".gitea/workflows/mlops.yml"):
        yield Command(("git", "mlops", "model", "verify"), path, frozenset({"tag"}))
        for command in settings.deploy.values():
            yield from (Command(words, path, frozenset({"tag"})) for words in commands(command, files))
    if _kind(path) is not None:  # these have one file for all
        yield from _of_models(path, None, settings)


def _of_models(path: str, what: str | None, settings: Settings) -> Iterator[Command]:
    """What is trained again and watched; `what`: one of the two, by its file of its own."""
    train, monitor = settings.train, settings.monitor
    if train is not None and what in ("train", None):
        when = {"push"} if "data" in train.when else set()
        when |= {"schedule"} if train.schedule or ("drift" in train.when and monitor) else set()
        for model in train.model:
            yield Command(("git", "mlops", "retrain", model), path, frozenset(when))
    if monitor is not None and what in ("monitor", None):
        when = {"schedule"} if monitor.schedule else set()
        for model in monitor.model:
            yield Command(("git", "mlops", "monitor", model), path, frozenset(when))


# -- what people wrote ---------------------------------------------------------------------------------------


def _written(path: str, text: str, files: Mapping[str, str], doubts: list[Doubt]) -> Iterator[Command]:
    if path in _JENKINS:
        yield from _jenkins(path, text, files)
        return
    value = _yaml(text)
    if not isinstance(value, dict):
        doubts.append(Doubt(path, "it is no YAML that a forge would take"))
        return
    when = _when(path, value)
    if not when:
        if _kind(path) != "azure" or "pool" in value:
            doubts.append(Doubt(path, "nothing triggers it: no push, pull request or schedule"))
        return
    every = [*_jobs(path, value), *_templates(path, value, files, 0)]
    for script, quiet in every:
        if not quiet:
            yield from (Command(words, path, when) for words in commands(script, files))
    if every and all(quiet for _script, quiet in every):
        doubts.append(
            Doubt(path, "its failures are not seen (`continue-on-error`, `allow_failure`, `if: false`)")
        )


def _yaml(text: str) -> Any:
    try:
        return None if too_deep(text.encode(), _DEEPEST) else yaml.load(text, Loader=_LOADER)  # noqa: S506  # safe
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _when(path: str, value: Mapping[Any, Any]) -> frozenset[str]:
    """What starts it."""
    kind = _kind(path)
    if kind == "gitlab":
        rules = (
            (value.get("workflow") or {}).get("rules") if isinstance(value.get("workflow"), dict) else None
        )
        never = bool(rules) and all(isinstance(r, dict) and r.get("when") == "never" for r in rules or ())
        return frozenset() if never else _ALWAYS
    if kind == "azure":
        if not {"trigger", "pr", "schedules", "resources"} & value.keys() and path != "azure-pipelines.yml":
            return frozenset()  # a template of others
        off = value.get("trigger") == "none" and value.get("pr") in ("none", None)
        return frozenset({"schedule"} if value.get("schedules") else ()) if off else _ALWAYS
    if kind == "bitbucket":
        named = value.get("pipelines")
        return _ALWAYS if isinstance(named, dict) and set(named) - {"custom"} else frozenset()
    if kind == "circleci":
        return _ALWAYS
    events = value.get("on", value.get(True))  # YAML 1.1 reads a bare `on` as true
    names = [events] if isinstance(events, str) else list(events) if isinstance(events, list | dict) else []
    found = {_STARTS[name] for name in names if name in _STARTS}
    push = events.get("push") if isinstance(events, dict) else None
    if isinstance(push, dict) and "tags" in push:
        found.add("tag")
        if "branches" not in push:
            found.discard("push")
    return frozenset(found)


def _jobs(path: str, value: Mapping[Any, Any]) -> Iterator[tuple[str, bool]]:
    """Scripts, and whether their failure goes unseen or they never run."""
    kind = _kind(path)
    if kind == "gitlab":
        for name, job in value.items():
            if isinstance(job, dict) and not str(name).startswith("."):
                yield from _scripts(
                    job, quiet=job.get("allow_failure") is True or job.get("when") == "manual"
                )
        return
    if kind == "circleci":
        yield from _scripts(value.get("jobs"), quiet=False)
        return
    yield from _scripts(value, quiet=False)


def _templates(path: str, value: object, files: Mapping[str, str], depth: int) -> Iterator[tuple[str, bool]]:
    """Scripts of the templates that a pipeline of Azure takes in."""
    if _kind(path) != "azure" or depth > _MOST_TEMPLATES:
        return
    for name in _named(value):
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        inner = _yaml(files.get(place, ""))
        yield from _scripts(inner, quiet=False)
        yield from _templates(place, inner, files, depth + 1)


_MOST_TEMPLATES = 3


def _named(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one)
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "template" and isinstance(inner, str):
                yield inner
            else:
                yield from _named(inner)


def _scripts(value: object, *, quiet: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(value, list):
        for one in value:
            yield from _scripts(one, quiet=quiet)
    if not isinstance(value, dict):
        return
    quiet = quiet or _unseen(value)
    for name, inner in value.items():
        if name in _SCRIPTS and isinstance(inner, str):
            yield inner, quiet
        elif name in _SCRIPTS and isinstance(inner, list) and all(isinstance(one, str) for one in inner):
            yield "\n".join(inner), quiet
        else:
            yield from _scripts(inner, quiet=quiet)


def _unseen(value: Mapping[Any, Any]) -> bool:
    condition = str(value.get("if", value.get("condition", ""))).replace("${{", "").replace("}}", "").strip()
    hidden = value.get("continue-on-error") is True or value.get("continueOnError") is True
    return hidden or condition.lower() in ("false", "never()") or value.get("enabled") is False


def _jenkins(path: str, text: str, files: Mapping[str, str]) -> Iterator[Command]:
    """Steps `sh '…'`; a script in Groovy beyond that is not understood."""
    for match in re.finditer(r"\bsh\s*\(?\s*(?:script:\s*)?('''|\"\"\"|'|\")(.*?)\1", text, re.DOTALL):
        yield from (Command(words, path, _ALWAYS) for words in commands(match[2], files))
