"""The project's tests as `ast` sees them: which assert something, and about which code. Nothing is run."""

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

LARGEST = 400_000
"""Characters of a test file that is looked at."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEEPEST = 4
_CHECKING = re.compile(r"assert.+|raises|warns|validate|check_estimator|expect_.+")
_FEATURES = re.compile(
    r"feature|preprocess|prepare|transform|encod|tokeni|augment|clean|split|dataset|data_?load|make_?data|"
    r"vectori|embedd|ingest"
)
_MODELS = re.compile(r"model|train|predict|estimat|network|learn|loss|measure|evaluat|infer|scor")
_SERVING = re.compile(r"^(?:serv|api$|app$|endpoint|handler|inference)")


class Test(NamedTuple):
    """A test that asserts something about the project's code."""

    path: str
    name: str
    line: int
    modules: frozenset[str]
    """Paths of the project's code that it uses, through its fixtures, too."""
    words: frozenset[str]
    """Every identifier that it uses, its own name included, in small letters."""

    @property
    def where(self) -> str:
        """`tests/test_model.py:12`."""
        return f"{self.path}:{self.line}"

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Whether an identifier matches."""
        return any(map(pattern.search, self.words))


class Suites(NamedTuple):
    """All of them."""

    tests: tuple[Test, ...] = ()
    of_data: tuple[Test, ...] = ()
    """Those that hold data to expectations of a library, whatever code they use."""
    empty: tuple[str, ...] = ()
    """`PATH: why` of test files that show nothing."""

    def saying(self, pattern: re.Pattern[str], kind: re.Pattern[str] | None = None) -> list[Test]:
        """Those with an identifier that matches, of code of a kind; those that are named so come first."""
        found = [one for one in (self.about(kind) if kind else self.tests) if one.says(pattern)]
        return sorted(found, key=lambda one: pattern.search(one.name.lower()) is None)

    def about(self, kind: re.Pattern[str]) -> list[Test]:
        """Those that use code of a kind."""
        return [one for one in self.tests if any(is_of(path, kind) for path in one.modules)]


FEATURES, MODELS, SERVING = _FEATURES, _MODELS, _SERVING


_FOREIGN = re.compile(
    r"(?:^|/)(?:templates?|cookiecutter[^/]*|cases|fixtures|vendor|third_party|site-packages|\.[^/]+)/|[{}]"
)
"""What stands in such folders is another project's, or an example."""


def is_test(path: str) -> bool:
    """Whether pytest would collect a file, and it is the project's own."""
    if _FOREIGN.search(path):
        return False
    name = path.rpartition("/")[2]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))


def is_support(path: str) -> bool:
    """Whether tests get their fixtures from it."""
    return path.rpartition("/")[2] == "conftest.py"


def is_of(path: str, kind: re.Pattern[str]) -> bool:
    """Whether code is for features, models or serving, by how people name files and folders."""
    *folders, name = path.removesuffix(".py").split("/")
    inner = folders[-1:] if len(folders) > 1 else []
    return any(kind.search(part.lower()) for part in (*inner, name))


def code(paths: Iterable[str]) -> list[str]:
    """The project's own Python, without its tests."""
    return [
        path
        for path in paths
        if path.endswith(".py")
        and not is_test(path)
        and not is_support(path)
        and not _FOREIGN.search(path)
        and not re.search(r"(^|/)(tests?|docs?|examples?|setup\.py|noxfile\.py)($|/)", path)
    ]


_EXPECTING = frozenset(
    ("great_expectations", "pandera", "evidently", "deepchecks", "tensorflow_data_validation")
)


class _File(NamedTuple):
    """One parsed file."""

    path: str
    imports: Mapping[str, frozenset[str]]
    """Name in the file → paths of the project's code."""
    libraries: Mapping[str, str]
    """Name in the file → the library of expectations that it is of."""
    functions: Mapping[str, _Function]
    tests: tuple[tuple[str, _Function], ...]
    skipped: bool


def read(files: Mapping[str, str], paths: Iterable[str]) -> Suites:
    """What test files come to.

    Args:
        files: texts of tests and of conftest.py by path.
        paths: every file of the tree: which imports are the project's own.
    """
    modules = _modules(code(paths))
    parsed = {path: one for path, text in files.items() if (one := _parsed(path, text, modules)) is not None}
    found: list[Test] = []
    of_data: list[Test] = []
    empty: list[str] = []
    for path in sorted(parsed):
        if not is_test(path):
            continue
        good = list(_good(parsed[path], _supporting(path, parsed)))
        found += [one for one in good if one.modules]
        of_data += [one for one in good if one.words & _EXPECTING]
        if not any(one.modules or one.words & _EXPECTING for one in good):
            empty.append(f"{path}: {_why(parsed[path])}")
    empty += [f"{path}: it is no Python" for path in files if path not in parsed and is_test(path)]
    return Suites(tuple(found), tuple(of_data), tuple(empty))


def _why(file: _File) -> str:
    if not file.tests:
        return "it has no test function"
    if file.skipped or all(_is_skipped(function) for _name, function in file.tests):
        return "its tests are skipped"
    if not any(_asserts(function) for _name, function in file.tests):
        return "its tests assert nothing"
    return "its tests use no code of the project"


def _supporting(path: str, parsed: Mapping[str, _File]) -> list[_File]:
    """The conftest.py files that hold for a test file, the nearest first."""
    folder = posixpath.dirname(path)
    found = []
    while True:
        name = f"{folder}/conftest.py" if folder else "conftest.py"
        if name in parsed:
            found.append(parsed[name])
        if not folder:
            return found
        folder = posixpath.dirname(folder)


