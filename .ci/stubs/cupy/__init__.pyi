# An optional dependency, absent where the linters run.
from typing import Any

def __getattr__(name: str) -> Any: ...
