"""Whether a body is sound: names exist, blood leads to blood, shares add up, flows balance, every place is reached and leads on.

One sentence for each thing that is wrong, with the key it stands under and its name.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.linalg import LinAlgError

from ..problems import did_you_mean

if TYPE_CHECKING:
    from .anatomy import Anatomy

BALANCE = 1e-6  # how far shares that must add up to one may be off
# mean time of blood in a place: the lung of a mouse has 0.14 s, the slowest bed of a man a minute and a half
STAY_S = 1e-3, 3600.0
# names that mean something else: a run's file calls the primary's tissue so, `chain.per_place` the rest of the places
TAKEN = {"primary": "the primary's own tissue", "default": "all places that are not named"}
LEFT_HEART, RIGHT_HEART = "left_heart", "right_heart"
_KINDS = ("vessels", "beds", "lymph", "cavities")


def complaints(body: "Anatomy") -> list[str]:
    """All that is wrong with a body, as `key: sentence`. Later checks need the names to exist."""
    return [*_names(body)] or [*_sums(body)] or [*_reach(body)] or [*_rounds(body)] or [*_flows(body)]


def _key(body: "Anatomy", name: str) -> str:
    """What a place stands under in the file."""
    return next(f"{kind}.{name}" for kind in _KINDS if name in getattr(body, kind))


def _edges(body: "Anatomy") -> Iterator[tuple[str, Mapping[str, float]]]:
    """key -> shares, for all that must name places and add up to one."""
    for kind in _KINDS:
        for name, place in getattr(body, kind).items():
            if name != LEFT_HEART and (place.to or kind != "cavities"):
                yield f"{kind}.{name}.to", place.to
    for name, primary in body.primaries.items():
        for route, share in primary.routes.items():
            if share > 0 or primary.drains(route):
                yield f"primaries.{name}.{route}", primary.drains(route)


def _names(body: "Anatomy") -> Iterator[str]:
    tables = (body.vessels, body.beds, body.lymph, body.cavities)
    known = [name for table in tables for name in table]
    for name in sorted({name for name in known if known.count(name) > 1}):
        first, *others = (kind for kind in _KINDS if name in getattr(body, kind))
        for kind in others:
            yield f"{kind}.{name}: two places have this name; [{first}.{name}] is the other"
    for kind, table in zip(_KINDS, tables, strict=True):
        for name, place in table.items():
            for key, word in ((f"{kind}.{name}", name), (f"{kind}.{name}.organ", getattr(place, "organ", None))):
                if word in TAKEN:
                    yield f"{key}: {word!r} is what {TAKEN[word]} is called; give another name"
    for name in (LEFT_HEART, RIGHT_HEART):
        if name not in body.vessels:
            yield f"vessels: a body needs the vessel {name!r}"
    if LEFT_HEART in body.vessels and body.vessels[LEFT_HEART].to:
        yield f"vessels.{LEFT_HEART}.to: supplies the beds by their flow_fraction; it takes no shares of its own"
    organs = [place.organ for table in tables[1:] for place in table.values() if place.organ]
    blood = [*body.vessels, *body.beds]
    for key, shares in _edges(body):
        for target, share in shares.items():
            if target not in known:
                yield f"{key}: no place is called {target!r}{_hint(target, known)}"
            elif share > 0 and target not in blood and key.startswith(("vessels.", "beds.")):
                yield f"{key}: blood leads to blood only, and {target!r} is none; it would be lost to the flow"
    for site, place in body.sites.items():
        if place not in blood:
            yield f"sites.{site}: no blood place is called {place!r}{_hint(place, blood)}"
    for name, primary in body.primaries.items():
        if primary.organ is not None and primary.organ not in organs:
            yield f"primaries.{name}.organ: no organ is called {primary.organ!r}{_hint(primary.organ, organs)}"


def _sums(body: "Anatomy") -> Iterator[str]:
    for key, shares in _edges(body):
        yield from _one(key, "the shares", shares.values())
    for name, primary in body.primaries.items():
        yield from _one(f"primaries.{name}.routes", "the shares", primary.routes.values())
    flows = [bed.flow_fraction for bed in body.beds.values()]
    yield from _one("beds", "flow_fraction", flows, " over the beds: flows must balance the cardiac output")
    blood = [place.blood_volume_fraction for table in (body.vessels, body.beds) for place in table.values()]
    yield from _one("vessels, beds", "blood_volume_fraction", blood, " over vessels and beds")


def _one(key: str, what: str, values: Iterable[float], over: str = "") -> Iterator[str]:
    total = sum(values)
    if abs(total - 1.0) > BALANCE:
        yield f"{key}: {what} adds up to {total:.6g}{over}; it must be 1"


def _reach(body: "Anatomy") -> Iterator[str]:
    leads = body.leads > 0
    start = [body.index[LEFT_HEART]]
    for primary in body.primaries.values():
        start += [body.index[p] for route in primary.routes for p, share in primary.drains(route).items() if share > 0]
    reached = _closure(leads, start)
    back = _closure(leads.T, [body.index[LEFT_HEART]])
    arterial = _closure(leads, [body.index[LEFT_HEART]])
    for name, row in body.index.items():
        if row not in reached or (body.in_blood[row] and row not in arterial):
            organ = body.organ_of[row]
            yield f"{_key(body, name)}: nothing leads to it{f', so the organ {organ} cannot be reached by blood' if organ else ''}"
        if row not in back and name not in body.cavities:
            yield f"{_key(body, name)}: what leaves it never comes to the {LEFT_HEART}"


def _rounds(body: "Anatomy") -> Iterator[str]:
    """Nothing leads to itself, and no blood comes round but by the heart: it runs from high pressure to low."""
    for name, row in body.index.items():
        if body.leads[row, row] > 0:
            longer = "blood_volume_fraction" if body.in_blood[row] else "residence_h"
            yield f"{_key(body, name)}.to: leads to itself; what stays longer has a larger {longer}"
    pumps = [body.index[LEFT_HEART], body.index[RIGHT_HEART]]
    leads = (body.leads > 0) & np.outer(body.in_blood, body.in_blood)
    leads[pumps] = leads[:, pumps] = False
    np.fill_diagonal(leads, False)
    round_trip = [row for row in range(len(leads)) if row in _closure(leads, leads[row].nonzero()[0].tolist())]
    if round_trip:
        names = ", ".join(body.places[row] for row in round_trip)
        yield (
            f"{_key(body, body.places[round_trip[0]])}.to: blood would go round by {names} without the heart, and nothing "
            "else brings it back to where its pressure was higher"
        )


def _flows(body: "Anatomy") -> Iterator[str]:
    """No place has more than the cardiac output: blood that goes round and round without the heart would."""
    try:
        flows = body.flow_fraction
    except LinAlgError:
        yield "beds: blood goes round without end before it comes back to the heart"
        return
    for name, flow in zip(body.index, flows.tolist(), strict=True):
        if not -BALANCE <= flow <= 1.0 + BALANCE:
            kind = "vessels" if name in body.vessels else "beds"
            yield f"{kind}.{name}: {flow:.3g} times the cardiac output flows through it, round and round; at most 1 can"
            return
    for name, hours in zip(body.index, body.residence_h.tolist(), strict=True):
        if name not in body.vessels and name not in body.beds:
            continue
        seconds = 3600.0 * hours
        if not STAY_S[0] <= seconds <= STAY_S[1]:
            yield (
                f"{_key(body, name)}: blood would stay for {seconds:.3g} s in the mean (its volume over its flow), and "
                f"{STAY_S[0]:g} s to {STAY_S[1]:g} s make sense; mend its blood_volume_fraction or flow, or "
                "blood_volume_mL and cardiac_output_mL_per_h"
            )


def _closure(leads, start: list[int]) -> set[int]:
    seen, todo = set(start), list(start)
    while todo:
        for row in leads[todo.pop()].nonzero()[0].tolist():
            if row not in seen:
                seen.add(row)
                todo.append(row)
    return seen


def _hint(name: str, known: list[str]) -> str:
    close = did_you_mean(name, known)
    return f" - did you mean {close!r}?" if close else ""
