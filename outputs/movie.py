"""A run as a film: cells, matrix and solutes through time, with the count of cells and seeds.

MP4 through imageio-ffmpeg where that is installed (`pip install seedsoil[movie]`), else an animated GIF.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from . import style
from .figures_tissue import (
    FIELD_TITLES,
    PORTRAIT_VOXELS,
    draw_cells,
    draw_field,
    draw_portrait,
    tissue_legend,
)
from .planes import Window, frame_indices, plane, recorded_h, vessels_along_z, volume, window
from .reader import Run, open_run
from .whole import whole_file

FRAMES_MOST = 240
FIELDS_MOST = 4  # beside the cells; more would be too small
WIDTH_IN, DPI = 12.8, 100  # 1280 pixels


def write_movie(
    run_dir: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    frames_per_s: float = 8.0,
    frames_most: int = FRAMES_MOST,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the film of a run's primary and return where it is.

    Args:
        run_dir: the run's folder or file.
        path: ".mp4" (needs imageio-ffmpeg) or ".gif"; default movie.mp4 or movie.gif in the run's folder.
        frames_per_s: speed.
        frames_most: longer runs are thinned evenly in time.
        progress: called with (frames drawn, frames) after each.

    Raises:
        ValueError: the run has no frame, or the path ends in neither.
        ImportError: an .mp4 was asked for by name and imageio-ffmpeg is not installed.
        RunFileError: there is no readable run.
    """
    run = open_run(run_dir)
    if not run.frames:
        raise ValueError(f"{run.file}: holds no frame yet")
    able = importlib.util.find_spec("imageio_ffmpeg") is not None
    target = Path(path) if path else run.file.parent / ("movie.mp4" if able else "movie.gif")
    if target.suffix not in (".mp4", ".gif"):
        raise ValueError(f"{target}: a film ends in .mp4 or .gif")
    if target.suffix == ".mp4" and not able:
        raise ImportError(f"{target}: .mp4 needs imageio-ffmpeg (pip install 'seedsoil[movie]'); .gif needs nothing")
    save = _save_mp4 if target.suffix == ".mp4" else _save_gif
    with run.dataset(filled=True) as dataset:
        frames = frame_indices(dataset["time"].values, frames_most)
        sample = next(_pictures(run, dataset, frames[-1:], None))
        with whole_file(target) as file:
            save(file, _pictures(run, dataset, frames, progress), frames_per_s, sample)
    return target


def _pictures(
    run: Run, dataset: xr.Dataset, frames: list[int], progress: Callable[[int, int], None] | None
) -> Iterator[np.ndarray]:
    """Each frame as an (height, width, 3) u1 image."""
    shown = window(dataset, frames[-1], run.layout.voxel_um)
    series = run.series()
    tops = {}
    for name in [name for name in FIELD_TITLES if name in dataset][:FIELDS_MOST]:
        highest = max(float(plane(dataset, name, frame, shown).max()) for frame in frames)
        tops[name] = 1.0 if name == "matrix" else max(highest, 1e-12)
    title = str(run.attributes.get("title") or run.file.parent.name)
    for done, frame in enumerate(frames, start=1):
        with style.styled():
            figure = movie_frame(dataset, series, frame, shown, tops, title)
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            image = np.asarray(canvas.buffer_rgba())[..., :3]
        # video codecs want even sides
        yield np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])
        if progress:
            progress(done, len(frames))


