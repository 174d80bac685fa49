"""Measure a model on whole images: the generator's label map, and single-point prompts."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.model import SamModel

#: Thresholds that are tried when they are fitted to validation images.
PRED_IOU_GRID = (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)
STABILITY_GRID = (0.6, 0.7, 0.8)
NESTING_GRID = (0.02, 0.05, 0.1, 0.2)
#: Objective that a threshold must gain per unit that it moves.
DRIFT_COST = 0.2


def collect(model: SamModel, images: list[TrainingImage], token: CancelToken) -> list[Candidates]:
    """Collect the candidates of every image with the model's default engine."""
    found = []
    for image in images:
        job = generate(model, image.picture, GenerateSettings(thresholds=model.thresholds), token)
        found.append(run_job(job))
    return found


def score(
    candidates: list[Candidates],
    images: list[TrainingImage],
    thresholds: Thresholds,
    evaluated: list[Evaluated] | None = None,
) -> dict[str, float]:
    """Return pooled metrics of the label maps at these thresholds, on reviewed regions only."""
    scores = []
    kept = evaluated or [None] * len(candidates)
    for found, image, masks in zip(candidates, images, kept, strict=True):
        labels = label_map(propose(found, thresholds, masks), image.labels.shape)
        scores.append(score_image(labels, image.labels, thresholds.min_area, regions=image.regions))
    return pool(scores)


def objective(metrics: dict[str, float]) -> float:
    """Return the number by which checkpoints and thresholds are chosen.

    `map` still tells good outlines from better ones where both F1 are at 1.
    """
    return (metrics["f1@0.5"] + metrics["f1@0.75"] + metrics["map"]) / 3


def _cost(tried: Thresholds, start: Thresholds) -> float:
    """Return what moving the thresholds must gain: one validation image is easily overfitted."""
    moved = (
        abs(tried.pred_iou - start.pred_iou)
        + abs(tried.stability - start.stability)
        + abs(tried.nesting_margin - start.nesting_margin)
    )
    return DRIFT_COST * moved


def fit_thresholds(
    candidates: list[Candidates], images: list[TrainingImage], start: Thresholds
) -> tuple[Thresholds, dict[str, float]]:
    """Choose predicted IoU, stability and nesting margin on images, without the network.

    Parameters
    ----------
    candidates : list of Candidates
        Of the images.
    images : list of TrainingImage
        Images whose candidates the model did not train on.
    start : Thresholds
        Kept where nothing is better.

    Returns
    -------
    tuple
        The thresholds and the metrics there.
    """
    evaluated = [evaluate(c, start) for c in candidates]
    metrics = score(candidates, images, start, evaluated)
    best, most = start, objective(metrics)
    floor = max(c.floor_iou for c in candidates)
    scores = [
        {"pred_iou": p, "stability": s} for p, s in product(PRED_IOU_GRID, STABILITY_GRID) if p >= floor
    ]
    nesting = [{"nesting_margin": n} for n in NESTING_GRID]
    for changes in scores, nesting:
        centre = best
        for change in changes:
            tried = centre.model_copy(update=change)
            found = score(candidates, images, tried, evaluated)
            worth = objective(found) - _cost(tried, start)
            if worth > most + 1e-6:
                best, metrics, most = tried, found, worth
    return best, metrics


def diameter_range(images: list[TrainingImage]) -> tuple[float, float] | None:
    """Return the 5th and 95th percentile of the particles' diameters in pixels."""
    sizes: NDArray[np.float64] = np.concatenate([i.diameters() for i in images])
    if len(sizes) == 0:
        return None
    low, high = np.percentile(sizes, (5, 95))
    return float(low), float(high)
