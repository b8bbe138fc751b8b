"""The words of a report: key numbers, every parameter with its source, and how to get the run again."""

import json
import re
import tomllib
from typing import Any

import numpy as np
import xarray as xr

from . import observables, page, style
from .page import text
from .reader import Run

ASSUMED = "assumed"


def lead(run: Run) -> str:
    """One sentence on what was simulated; HTML."""
    nz, ny, nx = run.layout.shape
    um = run.layout.voxel_um
    size = " × ".join(f"{n * um / 1000:.3g}" for n in ((nz, ny, nx) if nz > 1 else (ny, nx)))
    kind = "A tumour in three dimensions" if nz > 1 else "A tumour in a plane of tissue"
    organs = list(run.layout.organs)
    body = (
        f", with {', '.join(organs[:6])}{' …' if len(organs) > 6 else ''} as organs that its seeds may reach"
        if organs
        else ""
    )
    voxels = f"{nz} × {ny} × {nx}" if nz > 1 else f"{ny} × {nx}"
    return text(f"{kind}, {size}\u00a0mm ({voxels} voxels of {um:g}\u00a0µm){body}.")


def about(run: Run) -> str:
    """The comment at the head of the scenario, as its author wrote it; HTML."""
    lines = []
    for line in str(run.attributes.get("scenario", "")).splitlines():
        if line.startswith("#:"):
            continue
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#"))
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines or lines[0].strip().startswith("Every value this scenario comes to"):
        return ""
    joined = ""
    for line in lines:
        # a line set in belongs to the one before it: let the page break lines
        if not line.strip():
            joined += "\n"
        elif joined and (line.startswith("   ") or not line.strip()[0].isupper()):
            joined += " " + line.strip()
        else:
            joined += "\n" + line.strip()
    return f'<div class="about">{text(joined.strip())}</div>'


def key_numbers(run: Run, series: xr.Dataset, seeds: xr.Dataset, colonies: xr.Dataset) -> list[tuple[str, str, str]]:
    """Cards of name, value and remark."""
    ticks = series.sizes["tick_time"]
    cells = _last(series, "tumour_cells")
    share = _last(series, "mesenchymal_cells") / cells * 100 if cells else float("nan")
    reach = _last(series, "invasion_rms_um")
    rows = seeds.sizes["seed"]
    released = _last(series, "seeds_released") if ticks else float(rows)
    fate = np.asarray(seeds["fate"].values)
    settled = int((fate == 5).sum() + (fate == 4).sum())
    growing = int((np.asarray(colonies["state"].values) == 2).sum())
    first = observables.time_to_first_colony_h(colonies["founded_h"].values)
    time_h = _last(series, "tick_time")
    count = style.count_text
    return [
        ("simulated time", f"{time_h / 24:.3g} d" if time_h >= 48 else f"{time_h:.3g} h", f"{run.frames} frames"),
        ("tumour cells", count(cells), f"{share:.0f} % mesenchymal" if np.isfinite(share) else "in the primary"),
        ("reach", style.length_text(float(f"{reach:.3g}")) if np.isfinite(reach) else "–", "root mean square distance"),
        ("seeds released", count(released), f"{count(rows)} after break-up" if rows else "none"),
        ("seeds that settled", count(settled), f"{settled / rows * 100:.2g} % of all" if rows else ""),
        ("colonies growing", count(growing), _first(first)),
    ]


def _first(founded_h: float) -> str:
    return f"the first founded at {style.time_text(founded_h)}" if np.isfinite(founded_h) else "none was founded"


def _last(series: xr.Dataset, name: str) -> float:
    return float(series[name].values[-1]) if name in series.variables and series.sizes["tick_time"] else float("nan")


def unfinished(run: Run) -> str:
    """A banner for a run that did not get to its end; HTML."""
    if run.attributes.get("state") == "finished":
        return ""
    until = next((row["value"] for row in run.resolved if row["name"] == "until_h"), None)
    times = run.series()["tick_time"].values
    reached = style.time_text(float(times[-1])) if len(times) else "the start"
    goal = f" of {float(until) / 24:.3g} days" if isinstance(until, int | float) else ""
    words = {"running": "is still being written", "interrupted": "was interrupted"}.get(
        str(run.attributes.get("state")), "was not finished"
    )
    return f'<div class="banner"><b>Unfinished.</b> {text(f"This run {words}: it stands at {reached}{goal}.")}</div>'


