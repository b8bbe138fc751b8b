"""A simulation as named arrays and numbers, and back: all that the next tick depends on, and nothing else.

Scratch is left out (it is dead between ticks), and so is what the scenario determines.
"""

from collections import Counter
from typing import Any

import numpy as np

from ..kernels.tissue import Tissue
from . import implant
from .body.seeds import Growing
from .device import Device
from .emitting import simulation_of
from .errors import InputError
from .ledger import Others
from .scenario import Scenario
from .simulation import Simulation


def capture(run: Simulation) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays by path, numbers) of a simulation between two ticks. Arrays may be the live ones: copy or write at once."""
    arrays = {}
    for name, tissue in run.tissues():
        arrays |= {f"tissue/{name}/{member}": tissue.host(member) for member in tissue.members()}
    for row, tissue in run.circulation.lattices():
        arrays |= {f"lattice/{row}/{member}": tissue.host(member) for member in tissue.members()}
    for path, table in _tables(run).items():
        arrays |= {f"{path}/{name}": np.ascontiguousarray(table[name]) for name in table.names}
    numbers = {
        "tick": run.tick,
        "cells": run.cells,
        "mesenchymal": run.mesenchymal,
        "others": list(run.others),
        "released": run.seeds.released,
        "released_cells": run.seeds.released_cells,
        "returned_cells": run.seeds.returned_cells,
        "fragments": run.seeds.fragments,
        "body": run.circulation.numbers(),
        "flows": dict(run.flows),
        "organs": {
            organ.name: {"cells": organ.cells, "colonies": organ.colonies, "others": list(organ.others)}
            for organ in run.organs
        },
    }
    return arrays, numbers


def restore(scenario: Scenario, device: Device, arrays: dict[str, np.ndarray], numbers: dict[str, Any]) -> Simulation:
    """The simulation that was captured. Raises InputError if the state does not fit the scenario."""
    run = simulation_of(scenario, device)
    try:
        run.tick, run.cells, run.mesenchymal = numbers["tick"], numbers["cells"], numbers["mesenchymal"]
        run.others = Others(*numbers["others"])
        run.flows = Counter(numbers["flows"])
        for organ in run.organs:
            organ.cells, organ.colonies = (numbers["organs"][organ.name][key] for key in ("cells", "colonies"))
            if f"tissue/{organ.name}/cell" in arrays:
                organ.tissue = implant.organ(scenario, device, organ.name)
            organ.others = Others(*numbers["organs"][organ.name]["others"])
        for name, tissue in run.tissues():
            _refill(tissue, name, arrays, device)
        for path, table in _tables(run).items():
            columns = {name: arrays[f"{path}/{name}"] for name in table.names}
            lengths = {len(column) for column in columns.values()}
            if len(lengths) != 1:
                raise ValueError(f"columns of {path} differ in length")
            table.rows = 0  # what stands in a new simulation already
            if lengths != {0}:
                table.append(columns, count=lengths.pop())  # type: ignore[arg-type]
        run.clones.upload()
        run.seeds.released, run.seeds.fragments = numbers["released"], numbers["fragments"]
        run.seeds.released_cells = numbers["released_cells"]
        run.seeds.returned_cells = numbers.get("returned_cells", 0)  # a run of before had none
        run.circulation.take_up(numbers.get("body", {}))
        run.circulation.readmit(run.seeds, run.tick)
        run.circulation.take_up_lattices(_lattices(arrays))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"the state does not fit the scenario: {error}") from None
    return run


def _lattices(arrays: dict[str, np.ndarray]) -> dict[int, dict[str, np.ndarray]]:
    """Row of the colony -> arrays of its lattice, by name; rows ascending, as they were taken."""
    found: dict[int, dict[str, np.ndarray]] = {}
    for path, array in arrays.items():
        kind, _, rest = path.partition("/")
        if kind == "lattice":
            row, _, name = rest.partition("/")
            found.setdefault(int(row), {})[name] = array
    return dict(sorted(found.items()))


def _refill(tissue: Tissue, name: str, arrays: dict[str, np.ndarray], device: Device) -> None:
    for member, target in tissue.members().items():
        saved = arrays[f"tissue/{name}/{member}"]
        if saved.shape != target.shape or saved.dtype != target.dtype:
            raise ValueError(
                f"{name}.{member} is {saved.dtype} {saved.shape} in the state, {target.dtype} {target.shape} in the scenario"
            )
        target[...] = device.array(saved)
    tissue.wake()


def _tables(run: Simulation) -> dict[str, Growing]:
    return {
        "seeds": run.seeds.table,
        "members": run.seeds.members,
        "colonies": run.colonies.table,
        "clones": run.clones.table,
        **{f"body/{name}": table for name, table in run.circulation.tables().items()},
        **{f"vessels/{name}": table for name, table in run.vessels.tables().items()},
        **{
            f"organs/{organ.name}/vessels/{name}": table
            for organ in run.organs
            for name, table in organ.vessels.tables().items()
        },
    }
