"""Evidence read: one revision's files, and what refs and tags say. The number of processes does not grow."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from git_mlops.audit import declared, pipelines, suites, tables
from git_mlops.audit.facts import LOCKS, Settings, State
from git_mlops.audit.pipelines import Doubt, Pipelines, is_definition
from git_mlops.audit.suites import is_support, is_test
from git_mlops.data import listing
from git_mlops.data.pointers import is_pointer
from git_mlops.decode import DecodeError
from git_mlops.findings import Finding
from git_mlops.git import config as git_config
from git_mlops.git import objects
from git_mlops.git.reader import Reader, reader
from git_mlops.git.repo import Repo
from git_mlops.tables import forms

CONFIG = "mlops.yaml"
_LARGEST = 4 * 1024 * 1024
_MOST_TESTS = 2000
_NAMED = frozenset((
    CONFIG, declared.FILE, "Makefile", "makefile", "GNUmakefile", "tox.ini", "pyproject.toml",
    "setup.cfg", "pytest.ini", ".pytest.ini", "pixi.toml",
    "noxfile.py", "CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS",
    ".github/dependabot.yml", ".github/dependabot.yaml", "renovate.json", ".renovaterc", ".renovaterc.json",
    ".github/renovate.json", ".gitlab/renovate.json",
))  # fmt: skip


class Reading(NamedTuple):
    """How settings are read: the audit is below what knows the file."""

    parse: Callable[[bytes], Settings]
    """Raises DecodeError."""
    default: Settings


def state(repo: Repo, commit: str | None, how: Reading, items: Collection[str], now: int) -> State:
    """One revision's files.

    Args:
        commit: None before the first one.
        items: ids that may be declared.
    """
    if commit is None:
        empty = pipelines.Pipelines()
        return State(None, now, frozenset(), {}, how.default, (), empty, suites.Suites(), (), (), ())
    oids = {one.path: one.oid for one in objects.tree_entries(repo, commit) if one.mode.startswith("100")}
    with reader(repo) as answers:
        time = _time(answers, commit)
        raw = _read(answers, oids, _wanted(oids))
        settings, wrong = _settings(raw.get(CONFIG), how)
        raw |= _read(answers, oids, _schemas(settings) - raw.keys())
    texts = {path: content.decode("utf-8", "replace") for path, content in raw.items()}
    forms.declare(settings.forms)
    pointing = {p: content for p, content in raw.items() if is_pointer(p) or p.endswith("dvc.yaml")}
    outs = listing.outs(pointing, unreadable=[])
    said = declared.read(texts.get(declared.FILE), items, oids.keys(), now)
    tests = {p: t for p, t in texts.items() if (is_test(p) or is_support(p)) and len(t) < suites.LARGEST}
    return State(
        commit=commit,
        time=time,
        paths=frozenset(oids),
        texts=texts,
        settings=settings,
        problems=(*wrong, *said.findings),
        ci=_ci(repo, pipelines.read(texts, settings.ci)),
        suites=suites.read(tests, oids),
        tables=tables.read(repo, tables.Tree(oids, raw, outs), settings),
        outs=tuple(outs),
        declared=said.declared,
    )


def _ci(repo: Repo, found: Pipelines) -> Pipelines:
    """No forge runs what is in a repository that it does not know."""
    if not found.files or git_config.read(repo, r"^remote\..*\.url$"):
        return found
    doubts = [Doubt(path, "the repository has no remote: no forge runs it") for path in found.files]
    return Pipelines((), tuple(doubts), found.files, found.testpaths)


def _time(answers: Reader, commit: str) -> int:
    found = answers.read([commit]).get(commit)
    head = (found.content or b"").partition(b"\n\n")[0] if found else b""
    line = next((line for line in head.split(b"\n") if line.startswith(b"committer ")), b"")
    words = line.split()
    return int(words[-2]) if len(words) > 2 and words[-2].isdigit() else 0


def _read(answers: Reader, oids: Mapping[str, str], paths: Iterable[str]) -> dict[str, bytes]:
    wanted = {path: oids[path] for path in paths if path in oids}
    found = answers.read(wanted.values(), limit=_LARGEST)
    contents = {path: found[oid].content for path, oid in wanted.items() if oid in found}
    return {path: content for path, content in contents.items() if content is not None}


def _wanted(oids: Mapping[str, str]) -> list[str]:
    every = [path for path in oids if is_test(path) or is_support(path)][:_MOST_TESTS]
    return every + [
        path
        for path in oids
        if path in _NAMED
        or is_definition(path)
        or is_pointer(path)
        or path.endswith(("dvc.yaml", *LOCKS))
        or (path.endswith(".sh") and path.count("/") < 3)
        or ("/" not in path and path.startswith("requirements"))
    ]


def _schemas(settings: Settings) -> set[str]:
    return {binding.partition(":")[0] for binding in settings.schemas.values()}


def _settings(content: bytes | None, how: Reading) -> tuple[Settings, list[Finding]]:
    if content is None:
        return how.default, []
    try:
        return how.parse(content), []
    except DecodeError as error:
        return how.default, [Finding("config-valid", "error", str(error), CONFIG, hint=error.hint)]
