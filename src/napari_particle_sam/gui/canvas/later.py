"""Doing something once, after everything that is going on."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer


class Later:
    """Calls a function once in a later turn of the event loop, however often it was asked to.

    Parameters
    ----------
    call : callable
        What is to be done.
    milliseconds : int
        How long after the last request.
    """

    def __init__(self, call: Callable[[], object], milliseconds: int = 0) -> None:
        self._call = call
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(milliseconds)
        self._timer.timeout.connect(self._run)

    def start(self) -> None:
        """Ask for it."""
        self._timer.start()

    def stop(self) -> None:
        """Ask for it no more."""
        self._timer.stop()

    def _run(self) -> None:
        self._call()
