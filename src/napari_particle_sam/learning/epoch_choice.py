"""Which epoch is kept: the base at first, then the last one that validation cannot tell from the best."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.learning import validation
from napari_particle_sam.learning.base_candidates import base_candidates
from napari_particle_sam.learning.prediction_picture import save_prediction
from napari_particle_sam.learning.run_names import PREDICTIONS
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.labels import read_labels, write_labels

#: The base's thresholds are fitted to at most this many images, or to all that validate.
MOST_FITTED = 8
#: Epochs whose objectives differ by less than this over the square root of the particles that validate are
#: not told apart: as much as neighbouring epochs of a training at a low rate differ at most (docs/model.md).
NOISE = 0.1
_BASE_LABELS = "base.tif"


@dataclass
class Best:
    """The state that is kept so far, the base itself at first.

    Attributes
    ----------
    before, metrics : dict
        Validation metrics of the base and of the kept state.
    thresholds, base_thresholds : Thresholds
        Fitted to the kept state and to the base.
    stale : int
        Epochs since the highest objective.
    tensors : dict of str to Tensor or None
        The adapter; None where nothing beat the base.
    began_with : dict or None
        Validation metrics of the adapter that the run goes on from; None where it begins from the base.
    highest : float or None
        Objective of the best state, which the kept one misses by less than the noise; None is the kept one's.
    """

    before: dict[str, float]
    metrics: dict[str, float]
    thresholds: Thresholds
    base_thresholds: Thresholds
    stale: int = 0
    tensors: dict[str, Tensor] | None = field(default=None, repr=False)
    began_with: dict[str, float] | None = None
    highest: float | None = None

    def state(self) -> dict[str, Any]:
        """Return everything but the tensors as plain values."""
        return {
            "before": self.before, "metrics": self.metrics, "stale": self.stale,
            "began_with": self.began_with, "highest": self.highest,
            "thresholds": self.thresholds.model_dump(mode="json"),
            "base_thresholds": self.base_thresholds.model_dump(mode="json"),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: dict[str, Tensor]) -> Best:
        """Return what `state` said, with the tensors of a checkpoint."""
        return cls(
            state["before"], state["metrics"], Thresholds.model_validate(state["thresholds"]),
            Thresholds.model_validate(state["base_thresholds"]), state["stale"], tensors or None,
            state.get("began_with"), state.get("highest"),
        )  # fmt: skip

    def offer(self, metrics: dict[str, float], thresholds: Thresholds, tensors: dict[str, Tensor]) -> None:
        """Take an epoch that beats what the run began with, unless an earlier one was clearly better.

        Of epochs that the validation images cannot tell apart the later one has learned more.
        """
        now = validation.objective(metrics)
        highest = validation.objective(self.metrics) if self.highest is None else self.highest
        self.stale = 0 if now > highest + 1e-6 else self.stale + 1
        self.highest = max(highest, now)
        noise = NOISE / math.sqrt(max(1.0, metrics["true"]))
        if now > self._begun() + 1e-6 and now > self.highest - noise:
            self.metrics, self.thresholds, self.tensors = metrics, thresholds, tensors

    def _begun(self) -> float:
        begun = [m for m in (self.before, self.began_with) if m is not None]
        return max(validation.objective(m) for m in begun)

    def begin_with(
        self, metrics: dict[str, float], thresholds: Thresholds, tensors: dict[str, Tensor]
    ) -> None:
        """Take an earlier adapter where it is better than the base, and remember what it scored."""
        self.offer(metrics, thresholds, tensors)
        self.began_with, self.stale = metrics, 0


class EpochChoice:
    """Scores states of one model on the validation images and draws what they see.

    Parameters
    ----------
    model : SamModel
        Changed in place by training.
    images : list of TrainingImage
        To validate on; empty where there is no validation.
    folder : Path
        The run's.

    Attributes
    ----------
    fitted : int
        Images that the base's thresholds were fitted to.
    """

    def __init__(self, model: SamModel, images: list[TrainingImage], folder: Path) -> None:
        self.model, self.images, self.folder = model, images, folder / PREDICTIONS
        self.fitted = 0

    def base(self, train: list[TrainingImage], token: CancelToken) -> Best:
        """Score the base, its thresholds fitted to training images too: it has seen none of them."""
        if not self.images:
            return Best({}, {}, self.model.thresholds, self.model.thresholds)
        images = (self.images + train)[: max(len(self.images), MOST_FITTED)]
        self.fitted = len(images)
        found = base_candidates(self.model, images, token)
        thresholds, _ = validation.fit_thresholds(found, images, self.model.thresholds)
        count = len(self.images)
        metrics = validation.score(found[:count], self.images, thresholds)
        self._keep_base(found[0] if found else None, thresholds)
        return Best(metrics, metrics, thresholds, thresholds)

    def epoch(self, number: int, base: Thresholds, token: CancelToken) -> tuple[Thresholds, dict[str, float]]:
        """Score the model as it is now at thresholds that are fitted to it.

        Parameters
        ----------
        number : int
            Of the epoch, from 1; names the picture. 0 is an adapter that the run goes on from, not drawn.
        base : Thresholds
            The base's, from which thresholds drift at a cost.
        token : CancelToken
            Looked at between images.
        """
        found = validation.collect(self.model, self.images, token)
        thresholds, metrics = validation.fit_thresholds(found, self.images, base)
        if found and number:
            self._draw(number, self._labels(found[0], thresholds))
        return thresholds, metrics

    def _keep_base(self, found: Candidates | None, thresholds: Thresholds) -> None:
        if found is None:
            return
        labels = self._labels(found, thresholds)
        write_labels(self.folder / _BASE_LABELS, labels)
        self._draw(0, labels)

    def _labels(self, found: Candidates, thresholds: Thresholds) -> NDArray[np.integer]:
        return label_map(propose(found, thresholds), self.images[0].labels.shape)

    def _draw(self, number: int, now: NDArray[np.integer]) -> None:
        image, kept = self.images[0], self.folder / _BASE_LABELS
        columns = {"truth": image.labels}
        if number and kept.exists():
            columns["base"] = read_labels(kept, image.labels.shape)
        columns["base" if not number else f"after epoch {number}"] = now
        save_prediction(self.folder / f"epoch_{number:03d}.png", image.picture, columns)
