"""Progress of a job that is made of many jobs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import TypeVar

from napari_particle_sam.base.events import Event, Progress

Result = TypeVar("Result")

#: Parts that the progress of one job is told in.
PARTS = 100


class Steps:
    """Counts finished jobs, and passes on how far the present one is.

    Parameters
    ----------
    total : int
        Number of jobs.
    """

    def __init__(self, total: int) -> None:
        self.done, self.total = 0, total

    def follow(self, job: Generator[Event, None, Result], text: str) -> Generator[Event, None, Result]:
        """Run one job; its progress becomes a part of the whole, its other events are kept back."""
        yield self._at(0, text)
        with closing(job):
            while True:
                try:
                    event = next(job)
                except StopIteration as end:
                    self.done += 1
                    result: Result = end.value
                    return result
                if isinstance(event, Progress) and event.total:
                    yield self._at(min(event.done / event.total, 1), text)

    def _at(self, share: float, text: str) -> Progress:
        return Progress(int(PARTS * (self.done + share)), PARTS * self.total, text)
