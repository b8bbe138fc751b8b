"""What every test run shares: no display, and Hypothesis without deadlines (nothing here is timed)."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("seedsoil", deadline=None, derandomize=True, database=None)
settings.load_profile("seedsoil")
