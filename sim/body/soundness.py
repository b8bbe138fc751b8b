"""Whether a body is sound: names exist, blood leads to blood, shares add up, flows balance, every place is reached and leads on.

One sentence for each thing that is wrong, with the key it stands under and its name.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from numpy.linalg import LinAlgError

from ..problems import did_you_mean

if TYPE_CHECKING:
    from .anatomy import Anatomy

BALANCE = 1e-6  # how far shares that must add up to one may be off
LEFT_HEART, RIGHT_HEART = "left_heart", "right_heart"


def complaints(body: "Anatomy") -> list[str]:
    """All that is wrong with a body, as `key: sentence`. Later checks need the names to exist."""
    return [*_names(body)] or [*_sums(body)] or [*_reach(body)] or [*_flows(body)]


def _edges(body: "Anatomy") -> Iterator[tuple[str, Mapping[str, float]]]:
    """key -> shares, for all that must name places and add up to one."""
    for kind in ("vessels", "beds", "lymph", "cavities"):
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
        yield f"{name}: two places have this name"
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
            yield f"{name}: nothing leads to it{f', so the organ {organ} cannot be reached by blood' if organ else ''}"
        if row not in back and name not in body.cavities:
            yield f"{name}: what leaves it never comes to the {LEFT_HEART}"


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
