"""Perfusion by trial: what is still connected to the inlets whatever single voxel or link is cut (Menger's theorem)."""

INLET = -1
Link = tuple[int, int]


def reached(links: list[Link]) -> set[int]:
    """Nodes connected to the inlets."""
    found = {INLET}
    while True:
        more = {b for a, b in links if a in found} | {a for a, b in links if b in found}
        if more <= found:
            return found
        found |= more


def between_inlets(links: list[Link]) -> set[int]:
    """Nodes with two ways to the inlets that share no voxel and no link."""
    nodes = {node for link in links for node in link} - {INLET}
    out = set()
    for node in nodes:
        by_voxel = all(node in reached([link for link in links if cut not in link]) for cut in nodes - {node})
        by_link = all(node in reached(links[:n] + links[n + 1 :]) for n in range(len(links)))
        if node in reached(links) and by_voxel and by_link:
            out.add(node)
    return out
