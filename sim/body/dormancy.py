"""Single-cell dormancy: a seed that is out of the vessel may lie quiet for years, then wake or die.

    lies dormant       with `probability`
    wakes, dies        at constant hazards, at the end of an interval (`kernels/colony_growth.py`)

Luzzi et al. 1998 (Am J Pathol 153:865) found 36 % of injected cells solitary after 13 days, Meng et al. 2004 cells in the
blood 7-22 years after mastectomy. Colonies that lie dormant for want of vessels are another matter: `[body.colonies]`.
Ignored: what wakes a cell (surgery, inflammation, age), divisions while dormant.
"""

from ...kernels.parameters import Parameters, quantity


class Dormancy(Parameters):
    """The `[body.dormancy]` table. Off by default."""

    probability: float = quantity(
        0.0,
        unit="1",
        ge=0,
        le=1,
        source="assumed; 0 = never",
        about="that a seed that got out of the vessel lies dormant",
    )
    waking_per_h: float = quantity(
        0.0,
        unit="1/h",
        ge=0,
        le=10,
        source="assumed; 0 = never",
        about="hazard of waking: it then grows like any other",
    )
    death_per_h: float = quantity(
        0.0, unit="1/h", ge=0, le=10, source="assumed; 0 = never", about="hazard of death while dormant"
    )


def wakes_probability(dormancy: Dormancy) -> float:
    """That a dormant cell ever wakes."""
    both = dormancy.waking_per_h + dormancy.death_per_h
    return dormancy.waking_per_h / both if both > 0.0 else 0.0
