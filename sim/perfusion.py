"""Which grown vessels are perfused, told from the links between their voxels.

Blood flows between two supplied vessels: a voxel is perfused if a path from one inlet through it to another does not
pass any voxel twice. With all inlets drawn together to one node that is to say: it lies on a cycle through this node, or in
its biconnected component (Tarjan 1972, SIAM J Comput 1:146). A dead end is not perfused, nor is a loop that hangs on a single
stem. Lymph is drained, not perfused: a voxel counts if it is connected to a given lymph vessel, dead ends too.
Ignored: pressures. All inlets are alike, so a loop is perfused however small the drop along it.
"""

import numpy as np

INLET = -1


def between_inlets(ones: np.ndarray, others: np.ndarray) -> set[int]:
    """The nodes on a path between inlets. Links (n,) i8 join nodes from 0 up; INLET stands for any of the inlets."""
    near = _neighbours(ones, others)
    order, low = {INLET: 0}, {INLET: 0}
    found: set[int] = set()
    stack: list[int] = []
    for start in dict.fromkeys(near.get(INLET, ())):
        if start in order:
            continue  # a child of an earlier one, by a path that comes back to the inlets
        order[start] = low[start] = len(order)
        stack.append(start)
        path = [(start, INLET, iter(near[start]))]
        while path:
            node, parent, rest = path[-1]
            for other in rest:
                if other == parent:
                    continue  # a second link to the inlets is looked at where the component is closed
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    path.append((other, node, iter(near[other])))
                    break
                low[node] = min(low[node], order[other])
            else:
                path.pop()
                if low[node] >= order[parent]:  # node and what is above it on the stack hang on the parent
                    component = [stack.pop()]
                    while component[-1] != node:
                        component.append(stack.pop())
                    if parent == INLET and (len(component) > 1 or near[node].count(INLET) > 1):
                        found.update(component)
                else:
                    low[parent] = min(low[parent], low[node])
    return found


def connected(ones: np.ndarray, others: np.ndarray) -> set[int]:
    """The nodes that the links connect to an inlet."""
    near = _neighbours(ones, others)
    found, edge = set(), [INLET]
    while edge:
        for other in near.get(edge.pop(), ()):
            if other != INLET and other not in found:
                found.add(other)
                edge.append(other)
    return found


def _neighbours(ones: np.ndarray, others: np.ndarray) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for one, other in zip(ones.tolist(), others.tolist(), strict=True):
        out.setdefault(one, []).append(other)
        out.setdefault(other, []).append(one)
    return out
