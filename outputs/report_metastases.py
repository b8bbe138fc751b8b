"""The report's sections on a body whose colonies are numbers: seeds, blood, metastases, who seeded whom."""

from itertools import pairwise

import numpy as np
import xarray as xr

from . import cascade, figures_metastases, figures_seeds, page, report_body, style
from .page import Section, text
from .reader import Run

LISTED = 25


def is_body_only(run: Run) -> bool:
    """Has the run no lattice but the voxel that stands for its primary?"""
    return any(row["name"] == "primary" and row["value"] == "emission" for row in run.resolved)


def has_colonies_as_numbers(run: Run) -> bool:
    """Are its organs those of a body that is a graph?"""
    return len(run.attributes.get("organ_names", ())) > 0 and not run.layout.organs


def lead(run: Run) -> str:
    """One sentence on what was simulated; HTML."""
    given = {row["name"]: row["value"] for row in run.resolved}
    primary = figures_metastases.words(str(given.get("body.primary", "a")))
    years = float(given.get("until_h", 0)) / style.YEAR_H
    return (
        f"A {text(primary)} tumour that is a number of cells and sheds by the law µ N<sup>α</sup>, and all of its "
        f"metastases, in the body “{text(str(given.get('body.graph', '')))}” over {years:.3g} years."
    )


def key_numbers(run: Run, series: xr.Dataset, seeds: xr.Dataset, colonies: xr.Dataset) -> list[tuple[str, str, str]]:
    """Cards of name, value and remark."""

    def last(name: str) -> float:
        return float(series[name].values[-1]) if name in series and series.sizes["tick_time"] else float("nan")

    growing = np.asarray(colonies["state"].values) == cascade.GROWING
    diameter = np.asarray(colonies["diameter_mm"].values)[growing]
    founded = np.asarray(colonies["founded_h"].values)
    visible = int((diameter >= cascade.VISIBLE_MM).sum())
    where = (figures_metastases.sites(series) or [""])[-1]
    count = style.count_text
    largest = f"the largest of {diameter.max():.3g} mm" if len(diameter) else "none"
    first = f"the first founded: {years_text(float(founded.min()))}" if len(founded) else "none was founded"
    resected = f"{last('primary_diameter_mm'):.3g} mm" if last("tumour_cells") else "none left"
    return [
        ("simulated time", f"{last('tick_time') / style.YEAR_H:.3g} y", f"{series.sizes['tick_time']} rows"),
        ("primary", resected, f"{style.large_text(last('tumour_cells'))} cells"),
        ("seeds released", style.large_text(last("seeds_released")), f"{count(seeds.sizes['seed'])} lived on"),
        ("colonies growing", count(growing.sum()), first),
        (f"of {cascade.VISIBLE_MM:g} mm or more", count(visible), largest),
        ("in 7.5 mL of blood", f"{last(f'ctc_mean.{where}'):.2g}", figures_metastases.words(where)),
    ]


def years_text(time_h: float) -> str:
    """A moment of a life with a tumour: 43830 -> "year 5.0"; of a run of days, that of a tissue, 36 -> "day 1.5"."""
    if time_h < 0.05 * style.YEAR_H:
        return f"day {time_h / 24.0:.1f}"
    return f"year {time_h / style.YEAR_H:.1f}"


def sections(run: Run, series: xr.Dataset, rows: xr.Dataset, colonies: xr.Dataset) -> list[Section]:
    """The chapters of a run without a lattice."""
    return [
        Section("seeds", "Seeds and blood", seeds(series, colonies)),
        Section("body", "The body", report_body.section(run, series, rows, colonies)),
        Section("colonies", "Metastases", metastases(run, colonies)),
    ]


