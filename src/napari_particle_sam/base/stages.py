"""Seconds that the stages of a job took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageTimes:
    """Adds up the seconds spent in named stages.

    Attributes
    ----------
    seconds : dict of str to float
        Time per stage so far, in the order in which the stages were first entered.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block, failed or not, to a stage.

        Parameters
        ----------
        name : str
            Such as ``encode``, ``decode`` or ``post``.
        """
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds that were measured elsewhere."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
