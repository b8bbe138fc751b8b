"""`seedsoil COMMAND`: the commands by name, and how an error becomes one message and an exit code."""

import os
import sys
from collections.abc import Sequence

import typer

from . import fitting, looking, measuring, running, starting, streams, taking

app = typer.Typer(
    name="seedsoil",
    help="Simulate the invasion-metastasis cascade: tissue, vessels, circulation and organs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    running.run,
    running.resume,
    running.branch,
    looking.check,
    looking.status,
    looking.report,
    taking.movie,
    taking.export,
    measuring.bench,
    fitting.calibrate,
    looking.scenarios,
    starting.new,
    starting.schema,
    starting.doctor,
)
for _command in _COMMANDS:
    app.command()(_command)


def _version(wanted: bool) -> None:
    if wanted:
        from ... import __version__

        typer.echo(f"seedsoil {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (`sys.argv` without `arguments`) and return its exit code.

    0 done, 2 bad input, 65 a run that came to more than it can hold, 70 a broken identity or a solute without a
    solution, 74 output failed, 75 interrupted, 130 killed from the keyboard, 1 anything else. Errors are one message on stderr; SEEDSOIL_DEBUG=1 adds the traceback.
    """
    with streams.forgiving_streams():
        code = _code_of(None if arguments is None else list(arguments))
        if code == 0 and (reason := streams.failure()):
            print(f"stdout: cannot be written: {reason}", file=sys.stderr)
            return 74
        return code


def _code_of(arguments: list[str] | None) -> int:
    try:
        app(args=arguments, prog_name="seedsoil")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt:
        print("seedsoil: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    from ..plain_text import printable

    if os.environ.get("SEEDSOIL_DEBUG", "0") not in ("", "0"):
        import traceback

        traceback.print_exception(error)
    code = getattr(error, "exit_code", None)
    text = str(error)
    if not isinstance(code, int):
        code = 1
        text = (
            "seedsoil: not enough memory"
            if isinstance(error, MemoryError)
            else f"seedsoil: unexpected {type(error).__name__}: {text}\nSEEDSOIL_DEBUG=1 shows where; please report it."
        )
    print("\n".join(printable(line, 10_000) for line in text.split("\n")), file=sys.stderr)
    return code
