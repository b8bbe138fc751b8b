"""`python -m seedsoil`, and what the installed command `seedsoil` calls."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    from .sim.cli.app import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
