"""The body as a circuit: every bed between the arteries and the veins, lines as wide as what flows there.

Reads the attribute `body` of a run file: places with kind, organ and flow, edges with shares, and the primary's drains.
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style
from .figures_body import STAR, words

ARTERY, VEIN, BETWEEN, LYMPH = "#b2182b", "#2b5c8a", ("#6a3d9a", "#b15928"), style.LYMPH
LEFT_HEART, RIGHT_HEART = "left_heart", "right_heart"
ARTERIES, VEINS = 4.6, -4.6  # x: arteries to the reader's right, veins to the left
WIDEST, THINNEST = 9.0, 0.7  # points
LABEL: Any = {"ha": "center", "va": "center", "fontsize": 9, "bbox": {"fc": style.PAPER, "ec": "none", "pad": 1.2}}
WAYS = {"coelomic": "cavity"}


def circuit(body: dict[str, Any]) -> Figure:
    """The graph of a body; stars say where its primary drains, if it has one."""
    places = {place["name"]: place for place in body["places"]}
    leads: dict[str, dict[str, float]] = {name: {} for name in places}
    for start, end, share in body["edges"]:
        leads[start][end] = share
    between = [n for n, place in places.items() if place["kind"] == "vessels" and n not in (LEFT_HEART, RIGHT_HEART)]
    rows = _rows(places, leads, between)
    lymph = [name for name, place in places.items() if place["kind"] in ("lymph", "cavities")]
    y = {name: -float(k) for k, name in enumerate(rows)}
    y |= {name: -float(len(rows)) - 0.6 - k for k, name in enumerate(lymph)}
    bus = {name: -1.9 - 1.0 * k for k, name in enumerate(between)}
    with style.styled():
        figure = style.new_figure(style.COLUMN_IN, 1.5 + 0.25 * len(y))
        axes = figure.subplots()
        bottom = min(y.values())
        _trunk(axes, VEINS, (0.0, bottom), VEIN, "right heart")
        _trunk(axes, ARTERIES, (0.0, min(y[n] for n in rows)), ARTERY, "left heart")
        tops = {}
        for k, (name, x) in enumerate(bus.items()):
            joined = [y[n] for n in rows if name in leads[n] or n in leads[name]]
            tops[name] = (x, max(joined))
            _trunk(axes, x, (max(joined), min(joined)), BETWEEN[k % 2], words(name), places[name]["flow_fraction"])
        for name in rows:
            _bed(axes, places[name], leads, y[name], bus)
        for name in lymph:
            _lymph(axes, name, leads[name], y)
        _drains(axes, body["primary"], y, tops)
        axes.legend(handles=_legend(body["primary"], bus), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=6)
        axes.set(xlim=(-6.2, 6.2), ylim=(bottom - 0.8, 1.6))
        axes.set_axis_off()
    return figure


def _rows(places: dict[str, Any], leads: dict[str, dict[str, float]], between: list[str]) -> list[str]:
    """Beds from above: those the right heart supplies, the rest by flow, and each that a vessel joins beside its sources."""
    beds = sorted((n for n in places if places[n]["kind"] == "beds"), key=lambda n: -places[n]["flow_fraction"])
    first = [name for name in beds if name in leads[RIGHT_HEART]]
    grouped: list[str] = []
    for vessel in between:
        joined = [n for n in beds if n in leads[vessel]] + [n for n in beds if vessel in leads[n]]
        grouped += [n for n in joined if n not in grouped and n not in first]
    return [*first, *(n for n in beds if n not in first and n not in grouped), *grouped]


def _wide(flow: float) -> float:
    return max(THINNEST, WIDEST * flow**0.5)


def _line(axes: Axes, x: tuple[float, float], y: tuple[float, float], flow: float, colour: Any, **more: Any) -> None:
    axes.plot(x, y, color=colour, lw=_wide(flow), solid_capstyle="butt", zorder=2, **more)


def _trunk(axes: Axes, x: float, reach: tuple[float, float], colour: str, name: str, flow: float | None = None) -> None:
    axes.plot([x, x], reach, color=colour, lw=WIDEST if flow is None else _wide(flow), zorder=3)
    if flow is None:
        axes.text(x, 0.75, name, ha="center", va="bottom", fontsize=10.5, fontweight="bold", color=colour)
    else:
        about = f"{name}\n{100 * flow:.2g} %"
        axes.text(
            x - 0.15, sum(reach) / 2 + 0.5, about, color=colour, zorder=4, **{**LABEL, "ha": "right", "fontsize": 8.5}
        )


def _bed(
    axes: Axes, place: dict[str, Any], leads: dict[str, dict[str, float]], y: float, bus: dict[str, float]
) -> None:
    name, flow = place["name"], place["flow_fraction"]
    if share := leads[LEFT_HEART].get(name, 0.0):
        _line(axes, (0.0, ARTERIES), (y, y), share, ARTERY)
    if name in leads[RIGHT_HEART]:
        _line(axes, (VEINS, 0.0), (y, y), flow, VEIN)
    ends = {RIGHT_HEART: VEINS, LEFT_HEART: ARTERIES, **bus}
    for target, share in sorted(leads[name].items(), key=lambda pair: ends.get(pair[0], 0.0)):  # the longest below
        if target in ends and not (target == LEFT_HEART and name in leads[LEFT_HEART]):
            colour = {RIGHT_HEART: VEIN, LEFT_HEART: ARTERY}.get(target) or BETWEEN[list(bus).index(target) % 2]
            _line(axes, (0.0, ends[target]), (y, y), flow * share, colour)
    for vessel, x in bus.items():
        if name in leads[vessel]:
            _line(axes, (x, 0.0), (y, y), flow - leads[LEFT_HEART].get(name, 0.0), BETWEEN[list(bus).index(vessel) % 2])
    axes.text(0.0, y, f"{words(name)}  {100 * flow:.3g} %", zorder=4, **LABEL)


def _lymph(axes: Axes, name: str, leads: dict[str, float], y: dict[str, float]) -> None:
    axes.text(0.0, y[name], words(name), zorder=4, color=LYMPH, **LABEL)
    for k, (target, share) in enumerate(leads.items()):
        if target == RIGHT_HEART:
            axes.plot([VEINS, 0.0], [y[name]] * 2, color=LYMPH, lw=0.8 + 1.4 * share, ls=(0, (3, 1.5)), zorder=1)
        elif target in y:
            x = 1.5 + 0.5 * (k + (abs(y[target] - y[name]) > 1.1))
            shape = {"arrowstyle": "-|>", "color": LYMPH, "lw": 0.8 + 1.4 * share, "connectionstyle": "arc3,rad=0.5"}
            axes.annotate("", (x - 0.4, y[target]), (x - 0.4, y[name]), arrowprops=shape)


def _drains(axes: Axes, primary: dict[str, Any], y: dict[str, float], bus: dict[str, tuple[float, float]]) -> None:
    at = {RIGHT_HEART: (VEINS, 0.45), LEFT_HEART: (ARTERIES, 0.45), **bus}
    for route, shares in primary["drains"].items():
        for place, share in shares.items():
            x, height = at.get(place) or (-2.4, y[place])
            axes.plot(x, height, **STAR, ms=13, zorder=6)
            text = f"{100 * share:.3g} % by {WAYS.get(route, route)}"
            beside: Any = {"xytext": (0, 11), "ha": "center"} if place in bus else {"xytext": (9, 0), "ha": "left"}
            axes.annotate(
                text,
                (x, height),
                **beside,
                textcoords="offset points",
                va="center",
                fontsize=8.5,
                zorder=5,
                bbox=LABEL["bbox"],
            )


def _legend(primary: dict[str, Any], bus: dict[str, float]) -> list[Line2D]:
    out = [
        Line2D([], [], color=ARTERY, lw=4, label="arterial"),
        Line2D([], [], color=VEIN, lw=4, label="venous"),
        *(Line2D([], [], color=BETWEEN[k % 2], lw=4, label=words(name)) for k, name in enumerate(bus)),
        Line2D([], [], color=LYMPH, lw=1.6, ls=(0, (3, 1.5)), label="lymph, cavities"),
    ]
    if primary["name"]:
        out.append(Line2D([], [], **STAR, ms=12, label=f"{words(primary['name'])}: drains here"))
    return out
