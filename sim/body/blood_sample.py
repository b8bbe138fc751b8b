"""Circulating tumour cells in a blood sample: what a needle at one site would find.

Concentration is flux over flow at the vessel that is sampled, so dilution counts (`chain`): a sample of V mL at a site
whose concentration is c holds a Poisson number of mean c V of singles, and one of clusters. Between patients the mean
itself varies (`emission.spread_shape`, gamma of shape k), which makes counts negative binomial over patients:

    P(0) = (1 + m/k)^-k,   variance = m + m^2/k.

Ignored: cells that the assay misses (counted as given: CellSearch recovers about 85 % of spiked cells, Allard 2004,
not read), and that clusters may be lost in preparing a sample.
"""

import numpy as np

from ...kernels.draws import Purpose
from .poisson import poisson, uniforms

TUBE_ML = 7.5  # CellSearch: Cristofanilli et al. 2004, NEJM 351:781


def expected(
    flux_per_h: np.ndarray | float, flow_ml_per_h: np.ndarray | float, volume_ml: float = TUBE_ML
) -> np.ndarray:
    """Cells in a sample in the mean: those that pass the vessel per hour, over the blood that does."""
    return np.asarray(flux_per_h, float) / np.asarray(flow_ml_per_h, float) * volume_ml


def counts(means: np.ndarray, key: tuple[int, int], interval: int) -> np.ndarray:
    """Cells found at each site and of each kind, (sites, kinds) i8, of `means` of the same shape."""
    means = np.asarray(means, float)
    entity = np.arange(means.size).reshape(means.shape)
    return poisson(uniforms(key, entity, interval, Purpose.BLOOD_SAMPLE), means)


def probability_of_at_least(found: int, mean: np.ndarray | float, shape: float) -> np.ndarray:
    """That a sample holds `found` cells or more, over patients whose mean is gamma about `mean` with this shape."""
    from scipy.stats import nbinom

    mean = np.asarray(mean, float)
    return nbinom.sf(found - 1, shape, shape / (shape + mean))
