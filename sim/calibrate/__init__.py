"""`seedsoil calibrate`: what tables of patients fix of a body, and how well it says what it has not seen.

Anatomy is frozen (`scenarios/bodies`). Fitted are how much each route counts and one soil per organ, shared by all
primaries; scores are those of primaries that were left out. NumPy and SciPy only.
"""
