# Taichi rewrites what it decorates and reads annotations as values; no checker follows that, so it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
