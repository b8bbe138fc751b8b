"""The same key gives the same bits: any number of threads, either loop form, idle chunks passed over or not.

Taichi starts once a process, so every number of threads is a process of its own (this file, run as a
script). The lattice has 4096 rows and as many chunks; with fewer the second thread might never work, and
the test could not fail. That it can is shown by a pass that races on purpose.
"""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import taichi as ti

from seedsoil.kernels import draws
from seedsoil.kernels.death import Death
from seedsoil.kernels.draws import Stamp
from seedsoil.kernels.immune import Immune
from seedsoil.kernels.intravasation import Intravasation
from seedsoil.kernels.lattice import Lattice
from seedsoil.kernels.launch import array, kernel
from seedsoil.kernels.motility import Motility
from seedsoil.kernels.mutation import Mutation, TraitLaw
from seedsoil.kernels.phenotype import Emt
from seedsoil.kernels.proliferation import Proliferation
from seedsoil.kernels.tissue import Tissue
from seedsoil.sim.body.colony_parameters import ColonyGrowth
from seedsoil.sim.body.mean_field import MeanField
from seedsoil.sim.clones import Clones
from seedsoil.sim.device import Device, start
from seedsoil.sim.implant import primary
from seedsoil.sim.ledger import NO_OTHERS
from seedsoil.sim.processes import Processes
from seedsoil.sim.scenario import Implant, LatticeTable, Scenario, Vessels
from seedsoil.sim.step import step

SHAPE, TICKS, KEY = (64, 64, 64), 24, 0xFEEDC0FFEE15BEEF
STATE = ("cell", "emt", "clone", "colony", "due", "heading", "vessel", "matrix", "protease", "leaving")
THREADS = (1, 2, 4)


@kernel
def racing_pass(lattice: ti.template(), chain: array(ti.u32)):
    """Every voxel takes over what the one before it has just become: right in one thread, and in no two."""
    for row in range(lattice.rows):
        for lane in range(lattice.lanes):
            i = row * lattice.lanes + lane
            before = chain[ti.max(i - 1, 0)]
            chain[i] = draws.philox(before, ti.u32(i), ti.u32(0), ti.u32(0), ti.u32(0), ti.u32(0))[0]


def scenario(key: int) -> Scenario:
    """Everything at once: a packed ball of both kinds that frays, divisions with pushing and mutation, haptotaxis, protease,
    emt, death, immune effectors, many vessels."""
    return Scenario(
        rng_key=key,
        until_h=100.0,
        lattice=LatticeTable(shape=SHAPE, voxel_um=10.0, tick_h=0.05),
        implant=Implant(kind="ball", cells=60_000, mesenchymal_fraction=0.5),
        motility=Motility(haptotaxis_um2_per_h=72.0),
        emt=Emt(rate_per_h=0.2, stiffness_weight=1.0),
        death=Death(apoptosis_per_h=0.02, anoikis_per_h=0.5, anoikis_matrix_fraction=1.0),
        immune=Immune(entry_per_h=0.3, speed_um_per_h=200.0, kill_per_h=1.0, exhaustion_probability=0.3),
        proliferation=Proliferation(epithelial_per_h=0.4, mesenchymal_per_h=0.2, push_voxels_max=3),
        mutation=Mutation(probability=0.05, division=TraitLaw(step_sd=0.2)),
        intravasation=Intravasation(active_per_h=0.2, passive_per_h=1.0),
        vessels=Vessels(kind="straight", axis="x", blood=60, lymph=20, ruptured=200, free_core_um=0.0, margin_um=0.0),
    )


def digest(tissue: Tissue, events: list) -> str:
    sha = hashlib.sha256(repr(events).encode())
    for name in STATE:
        sha.update(name.encode() + getattr(tissue, name).tobytes())
    return sha.hexdigest()


