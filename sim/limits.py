"""What does not fit this machine, or would not end, is refused before it starts, with what would fit (`sim.estimate`)."""

import math
from operator import attrgetter
from pathlib import Path

from ..kernels.lattice import VOXELS_MAX
from .available import available_memory, free_disk, readable_bytes
from .body.seeds import ROWS_MAX
from .errors import InputError
from .estimate import Estimate, estimate
from .plain_text import printable
from .problems import refusal
from .scenario import Scenario

# from here on a run is warned of; that it can not end is said of one that would take so long
HOURS_LONG, HOURS_MAX = 24.0, 2400.0
# draws are told apart by a 32-bit tick
TICKS_MAX = 2**32 - 1
# more would not end in a day
SUBSTEPS_MAX = 2**16


def refuse_what_cannot_run(
    scenario: Scenario, out: Path | None = None, device: str = "cpu", gpu_free_bytes: int | None = None
) -> Estimate:
    """The estimate, if the run fits this machine; else InputError with what does not and what would.

    `out` is where the run folder will be (no disk check without it); `gpu_free_bytes` is what the
    GPU has left, if it is known.
    """
    needs = estimate(scenario, device)
    name = printable(scenario.source.name or scenario.title)
    _refuse_counts(needs, name, scenario)
    room = [
        ("memory", needs.host_bytes, available_memory(), "host_bytes"),
        ("memory of the GPU", needs.device_bytes, gpu_free_bytes, "device_bytes"),
        ("disk space", needs.disk_bytes, free_disk(out) if out else None, "disk_bytes"),
    ]
    short = [(what, need, have, key) for what, need, have, key in room if have is not None and need > have]
    if short:
        limits = {key: have for _, _, have, key in room if have is not None}
        advice = [
            f"needs {readable_bytes(need)} of {what}, {readable_bytes(have)} are free" for what, need, have, _ in short
        ]
        raise InputError(
            refusal(
                f"{name}: this run does not fit", *advice, *_what_fits(scenario, needs, device, limits, short[0][3])
            )
        )
    return needs


def largest_lattice(scenario: Scenario, device: str, limits: dict[str, int]) -> tuple[int, int, int] | None:
    """The largest cube (square in 2-D) that `limits` (Estimate's byte fields) hold, all else equal."""
    flat = scenario.lattice.shape[0] == 1

    def shape(edge: int) -> tuple[int, int, int]:
        return (1, edge, edge) if flat else (edge, edge, edge)

    def fits(edge: int) -> bool:
        if math.prod(shape(edge)) > VOXELS_MAX:
            return False
        table = scenario.lattice.model_copy(update={"shape": shape(edge)})
        needs = estimate(scenario.model_copy(update={"lattice": table}), device)
        return all(getattr(needs, key) <= most for key, most in limits.items())

    low, high = 0, 46_341 if flat else 1_290
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return shape(low) if low else None


def _refuse_counts(needs: Estimate, name: str, scenario: Scenario) -> None:
    if needs.ticks > TICKS_MAX:
        key = "body.interval_h" if scenario.emission is not None else "lattice.tick_h"
        raise InputError(
            refusal(
                f"{name}: {needs.ticks} ticks, at most {TICKS_MAX} can be told apart",
                f"Lower until_h or lengthen {key}.",
            )
        )
    if needs.hours > HOURS_MAX or needs.colonies > ROWS_MAX:
        raise InputError(refusal(f"{name}: this run would not end: {of_colonies(needs)}", *_fewer(scenario)))
    for role, substeps in needs.solute_substeps.items():
        if substeps > SUBSTEPS_MAX:
            raise InputError(
                refusal(
                    f"{name}: stability asks for {substeps} {role} substeps a tick, at most {SUBSTEPS_MAX} are taken",
                    f"Use a shorter lattice.tick_h, larger voxels, or a lower solutes.{role}.diffusivity_um2_per_h.",
                )
            )


def of_colonies(needs: Estimate) -> str:
    """How many colonies a body without a lattice comes to, and how long it takes."""
    hours = needs.hours
    long = (
        f"{60 * hours:.2g} minutes" if hours < 1 else f"{hours:.2g} hours" if hours < 48 else f"{hours / 24:,.0f} days"
    )
    days = long if hours < 1e7 else "more than a thousand years"
    return f"some {needs.colonies:.2g} colonies and {needs.ticks:,} ticks, {days}"


def _fewer(scenario: Scenario) -> list[str]:
    """What makes fewer ticks and colonies; of those that there are."""
    keys = ["emission.shedding_per_h", "body.colonies.shedding_per_h"]
    given = [key for key in keys if attrgetter(key)(scenario) > 0]
    return [f"Lower until_h{''.join(f' or {key}' for key in given)}, or lengthen body.interval_h."]


def _what_fits(scenario: Scenario, needs: Estimate, device: str, limits: dict[str, int], short_of: str) -> list[str]:
    if scenario.emission is not None:
        return [f"It comes to {of_colonies(needs)}.", *_fewer(scenario)]
    shape = largest_lattice(scenario, device, limits)
    if shape is None:
        return ["Not even a lattice of one voxel fits: use a smaller body.organ_shape, or another machine or disk."]
    kind = "square" if shape[0] == 1 else "cubic"
    advice = [f"The largest {kind} lattice that fits is lattice.shape = {list(shape)}."]
    if short_of == "disk_bytes":
        advice.append(
            "A longer output.every_h, output.fields_every_h for what changes little, fewer output.fields, or 12 "
            "output.keep_bits need less disk."
        )
    return advice
