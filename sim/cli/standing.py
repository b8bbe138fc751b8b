"""What `seedsoil status` says: where a run stands, in words, from its status.json."""

from pathlib import Path
from typing import Any

from ..plain_text import printable
from ..progress import duration, pace

_STATES = {
    "running": "running",
    "stopped": "stopped, with its state saved",
    "failed": "failed",
    "done": "done",
    "killed": "killed: nobody writes it any more",
}


def standing(folder: Path, found: dict[str, Any], *, alive: bool) -> str:
    """The lines. `alive`: whether a process writes the run. What is missing or no number is left out."""
    state = found.get("state")
    if state == "running" and not alive:
        state = "killed"
    told = _STATES.get(str(state), printable(str(state)))
    rows = [
        ("time", _time(found)),
        ("speed", _speed(found) if state == "running" else ""),
        ("primary", _cells(found)),
        ("seeds", _seeds(found)),
        ("colonies", _colonies(found)),
        ("device", printable(str(found.get("device", "")))),
        ("reason", printable(str(found.get("reason", "")), 400)),
        ("digest", printable(str(found.get("digest", "")))),
        (
            "go on",
            f"seedsoil resume {printable(str(folder), 4096)}" if state in ("stopped", "failed", "killed") else "",
        ),
    ]
    head = f"{printable(str(folder), 4096)}: {told}"
    return "\n".join([head, *(f"  {name:<9} {text}" for name, text in rows if text)])


def _number(found: dict[str, Any], name: str) -> float | None:
    value = found.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _counted(found: dict[str, Any], *names: tuple[str, str]) -> str:
    """`1,234 tumour cells, 12 of them mesenchymal` of what is known; zeros but for the first are left out."""
    parts = []
    for name, text in names:
        value = _number(found, name)
        if value is not None and (value or not parts):
            parts.append(f"{value:,.0f} {text}")
    return ", ".join(parts)


def _time(found: dict[str, Any]) -> str:
    at_h, until_h, tick, ticks = (_number(found, name) for name in ("time_h", "until_h", "tick", "ticks"))
    if tick is None:
        return ""
    share = f" ({100 * tick / ticks:.0f} %)" if ticks else ""
    hours = f"{at_h:.1f} of {until_h:g} h{share}, " if at_h is not None and until_h is not None else ""
    return f"{hours}tick {tick:,.0f}" + (f" of {ticks:,.0f}" if ticks else "")


def _speed(found: dict[str, Any]) -> str:
    speed, left = _number(found, "ticks_per_s"), _number(found, "eta_s")
    if not speed:
        return ""
    return pace(speed) + (f", {duration(left)} left" if left is not None else "")


def _cells(found: dict[str, Any]) -> str:
    return _counted(found, ("tumour_cells", "tumour cells"), ("mesenchymal_cells", "of them mesenchymal"))


def _seeds(found: dict[str, Any]) -> str:
    return _counted(
        found,
        ("seeds_released", "released"),
        ("seeds_from_break_up", "more by break-up"),
        ("seeds_in_transit", "in transit"),
        ("seeds_died_in_transit", "died in transit"),
        ("seeds_died_after_arrest", "died after arrest"),
    )


def _colonies(found: dict[str, Any]) -> str:
    told = _counted(found, ("colonies_growing", "growing"), ("colonies_extinct", "extinct"))
    organs = found.get("organs")
    parts = []
    for name, organ in organs.items() if isinstance(organs, dict) else ():
        if isinstance(organ, dict) and _number(organ, "colonies"):
            parts.append(f"{printable(str(name))} {organ['colonies']:,.0f} ({organ.get('cells', 0):,.0f} cells)")
    return told + (f": {', '.join(parts)}" if parts else "")
