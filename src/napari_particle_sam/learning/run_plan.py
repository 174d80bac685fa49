"""The plan of a run, kept in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.plan import Plan, first_plan, read_plan, revise, write_plan
from napari_particle_sam.learning.run_clock import RunClock


def begin_plan(
    run: Path, config: TrainingConfig, images: int, clock: RunClock, timed: Callable[[], float]
) -> Plan:
    """Return the plan that a run has, or make it.

    Parameters
    ----------
    run : Path
        Its folder.
    config : TrainingConfig
        Settings.
    images : int
        To train on.
    clock : RunClock
        Of the run; is told what a step takes.
    timed : callable
        Returns the seconds of a step; called where the number of steps hangs on time.

    Returns
    -------
    Plan
    """
    plan = read_plan(run)
    if plan is None:
        seconds = None
        if config.minutes is not None:
            clock.step = timed()
            seconds = clock.seconds
        plan = first_plan(config, images, seconds, clock.spent)
        write_plan(run, plan)
    return plan


def revise_plan(run: Path, plan: Plan, config: TrainingConfig, step: int, clock: RunClock) -> Plan:
    """Return the plan, changed and written where its time would be missed by far."""
    revised = revise(plan, config, step, clock.spent, clock.seconds)
    if revised is not plan:
        write_plan(run, revised)
    return revised


def in_words(plan: Plan, step: int, batch_size: int) -> str:
    """Return how much a run will do, as known at a step."""
    steps = plan.steps(step)
    return f"{steps} steps of {batch_size} crops in {-(-steps // plan.steps_per_epoch)} epochs."