def parameters(run: Run) -> str:
    """The table of every resolved parameter, by table of the scenario; HTML."""
    rows = run.resolved
    if not rows:
        return page.absent("The run file does not hold its resolved parameters.")
    given = sum(row.get("status") == "given" for row in rows)
    notes = comments(str(run.attributes.get("scenario", "")))
    assumed = sum(_is_assumed(row, notes) for row in rows)
    out = (
        f"<p>{len(rows)} values, {given} of them <span class='tag given'>given</span> by the scenario, the others "
        f"defaults. <span class='tag assumed'>assumed</span> marks the {assumed} that were read in no source: "
        "they are inputs to vary, not facts.</p>"
    )
    body, group = "", None
    for row in rows:
        head, _, name = str(row["name"]).rpartition(".")
        if head != group:
            group = head
            body += f'<tr><th colspan="5">{text(f"[{head}]" if head else "the run")}</th></tr>'
        tag, source = "", _source(row, notes)
        if _is_assumed(row, notes):
            tag, source = "<span class='tag assumed'>assumed</span> ", source.removeprefix(ASSUMED).lstrip(" :,;")
        status = (
            "<span class='tag given'>given</span>"
            if row.get("status") == "given"
            else "<span class='tag'>default</span>"
        )
        unit = {"1": "", "-": ""}.get(str(row["unit"]), str(row["unit"])).replace("um2", "µm²").replace("um", "µm")
        body += (
            f'<tr class="{text(row.get("status", ""))}"><td><code>{text(name)}</code><br>'
            f'<span class="muted">{text(row.get("about", ""))}</span></td>'
            f'<td class="v">{text(_value(row["value"]))}</td><td class="k">{text(unit)}</td>'
            f"<td>{status}</td><td>{tag}{text(source)}</td></tr>"
        )
    titles = "".join(f"<th>{name}</th>" for name in ("parameter", "value", "unit", "", "source"))
    widths = "".join(f'<col style="width:{part}%">' for part in (33, 16, 9, 7, 35))
    return out + f"<table><colgroup>{widths}</colgroup><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def _source(row: dict[str, Any], notes: dict[str, tuple[Any, str]]) -> str:
    """What the scenario says beside the value, if it is the scenario's; then where the default is from."""
    value, note = notes.get(str(row["name"]), (None, ""))
    declared = str(row["source"])
    # a note belongs to the number it stands beside, not to one that replaced it later
    if not note or value != row["value"]:
        return declared
    default = re.search(r"\((default .*)\)$", declared)
    return f"{note} ({default[1]})" if default else note


def _is_assumed(row: dict[str, Any], notes: dict[str, tuple[Any, str]]) -> bool:
    # what stands in the brackets is the default, which this value replaces
    return ASSUMED in _source(row, notes).split("(default", 1)[0]


def comments(scenario: str) -> dict[str, tuple[Any, str]]:
    """Dotted name -> (value, comment on its line) of a scenario's text; nothing from text that is no TOML."""
    try:
        values = tomllib.loads(scenario)
    except tomllib.TOMLDecodeError:
        return {}
    found, table = {}, ""
    for line in scenario.splitlines():
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = header[1].strip() + "."
        elif entry := re.match(r"""\s*([A-Za-z0-9_-]+)\s*=\s*(?:"[^"]*"|'[^']*'|[^#"'])*#\s*(.+)""", line):
            value: Any = values
            for key in f"{table}{entry[1]}".split("."):
                value = value.get(key) if isinstance(value, dict) else None
            found[table + entry[1]] = (value, entry[2].strip())
    return found


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(_value(v) for v in value)
    return str(value)


def reproduce(run: Run) -> str:
    """Commands, versions and the scenario itself; HTML."""
    a = run.attributes
    versions = _versions(a.get("versions"))
    key = str(a.get("rng_key", ""))
    command = f"seedsoil run resolved.toml --rng-key {key} -o again" if key else "seedsoil run resolved.toml -o again"
    wall = a.get("wall_s", (run.status or {}).get("wall_s"))
    digest = a.get("digest", "")
    out = "<p>The same scenario, key and version of seedsoil give the same cells on any number of CPU threads. In the "
    out += f"run's folder:</p><pre>{text(command)}</pre>"
    out += page.facts(
        [
            ("digest of the final state", digest),
            ("rng_key", key),
            ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
            ("commit", a.get("commit", "")),
            ("device", a.get("device", "")),
            ("wall time", f"{float(wall):.4g} s" if isinstance(wall, int | float) else ""),
            ("format of the run file", a.get("format_version", "")),
        ]
    )
    if digest:
        out += (
            "<p>A run that ends with the same digest has the same cells, vessels, seeds and colonies, bit for bit.</p>"
        )
    scenario = str(a.get("scenario", ""))
    if scenario:
        out += f"<details><summary>The scenario as it was given</summary><pre>{text(scenario)}</pre></details>"
    name = f"<code>{text(run.file.name)}</code>"
    out += f"<h3>Open the data</h3><p>All that is shown here, and every frame, is in {name}.</p>"
    out += f"<pre>{text(_recipe(run))}</pre>"
    return out + (
        f"<p>In <b>ParaView</b> (5.12 or later): File, Open, <code>{text(run.file.name)}</code>, Apply; colour by "
        "<code>cell</code> and add a Threshold filter from 1 to 1 to see the tumour. Other tools read it as HDF5 or "
        "NetCDF-4.</p>"
    )


def _recipe(run: Run) -> str:
    organ = next(iter(run.organs), None)
    lines = [
        ("import seedsoil", ""),
        ("", ""),
        (f"run = seedsoil.open_run({run.file.parent.name!r})", "the run's folder"),
        ('cells = run.dataset()["cell"]', "xarray, (time, z, y, x), read when used"),
        ("counts = run.series().to_dataframe()", "cells, seeds, colonies ... through time"),
        ("seeds = run.seeds()", "when and where each left, and its fate"),
        *([(f'there = run.organ({organ!r})["cell"]', "the lattice of an organ")] if organ else []),
        ("", ""),
        ("import xarray", "without seedsoil"),
        (f'xarray.open_dataset("{run.file.name}", engine="h5netcdf", decode_times=False)', ""),
    ]
    width = max(len(code) for code, comment in lines if comment) + 3
    return "\n".join(f"{code:<{width}}# {comment}" if comment else code for code, comment in lines)


def _versions(value: Any) -> dict[str, str]:
    try:
        held = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {"seedsoil": str(value)}
    return {str(k): str(v) for k, v in held.items()} if isinstance(held, dict) else {}


def footer(run: Run) -> str:
    """One line; HTML."""
    version = _versions(run.attributes.get("versions")).get("seedsoil", "")
    return text(f"Written by seedsoil {version} from {run.file.name}.".replace("  ", " "))
