"""The biology: one file per process, each with its equation, parameters, rule, passes and verb.

Importing Taichi prints a banner and calls a web host unless told otherwise, inherited `TI_*` variables override
what `sim.device` asks for, and without HOME it ends the process. All is settled here, before any kernel file can
import Taichi.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

for _name in [name for name in os.environ if name.startswith("TI_")]:
    del os.environ[_name]
os.environ["ENABLE_TAICHI_HEADER_PRINT"] = "False"
os.environ["TI_SKIP_VERSION_CHECK"] = "ON"


@contextmanager
def somewhere_to_cache() -> Iterator[None]:
    """Within it Taichi may be imported or started where neither HOME nor XDG_CACHE_HOME is set, as under `env -i`.

    It looks for the default place of its cache both times, though `sim.device` names another, and aborts where there
    is none. What is made up here holds for as long as this lasts, so that no child inherits it.
    """
    if "HOME" in os.environ or "XDG_CACHE_HOME" in os.environ:
        yield
        return
    os.environ["XDG_CACHE_HOME"] = os.sep
    try:
        yield
    finally:
        del os.environ["XDG_CACHE_HOME"]


with somewhere_to_cache():
    import taichi  # noqa: F401  here, where it finds what it looks for
