"""How many steps a run takes: from a timed step, written down, so that a resumed run does the same.

Learning rates are functions of the step and of this plan, never of the clock.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json, write_json
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.run_names import PLAN

#: Validation costs as much as several steps, so an epoch has at least this many.
SHORTEST_EPOCH = 20
WARM_UP = 15
#: A plan is changed where the time it will take is this much longer or shorter than what was asked for.
TOO_LONG, TOO_SHORT = 1.1, 0.8


class Seconds(NamedTuple):
    """What was measured: a step, a validation."""

    step: float
    validation: float


class Revision(BaseModel):
    """From a step on, the number of steps in all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: int = Field(ge=0)
    steps: int = Field(ge=1)


class Plan(BaseModel):
    """Steps of a run.

    Attributes
    ----------
    steps_per_epoch : int
        Validation follows each epoch.
    revisions : tuple of Revision
        The first at step 0; later ones where the machine was slower or faster than the timed step.
    seconds_per_step : float or None
        Of the timed step; None where the number of steps does not hang on time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    steps_per_epoch: int = Field(ge=1)
    revisions: tuple[Revision, ...] = Field(min_length=1)
    seconds_per_step: float | None = None

    def steps(self, step: int) -> int:
        """Return the number of steps in all, as known at a step."""
        return [r.steps for r in self.revisions if r.at <= step][-1]

    def rate(self, step: int) -> float:
        """Return the share of the highest learning rate at a step: warm-up, then half a cosine."""
        fraction = min(1.0, step / self.steps(step))
        return float(min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + np.cos(np.pi * fraction)))

    def ends_epoch(self, step: int) -> bool:
        """Return whether the step taken last was the last of an epoch or of all."""
        return step > 0 and (step % self.steps_per_epoch == 0 or step >= self.steps(step))

    def revised(self, step: int, steps: int) -> Plan:
        """Return the plan with another number of steps from a step on."""
        if any(r.at == step for r in self.revisions) or steps == self.steps(step):
            return self
        return self.model_copy(update={"revisions": (*self.revisions, Revision(at=step, steps=steps))})


def steps_per_epoch(config: TrainingConfig, images: int) -> int:
    """Return the steps of an epoch: every image is seen `samples_per_image` times."""
    samples = config.samples_per_image * images
    return config.steps_per_epoch or max(SHORTEST_EPOCH, round(samples / config.batch_size))


def first_plan(config: TrainingConfig, images: int, seconds: Seconds | None, spent: float) -> Plan:
    """Plan a run.

    Parameters
    ----------
    config : TrainingConfig
        Epochs and minutes.
    images : int
        To train on.
    seconds : Seconds or None
        Timed on this machine; None where the minutes do not matter.
    spent : float
        Seconds that are gone already.
    """
    epoch = steps_per_epoch(config, images)
    steps = config.epochs * epoch
    if config.minutes is not None and seconds is not None:
        steps = min(steps, _affordable(60 * config.minutes - spent, epoch, seconds))
    return Plan(
        steps_per_epoch=epoch,
        revisions=(Revision(at=0, steps=max(1, steps)),),
        seconds_per_step=None if seconds is None else seconds.step,
    )


def revise(plan: Plan, config: TrainingConfig, step: int, spent: float, seconds: Seconds) -> Plan:
    """Return the plan, changed at an epoch's end where its time would be missed by far.

    It is made longer after the first epoch only, when the timed step is seen to have been too slow.
    """
    if config.minutes is None or step >= plan.steps(step):
        return plan
    epoch, budget = plan.steps_per_epoch, 60 * config.minutes
    whole = spent + _cost(plan.steps(step) - step, epoch, seconds)
    longer = step == epoch and whole < TOO_SHORT * budget
    if whole <= TOO_LONG * budget and not longer:
        return plan
    wanted = step + max(1, _affordable(budget - spent, epoch, seconds))
    return plan.revised(step, min(wanted, config.epochs * epoch))


def write_plan(run: Path, plan: Plan) -> None:
    """Write `plan.json`."""
    write_json(run / PLAN, plan.model_dump(mode="json"))


def read_plan(run: Path) -> Plan | None:
    """Read `plan.json`; None where there is none yet.

    Raises
    ------
    BadFileError
        If it is damaged.
    """
    if not (run / PLAN).exists():
        return None
    try:
        return Plan.model_validate(read_json(run / PLAN))
    except ValidationError as error:
        raise BadFileError(f"{run / PLAN} is damaged; start the training again.") from error


def seconds_left(plan: Plan, step: int, seconds: Seconds) -> float:
    """Return the seconds until the plan's end, validations included."""
    return _cost(plan.steps(step) - step, plan.steps_per_epoch, seconds)


def _affordable(budget: float, epoch: int, seconds: Seconds) -> int:
    steps = int(budget / max(seconds.step + seconds.validation / epoch, 1e-9))
    rest = steps % epoch
    # A validation after a few steps costs more than they bring.
    return steps - rest if steps > epoch and rest < epoch // 2 else steps


def _cost(steps: int, epoch: int, seconds: Seconds) -> float:
    return steps * seconds.step + -(-steps // epoch) * seconds.validation