def _good(file: _File, support: list[_File]) -> Iterator[Test]:
    if file.skipped:
        return
    for name, function in file.tests:
        if _is_skipped(function) or not _asserts(function):
            continue
        modules, words = _used(function, file, support, 0, set())
        every = frozenset(word.lower() for word in (*words, name) if not word.startswith("_"))
        yield Test(file.path, name, function.lineno, frozenset(modules), every)


def _used(
    function: _Function, file: _File, support: list[_File], depth: int, seen: set[int]
) -> tuple[set[str], set[str]]:
    """The project's code and the identifiers that a function uses, also through what it calls or is given."""
    seen.add(id(function))
    words = set(_identifiers(function))
    words |= {library for word in words if (library := file.libraries.get(word))}
    modules = {path for word in words for path in file.imports.get(word, ())}
    arguments = {one.arg for one in function.args.args}
    for place in (file, *support):
        for word in words | arguments:
            inner = place.functions.get(word)
            if inner is None or id(inner) in seen or depth >= _DEEPEST:
                continue
            if place is not file and word not in arguments:
                continue
            more, said = _used(inner, place, support, depth + 1, seen)
            modules |= more
            words |= said
    return modules, words | arguments


@lru_cache(maxsize=4096)
def _identifiers(function: ast.AST) -> frozenset[str]:
    """Asked for once for each test that uses a helper or a fixture."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return frozenset(found)


def _asserts(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not _always(node.test):
            return True
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if _CHECKING.fullmatch(name) and not (node.args and all(map(_always, node.args))):
                return True
    return False


def _always(test: ast.expr) -> bool:
    """Whether it says nothing: constants alone, a thing compared with itself, `… or True`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_always(value) and not _is_false(value) for value in test.values)
    if isinstance(test, ast.Compare) and len(test.comparators) == 1 and isinstance(test.ops[0], _SAME):
        return ast.dump(test.left) == ast.dump(test.comparators[0]) or not _names(test)
    return not _names(test)


_SAME = (ast.Eq, ast.Is)


def _names(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name | ast.Call | ast.Attribute) for node in ast.walk(test))


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value


def _is_skipped(function: _Function) -> bool:
    marks = [ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in function.decorator_list]
    first = next((one for one in function.body if not _is_text(one)), None)
    called = _call(first.value) if isinstance(first, ast.Expr) else ""
    return called in ("pytest.skip", "skip", "self.skipTest") or any(
        mark.rpartition(".")[2] in ("skip", "xfail", "expectedFailure") for mark in marks
    )


def _call(value: ast.expr) -> str:
    """What is called, if it is a call."""
    return ast.unparse(value.func) if isinstance(value, ast.Call) else ""


def _is_text(one: ast.stmt) -> bool:
    return isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)


def _parsed(path: str, text: str, modules: Mapping[str, str]) -> _File | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    imports: dict[str, set[str]] = {}
    libraries: dict[str, str] = {}
    for node in ast.walk(tree):
        for name, module in _bound(node, path):
            places = _resolved(module, modules)
            if module.partition(".")[0] in _EXPECTING:
                libraries[name] = module.partition(".")[0]
            if places:
                imports.setdefault(name, set()).update(places)
    functions = {one.name: one for one in tree.body if isinstance(one, _FUNCTIONS)}
    tests = [(name, one) for name, one in functions.items() if name.startswith("test")]
    for each in tree.body:
        if isinstance(each, ast.ClassDef):
            inner = [one for one in each.body if isinstance(one, _FUNCTIONS)]
            tests += [(one.name, one) for one in inner if one.name.startswith("test")]
            functions |= {one.name: one for one in inner if not one.name.startswith("test")}
    found = {name: frozenset(places) for name, places in imports.items()}
    return _File(path, found, libraries, functions, tuple(tests), _all_skipped(tree))


def _all_skipped(tree: ast.Module) -> bool:
    for one in tree.body:
        if isinstance(one, ast.Assign) and any(getattr(t, "id", "") == "pytestmark" for t in one.targets):
            said = ast.unparse(one.value)
            if re.search(r"mark\.(skip|xfail)\b(?!if)", said):
                return True
        if isinstance(one, ast.Expr) and _call(one.value) == "pytest.skip":
            return True
    return False


def _bound(node: ast.AST, path: str) -> Iterator[tuple[str, str]]:
    """Names that an import binds, and the modules that they may be."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], alias.name
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            folders = posixpath.dirname(path).split("/")
            kept = folders[: len(folders) - node.level + 1]
            base = ".".join([*filter(None, kept), *([base] if base else [])])
        for alias in node.names:
            yield alias.asname or alias.name, f"{base}.{alias.name}"


def _resolved(module: str, modules: Mapping[str, str]) -> set[str]:
    """The longest beginning that is a module of the project."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        place = modules.get(".".join(parts[:end]))
        if place is not None:
            return {place}
    return set()


def _modules(paths: Iterable[str]) -> dict[str, str]:
    """What the project's files can be imported as → path."""
    found: dict[str, str] = {}
    every = list(paths)
    packages = {posixpath.dirname(path) for path in every if path.endswith("/__init__.py")}
    for path in every:
        parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
        top = len(parts) - 1
        while top > 0 and "/".join(parts[:top]) in packages:
            top -= 1
        found.setdefault(".".join(parts), path)
        found.setdefault(".".join(parts[top:]), path)
        if parts[0] in ("src", "lib"):
            found.setdefault(".".join(parts[1:]), path)
    return found
