"""The report of a run: one HTML file that needs nothing else, to be read on a screen or printed.

Reads a few frames of the run, one at a time; what the run did not record, or what did not happen, is
said in words.
"""

import os
from pathlib import Path

import numpy as np
import xarray as xr

from . import (
    cascade,
    figures_organs,
    figures_seeds,
    figures_tissue,
    page,
    report_body,
    report_clones,
    report_facts,
    report_metastases,
    style,
)
from .page import Section, text
from .planes import Window, closer, columns, frame_indices, recorded_h, slabs, stride_for, window
from .portrait import CUT_CELLS
from .reader import Run, open_run
from .report_facts import about, footer, lead, parameters, reproduce, unfinished
from .report_numbers import in_numbers
from .whole import whole_file

REPORT_FILE = "report.html"
COLONIES_SHOWN, COLONIES_LISTED = 12, 200  # rows of the list, and with those folded away


def write_report(run_dir: str | os.PathLike[str], path: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a run folder and return where it is.

    Args:
        run_dir: the folder (or run file) of a run, finished or not.
        path: the file to write; default `report.html` in the run's folder.

    Raises:
        RunFileError: there is no readable run.
        OSError: the report cannot be written.
    """
    run = open_run(run_dir)
    target = Path(path) if path is not None else run.file.parent / REPORT_FILE
    written = report_html(run)
    with whole_file(target) as file:  # a reader sees the old report or the new one
        file.write_text(written, "utf-8")
    return target


def report_html(run: Run) -> str:
    """The report as text."""
    series, seeds, colonies = run.series(), run.seeds(), run.colonies()
    if report_metastases.is_body_only(run):
        return _page(run, series, seeds, colonies, report_metastases.sections(run, series, seeds, colonies))
    with run.dataset(filled=True) as dataset:
        portrait = page.absent("The run holds no frame yet.")
        tissue = numbers = portrait
        shown: Window | None = None
        last = run.frames - 1
        if run.frames:
            shown = window(dataset, last, run.layout.voxel_um)
            frames = frame_indices(dataset["time"].values, columns(run.frames))
            portrait = _portrait(dataset, last, shown)
            tissue = _tissue(run, dataset, frames, shown)
            numbers = in_numbers(run, dataset, series, frames, shown)
        clones = run.clones()
        sections = [
            Section("tissue", "The tissue through time", tissue),
            Section("numbers", "The primary in numbers", numbers),
            *(
                [Section("clones", "Clones", report_clones.section(dataset, clones, shown))]
                if len(clones.clone) > 1
                else []
            ),
            Section("seeds", "Seeds", _seeds(run, dataset, series, seeds, colonies, last, shown)),
            *(
                [Section("body", "The body", report_body.section(run, series, seeds, colonies))]
                if report_body.has_body(run, seeds)
                else []
            ),
            Section("colonies", "Colonies", _colonies(run, series, colonies)),
        ]
    return _page(run, series, seeds, colonies, sections, portrait)


def _page(
    run: Run, series: xr.Dataset, seeds: xr.Dataset, colonies: xr.Dataset, sections: list[Section], portrait: str = ""
) -> str:
    body_only = report_metastases.is_body_only(run)
    last = [
        Section("parameters", "Every parameter", parameters(run)),
        Section("reproduce", "How to get this again", reproduce(run)),
    ]
    return page.page(
        [*sections, *last],
        title=text(run.attributes.get("title") or run.file.parent.name),
        lead=report_metastases.lead(run) if body_only else lead(run),
        numbers=page.numbers(
            (report_metastases if body_only else report_facts).key_numbers(run, series, seeds, colonies)
        ),
        portrait=portrait,
        banner=unfinished(run),
        about=about(run),
        footer=footer(run),
    )


def _portrait(dataset: xr.Dataset, last: int, shown: Window) -> str:
    when = style.time_text(float(dataset["time"].values[last]))
    return page.picture(
        figures_tissue.largest_view(dataset, last, shown),
        f"The tumour at {when}",
        text(
            f"The tumour at {when}"
            + _cut(dataset, last, shown)
            + ("" if shown.whole else "; a part of the lattice")
            + "."
        ),
    )


def _cut(dataset: xr.Dataset, frame: int, shown: Window) -> str:
    if dataset.sizes["z"] == 1:
        return ""
    cells = sum(int(mask.sum()) for _, mask in slabs(dataset, frame))
    return ", the eighth of it that faces you taken out" if cells > CUT_CELLS else ""


def _tissue(run: Run, dataset: xr.Dataset, frames: list[int], shown: Window) -> str:
    solid = dataset.sizes["z"] > 1
    words = []
    if solid:
        words.append("Top: every cell as a ball, in parallel projection, a quarter wider than its voxel;")
        words.append(f"tumours of more than {CUT_CELLS} cells without the eighth that faces you.")
        if (stride := stride_for(shown, figures_tissue.PORTRAIT_VOXELS)) > 1:
            words.append(f"A ball stands for {stride} × {stride} × {stride} voxels.")
        if any(closer(dataset, frame, shown) != shown for frame in frames):
            words.append("Small tumours are seen from nearer; each picture has its own scale bar.")
        words.append(f"Below: the plane z = {shown.plane_um / 1000:.2f} mm, through the middle of the final tumour.")
    fields = [name for name in figures_tissue.FIELD_TITLES if name in dataset]
    if fields:
        words.append("Black lines surround places where tumour cells hold a third of the voxels or more.")
    if not shown.whole:
        words.append("The tissue reaches further than the part shown, which holds all tumour cells of the last frame.")
    drawn = [name for name in ("vessel", *fields) if name in dataset]
    if stale := [name for name in drawn if any(recorded_h(dataset, name, f) is not None for f in frames)]:
        words.append(f"Recorded less often than cells, and shown as last recorded before: {', '.join(stale)}.")
    others = [name for name in figures_tissue.FIELD_TITLES if name in run.layout.fields]
    usual = dict.fromkeys(("emt", "vessel", "matrix", "protease", *others))
    absent = [name for name in usual if name not in dataset]
    if missing := [name for name in absent if name not in run.layout.fields]:
        words.append(f"Not recorded in this run: {', '.join(missing)}.")
    if elsewhere := [name for name in absent if name not in missing]:
        words.append(f"Recorded less often than cells, so not shown with them: {', '.join(elsewhere)}.")
    if len(frames) == 1:
        words.append("The run holds a single frame.")
    about_it = (
        " and ".join(["Cells", *fields])
        + " at "
        + ", ".join(style.time_text(float(dataset["time"].values[f])) for f in frames)
    )
    return page.picture(figures_tissue.tissue_through_time(dataset, frames, shown), about_it, text(" ".join(words)))


def _seeds(
    run: Run,
    dataset: xr.Dataset,
    series: xr.Dataset,
    seeds: xr.Dataset,
    colonies: xr.Dataset,
    last: int,
    shown: Window | None,
) -> str:
    if not seeds.sizes["seed"]:
        return page.absent("No tumour cell entered a vessel in this run, so there are no seeds and no colonies.")
    names = list(run.layout.organs)
    until = max(
        float(seeds["time_h"].values.max()), float(series["tick_time"].values[-1]) if series.sizes["tick_time"] else 0.0
    )
    out = "<p>A seed is a tumour cell, or a cluster of them, that has entered a vessel.</p><h3>The cascade</h3>"
    out += page.chart(
        figures_seeds.funnel(cascade.funnel(seeds, colonies, series)),
        "Seeds left at each step of the cascade",
        "Widths are to scale.",
    )
    out += "<h3>When they left, and how many together</h3>"
    out += page.chart(
        figures_seeds.seeds_in_time(seeds, series, max(until, 1e-6)), "Seeds through time and their sizes"
    )
    if shown is not None:
        out += "<h3>Where they left, and where they went</h3>"
        words = "Left: places of departure" + (", seen along z," if dataset.sizes["z"] > 1 else "")
        words += " over the cells of the last frame; larger dots are larger seeds."
        out += page.picture(
            figures_seeds.where_from_and_to(seeds, dataset, last, shown, names),
            "Departures and arrivals by organ",
            words,
        )
    return out


def _colonies(run: Run, series: xr.Dataset, colonies: xr.Dataset) -> str:
    names = list(run.layout.organs)
    if report_metastases.has_colonies_as_numbers(run):
        return report_metastases.metastases(run, colonies)
    if not names:
        return page.absent("The scenario has no organs, so no colony could be founded.")
    if not colonies.sizes["colony"]:
        return page.absent(f"No seed founded a colony in {_listed(names, 'or')}.")
    held = {name: run.organ(name, filled=True) for name in run.organs}
    try:
        last_h = [float(d["time"].values[-1]) for d in held.values()]
        until = max([*last_h, float(series["tick_time"].values[-1]) if series.sizes["tick_time"] else 0.0, 1e-6])
        out = page.chart(
            figures_organs.burden(series, colonies, held, names, until),
            "Colonies through time and by organ",
            "Under each organ's name: colonies founded there." if held else "",
        )
        if held:
            out += "<h3>In the organs</h3>"
            more = len(held) - figures_organs.ORGANS_DRAWN
            words = "The last frame of each organ reached, its largest colonies with their numbers in the list below."
            words += f" {more} more organs are in the run file." if more > 0 else ""
            untouched = [name for name in names if name not in held]
            words += f" No seed reached {_listed(untouched, 'or')}." if untouched else ""
            out += page.picture(
                figures_organs.organ_pictures(held, colonies, names, run.layout.voxel_um),
                "Colonies in the organs",
                text(words),
            )
        else:
            out += page.absent("The run recorded no frame of an organ.")
    finally:
        for dataset in held.values():
            dataset.close()
    return out + "<h3>One by one</h3>" + _colony_table(run, colonies, names)


def _colony_table(run: Run, colonies: xr.Dataset, names: list[str]) -> str:
    states = colonies["state"].attrs["flag_meanings"].split()
    cells = np.asarray(colonies["cells"].values, np.int64)
    order = np.argsort(-cells, kind="stable")[:COLONIES_LISTED]
    head = [
        ("colony", ""),
        ("organ", "k"),
        ("founded", "n"),
        ("by seed", "n"),
        ("cells", "n"),
        ("diameter", "n"),
        ("state", ""),
    ]
    founders = "founder_cells" in colonies
    if founders:
        head.insert(4, ("cells at founding", "n"))
    rows = []
    for k in order:
        one = colonies.isel(colony=int(k))
        organ = int(one["organ"])
        row = [
            int(k),
            names[organ] if 0 <= organ < len(names) else "–",
            style.time_text(float(one["founded_h"])),
            int(one["founder_seed"]),
            style.count_text(int(cells[k])),
            style.length_text(float(f"{float(one['diameter_mm']) * 1000:.3g}")) if cells[k] else "–",
            states[int(one["state"])],
        ]
        if founders:
            row.insert(4, int(one["founder_cells"]))
        rows.append(row)
    out = page.table(head, rows[:COLONIES_SHOWN])
    if len(rows) > COLONIES_SHOWN:
        more = page.table(head, rows[COLONIES_SHOWN:])
        out += f"<details><summary>{len(rows) - COLONIES_SHOWN} more</summary>{more}</details>"
    rest = len(cells) - len(order)
    return out + (
        f"<p class='muted'>{rest} smaller ones are in the table /colonies of the run file.</p>" if rest else ""
    )


def _listed(names: list[str], last: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


__all__ = ["REPORT_FILE", "report_html", "write_report"]
