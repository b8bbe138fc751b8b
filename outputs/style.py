"""How pictures look: colours that colour-blind readers can tell apart, type, units, scale bars.

Figures are made through matplotlib's object interface; no pyplot state is touched. Colours are those
of Okabe & Ito (2008); fields have maps whose lightness falls steadily.
"""

import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullFormatter

INK, MUTED, RULE, PAPER, TISSUE = "#1c2733", "#5d6b79", "#d5dce3", "#ffffff", "#f4f1ea"
EPITHELIAL, MESENCHYMAL = "#0072b2", "#e69f00"
BLOOD, LYMPH = "#7a1f2b", "#009e73"
NECROTIC, IMMUNE, STROMA, EPITHELIUM = "#6e6e6e", "#56b4e9", "#d9cbb6", "#f0dfd0"
RELEASED, DIED, SETTLED, LOST = "#cc79a7", "#9aa5b1", "#009e73", "#d55e00"
# lines that have no colour of their own: organs, colonies
SEQUENCE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#8c6d1f")
# from nothing (paper) to plenty (dark), each in one hue that no cell has; the rest in cividis
MATRIX_MAP = LinearSegmentedColormap.from_list("matrix", ["#ffffff", "#f0e3cf", "#d3b78c", "#ad8654"])
FIELD_MAPS: dict[str, Any] = {
    "matrix": MATRIX_MAP,
    "protease": "BuPu",
    "inhibitor": "PuBuGn",
    "oxygen": "cividis",
    "drug": "Greens",
    "growth_factor": "YlGn",
    "mitogen": "GnBu",
    "cytokine": "OrRd",
    "chemokine": "PuRd",
    "vegf": "RdPu",
    "vegf_c": "YlGnBu",
}

YEAR_H = 8766.0
COLUMN_IN = 11.2  # the report's text column: 1120 CSS pixels
RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 9.5,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": "#9aa5b1",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-4, 5),
    "axes.formatter.use_mathtext": True,
    "grid.color": "#e6eaee",
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": "#9aa5b1",
    "ytick.color": "#9aa5b1",
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.hashsalt": "seedsoil",  # the same run gives the same bytes
    "image.interpolation": "nearest",
}
_LOCK = threading.RLock()


@contextmanager
def styled() -> Iterator[None]:
    """The style, for as long as the block lasts. matplotlib's settings are global: one thread at a time."""
    with _LOCK, matplotlib.rc_context(RC):
        yield


def new_figure(width_in: float, height_in: float, **more: Any) -> Figure:
    """A figure in constrained layout, without pyplot."""
    return Figure(figsize=(width_in, height_in), layout="constrained", **more)


def png(figure: Figure, dpi: float = 180) -> bytes:
    """The figure as PNG."""
    return _saved(figure, "png", dpi, {"Software": None})


def svg(figure: Figure, dpi: float = 180) -> bytes:
    """The figure as SVG, its letters as outlines."""
    return _saved(figure, "svg", dpi, {"Date": None, "Creator": None})


def _saved(figure: Figure, kind: str, dpi: float, metadata: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    with styled():
        figure.savefig(out, format=kind, dpi=dpi, metadata=metadata)
    return out.getvalue()


def length_text(um: float) -> str:
    """1500 -> "1.5 mm", 250 -> "250 µm"."""
    return f"{um / 1000:g} mm" if um >= 1000 else f"{um:g} µm"


def time_text(time_h: float) -> str:
    """60 -> "day 2.5", 6 -> "6 h": a moment as people say it."""
    if time_h < 24:
        return f"{time_h:.3g} h"
    return f"day {round(time_h / 24, 2):g}"


def count_text(number: float) -> str:
    """12345 -> "12 345", with thin spaces."""
    return f"{int(number):,}".replace(",", "\u2009") if math.isfinite(number) else "–"


def large_text(number: float) -> str:
    """As count_text up to a million; 2199805 -> "2.2 × 10⁶"."""
    if not math.isfinite(number) or abs(number) < 1e6:
        return count_text(number)
    digits, power = f"{number:.1e}".split("e")
    return f"{digits} × 10{str(int(power)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def nice_length_um(span_um: float) -> float:
    """A round length (1, 2 or 5 times a power of ten) of a sixth to a third of the span, for a scale bar."""
    target = max(span_um, 1e-9) / 3.4
    power = 10.0 ** math.floor(math.log10(target))
    return max(step * power for step in (1, 2, 5) if step * power <= target * (1 + 1e-9))


def time_axis(until_h: float) -> tuple[float, str]:
    """Hours per unit, and the label, of a time axis: years from three years on, days from two days on, hours before."""
    if until_h >= 3 * YEAR_H:
        return YEAR_H, "time [years]"
    return (24.0, "time [days]") if until_h >= 48 else (1.0, "time [h]")


def scale_bar(axes: Axes) -> None:
    """A bar and its length in the lower left corner; the axes' units are µm."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    length = nice_length_um(abs(right - left))
    x, y = left + 0.05 * (right - left), bottom + 0.06 * (top - bottom)
    halo = [withStroke(linewidth=2.5, foreground=PAPER, alpha=0.8)]
    axes.plot([x, x + math.copysign(length, right - left)], [y, y], color=INK, lw=2.4, solid_capstyle="butt", zorder=9)
    axes.annotate(
        length_text(length), (x, y), xytext=(0, 4), textcoords="offset points", fontsize=8, zorder=8, path_effects=halo
    )


def note(axes: Axes, text: str) -> None:
    """A sentence in place of a picture that would be empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=MUTED, fontsize=9.5, wrap=True)


def log_scale(axes: Axes, from_zero: bool = False) -> None:
    """A logarithmic y axis with plain numbers; `from_zero` begins at 0, linear up to 1."""
    axes.set_yscale("symlog", linthresh=1) if from_zero else axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _plain(value: float) -> str:
    return count_text(value) if value >= 1 or value == 0 else f"{value:g}"


def rgb(colour: str) -> np.ndarray:
    """ "#0072b2" -> three floats in [0, 1]."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255


def grid_off(axes: Axes) -> None:
    """A frame for a picture: no grid, all four sides, no ticks."""
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set(visible=True, color="#c3ccd4", linewidth=0.7)
