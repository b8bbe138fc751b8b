"""Scenarios of which only the size matters."""

from seedsoil.sim.scenario import Scenario


def scenario(**tables: object) -> Scenario:
    return Scenario.model_validate(
        {"until_h": 100, "lattice": {"shape": [8, 16, 16], "voxel_um": 20, "tick_h": 0.5}, **tables}
    )


TWO_ORGANS = {"organ_shape": [4, 8, 8], "organs": {n: {"share_probability": 0.5} for n in ("bone", "lung")}}
