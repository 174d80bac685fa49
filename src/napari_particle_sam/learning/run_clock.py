"""The time of a run over all its processes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from napari_particle_sam.learning.plan import Seconds


@dataclass
class RunClock:
    """Seconds of a run over all its processes, and what a step and a validation take.

    Attributes
    ----------
    spent_before : float
        By processes that were stopped.
    began, saved : float
        When this process began, and when it kept its state; of the monotonic clock.
    step, validation : float
        Seconds that they take; 0 where not known yet.
    """

    spent_before: float = 0.0
    began: float = field(default_factory=time.monotonic)
    saved: float = field(default_factory=time.monotonic)
    step: float = 0.0
    validation: float = 0.0

    @property
    def spent(self) -> float:
        """Seconds of work, pauses left out."""
        return self.spent_before + time.monotonic() - self.began

    @property
    def seconds(self) -> Seconds:
        """What a step and a validation take."""
        return Seconds(self.step, self.validation)

    def took(self, seconds: float) -> None:
        """Take a step's time into the running mean, which forgets over about ten steps."""
        self.step = seconds if not self.step else 0.9 * self.step + 0.1 * seconds
