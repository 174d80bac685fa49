"""A fine-tuning run: LoRA on the base, validated every epoch, the best epoch kept."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, JobError
from napari_particle_sam.base.events import Event, Message, Metric, Progress
from napari_particle_sam.learning import validation
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.forward import LossWeights, forward_samples
from napari_particle_sam.learning.lora import attach_lora, find_targets, rank_note, trained_tensors
from napari_particle_sam.learning.run_folder import RunFolder
from napari_particle_sam.learning.samples import TrainingImage, draw_batch, place_for
from napari_particle_sam.sam.adapters import AdapterInfo, save_adapter
from napari_particle_sam.sam.model import SamModel

WARM_UP = 15
#: Validation costs as much as several steps, so an epoch has at least this many.
SHORTEST_EPOCH = 20
#: The base's thresholds are fitted to at most this many images, or to all that validate.
MOST_FITTED = 8


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended.

    Attributes
    ----------
    gained : bool
        Whether an adapter was written.
    reason : str
        One sentence.
    before, after : dict
        Validation metrics of the base and of the best epoch; empty without validation.
    steps : int
        Steps taken.
    seconds : float
        Wall time.
    """

    gained: bool
    reason: str
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0


@dataclass
class _Best:
    """The best state so far, the base itself at first."""

    metrics: dict[str, float]
    thresholds: Thresholds
    base_thresholds: Thresholds
    tensors: dict[str, Tensor] | None = None
    stale: int = 0


