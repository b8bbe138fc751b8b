"""The command line. Only Typer is imported until a command is chosen, so that `--help` answers at once."""
