"""One engine on one picture, timed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.sam_filter import sam_survivors
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.base.peak_memory import PeakMemory, peak_memory
from napari_particle_sam.base.stages import StageTimes
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.workflow.benchmarking.fields import BenchField
from napari_particle_sam.workflow.propose import cut_ignored

#: The stages of every engine.
STAGES = ("encode", "decode", "post")


@dataclass(frozen=True, eq=False)
class FinalMasks:
    """Masks as SAM's own generator gives them back, before the rule of the label map.

    Attributes
    ----------
    masks : list of Mask
        In the generator's order.
    predicted_iou, stability : ndarray of float and shape (N,)
        Their scores.
    """

    masks: list[Mask]
    predicted_iou: NDArray[np.floating]
    stability: NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Run:
    """What one engine did with one picture.

    Attributes
    ----------
    seconds : dict of str to float
        By stage, from `STAGES`. `post` holds what comes after the network up to the finished label map.
    labels_seconds : float
        The part of `post` that makes the label map from the candidates.
    total : float
        Seconds from the normalised picture to the label map.
    memory : PeakMemory
        Of the same span.
    labels : ndarray of uint16 and shape (rows, cols)
        The label map.
    final : FinalMasks
        What passes SAM's own filters.
    """

    seconds: dict[str, float]
    labels_seconds: float
    total: float
    memory: PeakMemory
    labels: NDArray[np.uint16]
    final: FinalMasks


def run_engine(model: SamModel, field: BenchField, settings: GenerateSettings, token: CancelToken) -> Run:
    """Run one engine on one picture.

    Parameters
    ----------
    model : SamModel
        The model, in memory already.
    field : BenchField
        The picture.
    settings : GenerateSettings
        The engine; its thresholds make the label map as well.
    token : CancelToken
        Stops between two batches of prompts.

    Returns
    -------
    Run

    Raises
    ------
    BadValueError
        If the field of view is too narrow.
    CancelledError
        If the token was cancelled.
    """
    thresholds, times, after = settings.thresholds, StageTimes(), StageTimes()
    with peak_memory() as memory:
        began = time.perf_counter()
        found = run_job(generate(model, field.picture, settings, token, field.field_rows, times))
        with after.stage("labels"):
            evaluated = evaluate(found, thresholds)
            proposals = propose(found, thresholds, evaluated)
            if field.regions is not None:
                proposals = cut_ignored(proposals, field.regions, thresholds.min_area)
            labels = label_map(proposals, field.picture.shape)
        total = time.perf_counter() - began
    times.add("post", after.seconds["labels"])
    reference = settings.engine == "reference"
    kept = list(range(len(found))) if reference else sam_survivors(found, thresholds, evaluated)
    seconds = {name: times.seconds.get(name, 0.0) for name in STAGES}
    return Run(seconds, after.seconds["labels"], total, memory, labels, _final(evaluated, kept))


def warm_up(model: SamModel, settings: GenerateSettings, token: CancelToken) -> None:
    """Run an engine once on a tiny picture, so that nobody pays for what is loaded on first use."""
    picture = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
    run_engine(model, BenchField("warm-up", picture, 48, None, None), settings, token)


def _final(evaluated: Evaluated, kept: list[int]) -> FinalMasks:
    index = np.array(kept, np.intp)
    stability, _ = evaluated.measure(index)
    return FinalMasks([evaluated.masks[i] for i in kept], evaluated.predicted_iou[index], stability)
