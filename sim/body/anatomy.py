"""A body as a graph of places: where a seed can be, where it can stop, and what carries it on.

Four kinds of place. *Vessels* join, nothing stops there; *beds* are capillary beds of an organ, supplied with a
share of the cardiac output; *lymph* is nodal sinuses and ducts; *cavities* are those of the peritoneum and pleura.
Each place says which shares of what leaves it go where. Everything that follows from that is derived and not entered
a second time: the portal inflow of the liver, the return to the right heart, the flow of the vertebral plexus.
`left_heart` alone has no shares of its own: it supplies the beds by their `flow_fraction`.

A body comes from a TOML file (`scenarios/bodies/`) and is checked by name before anything runs: flows balance, shares
add up to one, every place is reached and leads on, primaries stand in organs that exist.
"""

import hashlib
import os
import re
import tomllib
from functools import cached_property
from importlib.resources import files
from pathlib import Path as File
from typing import Any, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from ...kernels.parameters import Parameters, quantity
from ..errors import InputError
from ..plain_text import printable, shown
from ..problems import Origin, Problem, did_you_mean, refusal, report
from ..toml_lines import lines_of
from .places import Bed, Cavity, Lymph, Name, Primary, Text, Vessel

LEFT_HEART, RIGHT_HEART = "left_heart", "right_heart"


