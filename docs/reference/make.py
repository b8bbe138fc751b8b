"""Write docs/reference/scenario.md from the scenario model: `python docs/reference/make.py`.

Units, ranges, defaults and sources are read where they are declared, so the page cannot say otherwise.
`tests/docs/test_reference.py` fails while the page is out of date.
"""

from collections.abc import Iterator
from pathlib import Path

from seedsoil.sim.declared import Declared, field_at, is_optional, parameters
from seedsoil.sim.scenario import Scenario
from seedsoil.sim.toml_text import toml_value

TARGET = Path(__file__).with_name("scenario.md")

HEAD = """\
# Reference: the scenario

<!-- Written by docs/reference/make.py from the scenario model. Do not edit. -->

A scenario is one TOML file. Each table below is a process or a part of the run. Every key that has a default may be
left out; unknown keys are refused. Numbers are finite. Lengths are in µm, times in hours; units end the names of keys.

"Source" says where the default comes from. "assumed" means that no source was read: treat such a value as an input
to vary. "the scenario's choice" means that there is no natural default. A run writes every value it used, with its
source, to `resolved.toml`.

Rules between keys:

- `lattice.shape` and `body.organ_shape` hold at most 2,145,386,496 voxels (2^31 - 2^21), since indices have 32 bits.
- `implant.cells` fit into the lattice, beside the vessels if those are solid.
- Noise and strands stay in 0 to 1: `matrix.texture.contrast_fraction` times sqrt(3) is at most `matrix.initial_fraction`
  and at most 1 minus it.
- Membranes (`matrix.texture.membrane_um`, `vessel_membrane_um`) are at least a voxel thick, a duct fits the lattice, and
  `implant.kind = "duct"` needs `matrix.texture.kind = "duct"`.
- `matrix.texture.file` holds a number from 0 to 1 for each voxel of `lattice.shape`.
- `stroma.activation_gain` other than 1 needs the solute `growth_factor`.
- Vessels have room outside `vessels.free_core_um` and `vessels.margin_um`.
- `body.organs.*.share_probability` add up to 1.
- `body.graph` excludes what the account by shares reads (`body.organs`, `body.transit_h`, the survival probabilities), and the tables
  `[body.transit]` to `[body.soil.*]` need it; `body.primary`, soils and `body.niche.organs` name what is in the graph.
- `primary = "emission"` needs `body.graph` and `body.primary`; `[lattice]` and the tables of the tissue have no part in it.
- `intravasation.law = "arrival"` needs `vessels.solid = false`: no cell hops onto a solid vessel.
- `emt.growth_factor_weight` needs the solute `growth_factor`, `emt.hypoxia_weight` the solute `oxygen`;
  `emt.hypoxia_full_mmhg` lies below `emt.hypoxia_onset_mmhg`; a tick is short enough for `emt.rate_per_h`.
- `death.necrosis_per_h` needs the solute `oxygen`, `death.drug_per_h` the solute `drug`; `death.necrosis_full_mmhg` lies
  below `death.necrosis_onset_mmhg`; no hazard of `[death]` takes more than half of the cells in a tick.
- `immune.recruited_entry_per_h` and `immune.attraction_per_signal` need the solute that `immune.signal` names; no hazard
  of `[immune]` takes more than half in a tick; hops and search together take at most 65,536 substeps.
- The tick asks for at most 65,536 substeps of hops and of each solute; a run has at most 2^32 - 1 ticks.
- `output.fields` holds "cell", names no field twice, and of the solutes only those that have a table.
- `output.fields_every_h.*` is 0 or a whole multiple of `output.every_h`, for fields that `output.fields` holds.

`seedsoil check FILE` tests them and says what the run takes. (It tries to place vessels and implant in lattices of up
to 4 million voxels together; in larger ones a run does so at its start.) `seedsoil schema` prints the JSON Schema,
which editors use to complete and check a file that begins with `#:schema seedsoil.schema.json`.
"""


def text() -> str:
    """The page."""
    tables: dict[str, list[str]] = {}
    for path, declared in parameters(Scenario):
        table = ".".join("<name>" if part == "*" else part for part in path[:-1])
        tables.setdefault(table, []).append(_row(path[-1], declared))
    parts = [HEAD]
    for table, rows in tables.items():
        parts.append("\n".join(_table(table, rows)) + "\n")
    return "\n".join(parts)


def _table(name: str, rows: list[str]) -> Iterator[str]:
    yield f"## `[{name}]`" if name else "## Top level"
    yield ""
    if name.endswith("<name>"):
        yield "Any number of tables; `<name>` is a letter followed by up to 31 letters, digits and underscores."
        yield ""
    if name and is_optional(getattr(field_at(tuple(name.split("."))), "annotation", None)):
        yield "An optional table: what it describes is there when the table is, be it empty."
        yield ""
    yield "| Key | Unit | Default | Range | Meaning | Source of the default |"
    yield "|---|---|---|---|---|---|"
    yield from rows


def _row(key: str, declared: Declared) -> str:
    default = "required" if declared.required else f"`{toml_value(declared.default)}`"
    unit = {"1": "1", "-": "–"}.get(declared.unit, declared.unit.replace("um", "µm").replace("2/", "²/"))
    cells = [f"`{key}`", unit, default, declared.range or declared.kind, declared.about, declared.source]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(f"{TARGET} is written")
