"""Which files of a tree are code: what decides a result and is neither data, output nor document. Pure."""

import posixpath
import re
from collections.abc import Iterable, Sequence

from git_mlops.experiments import layout
from git_mlops.experiments.layout import Layout
from git_mlops.git.objects import Entry
from git_mlops.patterns import matches

_NOT_CODE = re.compile(
    r"(?:.*/)?(?:\.dvc|\.mlops|\.github|\.gitlab|\.circleci|docs|mlops-track)/.*"
    r"|(?:.*/)?(?:\.git[a-z]*|\.dvcignore|dvc\.lock|mlops\.yaml|CODEOWNERS|\.gitlab-ci\.yml|\.pre-commit-[a-z]+\.yaml)"
    r"|.*\.(?:dvc|md|rst|adoc|pdf|png|jpe?g|svg|gif|html)"
    r"|(?:.*/)?(?:README|LICENSE|LICENCE|CHANGELOG|CHANGES|AUTHORS|NOTICE|CITATION)(?:\..*)?",
)
# written by the run itself
_TRACKED = re.compile(r"(?:.*/)?(?:dvclive|mlops-track)/.*")
_SOURCE = re.compile(
    r".*\.(?:py|pyx|pxd|sh|bash|zsh|r|R|jl|c|cc|cpp|cxx|h|hpp|cu|cuh|rs|go|java|kt|scala|js|ts|sql|lua|pl|rb|m"
    r"|ya?ml|toml|cfg|ini|gin|jsonnet)"
    r"|(?:.*/)?(?:Makefile|Dockerfile|Snakefile|Rakefile|requirements[^/]*\.txt)"
)


def entries(files: Iterable[Entry], found: Layout, declared: Sequence[str]) -> list[Entry]:
    """The code of a tree: the declared patterns, or else everything that is nothing else."""
    if declared:
        return [entry for entry in files if matches(entry.path, declared)]
    others = (*found.metrics, *found.plots, *found.outs)
    params = {path for path, keys in found.params if not (keys and path.endswith(".py"))}
    return [
        entry
        for entry in files
        if entry.path not in params
        and not _NOT_CODE.fullmatch(entry.path)
        and not layout.conventional(entry.path)
        and not layout.covers(others, entry.path)
    ]


def fixed(files: Iterable[Entry], found: Layout, declared: Sequence[str]) -> list[Entry]:
    """What stays as it was when a run started, whatever is edited while it goes on: sources and parameters.

    Other files of the project may be results of the run even where nothing declares them. dvc.yaml is left
    out: DVCLive writes it at the end of a run, as it does its parameters.
    """
    files = list(files)
    code = {entry.path for entry in entries(files, found, declared)}
    params = {path for path, _keys in found.params if not _TRACKED.fullmatch(path)}
    return [
        entry
        for entry in files
        if entry.path in params
        or (
            entry.path in code
            and posixpath.basename(entry.path) != "dvc.yaml"
            and (bool(declared) or _SOURCE.fullmatch(entry.path) is not None)
        )
    ]