class Anatomy(Parameters):
    """A body. Arrays run over `places` (vessels, beds, lymph, cavities, in the order of the file) or `organs`."""

    title: Text
    # the ranges go from a fish of a gram to a whale
    cardiac_output_mL_per_h: float = quantity(
        ..., unit="mL/h", ge=1, le=1e8, source="the body's", about="cardiac output"
    )
    blood_volume_mL: float = quantity(..., unit="mL", ge=0.01, le=1e7, source="the body's", about="blood volume")
    source: Text
    vessels: dict[Name, Vessel]
    beds: dict[Name, Bed]
    lymph: dict[Name, Lymph] = Field(default_factory=dict)
    cavities: dict[Name, Cavity] = Field(default_factory=dict)
    primaries: dict[Name, Primary]
    sites: dict[Name, Name] = Field(
        default_factory=dict, description="where blood samples are drawn, as the place whose outflow is sampled"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        from .soundness import complaints

        if found := complaints(self):
            raise ValueError("\n".join(found))
        return self

    @cached_property
    def places(self) -> tuple[str, ...]:
        return (*self.vessels, *self.beds, *self.lymph, *self.cavities)

    @cached_property
    def index(self) -> dict[str, int]:
        """Place -> its row in arrays over places."""
        return {name: row for row, name in enumerate(self.places)}

    @cached_property
    def organs(self) -> tuple[str, ...]:
        """Every organ that a seed can stop in, in the order of the file."""
        return tuple(dict.fromkeys(name for name in self.organ_of if name is not None))

    @cached_property
    def organ_of(self) -> tuple[str | None, ...]:
        """(places,) the organ that a seed stops in there, None where nothing stops."""
        return (
            *(None for _ in self.vessels),
            *(bed.organ for bed in self.beds.values()),
            *(node.organ for node in self.lymph.values()),
            *(cavity.organ for cavity in self.cavities.values()),
        )

    @cached_property
    def of_organ(self) -> np.ndarray:
        """(places, organs) f8: 1 where the row's place belongs to the column's organ."""
        return np.array([[float(organ == name) for name in self.organs] for organ in self.organ_of])

    @cached_property
    def stops(self) -> np.ndarray:
        """(places,) bool: can a seed stop there?"""
        return np.array([organ is not None for organ in self.organ_of])

    @cached_property
    def in_blood(self) -> np.ndarray:
        """(places,) bool: vessels and beds."""
        return np.arange(len(self.places)) < len(self.vessels) + len(self.beds)

    @cached_property
    def leads(self) -> np.ndarray:
        """(places, places) f8: share of what leaves the row's place that goes to the column's."""
        out = np.zeros((len(self.places), len(self.places)))
        for tables in (self.vessels, self.beds, self.lymph, self.cavities):
            for name, place in tables.items():
                for target, share in place.to.items():
                    out[self.index[name], self.index[target]] = share
        for name, bed in self.beds.items():
            out[self.index[LEFT_HEART], self.index[name]] = bed.flow_fraction
        total = out.sum(axis=1, keepdims=True)  # one to a millionth (soundness); from here on exactly
        return np.divide(out, total, out=out, where=total > 0.0)

    @cached_property
    def flow_fraction(self) -> np.ndarray:
        """(places,) f8 blood flow through each place as a share of the cardiac output, derived from the graph.

        Lymph and cavities have 0: their flow (some 3 L a day) is 3e-4 of the output and is left out of the balance.
        """
        blood, left = self.in_blood, self.index[LEFT_HEART]
        within = self.leads * np.outer(blood, blood)
        onward = within.copy()
        onward[:, left] = 0.0  # the circuit is opened there: what the left heart puts out is one
        start = np.zeros(len(self.places))
        start[left] = 1.0
        return np.linalg.solve(np.eye(len(start)) - onward.T, start)

    @cached_property
    def residence_h(self) -> np.ndarray:
        """(places,) f8 mean time of what passes: volume over flow in the blood, as given elsewhere."""
        volume = [p.blood_volume_fraction for p in (*self.vessels.values(), *self.beds.values())]
        blood = (
            self.blood_volume_mL * np.array(volume) / (self.cardiac_output_mL_per_h * self.flow_fraction[: len(volume)])
        )
        return np.array([*blood, *(p.residence_h for p in (*self.lymph.values(), *self.cavities.values()))])

    def flow_mL_per_h(self, place: str) -> float:
        return self.cardiac_output_mL_per_h * float(self.flow_fraction[self.index[place]])

    def source_of(self, primary: str, route: str | None = None) -> np.ndarray:
        """(places,) f8 where seeds of a primary start, adding up to one; by one route, or by all in its shares."""
        out = np.zeros(len(self.places))
        given = self.primaries[primary]
        for name, weight in given.routes.items() if route is None else ((route, 1.0),):
            for place, share in given.drains(name).items():
                out[self.index[place]] += weight * share
        return out

    def outline(self, primary: str | None = None) -> dict[str, Any]:
        """The graph as plain values, for the run file: places with kind, organ and flow, edges with their shares."""
        kinds = {name: kind for kind in ("vessels", "beds", "lymph", "cavities") for name in getattr(self, kind)}
        flow = {name: round(float(self.flow_fraction[row]), 9) for name, row in self.index.items()}
        organ = dict(zip(self.places, self.organ_of, strict=True))
        places = [
            {"name": name, "kind": kinds[name], "organ": organ[name], "flow_fraction": flow[name]}
            for name in self.places
        ]
        starts, ends = np.nonzero(self.leads)
        edges = [
            [self.places[i], self.places[j], round(float(self.leads[i, j]), 9)]
            for i, j in zip(starts, ends, strict=True)
        ]
        given = self.primaries.get(primary) if primary else None
        drains = {} if given is None else {route: given.drains(route) for route in given.routes}
        standing = {"name": primary, "organ": given.organ if given else None, "drains": drains}
        return {"title": self.title, "places": places, "edges": edges, "primary": standing}

    def changed(self, **tables: object) -> "Anatomy":
        """A copy with other values (nested as in the file), checked like a file."""
        return Anatomy.model_validate(_merged(self.model_dump(), tables))


def _merged(old: dict, new: dict) -> dict:
    """`old` with the values of `new`; tables are merged key by key, shares (tables of numbers) are replaced whole."""
    out = dict(old)
    for key, value in new.items():
        table = isinstance(out.get(key), dict) and not all(isinstance(part, float) for part in out[key].values())
        out[key] = _merged(out[key], value) if table and isinstance(value, dict) else value
    return out


def load(name_or_path: str | os.PathLike[str]) -> Anatomy:
    """A shipped body by its name (`human`, `mouse`), or a body from a TOML file. Raises InputError."""
    name = os.fspath(name_or_path)
    shipped = shipped_bodies()
    if name in shipped:
        return read(f"{name}.toml", shipped[name])
    if not is_file(name):
        close = did_you_mean(name, shipped)
        hint = f" - did you mean {close!r}?" if close else ""
        raise InputError(
            refusal(f"{printable(name)}: no body of that name{hint}", f"Shipped bodies: {', '.join(shipped)}.")
        )
    try:
        return read(name, File(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(refusal(f"{printable(name)}: cannot be read: {printable(str(error))}")) from None


def is_file(name_or_path: str) -> bool:
    """Is this a file of one's own, and not the name of a shipped body?"""
    return name_or_path.endswith(".toml")


def sum_of(path: str) -> str:
    """SHA-256 of a body's file. Raises InputError."""
    try:
        return hashlib.sha256(File(path).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(refusal(f"{printable(path)}: cannot be read: {printable(str(error))}")) from None


def shipped_bodies() -> dict[str, str]:
    """Name -> text of every body that comes with the package."""
    found = [entry for entry in (files("seedsoil.scenarios") / "bodies").iterdir() if entry.name.endswith(".toml")]
    return {entry.name.removesuffix(".toml"): entry.read_text("utf-8") for entry in sorted(found, key=lambda e: e.name)}


def read(name: str, text: str) -> Anatomy:
    """A body from TOML text; `name` is what messages call it. Raises InputError."""
    try:
        data = tomllib.loads(text)
        return Anatomy.model_validate(data)
    except tomllib.TOMLDecodeError as error:
        raise InputError(refusal(f"{printable(name)}: not TOML: {printable(str(error))}")) from None
    except ValidationError as error:
        problems = [problem for detail in error.errors(include_url=False) for problem in _problems(detail)]
        raise InputError(report(Origin(name, text, lines_of(text), {}), problems)) from None


def _problems(detail: ErrorDetails) -> list[Problem]:
    if detail["type"] == "value_error":
        lines = str(detail.get("ctx", {}).get("error", detail["msg"])).split("\n")
        return [Problem(tuple(key.split(".")), what) for key, _, what in (line.partition(": ") for line in lines)]
    path = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        return [Problem(path, "unknown key")]
    if detail["type"] == "missing":
        return [Problem(path, "is missing")]
    if detail["type"] == "string_pattern_mismatch" and path[-1:] == ("[key]",):
        return [Problem(path[:-1], "a name is a small letter, then up to 31 small letters, digits or underscores")]
    said = re.sub(r"^Input should be ", "needs to be ", detail["msg"])
    return [Problem(path, printable(f"{said} (got {shown(detail['input'])})"))]
