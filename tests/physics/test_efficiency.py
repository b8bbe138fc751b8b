"""Cells injected into the portal vein of a mouse, one by one, against Luzzi et al. 1998 and against the law of the preset.

40,000 cells: extravasation 0.80 and 2 % in 4 to 16 cells on day 3 were fitted, 36 % solitary on day 13 was not.
"""

import math

import numpy as np
import pytest
from scipy.linalg import expm
from seeds_in_bodies import single_cells, travel

from seedsoil.kernels.birth_death import generator
from seedsoil.sim.body.budget import presets
from seedsoil.sim.device import Device

pytestmark = pytest.mark.physics
CELLS = 40_000


def test_luzzi_1998_cell_by_cell(device: Device) -> None:
    table = presets()["luzzi1998"].body
    assert table.gauntlet and table.dormancy and table.colonies
    seeds = single_cells(CELLS)
    account = travel(table, seeds, device, 145)  # 72 h, the third interval of colonies done
    held = account.colonies.table["cells"].copy()
    out = len(held) / CELLS
    law = expm(generator(table.colonies.rates(), 128) * 48.0)[1]
    micro = int(((held >= 4) & (held <= 16)).sum())
    expected = table.gauntlet.extravasation_probability * (1 - table.dormancy.probability) * law[4:17].sum()
    sigma = math.sqrt(CELLS * expected)
    assert abs(micro - CELLS * expected) < 4 * sigma
    assert abs(micro - CELLS * 1.4 * expected) > 4 * sigma  # a preset that is off is seen
    assert out == pytest.approx(0.80, abs=0.03)
    assert micro / CELLS == pytest.approx(0.02, abs=0.004)
    for tick in range(145, 625):  # to day 13
        account.advance(seeds, tick)
    alone = int((account.colonies.table["cells"] == 1).sum()) / CELLS
    assert alone == pytest.approx(0.36, abs=0.05)
    assert np.all(account.colonies.table["cells"] >= 0)