def movie_frame(
    dataset: xr.Dataset, series: xr.Dataset, frame: int, shown: Window, tops: dict[str, float], title: str
) -> Figure:
    """One picture of the film. `tops`: the fields to draw, and the top of their scales."""
    time_h = float(dataset["time"].values[frame])
    solid = dataset.sizes["z"] > 1
    kinds = (["portrait"] if solid else []) + ["cells", *tops]
    wide = WIDTH_IN / len(kinds)
    figure = style.new_figure(WIDTH_IN, min(wide, 5.6) + 2.6, dpi=DPI)
    parts: Any = figure.subfigures(2, 1, height_ratios=(min(wide, 5.6) + 0.8, 1.8))
    upper, lower = parts
    pictures = upper.subplots(1, len(kinds), squeeze=False)[0]
    held = {name: plane(dataset, name, frame, shown) for name in ("cell", "emt", "vessel") if name in dataset}
    cell, emt, vessel = (held.get(name) for name in ("cell", "emt", "vessel"))
    assert cell is not None, "every run records cells"
    passing = vessels_along_z(dataset, frame, shown) if solid else None
    for axes, kind in zip(pictures, kinds, strict=True):
        if kind == "portrait":
            whole, stride = volume(dataset, frame, shown, ("cell", "emt", "vessel"), PORTRAIT_VOXELS)
            draw_portrait(axes, whole, shown.voxel_um * stride, 480)
        elif kind == "cells":
            draw_cells(axes, cell, emt, vessel, shown, passing)
            axes.set_title(f"z = {shown.plane_um / 1000:.2f} mm" if solid else "cells")
        else:
            values = plane(dataset, kind, frame, shown)
            image = draw_field(axes, values, cell, shown, kind, Normalize(0, tops[kind]))
            at_h = recorded_h(dataset, kind, frame)
            axes.set_title(FIELD_TITLES[kind] + ("" if at_h is None else f", as of {style.time_text(at_h)}"))
            bar = figure.colorbar(image, ax=axes, orientation="horizontal", pad=0.02, aspect=30, shrink=0.9)
            bar.outline.set_visible(False)  # pyright: ignore
        style.scale_bar(axes)
    # dollars would start mathematics
    figure.suptitle(title[:90].replace("$", r"\$"), x=0.012, ha="left", fontsize=13, fontweight="bold")
    figure.text(0.988, 0.985, style.time_text(time_h), ha="right", va="top", fontsize=15, fontweight="bold")
    upper.legend(
        handles=tissue_legend(cell, emt, vessel, passing), loc="outside lower center", ncols=6, handlelength=1.1
    )
    _so_far(lower.subplots(1, 2), series, time_h)
    return figure


def _so_far(panels: Any, series: xr.Dataset, time_h: float) -> None:
    """Cells and seeds up to now, on axes that do not move."""
    names = [("tumour_cells", "tumour cells", style.INK), ("seeds_released", "seeds released", style.RELEASED)]
    at_h = np.asarray(series["tick_time"].values, float)
    until_h = max(float(at_h[-1]) if len(at_h) else time_h, 1e-9)
    unit, label = style.time_axis(until_h)
    for axes, (name, text, colour) in zip(panels, names, strict=True):
        if name not in series or not len(at_h):
            style.note(axes, f"{text}: not recorded")
            continue
        values = series[name].values.astype(float)
        past = at_h <= time_h * (1 + 1e-12)
        axes.plot(at_h[past] / unit, values[past], color=colour)
        if past.any():
            axes.plot(at_h[past][-1] / unit, values[past][-1], "o", color=colour, ms=5, clip_on=False)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: style.count_text(number)))
        axes.set(xlim=(0, until_h / unit), ylim=(0, max(values.max(), 1) * 1.1), xlabel=label, ylabel=text)


def _save_gif(target: Path, pictures: Iterator[np.ndarray], frames_per_s: float, sample: np.ndarray) -> None:
    from PIL import Image

    # one palette for all frames, from the fullest of them, so that colours do not flicker
    palette = Image.fromarray(sample).quantize(colors=255, method=Image.Quantize.MEDIANCUT)
    images = (Image.fromarray(p).quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures)
    wait_ms = round(1000 / frames_per_s)
    next(images).save(target, "GIF", save_all=True, append_images=images, duration=wait_ms, loop=0, optimize=False)


def _save_mp4(target: Path, pictures: Iterator[np.ndarray], frames_per_s: float, sample: np.ndarray) -> None:
    import imageio_ffmpeg  # pyright: ignore[reportMissingImports]

    height, width = sample.shape[:2]
    writer: Any = imageio_ffmpeg.write_frames(
        str(target), (width, height), fps=frames_per_s, quality=7, macro_block_size=2, pix_fmt_out="yuv420p"
    )
    writer.send(None)  # starts it
    try:
        for picture in pictures:
            writer.send(picture.tobytes())
    finally:
        writer.close()
