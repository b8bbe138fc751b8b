"""The datasets of a run file, each found once and then held open: finding one takes longer than a few rows do."""

import h5py


class Opened:
    """Datasets by their path. Closing the file closes them."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._held: dict[str, h5py.Dataset] = {}

    def __getitem__(self, path: str) -> h5py.Dataset:
        held = self._held.get(path)
        if held is None:
            held = self._held[path] = self._file[path]
        return held
