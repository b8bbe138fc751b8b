"""The options that several commands share, and how they set values of a scenario."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..scenario import Scenario


class DeviceName(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of a shipped scenario.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a value, e.g. lattice.tick_h=0.05. Repeatable."),
]
RngKey = Annotated[int | None, typer.Option("--rng-key", metavar="N", help="Key of all random draws [the scenario's].")]
UntilH = Annotated[float | None, typer.Option("--until-h", metavar="H", help="Simulated hours [the scenario's].")]
Device = Annotated[DeviceName, typer.Option("--device", help="Where to compute; auto takes CUDA if it is there.")]


def path(text: str | Path) -> Path:
    """A path as somebody gave it.

    Raises InputError for an empty one (`Path("")` would be the current folder), and for what no file can be called.
    """
    if not str(text):
        from ..errors import InputError

        raise InputError("a folder or file with an empty name was given; say . for the current folder")
    if "\0" in str(text):
        from ..errors import InputError
        from ..plain_text import printable

        raise InputError(f"{printable(str(text))}: no file or folder has a NUL in its name; give another name")
    return Path(text)


RunFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.", parser=path)]


def load(
    scenario: str, settings: list[str] | None, rng_key: int | None = None, until_h: float | None = None
) -> "Scenario":
    """The scenario with everything set over it that the command line says. Raises InputError."""
    from ..scenario_file import load_scenario

    overrides, labels = list(settings or ()), {}
    for key, option, value in (("rng_key", "--rng-key", rng_key), ("until_h", "--until-h", until_h)):
        if value is not None:
            overrides.append(f"{key}={value}")
            labels[key] = f"{option} {value}"
    return load_scenario(scenario, overrides, labels=labels)
