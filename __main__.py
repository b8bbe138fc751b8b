"""`python -m seedsoil`, and what the installed command `seedsoil` calls."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        from .sim.cli.app import main as command_line

        return command_line()
    except KeyboardInterrupt:  # while the command line is being imported; later it answers by itself
        return 130


if __name__ == "__main__":
    sys.exit(main())
