"""A small parser of Newick trees with comments, written from the grammar and not from what writes them."""

import re
from dataclasses import dataclass, field


@dataclass
class Node:
    """A node: the name of its parent ("" at the root), branch length, and what stands in its comment."""

    parent: str = ""
    length: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> dict[str, Node]:
    """Nodes by name. Raises ValueError if the text is no tree."""
    nodes: dict[str, Node] = {}
    waiting: list[list[str]] = [[]]  # names of the finished children, by depth
    finished: list[str] | None = None  # children of the node that is named next
    for token in re.finditer(
        r"\(|\)|,|;|(?P<name>[^\s()\[\]:;,]+)(\[&(?P<notes>[^\]]*)\])?(:(?P<length>[-+.eE\d]+))?", text
    ):
        if token["name"] is not None:
            if token["name"] in nodes:
                raise ValueError(f"{token['name']} stands twice")
            notes = dict(pair.split("=") for pair in token["notes"].split(",")) if token["notes"] else {}
            nodes[token["name"]] = Node(length=float(token["length"] or 0), notes=notes)
            for child in finished or []:
                nodes[child].parent = token["name"]
            finished = None
            waiting[-1].append(token["name"])
        elif token[0] == "(":
            waiting.append([])
        elif token[0] == ")":
            finished = waiting.pop()
    if len(waiting) != 1 or not text.rstrip().endswith(";"):
        raise ValueError("brackets do not match, or no semicolon at the end")
    return nodes
