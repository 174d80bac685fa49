"""One optimizer step, in parts where memory is short."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from napari_particle_sam.base.errors import BadValueError, JobError
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.forward import LossWeights, Sample, forward_samples
from napari_particle_sam.learning.run_setup import LOCATOR_RATE, learning_rate_for
from napari_particle_sam.learning.samples import TrainingImage, draw_batch, place_for
from napari_particle_sam.sam.model import SamModel

#: Apart from other draws of the same seed and step.
_STREAM = 7
_NAMES = {"iou_chosen": "miou", "dice_chosen": "dice"}


class OutOfMemoryError(Exception):
    """The device could not hold one pass."""


class TrainingStep:
    """Takes optimizer steps on one model; every draw is a function of seed, epoch and place in the epoch.

    Parameters
    ----------
    model : SamModel
        With LoRA attached.
    images : list of TrainingImage
        To learn from.
    config : TrainingConfig
        Settings.
    micro_batch : int, optional
        Crops in one pass; gradients of the passes of a step are added up.
    """

    def __init__(
        self,
        model: SamModel,
        images: list[TrainingImage],
        config: TrainingConfig,
        micro_batch: int | None = None,
    ) -> None:
        self.sam, self.images, self.config = model.sam, images, config
        self.place = place_for(model.sam, config.crop)
        self.micro_batch = micro_batch or config.batch_size
        kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
        self.optimizer = kind(_groups(model, config), weight_decay=config.weight_decay)
        self.halved = False

    def take(self, epoch: int, step: int, rate: float) -> dict[str, float]:
        """Take a step.

        Parameters
        ----------
        epoch, step : int
            The epoch, and the step in it, from 0.
        rate : float
            Share of the highest learning rate.

        Returns
        -------
        dict
            Loss and its parts; ``dice`` and ``miou`` of the prompted masks.

        Raises
        ------
        JobError
            If the loss is no longer finite.
        BadValueError
            If even one crop does not fit into memory.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * rate
        values = self._gradients(epoch, step)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if not np.isfinite(values["loss"]) or not bool(torch.isfinite(norm)):
            raise JobError("the loss is no longer finite; use a lower --learning-rate.")
        self.optimizer.step()
        return values

    def timed(self) -> float:
        """Return the seconds of a step that changes nothing; a first one warms up."""
        seconds = 0.0
        for _ in range(2):
            began = time.monotonic()
            self._gradients(0, 0)
            seconds = time.monotonic() - began
        self.optimizer.zero_grad(set_to_none=True)
        return seconds

    def loss_on(self, images: list[TrainingImage]) -> dict[str, float]:
        """Return the loss on the same crops of other images at every call, without learning from them."""
        found = []
        with torch.no_grad(), _training_mode(self.sam, False):
            for step in range(-(-len(images) // self.config.batch_size)):
                samples = draw_batch(images, self.config, self.place, 0, step)
                rng = np.random.default_rng((self.config.seed, 0, step, _STREAM))
                for part in self._parts(samples):
                    found.append(self._pass(part, rng, 0)[1])
        return _mean(found)

    def _gradients(self, epoch: int, step: int) -> dict[str, float]:
        samples = draw_batch(self.images, self.config, self.place, epoch, step)
        while True:
            try:
                return self._accumulate(samples, epoch, step)
            except OutOfMemoryError as error:
                self._halve(error)

    def _accumulate(self, samples: list[Sample], epoch: int, step: int) -> dict[str, float]:
        rng = np.random.default_rng((self.config.seed, epoch, step, _STREAM))
        corrections = int(rng.integers(2, 6)) if rng.random() < self.config.corrections else 0
        self.optimizer.zero_grad(set_to_none=True)
        found = []
        with _training_mode(self.sam, True):
            for part in self._parts(samples):
                loss, values = self._pass(part, rng, corrections)
                with _memory_watched():
                    (loss * (len(part) / len(samples))).backward()
                found.append(values)
        return _mean(found)

    def _parts(self, samples: list[Sample]) -> Iterator[list[Sample]]:
        for first in range(0, len(samples), self.micro_batch):
            yield samples[first : first + self.micro_batch]

    def _pass(
        self, samples: list[Sample], rng: np.random.Generator, corrections: int
    ) -> tuple[Tensor, dict[str, float]]:
        weights = LossWeights(entropy=True, locator=1.0 if self.config.train_locator else 0.0)
        device = self.sam.device
        half = device.type == "cuda" and torch.cuda.is_bf16_supported()
        with _memory_watched(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss, parts = forward_samples(self.sam, samples, weights, rng, corrections)
        return loss, {"loss": loss.item()} | {_NAMES.get(k, k): v for k, v in parts.items()}

    def _halve(self, error: Exception) -> None:
        if self.micro_batch <= 1:
            raise BadValueError(
                "not even one crop fits into the memory of the device; use a smaller crop or --device cpu."
            ) from error
        self.micro_batch = max(1, min(self.micro_batch, self.config.batch_size) // 2)
        self.halved = True
        self.optimizer.zero_grad(set_to_none=True)
        if self.sam.device.type == "cuda":
            torch.cuda.empty_cache()


def _groups(model: SamModel, config: TrainingConfig) -> list[dict]:
    """Return what is trained, with its highest learning rate; the order is that of the module."""
    rate = learning_rate_for(model, config)
    named = [(n, p) for n, p in model.sam.named_parameters() if p.requires_grad]
    locator = [p for n, p in named if n.startswith("locator.")]
    others = [p for n, p in named if not n.startswith("locator.")]
    groups = [
        {"params": others, "highest": rate},
        {"params": locator, "highest": min(rate, LOCATOR_RATE)},
    ]
    return [group for group in groups if group["params"]]


@contextmanager
def _memory_watched() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise OutOfMemoryError(str(error)) from error
    except (RuntimeError, MemoryError) as error:
        # What the allocator of the processor says has no class of its own.
        if isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error):
            raise OutOfMemoryError(str(error)) from error
        raise


@contextmanager
def _training_mode(sam: torch.nn.Module, on: bool) -> Iterator[None]:
    sam.train(on)
    try:
        yield
    finally:
        sam.eval()


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    keys = {key: None for values in found for key in values}
    return {key: float(np.mean([v[key] for v in found if key in v])) for key in keys}