def seeds(series: xr.Dataset, colonies: xr.Dataset) -> str:
    """The cascade of a run that counted its dead, and what blood samples hold."""
    if not series.sizes["tick_time"]:
        return page.absent("The run recorded no series.")
    if series["seeds_released"].values[-1] == 0:
        return page.absent("No tumour cell entered a vessel in this run, so there are no seeds and no colonies.")
    out = "<p>A seed is a tumour cell, or a cluster of them, that has entered a vessel. Seeds that died were counted, "
    out += "those that lived on have a row each in the table /seeds.</p><h3>The cascade</h3>"
    out += page.chart(
        figures_seeds.funnel(cascade.counted_funnel(colonies, series), logarithmic=True),
        "Seeds left at each step of the cascade",
        f"Widths are logarithmic. {_budget(series, colonies)}",
    )
    until = float(series["tick_time"].values[-1])
    return (
        out
        + "<h3>In the blood</h3>"
        + page.chart(
            figures_metastases.burden_and_blood(series, max(until, 1e-6)),
            "Tumour burden, and tumour cells in blood samples through time",
            "Lines: what a sample holds in the mean. Dots: what a sample drawn then would have shown, a Poisson number.",
        )
    )


def _budget(series: xr.Dataset, colonies: xr.Dataset) -> str:
    """The efficiency as powers of ten; HTML."""
    steps = cascade.counted_funnel(colonies, series)[:-1]
    parts = [
        f"{text(step.name)} {_power(step.number / before.number)}"
        for before, step in pairwise(steps)
        if before.number and step.number
    ]
    whole = _power(steps[-1].number / steps[0].number) if steps[-1].number else "none"
    return f"Step by step: {', '.join(parts)}. Of all seeds, {whole} are colonies {text(steps[-1].name)}."


def _power(share: float) -> str:
    exponent = round(float(np.log10(share)), 1)
    return f"10<sup>{exponent:.1f}</sup>".replace("-", "−") if exponent else "1"


def metastases(run: Run, colonies: xr.Dataset) -> str:
    """Sizes of colonies, who seeded whom, and the largest one by one."""
    organs = [str(name) for name in run.attributes["organ_names"]]
    if not colonies.sizes["colony"]:
        return page.absent("No seed founded a colony.")
    states = np.asarray(colonies["state"].values)
    if not (states == cascade.GROWING).any():
        names = colonies["state"].attrs["flag_meanings"].split()
        ends = ", ".join(f"{style.count_text((states == k).sum())} {names[k]}" for k in np.unique(states).tolist())
        return page.absent(f"Of the colonies that were founded none grows at the end of the run: {ends}.")
    out = page.chart(figures_metastases.sizes(colonies, organs), "Sizes of the colonies by organ")
    out += "<h3>Who seeded whom</h3>"
    out += page.chart(
        figures_metastases.seeding(colonies, organs),
        "Which tumour shed the founders of the colonies that grow",
        "Numbers are colonies that grow at the end. Black: seeded by the primary; orange: by a colony of another organ.",
    )
    return out + "<h3>The largest, one by one</h3>" + _largest(colonies, organs)


def _largest(colonies: xr.Dataset, organs: list[str]) -> str:
    states = colonies["state"].attrs["flag_meanings"].split()
    cells = np.asarray(colonies["cells"].values, np.int64)
    head = [
        ("colony", ""),
        ("organ", "k"),
        ("founded", "n"),
        ("by", ""),
        ("cells", "n"),
        ("diameter", "n"),
        ("state", ""),
    ]
    rows = []
    for k in np.argsort(-cells, kind="stable")[:LISTED]:
        one = colonies.isel(colony=int(k))
        parent = int(one["parent"]) if "parent" in colonies else -1
        by = (
            "the primary"
            if parent < 0
            else f"colony {parent} ({figures_metastases.words(organs[int(colonies['organ'][parent])])})"
        )
        size = style.length_text(float(f"{float(one['diameter_mm']) * 1000:.3g}")) if cells[k] else "–"
        name = figures_metastases.words(organs[int(one["organ"])])
        when = years_text(float(one["founded_h"]))
        rows.append([int(k), name, when, by, style.count_text(int(cells[k])), size, states[int(one["state"])]])
    rest = len(cells) - len(rows)
    return page.table(head, rows) + (
        f"<p class='muted'>{rest} smaller ones are in the table /colonies of the run file.</p>" if rest else ""
    )
