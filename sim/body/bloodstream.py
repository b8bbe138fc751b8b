"""Seeds in the blood by site of sampling: what a steady source sheds, over the flow at the vessel that is sampled.

Each source (the primary, and each organ whose colonies shed) has its own dilution; what one seed an hour of it makes
of each site's concentration is worked out once, kinds in their shares (`chain`, `passage`). Seeds are removed within
hours, so over a tick the blood is at rest with what is shed.
"""

import numpy as np

from .blood_sample import TUBE_ML
from .mean_field import GROWING, MeanField
from .outcomes import Steps
from .passage import KINDS, share_of, source_of_organ

SIZES = ("single", "cluster")


class Bloodstream:
    """Cells and clusters that a tube of blood holds in the mean. Sites in the order of the body's `[sites]`."""

    def __init__(self, steps: Steps) -> None:
        anatomy = steps.anatomy
        self.sites = tuple(anatomy.sites)
        self.organs = anatomy.organs
        place = np.array([anatomy.index[anatomy.sites[site]] for site in self.sites])
        flow = anatomy.cardiac_output_mL_per_h * anatomy.flow_fraction[place]
        starts = [anatomy.source_of(steps.body.primary)]
        starts += [source_of_organ(anatomy, organ) for organ in anatomy.organs]
        # (sources, sites, sizes) f8: seeds in a tube, of one seed an hour
        self._of_one_per_h = np.zeros((len(starts), len(place), len(SIZES)))
        for kind in KINDS:
            share = share_of(steps.transit, kind)
            if share > 0:
                chain = steps.chain(kind)
                flux = (np.array(starts) @ chain.visits_from * chain.goes_on)[:, place]
                self._of_one_per_h[:, :, int(kind.cluster)] += share * flux / flow * TUBE_ML

    def in_tube(self, primary_per_h: float, cluster_share: float, organs_per_h: np.ndarray) -> np.ndarray:
        """(sites, sizes) f8 seeds in a tube of 7.5 mL in the mean; `organs_per_h` (organs,) are single cells."""
        split = np.array([1.0 - cluster_share, cluster_share])
        return primary_per_h * split * self._of_one_per_h[0] + np.stack(
            [organs_per_h @ self._of_one_per_h[1:, :, 0], np.zeros(len(self.sites))], axis=1
        )


def shed_by_organ(field: MeanField, organ: np.ndarray, organs: int) -> np.ndarray:
    """(organs,) f8 single cells that the growing colonies shed per hour in the mean; `organ` is that of each colony."""
    out = np.zeros(organs)
    growth = field.growth
    if growth.shedding_per_h > 0 and field.table.rows:
        living = (field.table["state"] == GROWING) & (field.table["cells"] > 0)
        cells = field.table["cells"][living].astype(float)
        np.add.at(out, organ[living], growth.shedding_per_h * cells**growth.shedding_exponent)
    return out
