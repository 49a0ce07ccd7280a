"""The compiled pipelines before other tools: schemas, linters, parsers. None of them asks the network."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from git_mlops.scaffold.ci_compile import compiled
from git_mlops.scaffold.ci_providers import PROVIDERS, File
from git_mlops.scaffold.settings import Name
from tests.conftest import Run
from tests.scaffold.ci_cases import CASES

SCHEMAS: dict[str, tuple[Name, ...]] = {
    "github-workflows": ("github", "gitea"),
    "gitlab-ci": ("gitlab",),
    "azure-pipelines": ("azure",),
    "bitbucket-pipelines": ("bitbucket",),
    "circle-ci": ("circleci",),
}
TOOLS = Path(sys.executable).parent


def written(folder: Path, name: Name) -> list[tuple[File, Path]]:
    """A provider's own files for every case."""
    found = []
    for case, settings in CASES.items():
        for file in PROVIDERS[name].own or PROVIDERS[name].files:
            if file.wanted(settings):
                path = folder / case / name / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(compiled(name, settings, file), encoding="utf-8")
                found.append((file, path))
    return found


def tool(name: str) -> str:
    """A program that not every machine has; CI installs it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_published_schema_takes_it(tmp_path: Path, run: Run, schema: str) -> None:
    files = [path for name in SCHEMAS[schema] for _file, path in written(tmp_path, name)]
    # of Azure's schema some patterns are no regular expressions in the strict dialect
    options = ("--regex-variant", "nonunicode", "--builtin-schema", f"vendor.{schema}")
    run(TOOLS / "check-jsonschema", *options, *files, cwd=tmp_path)


@pytest.mark.parametrize("persona", ["regular", "pedantic"])
def test_zizmor_finds_nothing(tmp_path: Path, run: Run, persona: str) -> None:
    files = [path for name in SCHEMAS["github-workflows"] for _file, path in written(tmp_path, name)]
    run(TOOLS / "zizmor", "--offline", "--no-config", "--persona", persona, *files, cwd=tmp_path)


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name not in ("jenkins", "sh")])
def test_no_key_stands_twice(tmp_path: Path, name: Name) -> None:
    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
            keys = [self.construct_object(key) for key, _value in node.value]
            assert len(keys) == len(set(keys)), keys
            return super().construct_mapping(node, deep)

    for _file, path in written(tmp_path, name):
        assert yaml.load(path.read_text(encoding="utf-8"), Loader=Strict)


def test_shells_read_the_script(tmp_path: Path, run: Run) -> None:
    for _file, path in written(tmp_path, "sh"):
        for shell in filter(shutil.which, ("bash", "dash", "sh")):
            run(shell, "-n", path, cwd=tmp_path)


@pytest.mark.slow
def test_shellcheck_finds_nothing(tmp_path: Path, run: Run) -> None:
    files = [path for _file, path in written(tmp_path, "sh")]
    run(tool("shellcheck"), "--shell", "sh", *files, cwd=tmp_path)


PARSE = """\
args.each { new GroovyShell().parse(new File(it)) }
println "parsed ${args.length}"
"""


@pytest.mark.slow
def test_groovy_parses_the_jenkinsfile(tmp_path: Path, run: Run) -> None:
    """With the Groovy that npm-groovy-lint brings: the whole linter takes ten times as long."""
    linter = Path(os.path.realpath(tool("npm-groovy-lint")))
    (jars,) = {jar.parent for jar in linter.parent.rglob("java/groovy/lib/groovy-4*.jar")}
    (tmp_path / "parse.groovy").write_text(PARSE)
    files = [path for _file, path in written(tmp_path, "jenkins")]
    java = (tool("java"), "-cp", f"{jars}/*", "groovy.ui.GroovyMain")
    assert run(*java, "parse.groovy", *files, cwd=tmp_path).stdout == f"parsed {len(files)}\n"


def test_no_string_of_a_jenkinsfile_replaces_anything_of_mlops_yaml(tmp_path: Path) -> None:
    """Groovy replaces `$` between double quotes alone: what stands there is ours."""
    own = {'"${env.WORKSPACE_TMP}"', '"python:${PYTHON}"'}
    for _file, path in written(tmp_path, "jenkins"):
        quoted = [line.strip().split(" ")[-1] for line in path.read_text().splitlines() if '"' in line]
        assert {text for text in quoted if not text.startswith("//")} - own - {"none"} == set()
