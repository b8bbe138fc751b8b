"""The biology: one file per process, each with its equation, parameters, rule, passes and verb.

Importing Taichi prints a banner and calls a web host unless told otherwise, and inherited `TI_*`
variables override what `sim.device` asks for. Both are settled here, before any kernel file can
import Taichi.
"""

import os

for _name in [name for name in os.environ if name.startswith("TI_")]:
    del os.environ[_name]
os.environ["ENABLE_TAICHI_HEADER_PRINT"] = "False"
os.environ["TI_SKIP_VERSION_CHECK"] = "ON"
