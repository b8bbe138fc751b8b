"""The command that fits tables of patients: calibrate."""

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .writing import refuse_there, write_file


def calibrate(
    predict: Annotated[
        str | None,
        typer.Option("--predict", metavar="PRIMARY", help="Print primary,site,share of a primary never seen."),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="CANCER", help="Print cancer,diameter_cm,p of a cancer.")
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option("--anchor", metavar="CM=P", help="The one scale of another cancer: P(metastasis) at a diameter."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FILE", help="Autopsies by primary and site [diSibio 2008].", parser=options.path
        ),
    ] = None,
    sizes: Annotated[
        Path | None,
        typer.Option("--sizes", metavar="FILE", help="Metastasis by diameter [SEER].", parser=options.path),
    ] = None,
    body: Annotated[
        str | None, typer.Option("--body", metavar="NAME", help="A shipped body, or a TOML file; human if not given.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FILE",
            help="Write the fitted soils there, as tables of a scenario.",
            parser=options.path,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that --write finds there.")] = False,
) -> None:
    """Fit routes and soils to autopsies; score them on primaries left out."""
    from ..body.anatomy import load
    from ..calibrate import autopsies, told
    from ..calibrate import sizes as by_size

    if anchor is not None and size is None:
        raise typer.BadParameter("needs --size CANCER", param_hint="--anchor")
    if force and write is None:
        raise typer.BadParameter("needs --write FILE", param_hint="--force")
    if size is not None and predict is not None:
        raise typer.BadParameter("one table at a time: --predict or --size", param_hint="--size")
    of_autopsies = {"--data": data is not None, "--body": body is not None, "--write": write is not None}
    if size is not None:
        _refuse_unused("--size", of_autopsies)
        _print_sizes(size, anchor, sizes)
        return
    if predict is not None:
        _refuse_unused("--predict", {"--sizes": sizes is not None, "--write": write is not None})
    if write is not None:
        refuse_there(write, force=force)
    anatomy = load("human" if body is None else body)
    if predict is not None:
        predict = autopsies.known_primary(anatomy, predict)
    table = autopsies.read(anatomy, data)
    if predict is not None:
        _print_shares(anatomy, table, predict)
        return
    diameters = by_size.read(sizes)
    for line in told.calibration(anatomy, table, diameters):
        typer.echo(line)
    if write is not None:
        _write_soils(anatomy, table, write, str(data or autopsies.SHIPPED))


def _refuse_unused(asked: str, given: dict[str, bool]) -> None:
    for name, there in given.items():
        if there:
            raise typer.BadParameter(f"has no part in what {asked} prints; take it away", param_hint=name)


def _print_shares(anatomy, table, primary: str) -> None:
    from ..calibrate import told
    from ..calibrate.arrivals import Arrivals
    from ..calibrate.leave_one_out import prediction

    rest = table.without(primary).where_counted()
    target = Arrivals.of(anatomy, [primary], rest.sites)
    shares, fitted = prediction(rest, Arrivals.of(anatomy, rest.primaries, rest.sites), target)
    seen = " left out" if primary in table.primaries else ", never seen,"
    typer.echo(f"{primary}{seen} from its drainage and {', '.join(fitted.table.primaries)}", err=True)
    if blind := [site for site in table.sites if site not in rest.sites]:
        typer.echo(f"left out, for none of these is counted there: {', '.join(blind)}", err=True)
    for line in told.csv_shares(primary, rest.sites, shares, target.at_risk[0]):
        typer.echo(line)


def _print_sizes(cancer: str, anchor: str | None, file: Path | None) -> None:
    from ..calibrate import sizes, told
    from ..errors import InputError
    from ..plain_text import printable
    from ..problems import did_you_mean, refusal

    table = sizes.read(file)
    law = sizes.fit(table)
    name = cancer.strip().lower().replace(" ", "_")
    if anchor is not None:
        try:
            diameter, p = (float(part) for part in anchor.split("="))
        except ValueError:
            diameter = p = float("nan")
        if not (0 < diameter < 100 and 0 < p < 1):
            raise InputError(refusal(f"--anchor {printable(anchor)}: needs CM=P, e.g. 3=0.12, with P between 0 and 1"))
        law = law.anchored(printable(name), diameter, p)
        name = printable(name)
    elif name not in law.scales:
        close = did_you_mean(name, law.scales)
        hint = f" - did you mean {close!r}?" if close else ""
        raise InputError(
            refusal(
                f"{printable(cancer)}: no cancer of that name in the table{hint}",
                f"Cancers: {', '.join(law.scales)}. Any other takes one scale: --anchor CM=P.",
            )
        )
    for line in told.csv_sizes(name, law, sizes.grid()):
        typer.echo(line)


def _write_soils(anatomy, table, file: Path, source: str) -> None:
    from ..calibrate import told
    from ..calibrate.arrivals import Arrivals
    from ..calibrate.leave_one_out import fitted_by
    from ..plain_text import printable

    fitted = fitted_by(table, Arrivals.of(anatomy, table.primaries, table.sites))
    write_file(file, told.soils_toml(fitted, anatomy, source))
    typer.echo(f"\n{printable(str(file), 4096)} is written")
