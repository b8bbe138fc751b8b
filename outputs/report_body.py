"""The body in the report: where seeds ended in it, and how its blood runs."""

import json

import xarray as xr

from . import figures_body, figures_circuit, page
from .page import text
from .reader import Run


def has_body(run: Run, seeds: xr.Dataset) -> bool:
    """Is there anything to draw?"""
    return bool(seeds.sizes["seed"] and len(run.attributes.get("organ_names", run.layout.organs)))


def section(run: Run, series: xr.Dataset, seeds: xr.Dataset, colonies: xr.Dataset) -> str:
    """The body map, and for a body that is a graph its circuit."""
    organs = [str(name) for name in run.attributes.get("organ_names", run.layout.organs)]
    body = json.loads(run.attributes.get("body", "null"))
    primary = body["primary"]["organ"] if body else None
    out = page.chart(
        figures_body.body_map(seeds, colonies, organs, primary, series),
        "Where seeds died, arrested, lie asleep and grow in the body",
        "Each organ's sign is the furthest that a seed came there, larger the more came. A seed that founded a colony "
        "counts as what the colony is. The outline is a person's for any body.",
    )
    if body is None:
        return out
    return (
        out
        + "<h3>How its blood runs</h3>"
        + page.chart(
            figures_circuit.circuit(body),
            f"The circulation of the body: {text(body['title'])}",
            text(
                f"{body['title']}. Shares of the cardiac output; the width of a line grows with the root of its flow. "
                "Flows of the portal vein and the like follow from the graph. Beside a star: where what is shed by blood, by lymph, "
                "or into a cavity goes first, each adding up to 100 %."
            ),
        )
    )
