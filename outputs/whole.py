"""Files that are there whole or not at all: written beside their place, then moved into it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path to write to; it becomes `target` at the end, and disappears if the writing fails.

    It ends as `target` does, since writers choose a format by the ending. The files of one process are written
    one after the other, hence its number in the name. A target that is no regular file (/dev/stdout, a pipe) is
    written as it is; a link goes on to point to its file, and a file that is replaced keeps who may read it.
    """
    if target.exists() and not target.is_file():
        yield target
        return
    target = Path(os.path.realpath(target))
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.tmp{target.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        with suppress(OSError):  # there was none, or it is another's
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
