"""What the scenario model declares about each of its parameters: unit, range, source, meaning.

One reading of the declarations for everybody who shows them: error messages, the resolved
scenario, the starter scenario and the schema.
"""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..kernels.parameters import Parameters
from .scenario import Scenario
from .toml_lines import Path


class Declared(NamedTuple):
    """A parameter as declared. `default` is None where a value must be given (`required`)."""

    unit: str
    source: str
    about: str
    range: str
    kind: str
    default: Any
    required: bool


def table_of(annotation: Any) -> type[Parameters] | None:
    """The model of a field that is a table, also of one that may be left out (`Table | None`), or None."""
    if is_optional(annotation):
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    return annotation if isinstance(annotation, type) and issubclass(annotation, Parameters) else None


def is_optional(annotation: Any) -> bool:
    """Is this a table that a scenario has or has not (`Table | None`)?"""
    return get_origin(annotation) is UnionType and NoneType in get_args(annotation)


def entry_of(annotation: Any) -> type[Parameters] | None:
    """The model of the tables a user may name freely (`[body.organs.<name>]`), or None."""
    if get_origin(annotation) is not dict:
        return None
    return table_of(get_args(annotation)[1])


def model_at(path: Path) -> type[Parameters] | None:
    """The model of the table at `path`; the root is `Scenario`. None if there is no such table."""
    model: type[Parameters] | None = Scenario
    names = list(path)
    while names and model is not None:
        field = model.model_fields.get(str(names.pop(0)))
        annotation = field.annotation if field else None
        model = table_of(annotation)
        if model is None and names and (model := entry_of(annotation)) is not None:
            names.pop(0)
    return model


def field_at(path: Path) -> FieldInfo | None:
    """The field at `path`: a parameter or a table."""
    model = model_at(path[:-1]) if path else None
    return model.model_fields.get(str(path[-1])) if model else None


def parameter_at(path: Path) -> Declared | None:
    """The declaration of the parameter at `path`; an element of a list is the list's."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    field = field_at(path)
    if field is None or table_of(field.annotation) or entry_of(field.annotation):
        return None
    return declaration(field)


def declaration(field: FieldInfo) -> Declared:
    """Read one parameter's declaration."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = None if field.default is PydanticUndefined else field.default
    return Declared(
        unit=str(extra.get("unit", "-")),
        source=str(extra.get("source", "not stated")),
        about=field.description or "",
        range=_range(field),
        kind=_kind(field.annotation),
        default=default,
        required=field.is_required(),
    )


def parameters(
    model: type[Parameters] = Scenario, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Declared]]:
    """Every declared parameter below `model` and its path; `*` stands for a free name."""
    for name, field in model.model_fields.items():
        here = (*path, name)
        if table := table_of(field.annotation):
            yield from parameters(table, here)
        elif entry := entry_of(field.annotation):
            yield from parameters(entry, (*here, "*"))
        else:
            yield here, declaration(field)


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(field.annotation))
    low = high = ""
    for limit in field.metadata:
        match limit:
            case Ge(ge=value):
                low = f"at least {_plain(value)}"
            case Gt(gt=value):
                low = f"above {_plain(value)}"
            case Le(le=value):
                high = f"at most {_plain(value)}"
            case Lt(lt=value):
                high = f"below {_plain(value)}"
    if low.startswith("at least ") and high.startswith("at most "):
        return f"{low.removeprefix('at least ')} to {high.removeprefix('at most ')}"
    return " and ".join(part for part in (low, high) if part)


def _plain(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else "2^64" if value == 2**64 else str(value)


def _kind(annotation: Any) -> str:
    """What a value of this type is called in a message."""
    if get_origin(annotation) is tuple:
        items = get_args(annotation)
        if items[-1] is Ellipsis:
            return "a list of numbers" if items[0] is float else "a list of names, each in quotes"
        return f"a list of {len(items)} whole numbers"
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(annotation))
    names = {
        float: "a number",
        int: "a whole number",
        str: "text in quotes",
        bool: "true or false",
        NoneType: "nothing",
    }
    return names.get(annotation, "a value")
