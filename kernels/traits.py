"""What a clone multiplies the scenario's numbers by: one row a clone, one column a trait (`tissue.Trait`)."""

import taichi as ti

from .tissue import Trait


@ti.func
def trait_of(traits: ti.template(), clone: ti.u32, which: ti.template()):
    """The factor of a clone, `traits` being the table (clones, len(Trait)) seen flat. A clone without a row is neutral."""
    factor = ti.f32(1.0)
    if clone < ti.cast(traits.shape[0] // ti.static(len(Trait)), ti.u32):
        factor = traits[ti.cast(clone, ti.i32) * ti.static(len(Trait)) + ti.static(int(which))]
    return factor
