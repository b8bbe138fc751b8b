"""Signals that stop a run: the first asks it to stop with a checkpoint, the second ends the process."""

import ctypes
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Stop:
    """Whether a stop has been asked for; `drive` looks between two ticks."""

    def __init__(self) -> None:
        self._asked = False
        self._at_once = False

    def __call__(self) -> bool:
        return self._asked

    def ask(self, number: int = 0, frame: FrameType | None = None) -> None:
        """The signal handler. From here on a further signal, of any kind, ends the process."""
        self._asked = True
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if self._at_once:
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within it a signal raises KeyboardInterrupt: around a first tick, which may compile for a minute."""
        self._at_once = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._at_once = False


@contextmanager
def stop_asked() -> Iterator[Stop]:
    """Ctrl-C, SIGTERM and SIGUSR1 ask to stop, for as long as this lasts.

    A second signal ends the process, as it would end one without handlers: an exception in the middle of a
    tick could only leave a state that is none.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        signal.signal(number, stop.ask)
        _only_once(number)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _only_once(number: int) -> None:
    """Have the system forget the handler of a signal as the signal comes.

    Python runs a handler between two of its own instructions, so not while Taichi compiles a kernel, which can
    take seconds. A second signal of the same kind need not wait for that: then it finds no handler.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "sysv_signal"):  # not glibc: the second waits as the first does
        return
    for function in (libc.signal, libc.sysv_signal):
        function.argtypes, function.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    try:
        libc.sysv_signal(number, libc.signal(number, None))  # None: SIG_DFL, for the time between the two
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
