"""Ctrl-C where it does no harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console


@contextmanager
def interruptible(screen: Console) -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C (or SIGTERM) only says that it is time to stop, the second interrupts at once.

    A signal that is ignored, as Ctrl-C is in the background of a shell, stays so.

    Yields
    ------
    function
        Says whether it is time to stop.
    """
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        screen.print("Stopping when this chunk is through; again to stop at once.", style="yellow")

    if threading.current_thread() is not threading.main_thread():
        yield lambda: asked
        return
    numbers = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield lambda: asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
