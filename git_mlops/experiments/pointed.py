"""What pointers name: of one tree, whose files are known, and of many commits at once."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from git_mlops.data import pointers
from git_mlops.data.pointers import Out, PointerError
from git_mlops.git import objects
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo, fields
from git_mlops.git.run import GitError, scratch, started


def outs(found: Mapping[str, bytes]) -> list[Out]:
    """Outputs of the pointers among `found` (path → content); a dvc.lock comes with its dvc.yaml."""
    named: dict[Out, None] = {}
    for path, content in found.items():
        if not pointers.is_pointer(path):
            continue
        pipeline = found.get(beside(path)) if path.endswith("dvc.lock") else None
        try:
            named |= dict.fromkeys(pointers.parse(path, content, pipeline).outs)
        except PointerError:
            continue  # said by the rule pointer-valid
    return list(named)


def of_commits(repo: Repo, commits: Iterable[str]) -> list[Out]:
    """The same of many commits: git says how the pointers of each differ from those of the one before."""
    first, *rest = dict.fromkeys(commits) or ("",)
    if not first:
        return []
    pairs = "".join(f"{new} {old}\n" for old, new in pairwise((first, *rest)))
    with scratch() as questions:
        questions.write(pairs.encode())
        questions.seek(0)
        process = started(*_DIFF, cwd=repo.root, stdin=questions)
    with process:
        here = {entry.path: entry.oid for entry in objects.tree_entries(repo, first) if counts(entry.path)}
        found = dict.fromkeys(_pairs(here, here))
        assert process.stdout
        for changed in _changed(fields(process.stdout.read())):
            here |= changed
            found |= dict.fromkeys(_pairs(here, changed))
    if process.returncode:
        raise GitError(_DIFF, process.returncode, "")
    if not found:
        return []
    with reader(repo) as answers:
        texts = answers.read({oid for _path, *oids in found for oid in oids if oid}, limit=pointers.LARGEST)
    read = {oid: one.content or b"" for oid, one in texts.items()}
    named = (
        {path: read[pointer]} | ({beside(path): read[pipeline]} if pipeline in read else {})
        for path, pointer, pipeline in found
        if pointer in read
    )
    return list(dict.fromkeys(out for one in named for out in outs(one)))


_DIFF = (
    "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames",
    "--", "*.dvc", "*dvc.lock", "*dvc.yaml",
)  # fmt: skip


def counts(path: str) -> bool:
    """Whether a file says what is data, or how."""
    return pointers.is_pointer(path) or path.rpartition("/")[2] == "dvc.yaml"


def beside(path: str) -> str:
    """The pipeline of a dvc.lock."""
    return path.removesuffix("dvc.lock") + "dvc.yaml"


def _pairs(here: Mapping[str, str], changed: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Pointers that changed, or the pipeline of which did: path, their blob and the pipeline's."""
    for path in changed:
        pointer = path.removesuffix("dvc.yaml") + "dvc.lock" if path.endswith("dvc.yaml") else path
        if pointer in here and pointers.is_pointer(pointer):
            pipeline = here.get(beside(pointer), "") if pointer.endswith("dvc.lock") else ""
            yield pointer, here[pointer], pipeline


def _changed(answer: Iterable[str]) -> Iterator[dict[str, str]]:
    """What `diff-tree` said of each commit: path → blob, of zeros where it is gone."""
    changed: dict[str, str] = {}
    words = iter(answer)
    for word in words:
        if not word.startswith(":"):
            yield changed
            changed = {}
            continue
        path = next(words)
        if counts(path):
            changed[path] = word.split(" ")[3]
    yield changed
