"""`seedsoil.fit_shedding` on a recorded run on a lattice: the small, quick form of `tests/physics/test_emission_law.py`."""

from pathlib import Path

import numpy as np

import seedsoil
from seedsoil.outputs.reader import open_run
from seedsoil.outputs.shedding import stretches
from seedsoil.sim.run import run


def test_a_tumour_among_open_vessels_sheds_by_its_cells_and_is_predicted(tmp_path: Path) -> None:
    """Fitted from 500 to 3,000 cells, to be predicted up to 10,000; with a surface's exponent it is not."""
    changes = {
        "lattice.shape": [48, 48, 48], "lattice.tick_h": 1.0, "until_h": 230.0, "output.every_h": 230.0,
        "output.series_every_h": 1.0, "implant.mesenchymal_fraction": 1.0, "motility.mesenchymal_um2_per_h": 3.0,
        "motility.haptotaxis_um2_per_h": 0.0, "proliferation.mesenchymal_per_h": 0.05,
        "solutes.protease.secretion_per_h": 0.0, "matrix.contact_per_h": 0.0, "vessels.kind": "krogh",
        "vessels.spacing_um": 60.0, "vessels.free_core_um": 0.0, "vessels.ruptured": 0,
        "intravasation.active_per_h": 0.01, "body.single_survival_probability": 0.0,
        "body.cluster_survival_probability": 0.0,
    }  # fmt: skip
    run("quickstart", out=tmp_path / "run", report=False, **{k.replace(".", "__"): v for k, v in changes.items()})
    law = seedsoil.fit_shedding(tmp_path / "run", cells=(500, 3000))
    opened = open_run(tmp_path / "run")
    series, seeds = opened.series(), opened.seeds()
    cells, time_h = series["tumour_cells"].values, series["tick_time"].values
    later = np.flatnonzero((cells >= 3000) & (cells <= 10_000))
    assert cells[later[-1]] > 8000
    cells, time_h = cells[later], time_h[later]
    seen = int(stretches(series, seeds, (3000, 10_000)).seeds.sum())  # as they left, without their fragments
    low, high = law.predict_growing(cells, time_h)
    assert law.exponent_low < 1.0 < law.exponent_high
    assert law.seeds > 300
    assert low <= seen <= high
    half = law.centre_cells
    surface = float(law.rate_per_h(half)) * np.trapezoid((cells / half) ** 0.4, time_h)  # planted
    assert not low <= surface <= high
    assert law.predict(5000.0, 10.0) == law.predict_growing([5000, 5000, 5000], [0, 4, 10])
