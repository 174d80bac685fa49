"""SAM's own generator, kept as the yardstick."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.stages import StageTimes
from napari_particle_sam.sam.model import SamModel

#: Logits that stand for certain pixels, far beyond any threshold.
CERTAIN = 20.0


def collect_reference(
    model: SamModel,
    picture: NDArray[np.uint8],
    thresholds: Thresholds,
    points_per_side: int,
    crop_layers: int,
    crop_downscale: int,
    times: StageTimes | None = None,
) -> Candidates:
    """Run `SamAutomaticMaskGenerator`; its masks are final, so its thresholds are the floors.

    Parameters
    ----------
    model : SamModel
        The model.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised field of view.
    thresholds : Thresholds
        Filters that the generator applies itself.
    points_per_side, crop_layers, crop_downscale : int
        The generator's own settings.
    times : StageTimes, optional
        Where seconds are counted; upsampling to full resolution is part of its ``decode``.

    Returns
    -------
    Candidates
        Masks at full resolution with the generator's scores.
    """
    generator = SamAutomaticMaskGenerator(
        model.sam,
        points_per_side=points_per_side,
        pred_iou_thresh=thresholds.pred_iou,
        stability_score_thresh=thresholds.stability,
        stability_score_offset=thresholds.stability_offset,
        crop_n_layers=crop_layers,
        crop_n_points_downscale_factor=crop_downscale,
        min_mask_region_area=0,
    )
    records = _run(generator, np.repeat(picture[..., None], 3, 2), times or StageTimes())
    masks = [Mask.from_array(r["segmentation"]) for r in records]
    return Candidates(
        picture.shape,
        (_identity_frame(picture.shape),),
        np.zeros(len(records), np.intp),
        np.array([r["point_coords"][0][::-1] for r in records], np.float32).reshape(-1, 2),
        np.array([r["predicted_iou"] for r in records], np.float32),
        tuple(np.where(m.crop, CERTAIN, -CERTAIN).astype(np.float32) for m in masks),
        np.array([(m.top, m.left) for m in masks], np.intp).reshape(-1, 2),
        np.array([r["stability_score"] for r in records], np.float32),
        thresholds.pred_iou,
        -thresholds.stability_offset,
    )


def _run(generator: SamAutomaticMaskGenerator, image: NDArray[np.uint8], times: StageTimes) -> list[dict]:
    """Run the generator and count what its predictor takes apart from the rest."""
    predictor, inner = generator.predictor, StageTimes()
    encode, decode = predictor.set_image, predictor.predict_torch
    predictor.set_image = _counted(encode, inner, "encode")
    predictor.predict_torch = _counted(decode, inner, "decode")
    began = time.perf_counter()
    records = generator.generate(image)
    inner.add("post", time.perf_counter() - began - sum(inner.seconds.values()))
    for name, seconds in inner.seconds.items():
        times.add(name, seconds)
    return records


def _counted(function: Callable[..., Any], times: StageTimes, stage: str) -> Callable[..., Any]:
    def run(*args: Any, **values: Any) -> Any:
        with times.stage(stage):
            return function(*args, **values)

    return run


def _identity_frame(shape: tuple[int, int]) -> Frame:
    return Frame(0, 0, *shape, *shape, max(shape), max(shape))
