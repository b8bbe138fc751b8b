"""The ledger: identities that hold at every tick of every run, or the run stops.

cells     before + born - died - departed + arrived = counted after        (per lattice)
clones    founded = daughters that the divisions marked; clone numbers on the lattices < clones
perfused  grown and perfused = connected by perfused voxels to a given vessel
others    before + gained - lost = counted after          (per lattice: debris, immune cells, stroma, epithelium)
seeds     released + fragments = in transit + dead + arrested + returned
arrested  arrested = waiting + dormant + growing + extinct
on board  cells departed = cells of all seeds; of those that settled = founders + without room + killed + returned
"""

from typing import NamedTuple

from .errors import IdentityBroken


class Others(NamedTuple):
    """What else stands in a lattice besides tumour cells, in voxels."""

    necrotic: int = 0
    immune: int = 0
    stroma: int = 0
    epithelium: int = 0


NO_OTHERS = Others()


class Tally(NamedTuple):
    """What one tick did to the cells of one lattice. Without other cells than tumour cells the rest is 0."""

    before: int
    born: int
    died: int
    departed: int
    arrived: int
    after: int
    mesenchymal: int
    moved: int
    clamped: int
    mutated: int = 0  # daughters that were to found a clone, as the divisions counted them
    founded: int = 0  # clones founded, as the clone table counted them
    causes: tuple[tuple[str, int], ...] = ()  # of the deaths: (name, cells)
    others_before: Others = Others()
    others_gained: Others = Others()
    others_lost: Others = Others()
    others: Others = Others()


def check_cells(tally: Tally, tick: int, where: str) -> None:
    """Raises IdentityBroken if a cell was lost or copied."""
    for kind, before, gained, lost, after in zip(
        Others._fields, tally.others_before, tally.others_gained, tally.others_lost, tally.others, strict=True
    ):
        if before + gained - lost != after:
            raise IdentityBroken(
                f"tick {tick}, {where}: the ledger of {kind} voxels is broken by {after - before - gained + lost:+d}: "
                f"{before} before + {gained} gained - {lost} lost = {before + gained - lost}, but {after} were "
                "counted. "
                "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
            )
    if tally.mutated != tally.founded:
        raise IdentityBroken(
            f"tick {tick}, {where}: the ledger of clones is broken: {tally.mutated} daughters mutated, but "
            f"{tally.founded} clones were founded. "
            "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
        )
    expected = tally.before + tally.born - tally.died - tally.departed + tally.arrived
    if expected != tally.after:
        raise IdentityBroken(
            f"tick {tick}, {where}: the cell ledger is broken by {tally.after - expected:+d}: "
            f"{tally.before} before + {tally.born} born - {tally.died} died - {tally.departed} departed "
            f"+ {tally.arrived} arrived = {expected}, but {tally.after} were counted. "
            "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
        )


def check_perfused(unreached: int, tick: int, where: str) -> None:
    """Raises IdentityBroken if blood is said to flow where no perfused vessel leads."""
    if unreached:
        raise IdentityBroken(
            f"tick {tick}, {where}: {unreached} voxels of grown vessels are perfused, but no perfused vessel connects them "
            "to a given one. "
            "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
        )


def check_seeds(
    tick: int, *, released: int, fragments: int, in_transit: int, dead: int, arrested: int, returned: int
) -> None:
    """Raises IdentityBroken if a seed was lost or copied."""
    if released + fragments != in_transit + dead + arrested + returned:
        raise IdentityBroken(
            f"tick {tick}, body: the seed ledger is broken: {released} released + {fragments} from break-up, "
            f"but {in_transit} in transit + {dead} dead + {arrested} arrested + {returned} returned. "
            "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
        )


def check_on_board(
    tick: int,
    *,
    departed: int,
    on_board: int,
    settled: int,
    founders: int,
    without_room: int,
    killed: int = 0,
    returned: int = 0,
) -> None:
    """Raises IdentityBroken if a cell was lost or copied on its way through the body."""
    if departed != on_board or settled != founders + without_room + killed + returned:
        raise IdentityBroken(
            f"tick {tick}, body: {departed} cells departed and {on_board} are in the books of seeds; of {settled} that "
            f"settled {founders} founded colonies, {without_room} found no room, {killed} had been killed and {returned} "
            "returned to the primary. "
            "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
        )


def check_arrested(tick: int, *, arrested: int, growing: int, extinct: int, waiting: int = 0, dormant: int = 0) -> None:
    """Raises IdentityBroken if an arrested seed neither waits nor is a colony, or a colony has no seed."""
    if arrested != waiting + dormant + growing + extinct:
        raise IdentityBroken(
            f"tick {tick}, body: {arrested} seeds arrested, but {waiting} wait, {dormant} colonies are dormant, {growing} "
            f"grow and {extinct} are extinct. "
            "This is a defect of seedsoil, not of the scenario; please report it with the scenario and the key."
        )
