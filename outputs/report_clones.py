"""The report's section on clones: how many arose, how diverse they are, what became of their traits, and pictures."""

import numpy as np
import xarray as xr

from . import figures_clones, page, style
from .observables import clone_diversity, mean_trait
from .page import text
from .planes import Window, frame_indices


def section(dataset: xr.Dataset, table: xr.Dataset, shown: Window | None) -> str:
    """HTML; `dataset` is the primary's, `table` that of the clones."""
    out = f"<p>{text(words(table))}</p>"
    if "clone" not in dataset or shown is None:
        return out + page.absent("The field clone was not recorded, so there is no picture of the clones.")
    frames = frame_indices(dataset["time"].values, figures_clones.FRAMES)
    until = max(float(dataset["time"].values[-1]), 1e-6)
    return out + page.picture(
        figures_clones.clones(dataset, table, frames, shown, until),
        "Clones through time, in space and as a tree",
        "Left: a clone that arose within another is drawn inside it. Right: shades tell clones of a family apart. Below: "
        "every line is a clone from its birth on; thick lines have many cells, pale ones none.",
    )


def words(table: xr.Dataset) -> str:
    """How many clones arose and live, how diverse they are, and how their traits have moved."""
    said = [f"{style.count_text(table.sizes['clone'])} clones arose in this run, the implant's among them."]
    if "cells" in table and (cells := np.asarray(table["cells"].values, np.int64)).sum():
        shannon, simpson = (clone_diversity(cells, order) for order in (1.0, 2.0))
        said.append(
            f"{style.count_text(int((cells > 0).sum()))} have cells on the lattices at the end, as diverse as "
            f"{shannon:.3g} equally frequent ones by Shannon's entropy, {simpson:.3g} by Simpson's index."
        )
        traits = [str(name) for name in table.data_vars if table[name].dtype == np.float32]
        moved = [f"{name} {mean_trait(table[name].values, cells):.3f}" for name in traits if (table[name] != 1).any()]
        if moved:
            said.append(f"Means of the traits over the cells, 1 at the start: {', '.join(moved)}.")
    return " ".join(said)
