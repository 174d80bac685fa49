"""The stock predictor and generator run on particle-tiny unchanged."""

from __future__ import annotations

import numpy as np
from segment_anything import SamAutomaticMaskGenerator, SamPredictor


def test_predictor_takes_points_boxes_and_masks(tiny, picture):
    predictor = SamPredictor(tiny)
    predictor.set_image(np.repeat(picture[..., None], 3, 2))
    masks, scores, low = predictor.predict(np.array([[30, 20]]), np.array([1]), multimask_output=True)
    assert masks.shape == (3, *picture.shape) and masks.dtype == bool
    assert scores.shape == (3,) and low.shape == (3, 256, 256)
    masks, _, low = predictor.predict(
        box=np.array([10, 10, 60, 60]), mask_input=low[:1], multimask_output=False
    )
    assert masks.shape == (1, *picture.shape)
    assert np.isfinite(low).all()


def test_generator_returns_masks_of_the_picture(tiny, picture):
    generator = SamAutomaticMaskGenerator(
        tiny, points_per_side=2, pred_iou_thresh=-100.0, stability_score_thresh=-1.0
    )
    records = generator.generate(np.repeat(picture[..., None], 3, 2))
    assert records
    for record in records:
        assert record["segmentation"].shape == picture.shape
        assert record["area"] == record["segmentation"].sum()
