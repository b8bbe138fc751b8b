"""Draw docs/images/quickstart.png from a run: `python docs/images/make.py runs/quickstart`.

The last frame of the primary in 3-D, then the plane through its middle: cells, matrix, protease.
Same run, same picture.
"""

import argparse
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize

from seedsoil.outputs import style
from seedsoil.outputs.figures_tissue import (
    FIELD_TITLES,
    PORTRAIT_VOXELS,
    draw_cells,
    draw_field,
    draw_portrait,
    tissue_legend,
)
from seedsoil.outputs.planes import plane, vessels_along_z, volume, window
from seedsoil.outputs.reader import open_run

TARGET = Path(__file__).with_name("quickstart.png")
BYTES_MAX = 400_000
FIELDS = ("matrix", "protease")


def draw(run_dir: Path, target: Path, dpi: int) -> None:
    """Write the picture of a run's last frame. The run must be 3-D and hold the fields of quickstart."""
    run = open_run(run_dir)
    if run.attributes.get("state") != "finished" or float(run.dataset().time[-1]) < 240:
        raise SystemExit(f"{run_dir}: the picture is of a finished quickstart run of 240 h")
    with run.dataset() as dataset, style.styled():
        frame = run.frames - 1
        shown = window(dataset, frame, run.layout.voxel_um)
        cell, emt, vessel = (plane(dataset, name, frame, shown) for name in ("cell", "emt", "vessel"))
        passing = vessels_along_z(dataset, frame, shown)
        figure = style.new_figure(12.0, 3.9)
        figure.get_layout_engine().set(rect=(0, 0, 1, 0.97))  # pyright: ignore
        grid = figure.subplots(2, 2 + len(FIELDS), height_ratios=(1, 0.035), width_ratios=(1.25, 1, 1, 1))
        (portrait, cells, *fields), (spare, other, *bars) = grid
        spare.set_axis_off()
        other.set_axis_off()

        whole, stride = volume(dataset, frame, shown, ("cell", "emt", "vessel"), PORTRAIT_VOXELS)
        draw_portrait(portrait, whole, shown.voxel_um * stride, 640)
        portrait.set_title(f"quickstart, {style.time_text(float(dataset['time'].values[frame]))}")
        draw_cells(cells, cell, emt, vessel, shown, passing)
        cells.set_title(f"cells at z = {shown.plane_um / 1000:.2f} mm")
        for axes, under, name in zip(fields, bars, FIELDS, strict=True):
            values = plane(dataset, name, frame, shown)
            top = 1.0 if name == "matrix" else float(values.max()) or 1.0
            image = draw_field(axes, values, cell, shown, name, Normalize(0, top))
            axes.set_title(FIELD_TITLES[name])
            figure.colorbar(image, cax=under, orientation="horizontal").outline.set_visible(False)  # pyright: ignore
        for axes in (portrait, cells, *fields):
            style.scale_bar(axes)
        for axes in (cells, *fields):
            axes.set_xticks([])
            axes.set_yticks([])
        handles = tissue_legend(cell, emt, vessel, passing)
        figure.legend(handles=handles, loc="outside lower left", ncols=len(handles), handlelength=1.1)
        FigureCanvasAgg(figure).print_figure(target, format="png", dpi=dpi, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    arguments = parser.parse_args()
    for dpi in (120, 100, 80, 60):
        draw(arguments.run, arguments.output, dpi)
        if arguments.output.stat().st_size < BYTES_MAX:
            break
    print(f"{arguments.output}: {arguments.output.stat().st_size // 1000} kB at {dpi} dpi")


if __name__ == "__main__":
    main()
