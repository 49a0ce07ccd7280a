"""A graph as a tree of text, as Graphviz, as Mermaid, as plain values."""

import json
from collections.abc import Callable, Iterator, Mapping

from git_mlops.lineage.graph import KINDS, Edge, Graph, Node

UP, DOWN = "made from", "used by"


def text(graph: Graph, start: str, *, up: bool, down: bool) -> Iterator[str]:
    """Both directions as trees; what was shown above is named and not repeated."""
    yield said(graph.nodes[start])
    for wanted, title, follow, end in (
        (up, UP, graph.up, lambda edge: edge.source),
        (down, DOWN, graph.down, lambda edge: edge.target),
    ):
        if wanted:
            lines = list(_tree(graph, start, follow, end, "", {start}))
            yield title + ("" if lines else ": nothing known")
            yield from lines


def _tree(
    graph: Graph,
    node: str,
    follow: Callable[[str], list[Edge]],
    end: Callable[[Edge], str],
    indent: str,
    seen: set[str],
) -> Iterator[str]:
    edges = sorted(follow(node), key=lambda edge: _order(graph.nodes[end(edge)]))
    for number, edge in enumerate(edges):
        last = number == len(edges) - 1
        other = end(edge)
        shown = other in seen and bool(follow(other))
        mark = "└─" if last else "├─"
        yield f"{indent}{mark} {edge.how}: {said(graph.nodes[other], edge.how)}{' (above)' if shown else ''}"
        if other not in seen:
            seen.add(other)
            yield from _tree(graph, other, follow, end, f"{indent}{'   ' if last else '│  '}", seen)


def _order(node: Node) -> tuple[int, str]:
    return KINDS.index(node.kind), node.label


def said(node: Node, how: str = "") -> str:
    """A thing in a line; its kind is left out where `how` it came says it."""
    tainted = " [tainted data was in its tree]" if node.facts.get("beside") else ""
    tainted = " [tainted]" if node.facts.get("tainted") else tainted
    if node.kind == "object":
        return f"{node.label} {node.id.split(':')[-1][:10]}{tainted}"
    kind = node.kind if node.kind in ("model", "experiment", "environment", "commit") else ""
    return f"{kind if kind != how else ''} {node.label}{tainted}".strip()


def plain(graph: Graph, start: str) -> dict[str, object]:
    """For `--json`."""
    return {
        "start": start,
        "nodes": [{**node._asdict(), "facts": dict(node.facts)} for node in graph.nodes.values()],
        "edges": [edge._asdict() for edge in graph.edges],
    }


_SHAPES: Mapping[str, str] = {
    "object": "cylinder",
    "model": "box3d",
    "experiment": "ellipse",
    "stage": "house",
}


def dot(graph: Graph) -> str:
    """For Graphviz."""
    numbers = {name: f"n{number}" for number, name in enumerate(graph.nodes)}
    lines = ["digraph lineage {", "  rankdir=LR;"]
    for name, node in graph.nodes.items():
        shape = _SHAPES.get(node.kind, "box")
        lines.append(f"  {numbers[name]} [label={_quoted(said(node))}, shape={shape}];")
    lines += [f"  {numbers[e.source]} -> {numbers[e.target]} [label={_quoted(e.how)}];" for e in graph.edges]
    return "\n".join([*lines, "}"])


_BRACKETS = {"object": ("[(", ")]"), "model": ("[[", "]]"), "stage": ("([", "])")}


def mermaid(graph: Graph) -> str:
    """For Markdown that forges draw."""
    numbers = {name: f"n{number}" for number, name in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for name, node in graph.nodes.items():
        left, right = {"object": ("[(", ")]"), "model": ("[[", "]]"), "stage": ("([", "])")}.get(
            node.kind, ("[", "]")
        )
        lines.append(f"  {numbers[name]}{left}{_entities(said(node))}{right}")
    lines += [f"  {numbers[e.source]} -->|{_entities(e.how)}| {numbers[e.target]}" for e in graph.edges]
    return "\n".join(lines)


def _quoted(words: str) -> str:
    return json.dumps("".join(c if c.isprintable() else " " for c in words), ensure_ascii=False)


def _entities(words: str) -> str:
    """In quotes, everything but letters, digits and a few signs as entities: nothing can end the text."""
    return '"' + "".join(c if c.isalnum() or c in " ._/-@" else f"#{ord(c)};" for c in words) + '"'