def run(device: Device, key: int, lattice: Lattice | None = None, *, look_at_all: bool = False) -> dict:
    """24 ticks. Digests of the end, and of the end with one bit flipped; and how much happened."""
    made = scenario(key)
    tissue = primary(made, device)
    if lattice is not None:
        tissue.lattice = lattice
        tissue.busy = np.ones(lattice.chunks, dtype=np.uint8)
    processes = Processes.of(made, tissue.lattice)
    clones, cells, events = Clones(made.mutation, device), made.implant.cells, []
    happened = {"born": 0, "moved": 0, "seeds": 0, "founded": 0, "died": 0, "killed": 0, "spent": 0}
    others = NO_OTHERS
    for tick in range(TICKS):
        if look_at_all:
            tissue.wake()
        tally, departed = step(tissue, processes, Stamp.of(key, 0, tick), cells, 0, others, clones=clones)
        cells, others = tally.after, tally.others
        events.append((tally, [(seed.voxel, seed.route, seed.emt.tolist()) for seed in departed]))
        for name, count in {
            "born": tally.born,
            "moved": tally.moved,
            "seeds": len(departed),
            "founded": tally.founded,
            "died": tally.died,
            "killed": dict(tally.causes)["killed"],
            "spent": tally.others_lost.immune,
        }.items():
            happened[name] += count
    happened["idle"] = int((tissue.busy == 0).sum())
    end = digest(tissue, events)
    tissue.matrix.view(np.uint32)[40, 30, 20] ^= 1
    return {"end": end, "flipped": digest(tissue, events), **happened}


def race(device: Device) -> list[str]:
    """The ends of twenty races, without repeats. (One core may need a few tries to interleave two threads.)"""
    lattice = device.lattice(SHAPE)
    ends = set()
    for _ in range(20):
        chain = np.zeros(lattice.voxels, np.uint32)
        racing_pass(lattice, chain)
        ends.add(hashlib.sha256(chain.tobytes()).hexdigest())
    return sorted(ends)


def colonies(device: Device) -> str:
    """Colonies of all sizes, of both kinds of cell, that grow and shed; more of them than one thread is handed at a time."""
    growth = ColonyGrowth(birth_per_h=0.01, death_per_h=0.004, adaptation_probability=0.01, shedding_per_h=1e-3)
    field = MeanField(growth, 24.0, device, rng_key=KEY)
    cells = 1 + np.arange(6000) ** 2 // 100
    law, fit = field.law(), field.law(1.2, adapted=True)
    field.found(np.arange(6000, dtype=np.uint64), cells, law=law, adapted_law=fit, adapted=cells // 3)
    sha = hashlib.sha256()
    for interval in range(5):
        field.advance(interval)
        sha.update(field.shed(interval)[0].tobytes())
    for name in field.table.names:
        sha.update(field.table[name].tobytes())
    return sha.hexdigest()


def child(threads: int) -> dict:
    device = start("cpu", threads)
    whole = device.lattice(SHAPE)
    assert min(whole.rows, whole.chunks) >= 4096
    first = run(device, KEY)
    found = {**first, "rows": first["end"], "race": race(device), "colonies": colonies(device)}
    if threads <= 2:
        found["voxels"] = run(device, KEY, Lattice.of(SHAPE, form="voxels"))["end"]
    if threads == 2:
        found["nothing passed over"] = run(device, KEY, look_at_all=True)["end"]
        found["another key"] = run(device, KEY ^ 1)["end"]
    return found


@pytest.fixture(scope="module")
def ends() -> dict[int, dict]:
    found = {}
    for threads in THREADS:
        done = subprocess.run(
            [sys.executable, __file__, str(threads)], capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        found[threads] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_any_number_of_threads_gives_the_same_bits(ends):
    assert len({ends[threads]["rows"] for threads in THREADS}) == 1
    # and every process took part, or its races would go unseen
    for name in ("born", "moved", "seeds", "founded", "died", "killed", "spent", "idle"):
        assert ends[1][name] > 100, name


def test_colonies_have_the_same_bits_too(ends):
    assert len({ends[threads]["colonies"] for threads in THREADS}) == 1


def test_both_loop_forms_give_the_same_bits(ends):
    for threads in (1, 2):
        assert ends[threads]["voxels"] == ends[threads]["rows"]


def test_passing_over_idle_chunks_changes_nothing(ends):
    assert ends[2]["nothing passed over"] == ends[2]["rows"]


def test_another_key_gives_other_bits(ends):
    assert ends[2]["another key"] != ends[2]["rows"]


def test_the_digest_sees_one_flipped_bit(ends):
    for threads in THREADS:
        assert ends[threads]["flipped"] != ends[threads]["rows"]


def test_a_pass_that_races_is_seen_to_race(ends):
    """Or the lattice is too small for a second thread to have worked, and the tests above prove nothing."""
    assert len(ends[1]["race"]) == 1
    for threads in THREADS[1:]:
        assert set(ends[threads]["race"]) - set(ends[1]["race"])


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]))))
