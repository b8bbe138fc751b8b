"""What a run file may be told to hold."""

import pytest
from written_runs import frames

from seedsoil.outputs.layout import Layout
from seedsoil.outputs.schema import FIELDS, SERIES, TABLES, Spec


def test_a_layout_survives_json() -> None:
    layout = Layout(
        (1, 8, 9),
        12.5,
        {"cell": "cell", "lactate": Spec("f4", "mM", "lactate", keep_bits=11)},
        organs={"lung": (2, 3, 4)},
        organ_fields=["cell"],
        series={"born": "born", "ph": Spec("f8", "1", "mean pH")},
        extra_columns={"clones": {"growth": Spec("f4", "1/h", "division rate")}},
        own_times=["lactate"],
    )
    assert Layout.from_json(layout.to_json()) == layout
    assert layout.tables["clones"]["growth"].units == "1/h"


def test_by_default_all_series_and_those_of_each_organ() -> None:
    assert set(frames.LAYOUT.series) == {*SERIES, "organ_cells.liver", "organ_cells.lung"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": ["cel"]}, "unknown field 'cel'"),
        ({"fields": {"time": "cell"}}, "cannot stand"),
        ({"fields": {"a/b": "cell"}}, "cannot stand"),
        ({"fields": {"fields": "cell"}}, "cannot stand"),
        ({"own_times": ["matrix"]}, "'matrix' is no field of this run"),
        ({"own_times": ["cell"]}, "at least one field must be in every frame"),
        (
            {
                "fields": ["cell", "matrix"],
                "organ_fields": ["cell"],
                "organs": {"lung": (1, 1, 1)},
                "own_times": ["cell"],
            },
            "at least one field must be in every frame",
        ),
        ({"shape": (8, 8)}, "shape"),
        ({"shape": (0, 8, 8)}, "shape"),
        ({"voxel_um": 0}, "positive"),
        ({"extra_columns": {"patients": {}}}, "no such table"),
        ({"extra_columns": {"seeds": {"fate": Spec("u1", "1", "again")}}}, "already has fate"),
        ({"extra_columns": {"seeds": {"seed": Spec("u1", "1", "its dimension")}}}, "already has"),
    ],
)
def test_what_cannot_stand_in_a_file_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Layout(**{"shape": (2, 3, 4), "voxel_um": 20, "fields": ["cell"], **change})


def test_every_fact_of_the_schema_has_unit_and_meaning() -> None:
    columns = [s for table in TABLES.values() for s in table.values()]
    for spec in [*FIELDS.values(), *SERIES.values(), *columns]:
        assert spec.units
        assert spec.long_name
        assert len(spec.flag_values or spec.flag_masks) == len(spec.flag_meanings)
