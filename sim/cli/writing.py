"""Files that commands write where their user says: not over another unasked, and whole or not at all."""

import os
from pathlib import Path


def refuse_there(file: Path, *, force: bool) -> None:
    """Raises InputError if a file is there and `force` is not given. A device or a pipe holds nothing to lose."""
    from ..errors import InputError
    from ..plain_text import printable

    if not force and os.path.lexists(file) and (file.is_file() or not file.exists()):
        raise InputError(f"{printable(str(file), 4096)}: exists; --force replaces it. Nothing was written.")


def write_file(file: Path, text: str) -> None:
    """Write a text; what was there stays until all of it is on the disk. Raises OutputFailed."""
    from ...outputs.whole import whole_file
    from ..errors import OutputFailed
    from ..plain_text import printable

    try:
        with whole_file(file) as unfinished:
            unfinished.write_text(text, "utf-8")
    except OSError as error:
        raise OutputFailed(f"{printable(str(file), 4096)}: cannot be written: {error.strerror or error}") from None
