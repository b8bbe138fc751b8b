"""Soil: what an organ offers to any seed, shared by all primaries; what a clone is like multiplies it.

Each `[body.soil.<organ>]` acts at four places: on the wall of its vessels (adhesion), on the lining of its cavity if it has
one (lining), where a cell that got out finds or does not find a spot to live on (receptive), and in how fast colonies grow
there (growth). Data on whole bodies fix their
product only, not each of them (autopsies; `docs/model.md`, "The body").
"""

from ...kernels.parameters import Parameters, quantity


class Soil(Parameters):
    """A `[body.soil.<organ>]` table."""

    adhesion_probability: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed; 0 = by size alone",
        about="that a seed sticks to the wall, a passage",
    )
    lining_factor: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed; 1 = as body.arrest says",
        about="by which the organ multiplies the chance that a seed in its cavity settles on the lining",
    )
    receptive_probability: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed",
        about="that a seed that got out of the vessel finds a spot to live on",
    )
    growth_factor: float = quantity(
        1.0,
        unit="1",
        ge=0,
        le=100,
        source="assumed",
        about="by which the organ multiplies the division rate of colonies",
    )


EQUAL = Soil()
