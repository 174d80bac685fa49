"""Time a training step on this machine, in a process like the one that will train.

`python -m napari_particle_sam.learning.timing` reads settings as JSON from its input and answers in JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import torch

from napari_particle_sam.base.allocator import keep_freed_memory
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.base.peak_memory import peak_memory
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.lora import find_targets
from napari_particle_sam.learning.run_setup import (
    attach_for_training,
    config_for,
    first_micro_batch,
    usable_groups,
)
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.training_step import TrainingStep
from napari_particle_sam.learning.validation import collect
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel

SHAPE = (768, 1024)
_RADIUS, _PITCH = 70, 220


def measure(config: TrainingConfig, device: str, threads: int | None) -> dict[str, float | None]:
    """Return the seconds of a step and of validating one image, and the megabytes that they take at most."""
    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
    with peak_memory() as memory:
        model = load_model(config.model, device=device, img_size=config.img_size)
        config, _ = config_for(model, config)
        drawn = _drawn()
        validation = _time_validation(model, drawn)
        attach_for_training(model, config, find_targets(model.sam, usable_groups(model, config)))
        step = TrainingStep(model, [drawn], config, first_micro_batch(model)).timed()
    known = memory.extra is not None and model.sam.device.type == "cpu"
    return {"step": step, "validation": validation, "memory": memory.extra / 2**20 if known else None}


def main() -> int:
    """Answer one question."""
    asked: dict[str, Any] = json.load(sys.stdin)
    try:
        found = measure(TrainingConfig.model_validate(asked["config"]), asked["device"], asked["threads"])
    except ParticleSamError as error:
        print(json.dumps({"error": str(error)}))
        return 1
    print(json.dumps(found))
    return 0


def _time_validation(model: SamModel, drawn: TrainingImage) -> float:
    began = time.monotonic()
    collect(model, [drawn], CancelToken())
    return time.monotonic() - began


def _drawn() -> TrainingImage:
    """Draw discs in rows."""
    rows, cols = np.indices(SHAPE)
    row, col = rows // _PITCH, cols // _PITCH
    disc = np.hypot(rows % _PITCH - _PITCH / 2, cols % _PITCH - _PITCH / 2) < _RADIUS
    labels = np.where(disc, 1 + row * (SHAPE[1] // _PITCH + 1) + col, 0).astype(np.int32)
    noise = np.random.default_rng(0).normal(60, 12, SHAPE)
    return TrainingImage("drawn", np.clip(noise + 100 * disc, 0, 255).astype(np.uint8), labels)


if __name__ == "__main__":
    sys.exit(main())
