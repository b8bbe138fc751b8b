"""Which keys of `[body]` and `[emission]` do nothing in which scenario: a rule a switch. What follows from it: `sim.inert`."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from ..kernels.tissue import Trait
from .body.gauntlet import kill_probabilities


class Rule(NamedTuple):
    keys: tuple[str, ...]  # that do nothing ...
    off: Callable[[Any], bool]  # ... in such a scenario
    why: str
    give: str  # what would make them act
    switches: tuple[str, ...] = ()  # named, they are off on purpose


def rules(scenario: Any) -> Iterator[Rule]:
    """Those that this `scenario.Scenario` has to keep."""
    if scenario.body.graph:
        yield from _of_anatomy(scenario.body)
        yield from _OF_GRAPH
    else:
        yield from _OF_SHARES
    if scenario.emission is not None:
        yield from _OF_EMISSION
    else:
        yield Rule(
            _CLUSTERS_OF_GRAPH if scenario.body.graph else _CLUSTERS_OF_SHARES,
            lambda s: (
                s.intravasation.cluster_cells_max == 1
                or (s.intravasation.cluster_law == "block" and s.intravasation.companion_probability == 0)
            ),
            "where all seeds are single cells",
            "give intravasation.companion_probability and intravasation.cluster_cells_max",
            ("intravasation.companion_probability", "intravasation.cluster_cells_max"),
        )


def _under(table: str, names: str) -> tuple[str, ...]:
    return tuple(f"{table}.{name}" for name in names.split())


def _off(table: str, names: str, switch: str, why: str, *, at: Any = 0, give: str = "") -> Rule:
    """These keys of a table do nothing while the `switch` is `at` this value."""
    get = attrgetter(switch)
    return Rule(_under(table, names), lambda s: get(s) == at, why, f"give {give or switch}", (switch,))


def _always(table: str, names: str, why: str, give: str) -> Rule:
    return Rule(_under(table, names), lambda s: True, why, f"give {give}")


def _organs_are_shut(scenario: Any) -> bool:
    """Does no cell leave an organ's lattice by its vessels? Their sites are intact until a process ruptures them."""
    table = scenario.intravasation
    breaks = table.passive_per_h > 0 and scenario.rupture.contact_per_h > 0
    return table.law == "contact" and table.active_per_h == 0 and not breaks


def _nothing_to_evade(scenario: Any) -> bool:
    return scenario.body.transit.nk_per_h == 0 and scenario.body.gauntlet.kill_probability == 0


def _nothing_to_cloak(scenario: Any) -> bool:
    return _nothing_to_evade(scenario) and scenario.body.transit.shear_per_h == 0


def _takes_all(scenario: Any) -> bool:
    return all(scenario.body.soil_of(organ).receptive_probability == 1 for organ in scenario.body.niche.organs)


_CLUSTERS_OF_SHARES = _under("body", "breakup_probability cluster_survival_probability")
_SHELTER = ("body.transit.cluster_anoikis_factor", "body.arrest.cluster_pass_probability")
_CLUSTERS_OF_GRAPH = ("body.transit.breakup_probability", *_SHELTER)
_OF_LATTICES = ("body.organ_shape", *_under("body.colonies", "handover_risk lattice_fill_fraction"))
_KILLERS = "encounter_h full_h end_h fall"
_FACTOR = "secretion_per_h factor_half_life_h half_saturation response_h"
_GAINS = "survival_gain extravasation_gain receptive_gain"

_OF_SHARES = (
    _always("body", "interval_h", "in a body that is no graph", "body.graph"),
    Rule(
        _under(
            "body",
            "organ_shape secondary_seeding single_survival_probability cluster_survival_probability "
            "extravasation_probability",
        ),
        lambda s: not s.body.organs,
        "in a body without organs",
        "give [body.organs.<name>]",
    ),
    Rule(
        ("body.secondary_seeding",),
        _organs_are_shut,
        "where no cell can leave an organ by its vessels",
        "give intravasation.active_per_h",
    ),
)

