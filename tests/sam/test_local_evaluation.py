"""Crop-local evaluation against the full-image path: SAM's two interpolations of uncropped logits."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from segment_anything.utils.transforms import ResizeLongestSide
from torch.nn import functional

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.evaluation_cache import evaluate
from napari_particle_sam.annotation.full_resolution import FullLogits
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.sam.engines.collect import crop_support

CLOSE = 1e-4


def full_image(logits, img_size, resized, shape):
    """Upsample as `Sam.postprocess_masks` does: to the padded square, cut, to the original size."""
    square = functional.interpolate(
        torch.from_numpy(logits)[None, None], (img_size, img_size), mode="bilinear", align_corners=False
    )
    cut = square[..., : resized[0], : resized[1]]
    return functional.interpolate(cut, shape, mode="bilinear", align_corners=False)[0, 0].numpy()


def random_logits(seed, side, kind):
    """Noise, smooth islands or one blob at an edge; some with steep, some with shallow slopes."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(side, side))
    if kind == "noise":
        return (4 * noise - rng.uniform(0, 6)).astype(np.float32)
    if kind == "islands":
        smooth = ndimage.gaussian_filter(noise, rng.uniform(1, 4))
        return (smooth * (rng.uniform(1, 8) / smooth.std()) - rng.uniform(0, 4)).astype(np.float32)
    row, col = rng.uniform(-3, side + 3, 2)
    rows, cols = np.indices((side, side))
    radius, slope = rng.uniform(0.3, side / 2), rng.uniform(0.2, 5)
    return (slope * (radius - np.hypot(rows - row, cols - col)) + 0.05 * noise).astype(np.float32)


SIDES = st.integers(1, 40) | st.integers(1, 300)


@settings(max_examples=250, deadline=None)
@given(
    shape=st.tuples(SIDES, SIDES),
    network=st.sampled_from([(16, 32), (16, 64), (32, 128), (64, 256)]),
    place=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["noise", "islands", "blob"]),
    floor=st.floats(-5, 0),
    cut=st.floats(0, 5),
    share=st.floats(0.05, 1),
)
def test_crop_local_evaluation_is_the_full_image_path(shape, network, place, seed, kind, floor, cut, share):
    low_res, img_size = network
    resized = ResizeLongestSide.get_preprocess_shape(*shape, img_size)
    if min(resized) < 1:
        return
    logits = random_logits(seed, low_res, kind)
    full = full_image(logits, img_size, resized, shape)
    crop, corner = crop_support(logits, floor)
    if crop.size == 0:
        assert (full <= floor + CLOSE).all()
        return
    candidates = alone(Frame(*place, *shape, *resized, img_size, low_res), crop, corner, floor)
    inside = check_logits(candidates, full, place, floor)
    cut += floor + 0.5
    thresholds = Thresholds(
        mask_threshold=min(cut, 5), stability_offset=max(share * min(cut - floor, 5.0), 1e-3)
    )
    check_pixels(candidates, full, place, thresholds, inside)


def alone(frame, crop, corner, floor):
    shape = frame.top + frame.rows + 5, frame.left + frame.cols + 5
    return Candidates(
        shape, (frame,), np.zeros(1, np.intp), np.zeros((1, 2), np.float32), np.ones(1, np.float32),
        (crop,), np.array([corner], np.intp), floor_logit=floor,
    )  # fmt: skip


def check_logits(candidates, full, place, floor):
    """Compare logits where the crop claims to know them; return where it does."""
    local, top, left = candidates.full_logits(0)
    row, col = top - place[0], left - place[1]
    window = np.s_[row : row + local.shape[0], col : col + local.shape[1]]
    assert full[window].shape == local.shape
    np.testing.assert_allclose(local, full[window], atol=CLOSE, rtol=0)
    inside = np.zeros(full.shape, bool)
    inside[window] = True
    assert (full[~inside] <= floor + CLOSE).all()
    return inside


def check_pixels(candidates, full, place, thresholds, inside):
    """Compare pixels and counts at the mask threshold and on both sides of it, packed and not."""
    cut, offset = thresholds.mask_threshold, thresholds.stability_offset
    for logits in (FullLogits(candidates), FullLogits(candidates, 0)):
        counts = logits.counts(np.array([0]), cut, offset)
        numbers = (counts.area[0], counts.loose[0], counts.tight[0])
        for level, number in zip((cut, cut - offset, cut + offset), numbers, strict=True):
            drawn = np.zeros(candidates.shape, bool)
            mask = logits.mask(0, level)
            drawn[mask.window] = mask.crop
            ours = drawn[place[0] :, place[1] :][: full.shape[0], : full.shape[1]]
            differs = ours != (full > level)
            assert (np.abs(full[differs] - level) < CLOSE).all()
            assert np.count_nonzero(drawn) == np.count_nonzero(ours) == number
            assert not ours[~inside].any()
    assert evaluate(candidates, thresholds).area[0] == counts.area[0]
