"""What can go wrong with a run file; each error carries one clear message for the person running it."""


class OutputError(Exception):
    """A run could not be written: disk full, no permission, the target exists, the writer died twice."""

    exit_code = 74


class RunFileError(Exception):
    """A run file could not be read: missing, truncated, corrupt, or not a run file at all."""

    exit_code = 2


class RunFileBusy(RunFileError):
    """Another process is writing or repairing the file."""


class RunFileReadOnly(RunFileError):
    """The file was left by a killed writer and cannot be repaired where it lies."""