class FineTuning:
    """One run on one model; the model's network is changed in place.

    Parameters
    ----------
    model : SamModel
        The base, without an adapter.
    train, val : list of TrainingImage
        Images to learn from, and whole images to choose the epoch by (may be empty).
    config : TrainingConfig
        Settings.
    out : Path
        The run's folder.
    """

    def __init__(
        self,
        model: SamModel,
        train: list[TrainingImage],
        val: list[TrainingImage],
        config: TrainingConfig,
        out: Path,
    ) -> None:
        if not any(image.labels.any() for image in train):
            raise BadValueError("no training image has a labelled particle; correct some images first.")
        self.model, self.train, self.val, self.config = model, train, val, config
        self.folder = RunFolder(out)
        self.targets = find_targets(model.sam, _groups(model, config))
        self.place = place_for(model.sam, config.crop)
        self.step, self.began = 0, time.monotonic()

    def run(self, token: CancelToken) -> Generator[Event, None, TrainingResult]:
        """Train.

        Parameters
        ----------
        token : CancelToken
            Looked at before every step.

        Yields
        ------
        Event
            Messages, progress and metrics.

        Returns
        -------
        TrainingResult
            How it ended; the adapter lies in the run's folder where it gained.
        """
        try:
            self._write_settings()
            best, before = yield from self._start(token)
            yield from self._epochs(best, token)
            result = self._finish(best, before)
        finally:
            self.folder.write_curves()
            self.folder.close()
        yield Message(result.reason)
        return result

    def _write_settings(self) -> None:
        self.folder.write("config.json", self.config.model_dump(mode="json"))
        self.folder.write("images.json", {
            "train": [i.stem for i in self.train], "validation": [i.stem for i in self.val],
            "base": self.model.name, "base_fingerprint": self.model.fingerprint,
        })  # fmt: skip

    def _start(self, token: CancelToken) -> Generator[Event, None, tuple[_Best, dict[str, float]]]:
        before: dict[str, float] = {}
        thresholds = self.model.thresholds
        if self.val:
            thresholds, before = self._fit_base(token)
            yield self._record(Metric(0, "validation", before))
        note = rank_note(self.model.sam, self.config.rank, self.targets)
        attach_lora(
            self.model.sam, self.config.rank, self.config.scaled_alpha, self.targets,
            self._locator, self.config.train_iou_head,
        )  # fmt: skip
        if note:
            yield self._record(Message(note))
        return _Best(before, thresholds, thresholds), before

    def _fit_base(self, token: CancelToken) -> tuple[Thresholds, dict[str, float]]:
        """Fit the base's thresholds to training images too: it has seen none of them."""
        images = (self.val + self.train)[: max(len(self.val), MOST_FITTED)]
        found = validation.collect(self.model, images, token)
        thresholds, _ = validation.fit_thresholds(found, images, self.model.thresholds)
        count = len(self.val)
        return thresholds, validation.score(found[:count], self.val, thresholds)

    @property
    def _locator(self) -> bool:
        """Whether a locator is trained along."""
        return self.config.train_locator

    def _epochs(self, best: _Best, token: CancelToken) -> Generator[Event, None, None]:
        parameters = [p for p in self.model.sam.parameters() if p.requires_grad]
        kind = torch.optim.AdamW if self.config.optimizer == "adamw" else torch.optim.Adam
        optimizer = kind(parameters, lr=self.config.learning_rate, weight_decay=self.config.weight_decay)
        for epoch in range(self.config.epochs):
            for step in range(self._steps_per_epoch):
                token.check()
                yield self._record(self._train_step(optimizer, epoch, step))
                yield Progress(int(1000 * self._spent(epoch, step)), 1000, f"epoch {epoch + 1}")
                if self._spent(epoch, step) >= 1:
                    break
            over = self._spent(epoch, self._steps_per_epoch) >= 1
            if self.val:
                yield from self._validate(best, token)
            if over or best.stale >= self.config.patience:
                break
        if not self.val:
            best.tensors = self._tensors()

    @property
    def _steps_per_epoch(self) -> int:
        samples = self.config.samples_per_image * len(self.train)
        return self.config.steps_per_epoch or max(SHORTEST_EPOCH, round(samples / self.config.batch_size))

    def _spent(self, epoch: int, step: int) -> float:
        by_steps = (epoch * self._steps_per_epoch + step) / (self.config.epochs * self._steps_per_epoch)
        if self.config.minutes is None:
            return by_steps
        return max(by_steps, (time.monotonic() - self.began) / (60 * self.config.minutes))

    def _train_step(self, optimizer: torch.optim.Optimizer, epoch: int, step: int) -> Metric:
        fraction = min(1.0, self._spent(epoch, step))
        rate = min(1.0, (self.step + 1) / WARM_UP) * 0.5 * (1 + np.cos(np.pi * fraction))
        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate * rate
        rng = np.random.default_rng((self.config.seed, epoch, step, 7))
        corrections = int(rng.integers(2, 6)) if rng.random() < self.config.corrections else 0
        samples = draw_batch(self.train, self.config, self.place, epoch, step)
        self.model.sam.train()
        optimizer.zero_grad(set_to_none=True)
        loss, parts = self._loss(samples, rng, corrections)
        loss.backward()
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        if not bool(torch.isfinite(loss)):
            raise JobError(f"the loss is no longer finite at step {self.step}; use a lower --learning-rate.")
        optimizer.step()
        self.step += 1
        return Metric(self.step, "train", {"loss": loss.item(), **parts})

    def _loss(
        self, samples: list, rng: np.random.Generator, corrections: int
    ) -> tuple[Tensor, dict[str, float]]:
        weights = LossWeights(entropy=True, locator=1.0 if self._locator else 0.0)
        device = self.model.sam.device
        half = device.type == "cuda" and torch.cuda.is_bf16_supported()
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                return forward_samples(self.model.sam, samples, weights, rng, corrections)
        except torch.OutOfMemoryError as error:
            raise BadValueError("the device is out of memory; use a smaller --batch-size.") from error

    def _validate(self, best: _Best, token: CancelToken) -> Generator[Event, None, None]:
        self.model.sam.eval()
        found = validation.collect(self.model, self.val, token)
        thresholds, metrics = validation.fit_thresholds(found, self.val, best.base_thresholds)
        yield self._record(Metric(self.step, "validation", metrics))
        if validation.objective(metrics) > validation.objective(best.metrics) + 1e-6:
            best.metrics, best.thresholds, best.stale = metrics, thresholds, 0
            best.tensors = self._tensors()
        else:
            best.stale += 1

    def _tensors(self) -> dict[str, Tensor]:
        return trained_tensors(self.model.sam, self._locator, self.config.train_iou_head)

    def _record(self, event: Event) -> Event:
        return self.folder.record(event)

    def _finish(self, best: _Best, before: dict[str, float]) -> TrainingResult:
        seconds = time.monotonic() - self.began
        gained = best.tensors is not None
        reason = _reason(gained, bool(self.val), before, best.metrics)
        if best.tensors is not None:
            save_adapter(self.folder.path / "adapter", self._info(best, before), best.tensors)
        result = TrainingResult(gained, reason, before, best.metrics, self.step, seconds)
        self.folder.write("result.json", vars(result))
        return result

    def _info(self, best: _Best, before: dict[str, float]) -> AdapterInfo:
        return AdapterInfo(
            name=self.folder.path.name,
            base=self.model.name,
            base_fingerprint=self.model.fingerprint,
            rank=self.config.rank,
            alpha=self.config.scaled_alpha,
            targets=self.targets,
            img_size=self.model.img_size,
            thresholds=best.thresholds,
            base_thresholds=best.base_thresholds,
            particle_diameter_px=validation.diameter_range(self.train),
            images=[i.stem for i in self.train],
            validation_images=[i.stem for i in self.val],
            metrics={"before": before, "after": best.metrics},
            locator=self._locator,
            iou_head=self.config.train_iou_head,
        )


def _groups(model: SamModel, config: TrainingConfig) -> tuple[str, ...]:
    """Leave out convolutions where the encoder is a plain ViT."""
    if hasattr(model.sam.image_encoder, "pos_embed"):
        return tuple(g for g in config.targets if g != "conv") or ("attention",)
    return config.targets


def _reason(gained: bool, validated: bool, before: dict[str, float], after: dict[str, float]) -> str:
    if not validated:
        return "Trained without validation; compare the adapter with the base before you trust it."
    if not gained:
        return (
            f"No gain: no epoch beat the base (validation f1@0.5 {before['f1@0.5']:.3f}); the base is kept."
        )
    return f"Validation f1@0.5 {before['f1@0.5']:.3f} -> {after['f1@0.5']:.3f}."
