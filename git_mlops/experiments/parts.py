"""The parts of the content key that a tree alone decides."""

from typing import NamedTuple

from git_mlops.experiments import code, inputs, key, tree
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import Reader


class Parts(NamedTuple):
    """As recording computes them."""

    code: str
    data: str
    params: str


def of_tree(objects: Reader, root: str, settings: Settings) -> Parts:
    """The parts of a commit's tree, without what an experiment or a run adds."""
    trees = Trees(objects)
    contents = tree.contents(trees, [root], settings.params)[root]
    source = code.entries(trees.files(root), contents.layout, settings.code)
    return Parts(
        key.code_part((entry.path, entry.mode, entry.oid) for entry in source),
        key.data_part(inputs.data(inputs.files(trees, root))),
        key.params_part(contents.values.params),
    )
