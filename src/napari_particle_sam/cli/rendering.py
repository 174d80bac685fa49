"""Show events of long jobs on a terminal, and errors as one line."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TypeVar

from napari_particle_sam.base.events import Event, Message, Metric, Progress
from napari_particle_sam.base.jobs import run_job

Result = TypeVar("Result")


class Terminal:
    """Prints messages as lines and progress as a bar that stays out of redirected output."""

    def __init__(self) -> None:
        self._bar = None
        self._total = 0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Message):
            self._write(event.text)
        elif isinstance(event, Metric) and event.stage == "validation":
            shown = ("f1@0.5", "f1@0.75", "dice_foreground")
            numbers = "  ".join(f"{k} {event.values[k]:.3f}" for k in shown if k in event.values)
            self._write(f"step {event.step}: validation {numbers}")
        elif isinstance(event, Progress):
            self._progress(event)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        print(text, file=sys.stderr, flush=True)

    def _progress(self, event: Progress) -> None:
        if not sys.stderr.isatty():
            return
        from tqdm import tqdm

        if self._bar is None or self._total != event.total:
            self.close()
            self._bar, self._total = tqdm(total=event.total or None, leave=False), event.total
        self._bar.set_description_str(event.text)
        self._bar.n = event.done
        self._bar.refresh()


def follow(job: Generator[Event, None, Result]) -> Result:
    """Run a job on the terminal and return its result."""
    terminal = Terminal()
    try:
        return run_job(job, terminal)
    finally:
        terminal.close()
