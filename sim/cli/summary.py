"""What `seedsoil run` says when it is done: cells, seeds and where they went, colonies by organ."""

from collections import Counter
from pathlib import Path
from typing import Any

from ..plain_text import printable
from ..progress import duration

_FATES = {
    "in_transit": "still in transit",
    "died_in_transit": "died in transit",
    "arrested": "arrested",
    "died_after_arrest": "died after arrest",
    "dormant": "dormant",
    "colony": "founded or joined colonies",
    "returned_to_primary": "returned to the primary",
    "no_room": "found no room",
}


def summary(run: Any, ticks: int, wall_s: float) -> str:
    """The lines for one finished run (`seedsoil.outputs.reader.Run`)."""
    folder = Path(run.file).parent
    organs = [str(name) for name in run.attributes.get("organ_names", run.layout.organs)]
    series = run.series()
    rows = [
        ("primary", _primary(series)),
        ("seeds", _counted(series) + _seeds(run.seeds(), organs)),
        ("colonies", _colonies(run.colonies(), organs)),
        ("run", printable(str(folder), 4096)),
        ("report", printable(str(folder / "report.html"), 4096)),
    ]
    head = f"Done: {ticks:,} ticks, {duration(wall_s)} with start and report."
    return "\n".join([head, *(f"  {name:<9} {text}" for name, text in rows)])


def _primary(series: Any) -> str:
    if series.sizes["tick_time"] == 0:
        return "not recorded"
    cells, mesenchymal = (int(series[name][-1]) for name in ("tumour_cells", "mesenchymal_cells"))
    return f"{_count(cells, 'tumour cell')}, {mesenchymal:,} of them mesenchymal"


def _counted(series: Any) -> str:
    """Of a run that counts its dead, how many seeds there were besides those with a row."""
    if "seeds_died_in_transit" not in series or series.sizes["tick_time"] == 0:
        return ""
    return f"{int(series['seeds_released'][-1]):,} left a tumour; with a row of their own, "


def _seeds(seeds: Any, organs: list[str]) -> str:
    meanings = seeds["fate"].attrs["flag_meanings"].split()
    fates = Counter(meanings[code] for code in seeds["fate"].values)
    total = sum(fates.values())
    if not total:
        return "none entered a vessel"
    parts = [f"{fates[name]:,} {text}" for name, text in _FATES.items() if fates[name]]
    settled = seeds["organ"].values[seeds["fate"].values == meanings.index("colony")]
    where = _by_organ(Counter(settled.tolist()), organs)
    return f"{total:,} in all: {', '.join(parts)}" + (f" ({where})" if where else "")


def _colonies(colonies: Any, organs: list[str]) -> str:
    if not colonies.sizes["colony"]:
        return "none"
    meanings = colonies["state"].attrs["flag_meanings"].split()
    states = [meanings[code] for code in colonies["state"].values]
    alive, cells = Counter(), Counter()
    for organ, size, state in zip(colonies["organ"].values, colonies["cells"].values, states, strict=True):
        if state != "extinct":
            alive[int(organ)] += 1
            cells[int(organ)] += int(size)
    parts = [f"{organs[organ]} {number} ({_count(cells[organ], 'cell')})" for organ, number in sorted(alive.items())]
    extinct = states.count("extinct")
    return "; ".join(part for part in (", ".join(parts), f"{extinct:,} extinct" if extinct else "") if part)


def _by_organ(counts: Counter[int], organs: list[str]) -> str:
    return ", ".join(f"{organs[organ]} {number:,}" for organ, number in sorted(counts.items()) if organ >= 0)


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
