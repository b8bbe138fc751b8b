# Indexing an HDF5 file gives a group, a dataset or a type, which only the file knows: all of it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
