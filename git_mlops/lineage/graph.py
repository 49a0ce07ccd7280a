"""A graph of what came from what. Pure.

Names of nodes are formats: `object:md5:<hash>`, `experiment:<ref>`, `model:NAME@V`, `stage:NAME#STAGE`,
`commit:<id>`, `schema:<path>@<blob>`, `environment:<hash>`, `person:<address>`, `cause:<commit>` (why a model
was trained again: of the monitor's record, else of the experiment).
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

Kind = Literal["object", "experiment", "model", "stage", "commit", "schema", "environment", "person", "cause"]
KINDS: tuple[Kind, ...] = (
    "model", "stage", "experiment", "cause", "object", "schema", "commit", "environment", "person",
)  # fmt: skip


class Node(NamedTuple):
    """One thing."""

    id: str
    kind: Kind
    label: str
    """For people: `data/patients.csv`, `quiet-otter`, `breast@v1.0.0`."""
    facts: Mapping[str, object] = {}  # the default of a frozen tuple, never changed


class Edge(NamedTuple):
    """`target` came from `source`."""

    source: str
    target: str
    how: str
    """`read`, `stage train`, `registered`; `IN_TREE` alone says that it did not, as far as its maker said."""


READ, MAY_HAVE_READ, IN_TREE = "read", "may have read", "was in the tree"
"""What a run has to do with data: it said so; nobody knows; it was there, and the run said what it read."""


class Graph:
    """Nodes by name, and what came from what; in the order in which it was found."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._up: dict[str, dict[str, Edge]] = {}
        self._down: dict[str, dict[str, Edge]] = {}

    def add(self, node: Node) -> str:
        """Of two descriptions of a thing the one that says more is kept."""
        known = self.nodes.get(node.id)
        if known is None or len(known.facts) < len(node.facts):
            self.nodes[node.id] = node
        return node.id

    def link(self, source: str, target: str, how: str) -> None:
        """Say that `target` came from `source`; what is said first is kept."""
        if source != target and target not in self._down.get(source, {}):
            edge = Edge(source, target, how)
            self._up.setdefault(target, {})[source] = edge
            self._down.setdefault(source, {})[target] = edge

    def up(self, node: str) -> list[Edge]:
        """What it was made from."""
        return [*self._up.get(node, {}).values()]

    def down(self, node: str) -> list[Edge]:
        """What was made from it."""
        return [*self._down.get(node, {}).values()]

    @property
    def edges(self) -> Iterator[Edge]:
        """All of them."""
        for found in self._down.values():
            yield from found.values()


def part(graph: Graph, start: str, *, up: bool, down: bool, beside: bool = True) -> Graph:
    """What one thing came from, what came from it, or both.

    Args:
        beside: also over what only was in a run's tree.
    """
    found = Graph()
    found.add(graph.nodes[start])
    for wanted, follow in ((up, graph.up), (down, graph.down)):
        seen, waiting = {start}, [start] if wanted else []
        while waiting:
            for edge in follow(waiting.pop(0)):
                if edge.how == IN_TREE and not beside:
                    continue
                other = edge.source if follow == graph.up else edge.target
                found.add(graph.nodes[other])
                found.link(*edge)
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    return found
