"""What a training will cost, from one timed step on this machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_particle_sam.base.peak_memory import peak_memory
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.plan import Seconds, first_plan
from napari_particle_sam.learning.run_status import words_for

#: Of the picture that is validated for an estimate: about a page of a screen.
SHAPE = (768, 1024)
_DISC, _PITCH = 16, 48


@dataclass(frozen=True)
class Cost:
    """What a training will cost.

    Attributes
    ----------
    images : int
        To train on.
    steps : int
        Planned.
    minutes : float
        Until its end at the latest; early stopping may end it before.
    seconds_per_step : float
        Timed.
    memory_mb : float or None
        Beyond what the process takes anyway; None where the system does not tell.
    """

    images: int
    steps: int
    minutes: float
    seconds_per_step: float
    memory_mb: float | None

    @property
    def sentence(self) -> str:
        """The cost in words."""
        memory = "" if self.memory_mb is None else f" and {max(0.1, self.memory_mb / 1024):.1f} GB of memory"
        many = "image" if self.images == 1 else "images"
        return (
            f"{self.images} {many}, {self.steps} steps of {self.seconds_per_step:.1f} s: "
            f"{words_for(60 * self.minutes)}{memory}, or less if nothing is gained any more."
        )


def estimate(images: int, validation: int, config: TrainingConfig, device: str = "auto") -> Cost:
    """Time a step on a drawn image and reckon what the whole will take.

    Parameters
    ----------
    images, validation : int
        To train on, and to validate on.
    config : TrainingConfig
        Settings.
    device : str
        Where to compute.

    Returns
    -------
    Cost
        For this machine as busy as it is now.

    Raises
    ------
    BadModelError
        If the model cannot be loaded.
    BadValueError
        If not even one crop fits into memory.
    """
    from napari_particle_sam.learning.lora import find_targets
    from napari_particle_sam.learning.run_setup import (
        attach_for_training,
        config_for,
        first_micro_batch,
        usable_groups,
    )
    from napari_particle_sam.learning.training_step import TrainingStep
    from napari_particle_sam.sam.loading import load_model

    model = load_model(config.model, device=device, img_size=config.img_size)
    config, _ = config_for(model, config)
    drawn = _drawn()
    seconds = 0.0 if not validation else validation * _time_validation(model, drawn)
    with peak_memory() as memory:
        attach_for_training(model, config, find_targets(model.sam, usable_groups(model, config)))
        step = TrainingStep(model, [drawn], config, first_micro_batch(model)).timed()
    timed = Seconds(step, seconds)
    plan = first_plan(config, images, timed, seconds)
    steps = plan.steps(0)
    whole = seconds + steps * step + -(-steps // plan.steps_per_epoch) * seconds
    megabytes = None if memory.extra is None or model.sam.device.type != "cpu" else memory.extra / 2**20
    return Cost(images, steps, whole / 60, step, megabytes)


def _time_validation(model, drawn) -> float:  # type: ignore[no-untyped-def]
    import time

    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.learning.validation import collect

    began = time.monotonic()
    collect(model, [drawn], CancelToken())
    return time.monotonic() - began


def _drawn():  # type: ignore[no-untyped-def]
    """Draw discs in rows, as many as a dense micrograph has."""
    from napari_particle_sam.learning.samples import TrainingImage

    rows, cols = np.indices(SHAPE)
    row, col = rows // _PITCH, cols // _PITCH
    middle = np.hypot(rows % _PITCH - _PITCH / 2, cols % _PITCH - _PITCH / 2) < _DISC
    labels = np.where(middle, 1 + row * (SHAPE[1] // _PITCH + 1) + col, 0).astype(np.int32)
    noise = np.random.default_rng(0).normal(60, 12, SHAPE)
    return TrainingImage("drawn", np.clip(noise + 100 * middle, 0, 255).astype(np.uint8), labels)
