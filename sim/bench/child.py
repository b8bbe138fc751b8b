"""One process of the quickstart benchmark: `python -m seedsoil.sim.bench.child ORDERS.json`.

It writes what it timed (CLOCK_MONOTONIC, which parent and child share) to the file that the orders name:

    command   `seedsoil run quickstart` as a user types it, watched from inside up to its first tick
    recorded  the ticks with everything that a run writes: frames, series, checkpoint, status
    memory    the same ticks and nothing else
"""

import json
import resource
import runpy
import sys
import time
from pathlib import Path
from typing import Any

ENTERED = time.monotonic()


def command(orders: dict[str, Any]) -> dict[str, Any]:
    """Marks: entered (Python is up), made (device started, tissue placed), opened (files too), ticked (first tick)."""
    from ..simulation import Simulation

    marks: dict[str, float] = {"entered": ENTERED}
    make, advance = Simulation.__init__, Simulation.advance

    def made(self: Simulation, *arguments: Any) -> None:
        make(self, *arguments)
        marks.setdefault("made", time.monotonic())

    def ticked(self: Simulation) -> None:
        marks.setdefault("opened", time.monotonic())
        advance(self)
        marks.setdefault("ticked", time.monotonic())

    Simulation.__init__, Simulation.advance = made, ticked  # type: ignore[method-assign]
    arguments = ["run", "quickstart", "--quiet", "--output", orders["out"], "--device", orders["device"]]
    arguments += ["--threads", str(orders["threads"])]
    if orders["until_h"] is not None:
        arguments += ["--until-h", str(orders["until_h"])]
    sys.argv = ["seedsoil", *arguments]
    try:
        runpy.run_module("seedsoil", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    return marks


def ticks(orders: dict[str, Any]) -> dict[str, Any]:
    """Seconds for all ticks, without start and report, by the clock and of processors, the writer's among them.

    And the digest of the end, which output must not change.
    """
    from ...outputs.channel import end_idle
    from .. import device as devices
    from ..drive import drive
    from ..recording import Recording
    from ..run_folder import RunFolder
    from ..scenario_file import load_scenario
    from ..simulation import Simulation

    changes = {} if orders["until_h"] is None else {"until_h": orders["until_h"]}
    scenario = load_scenario("quickstart", changes)
    device = devices.start(orders["device"], orders["threads"])
    Simulation(scenario, device).advance()  # compiles, or loads the cache
    run = Simulation(scenario, device)
    devices.synchronize(device)
    began, worked = time.monotonic(), _processor_s()
    if orders["mode"] == "recorded":
        folder = RunFolder(Path(orders["out"]), scenario)
        drive(run, Recording(folder.run_file, scenario, device, folder.run_id), folder)
    else:
        for _ in range(scenario.ticks):
            run.advance()
    devices.synchronize(device)
    spent = time.monotonic() - began
    end_idle()  # a child that has ended is one whose time is known
    worked = _processor_s() - worked
    return {
        "spent": spent,
        "worked": worked,
        "ticks": scenario.ticks,
        "cells": run.cells,
        "digest": run.digest(),
    }


def _processor_s() -> float:
    """Of this process and of those it started that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    orders = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    done = command(orders) if orders["mode"] == "command" else ticks(orders)
    Path(orders["marks"]).write_text(json.dumps(done), "utf-8")


if __name__ == "__main__":
    main()
