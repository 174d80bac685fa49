"""Run a long job to its end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from napari_particle_sam.base.events import Event

Result = TypeVar("Result")


def run_job(job: Generator[Event, None, Result], listen: Callable[[Event], None] | None = None) -> Result:
    """Run a job, hand its events to a listener, and return its result."""
    outcome: list[Result] = []

    def drain() -> Generator[Event, None, None]:
        outcome.append((yield from job))

    for event in drain():
        if listen is not None:
            listen(event)
    return outcome[0]
