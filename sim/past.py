"""What a branch may not change: its past is that of the run it leaves, to the bit."""

from operator import attrgetter
from pathlib import Path

from ..kernels.tissue import Trait
from .errors import InputError
from .scenario import Scenario

_FIXED = ("lattice", "implant", "vessels", "matrix.texture", "stroma.site_probability")


def refuse_another_past(old: Scenario, new: Scenario, at_h: float, place: Path) -> None:
    """Raises InputError unless a run of `old`, in the folder `place`, can go on as `new` from `at_h` on."""
    ticks = at_h / old.lattice.tick_h
    if not -0.5 <= ticks <= old.ticks + 0.5:
        raise InputError(f"--at-h {at_h:g}: the run goes from 0 to {old.until_h:g} h")
    time_h = round(ticks) * old.lattice.tick_h
    if time_h == 0:
        raise InputError(f"--at-h {at_h:g}: is the start; run the scenario with --set instead of branching")
    for name in _FIXED:
        if attrgetter(name)(new) != attrgetter(name)(old):
            raise InputError(f"{name}: a branch shares the past of {place}, so it cannot change [{name}]")
    for trait in Trait:
        if old.mutation.varies(trait) and not new.mutation.varies(trait):
            name = trait.name.lower()
            raise InputError(
                f"mutation.{name}: clones of the past differ in this trait, so a branch cannot take its law away; to stop "
                "mutations set mutation.probability=0"
            )
    if new.body.organ_names != old.body.organ_names or new.body.organ_shape != old.body.organ_shape:
        raise InputError(
            f"body: a branch keeps the organs of its past, in their order, and their shape: {', '.join(old.body.organ_names)}"
        )
    if new.body.interval_h != old.body.interval_h and new.body.graph:
        raise InputError("body.interval_h: a branch counts the intervals of its past, so it cannot change their length")
    if (new.body.graph, new.body.graph_sha256) != (old.body.graph, old.body.graph_sha256):
        raise InputError("body.graph: a branch shares the past of its body, so it cannot change the graph")
    if old.emission and new.emission and (name := new.emission.rewrites(old.emission, time_h)):
        raise InputError(
            f"emission.{name}: a branch shares the past of {place}, and the primary would have had another size before "
            f"{time_h:g} h"
        )
    if round(at_h / new.lattice.tick_h) >= new.ticks:
        raise InputError(f"--at-h {at_h:g}: there is no future before until_h = {new.until_h:g}")