_OF_GRAPH = (
    Rule(
        ("body.secondary_seeding",),
        lambda s: s.body.colonies.shedding_per_h == 0,
        "where colonies shed nothing",
        "give body.colonies.shedding_per_h",
    ),
    Rule(
        _OF_LATTICES,
        lambda s: s.emission is not None,
        'in a run with primary = "emission", in which no colony grows on a lattice',
        'give primary = "lattice"',
    ),
    _off("body", "organ_shape", "body.colonies.lattices", "where no colony grows on a lattice of its own"),
    _off(
        "body.colonies",
        "handover_risk lattice_fill_fraction",
        "body.colonies.lattices",
        "where no colony grows on a lattice of its own",
    ),
    _off(
        "body.colonies",
        "bottleneck_ratio",
        "body.colonies.bottleneck_cells",
        "without a bottleneck",
        at=1,
        give="body.colonies.bottleneck_cells above 1",
    ),
    _off(
        "body.colonies",
        "vessels_per_h surgery_vessels_probability",
        "body.colonies.avascular_cells",
        "where colonies need no vessels",
    ),
    _off(
        "body.colonies",
        "adapted_birth_factor adapted_death_factor",
        "body.colonies.adaptation_probability",
        "where no cell becomes adapted",
    ),
    _off("body.colonies", "shedding_exponent", "body.colonies.shedding_per_h", "where colonies shed nothing"),
    _off("body.dormancy", "waking_per_h death_per_h", "body.dormancy.probability", "where no seed lies dormant"),
    _off("body.niche", f"{_FACTOR} {_GAINS}", "body.niche.organs", "where no organ is prepared", at=()),
    Rule(
        _under("body.niche", f"organs {_FACTOR}"),
        lambda s: not any(getattr(s.body.niche, name) for name in _GAINS.split()),
        "where a niche that is prepared changes nothing for seeds",
        f"give one of {', '.join(_under('body.niche', _GAINS))}",
        _under("body.niche", _GAINS),
    ),
    _off("body.niche", f"organs {_GAINS}", "body.niche.secretion_per_h", "where the primary secretes no factor"),
    _off(
        "body.niche",
        "extravasation_gain",
        "body.gauntlet.extravasation_probability",
        "where every seed gets out of the vessel",
        at=1,
        give="body.gauntlet.extravasation_probability below 1",
    ),
    Rule(
        ("body.niche.receptive_gain",),
        _takes_all,
        "where the soil of the organs that are prepared takes every seed",
        "give receptive_probability in [body.soil.<organ>] of one of them",
    ),
    Rule(
        ("body.gauntlet.end_h",),
        lambda s: s.body.gauntlet.fall == "step",
        'with body.gauntlet.fall = "step", by which killers stop at body.gauntlet.full_h',
        'give body.gauntlet.fall = "linear"',
    ),
    _off("body.gauntlet", _KILLERS, "body.gauntlet.kill_probability", "where no killer kills"),
    _off("body.niche", "survival_gain", "body.gauntlet.kill_probability", "where no killer kills"),
    Rule(
        (*_under("body.gauntlet", f"kill_probability {_KILLERS}"), "body.niche.survival_gain"),
        lambda s: s.body.gauntlet.kill_probability > 0 and not kill_probabilities(s.body.gauntlet).any(),
        "where no killer comes by before the seed is out of the vessel, or before killers stop",
        "give a shorter body.gauntlet.encounter_h",
        _under("body.gauntlet", f"{_KILLERS} extravasation_h"),
    ),
    Rule(
        ("body.transit.evasive_factor",),
        lambda s: s.body.transit.evasive_fraction == 0 and not s.mutation.varies(Trait.VISIBILITY),
        "where no seed evades",
        "give body.transit.evasive_fraction",
        ("body.transit.evasive_fraction",),
    ),
    Rule(
        ("body.transit.evasive_fraction", "body.transit.evasive_factor"),
        _nothing_to_evade,
        "where there are no killers to evade",
        "give body.transit.nk_per_h or body.gauntlet.kill_probability",
        ("body.transit.nk_per_h", "body.gauntlet.kill_probability"),
    ),
    _off(
        "body.transit",
        "evasive_fraction",
        "body.transit.evasive_factor",
        "where evasion changes nothing",
        at=1,
        give="body.transit.evasive_factor below 1",
    ),
    _off("body.transit", "cloaked_factor", "body.transit.cloaked_fraction", "where no seed is cloaked"),
    Rule(
        ("body.transit.cloaked_fraction", "body.transit.cloaked_factor"),
        _nothing_to_cloak,
        "where there is neither shear nor a killer to be cloaked from",
        "give body.transit.shear_per_h, body.transit.nk_per_h or body.gauntlet.kill_probability",
        ("body.transit.shear_per_h",),
    ),
    _off(
        "body.transit",
        "cloaked_fraction",
        "body.transit.cloaked_factor",
        "where a cloak changes nothing",
        at=1,
        give="body.transit.cloaked_factor below 1",
    ),
    _off("body.arrest", "small_pass_probability", "body.transit.small_fraction", "where no cell is small"),
    _off(
        "body.arrest",
        "large_pass_probability",
        "body.transit.small_fraction",
        "where every single cell is small",
        at=1,
        give="body.transit.small_fraction below 1",
    ),
)


