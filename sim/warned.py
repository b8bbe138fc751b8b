"""What a scenario is warned of: it runs, but not as one would wish. `seedsoil check` tells it, and so do runs."""

import math
from collections.abc import Callable

from .available import readable_bytes
from .body.emission import Law
from .estimate import Estimate, estimate
from .inert import inert
from .limits import HOURS_LONG, of_colonies
from .scenario import Scenario

# up to here a stopped run is to be on the disk within 20 s of the signal
CHECKPOINT_BYTES_20S = 8 * 2**30


def warnings_of(scenario: Scenario, needs: Estimate | None = None) -> list[str]:
    """What runs, but not as one would wish. `needs` is what it takes, if that has been worked out."""
    needs = needs or estimate(scenario)
    found = [f"{one.key}: {one.told}" for one in inert(scenario)]
    return found + (_of_emission(scenario, needs) if scenario.emission is not None else _of_lattice(scenario, needs))


def warn_of(scenario: Scenario, needs: Estimate, warn: Callable[[str], None] | None) -> None:
    """Call `warn`, if there is one to call, with each of them."""
    for text in warnings_of(scenario, needs) if warn else ():
        warn(text)  # type: ignore[misc]


def _of_emission(scenario: Scenario, needs: Estimate) -> list[str]:
    """A primary that is a number: its resection."""
    table = scenario.emission
    assert table is not None
    found, cut_h = [], Law.of(table).course.resection_h
    name = "resection_h" if 0 < table.resection_h == cut_h else "resection_diameter_mm"
    if scenario.until_h < cut_h < math.inf:
        found.append(f"emission.{name}: the primary would be resected at {cut_h:.6g} h, after the run has ended")
    if cut_h == 0:
        found.append(f"emission.{name}: the primary has this diameter at the start, and is resected there and then")
    if needs.hours > HOURS_LONG:
        found.append(f"this is a long run: {of_colonies(needs)}")
    return found


def _of_lattice(scenario: Scenario, needs: Estimate) -> list[str]:
    """A primary on a lattice: rates that a tick is too long for, defaults that are for others, and its checkpoints."""
    found = []
    for name in ("apoptosis_per_h", "anoikis_per_h", "necrosis_per_h", "clearance_per_h"):
        chance = -math.expm1(-getattr(scenario.death, name) * scenario.lattice.tick_h)
        if chance > 0.1:
            found.append(f"death.{name}: a probability of {chance:.2f} a tick, over 0.1: shorten lattice.tick_h")
    for name in ("epithelial_per_h", "mesenchymal_per_h"):
        per_tick = getattr(scenario.proliferation, name) * scenario.lattice.tick_h
        if scenario.proliferation.law == "clock" and per_tick > 0:
            off = max(1, round(1 / per_tick)) * per_tick - 1
            if abs(off) > 0.01:
                found.append(f"proliferation.{name}: its period, rounded to whole ticks, is {100 * off:+.0f} % off")
    given = {"matrix.contact_per_h": scenario.matrix, "solutes.protease.secretion_per_h": scenario.solutes.protease}
    for path, table in given.items():
        if path.rsplit(".", 1)[1] not in table.model_fields_set and scenario.lattice.voxel_um != 5.0:
            found.append(
                f"{path}: its default is for a voxel of 5 um, and lattice.voxel_um is {scenario.lattice.voxel_um:g}; give it in the scenario (per volume it would be {(scenario.lattice.voxel_um / 5) ** 3:g} times less)"
            )
    if scenario.body.transit_h < scenario.lattice.tick_h:
        found.append("body.transit_h is shorter than a tick: seeds arrive one tick after they left")
    if scenario.output.every_h > scenario.until_h:
        found.append("output.every_h is longer than the run: only its start and end are recorded")
    size = needs.checkpoint_bytes
    if size > CHECKPOINT_BYTES_20S:
        found.append(
            f"a checkpoint of {readable_bytes(size)} may take more than 20 s to write and check: have the scheduler "
            "send its signal earlier (status.json tells how long the last one took, checkpoint_s)"
        )
    return found
