"""The errors a user meets: each is one clear message, and carries the exit code of the command line."""


class SeedsoilError(Exception):
    """Says what is wrong, where, and what to do. `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(SeedsoilError):
    """A scenario or an option that cannot be run; nothing was run and nothing written."""

    exit_code = 2


class IdentityBroken(SeedsoilError):
    """An identity of the model failed: the run stops rather than go on wrong."""

    exit_code = 70


class NoSolution(SeedsoilError):
    """A field could not be solved."""

    exit_code = 70


class BeyondLimits(SeedsoilError):
    """A run came to more than it can hold or follow: its scenario has to change. Its last checkpoint is kept."""

    exit_code = 65


class OutputFailed(SeedsoilError):
    """The run's files could not be written."""

    exit_code = 74


class Interrupted(SeedsoilError):
    """The run was stopped from outside, with what it had written intact."""

    exit_code = 75