def _of_anatomy(body: Any) -> Iterator[Rule]:
    """What asks for a place that the graph lacks, or for cells that divide."""
    anatomy, other = body.anatomy, "another body.graph"
    if anatomy.primaries[body.primary].organ is None:
        yield _always(
            "body.arrest",
            "self_seeding_probability",
            f"where the primary ({body.primary}) stands in no organ",
            "another body.primary",
        )
    if not any(node.organ for node in anatomy.lymph.values()):
        yield _always("body.arrest", "node_pass_probability", "in a body without nodes ([lymph.<name>])", other)
    if not anatomy.cavities:
        yield _always("body.arrest", "cavity_pass_probability", "in a body without cavities ([cavities.<name>])", other)
    with_cavities = {cavity.organ for cavity in anatomy.cavities.values()}
    with_beds = {bed.organ for bed in anatomy.beds.values()}
    for organ in body.soil:
        table = f"body.soil.{organ}"
        if organ not in with_beds:
            yield _always(table, "adhesion_probability", "in an organ without capillary beds to stick in", other)
        if organ not in with_cavities:
            yield _always(table, "lining_factor", "in an organ without a cavity that it lines", other)
        yield _off(table, "growth_factor", "body.colonies.birth_per_h", "where colonies do not divide")


_OF_EMISSION = (
    _always(
        "body.transit",
        "breakup_probability",
        'in a run with primary = "emission", whose clusters leave in the sizes in which they travel',
        "emission.cluster_fraction and emission.cluster_cells_mean",
    ),
    Rule(
        ("emission.capacity_diameter_mm",),
        lambda s: s.emission.growth == "exponential",
        "in exponential growth",
        'give emission.growth = "gompertz"',
    ),
    Rule(
        ("emission.residual_fraction",),
        lambda s: s.emission.resection_h == 0 and s.emission.resection_diameter_mm == 0,
        "where the primary is never resected",
        "give emission.resection_h or emission.resection_diameter_mm",
        ("emission.resection_h", "emission.resection_diameter_mm"),
    ),
    _off("emission", "exponent spread_shape", "emission.shedding_per_h", "where the primary sheds nothing"),
    _off("emission", "cluster_fraction", "emission.shedding_per_h", "where the primary sheds nothing"),
    Rule(
        (*_under("emission", "cluster_cells_mean cluster_cells_max"), *_SHELTER),
        lambda s: s.emission.cluster_fraction == 0,
        "where all seeds are single cells",
        "give emission.cluster_fraction",
        ("emission.cluster_fraction",),
    ),
)
