"""A fine-tuning run: LoRA on the base, validated every epoch, one epoch kept, able to go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path

from torch import Tensor

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, CancelledError, PausedError
from napari_particle_sam.base.events import Event, Message, Metric, Progress
from napari_particle_sam.learning.checkpoint import (
    Checkpoint,
    optimizer_tensors,
    read_checkpoint,
    restore,
    trained_parameters,
    write_checkpoint,
)
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.epoch_choice import Best, EpochChoice
from napari_particle_sam.learning.lora import find_targets, trained_tensors
from napari_particle_sam.learning.outcome import TrainingResult, adapter_info, reason_for
from napari_particle_sam.learning.plan import seconds_left
from napari_particle_sam.learning.run_clock import RunClock
from napari_particle_sam.learning.run_folder import RunFolder
from napari_particle_sam.learning.run_names import ADAPTER, CHECKPOINT, CONFIG, IMAGES, RESULT
from napari_particle_sam.learning.run_plan import begin_plan, in_words, revise_plan
from napari_particle_sam.learning.run_setup import attach_for_training, first_micro_batch, usable_groups
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.training_step import TrainingStep
from napari_particle_sam.learning.warm_start import load_start, read_start
from napari_particle_sam.sam.adapters import AdapterInfo, save_adapter
from napari_particle_sam.sam.kept_bases import keep_base
from napari_particle_sam.sam.model import SamModel

#: Seconds between two checkpoints within an epoch.
CHECKPOINT_EVERY = 60.0


class FineTuning:
    """One run on one model; the model's network is changed in place.

    A folder that holds the checkpoint of a run with the same settings is gone on with.

    Parameters
    ----------
    model : SamModel
        The base, without an adapter.
    train, val : list of TrainingImage
        Images to learn from, and whole images to choose the epoch by (may be empty).
    config : TrainingConfig
        Settings.
    out : Path
        The run's folder; an adapter that `warm_start.copy_start` put there is gone on from.
    listen : callable, optional
        Told every recorded event, as trackers are.
    """

    def __init__(
        self,
        model: SamModel,
        train: list[TrainingImage],
        val: list[TrainingImage],
        config: TrainingConfig,
        out: Path,
        listen: Callable[[Event], None] | None = None,
    ) -> None:
        if not any(image.labels.any() for image in train):
            raise BadValueError("no training image has a labelled particle; correct some images first.")
        self.model, self.train, self.val, self.config = model, train, val, config
        self.start, self.folder = read_start(Path(out)), RunFolder(out, listen)
        self._record = self.folder.record
        self.targets = find_targets(model.sam, usable_groups(model, config))
        self._settings = {
            "train": [i.stem for i in train], "validation": [i.stem for i in val],
            "base": model.name, "base_fingerprint": model.fingerprint,
        }  # fmt: skip
        self.choice = EpochChoice(model, val, self.folder.path)
        self.step, self.validated, self.clock = 0, 0, RunClock()

    def run(self, token: CancelToken) -> Generator[Event, None, TrainingResult]:
        """Train.

        Parameters
        ----------
        token : CancelToken
            Looked at before every step, as are the files `cancel` and `pause` of the run's folder.

        Yields
        ------
        Event
            Messages, progress and metrics.

        Returns
        -------
        TrainingResult
            How it ended; the adapter lies in the run's folder where it gained.

        Raises
        ------
        CancelledError, PausedError
            If it was asked to stop; its state is kept.
        """
        try:
            try:
                yield from self._begin(token)
                yield from self._epochs(token)
            finally:
                # Before the result: a run that has one is over, and nobody goes on with it.
                self.folder.write_curves()
            result = self._finish()
        finally:
            self.folder.close()
        yield Message(result.reason)
        return result

    def _begin(self, token: CancelToken) -> Generator[Event, None, None]:
        saved = read_checkpoint(self.folder.path / CHECKPOINT)
        if saved is None:
            self._write_settings()
            began = time.monotonic()
            self.best = self.choice.base(self.train, token)
            share = len(self.val) / max(1, self.choice.fitted)
            self.clock.validation = (time.monotonic() - began) * share
            if self.val:
                yield self._record(Metric(0, "validation", self.best.before))
        else:
            same = {"config": self.config.model_dump(mode="json"), "settings": self._settings}
            saved.check(same, self.folder.path)
        note = attach_for_training(self.model, self.config, self.targets)
        if note:
            yield self._record(Message(note))
        if saved is None and self.start is not None:
            yield from self._go_on_from(self.start, token)
        parts = first_micro_batch(self.model) if saved is None else saved.state["micro_batch"]
        self.stepper = TrainingStep(self.model, self.train, self.config, parts)
        if saved is not None:
            self._restore(saved)
            yield self._record(Message(f"Going on after step {self.step}."))
        self.plan = begin_plan(self.folder.path, self.config, len(self.train), self.clock, self.stepper.timed)
        yield self._record(Message(in_words(self.plan, self.step, self.config.batch_size)))
        self._save()

    def _go_on_from(self, start: AdapterInfo, token: CancelToken) -> Generator[Event, None, None]:
        """Take an earlier adapter's tensors, which are kept unless an epoch beats them."""
        load_start(self.model, self.folder.path, start, self.targets)
        yield self._record(Message(f"Going on from {start.name}."))
        if self.val:
            thresholds, metrics = self.choice.epoch(0, self.best.base_thresholds, token)
            self.best.begin_with(metrics, thresholds, self._tensors())
            yield self._record(Metric(0, "validation", metrics))

    def _write_settings(self) -> None:
        self.folder.write(CONFIG, self.config.model_dump(mode="json"))
        self.folder.write(IMAGES, self._settings)

    def _epochs(self, token: CancelToken) -> Generator[Event, None, None]:
        while True:
            if self.plan.ends_epoch(self.step) and self.validated != self.step:
                yield from self._end_epoch(token)
            over = self.step >= self.plan.steps(self.step)
            if over or (self.val and self.best.stale >= self.config.patience):
                break
            self._look(token)
            yield from self._take_step()
        if not self.val:
            self.best.tensors = self._tensors()

    def _look(self, token: CancelToken) -> None:
        asked = "cancel" if token.cancelled else self.folder.asked()
        if asked is not None:
            self._save()
            raise PausedError("paused") if asked == "pause" else CancelledError("cancelled")
        if time.monotonic() - self.clock.saved > CHECKPOINT_EVERY:
            self._save()

    def _take_step(self) -> Generator[Event, None, None]:
        began = time.monotonic()
        epoch, step = divmod(self.step, self.plan.steps_per_epoch)
        values = self.stepper.take(epoch, step, self.plan.rate(self.step))
        self.step += 1
        self.clock.took(time.monotonic() - began)
        if self.stepper.halved:
            self.stepper.halved = False
            yield self._record(Message(
                f"Memory was short: {self.stepper.micro_batch} crops at a time from now on, added up."
            ))  # fmt: skip
        yield self._record(Metric(self.step, "train", values))
        left = seconds_left(self.plan, self.step, self.clock.seconds)
        yield self._record(Progress(self.step, self.plan.steps(self.step), f"epoch {epoch + 1}", left))

    def _end_epoch(self, token: CancelToken) -> Generator[Event, None, None]:
        self._save()
        if self.val:
            began = time.monotonic()
            number = -(-self.step // self.plan.steps_per_epoch)
            thresholds, metrics = self.choice.epoch(number, self.best.base_thresholds, token)
            self.best.offer(metrics, thresholds, self._tensors())
            values = metrics | self.stepper.loss_on(self.val)
            self.clock.validation = time.monotonic() - began
            yield self._record(Metric(self.step, "validation", values))
        self.validated = self.step
        self.plan = revise_plan(self.folder.path, self.plan, self.config, self.step, self.clock)
        self._save()

    def _tensors(self) -> dict[str, Tensor]:
        return trained_tensors(self.model.sam, self.config.train_locator, self.config.train_iou_head)

    def _save(self) -> None:
        state = {
            "step": self.step, "validated": self.validated, "spent": self.clock.spent,
            "seconds": list(self.clock.seconds), "micro_batch": self.stepper.micro_batch,
            "best": self.best.state(), "config": self.config.model_dump(mode="json"),
            "settings": self._settings,
        }  # fmt: skip
        write_checkpoint(self.folder.path / CHECKPOINT, Checkpoint(
            state, dict(trained_parameters(self.model.sam)), optimizer_tensors(self.stepper.optimizer),
            self.best.tensors or {},
        ))  # fmt: skip
        self.clock.saved = time.monotonic()

    def _restore(self, saved: Checkpoint) -> None:
        restore(self.model.sam, self.stepper.optimizer, saved, self.folder.path / CHECKPOINT)
        self.best = Best.from_state(saved.state["best"], saved.best)
        self.step, self.validated = saved.state["step"], saved.state["validated"]
        self.clock.spent_before = saved.state["spent"]
        self.clock.step, self.clock.validation = saved.state["seconds"]

    def _finish(self) -> TrainingResult:
        best = self.best
        gained = best.tensors is not None
        reason = reason_for(bool(self.val), best)
        if best.tensors is not None:
            info = adapter_info(self.folder.path.name, self.model, self.config, self.targets, best,
                                self.train, self.val, self.start)  # fmt: skip
            keep_base(self.folder.path, self.model.name, self.model.fingerprint)
            save_adapter(self.folder.path / ADAPTER, info, best.tensors)
        result = TrainingResult(gained, reason, best.before, best.metrics, self.step, self.clock.spent)
        self.folder.write(RESULT, vars(result))
        (self.folder.path / CHECKPOINT).unlink(missing_ok=True)
        return result
