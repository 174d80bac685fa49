from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide

from napari_particle_sam.annotation.candidates import (
    Candidates,
    Frame,
    join_candidates,
    select_candidates,
)
from napari_particle_sam.sam.engines.collect import crop_support


def one_candidate(frame, logits, corner, shape):
    return Candidates(
        shape,
        (frame,),
        np.zeros(1, np.intp),
        np.zeros((1, 2), np.float32),
        np.ones(1, np.float32),
        (logits,),
        np.array([corner], np.intp),
    )


def upsample_as_sam(logits, img_size, resized, shape):
    """SAM's own two interpolations; `Sam.postprocess_masks` needs no more of a model than this."""
    model = SimpleNamespace(image_encoder=SimpleNamespace(img_size=img_size))
    return Sam.postprocess_masks(model, torch.from_numpy(logits)[None, None], resized, shape)[0, 0].numpy()


def smooth_logits(seed, side, blur):
    noise = np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32)
    smooth = ndimage.gaussian_filter(noise, blur)
    return (smooth * (3 / smooth.std()) - 2).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(2, 150), st.integers(2, 150)),
    sides=st.sampled_from([(32, 64), (32, 128), (64, 128)]),
    seed=st.integers(0, 10**6),
    blur=st.sampled_from([0.3, 1.0, 2.5]),
    floor=st.sampled_from([-3.0, -2.0, -0.5]),
    threshold=st.floats(-0.4, 2),
)
def test_logits_inside_the_support_are_those_of_sam(shape, sides, seed, blur, floor, threshold):
    low_res, img_size = sides
    resized = ResizeLongestSide.get_preprocess_shape(*shape, img_size)
    if min(resized) < 1:
        return
    logits = smooth_logits(seed, low_res, blur)
    full = upsample_as_sam(logits, img_size, resized, shape)
    frame = Frame(0, 0, *shape, *resized, img_size, low_res)
    crop, corner = crop_support(logits, floor)
    if crop.size == 0:
        assert (full <= floor + 1e-4).all()
        return
    local, top, left = one_candidate(frame, crop, corner, shape).full_logits(0)
    window = np.s_[top : top + local.shape[0], left : left + local.shape[1]]
    assert local.shape == full[window].shape
    np.testing.assert_allclose(local, full[window], atol=1e-4)
    outside = np.ones(shape, bool)
    outside[window] = False
    assert (full[outside] <= floor + 1e-4).all()
    differs = (local > threshold) != (full[window] > threshold)
    assert (np.abs(full[window][differs] - threshold) < 1e-4).all()


def test_a_frame_of_a_tile_puts_its_pixels_where_the_tile_is():
    frame = Frame(100, 200, 32, 64, 64, 128, 128, 64)
    logits = np.full((64, 64), 3.0, np.float32)
    full, top, left = one_candidate(frame, logits, (0, 0), (500, 500)).full_logits(0)
    assert (top, left, full.shape) == (100, 200, (32, 64))
    np.testing.assert_allclose(full, 3.0, rtol=1e-6)


def test_weights_of_every_pixel_sum_to_one():
    frame = Frame(0, 0, 333, 77, 512, 118, 512, 256)
    for matrix, count in ((frame.row_matrix, 333), (frame.col_matrix, 77)):
        assert matrix.shape == (count, 256)
        np.testing.assert_allclose(matrix.sum(1), 1, atol=1e-6)
        assert ((matrix != 0).sum(1) <= 3).all()


def test_a_frame_at_full_resolution_changes_nothing():
    frame = Frame(0, 0, 20, 30, 20, 30, 30, 30)
    crop = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    full, top, left = one_candidate(frame, crop, (14, 22), (20, 30)).full_logits(0)
    assert (top, left) == (14, 22)
    np.testing.assert_array_equal(full, crop)


def two_passes():
    frames = [Frame(0, 0, 8, 8, 8, 8, 8, 8), Frame(8, 0, 8, 8, 8, 8, 8, 8)]
    parts = []
    for k, frame in enumerate(frames):
        one = one_candidate(frame, np.full((2, 2), 4.0 + k, np.float32), (1, 1), (16, 8))
        parts.append(one)
    return parts


def test_joined_passes_keep_their_frames():
    joined = join_candidates(two_passes())
    assert len(joined) == 2
    assert [joined.full_logits(i)[1] for i in (0, 1)] == [1, 9]
    assert joined.full_logits(1)[0].max() == pytest.approx(5)
    assert joined.stability is None


def test_selection_keeps_what_was_asked_for():
    joined = join_candidates(two_passes())
    assert [c.full_logits(0)[1] for c in (select_candidates(joined, np.array([1])),)] == [9]
    assert len(select_candidates(joined, np.array([], np.intp))) == 0
    empty = join_candidates([select_candidates(p, np.array([], np.intp)) for p in two_passes()])
    assert len(empty) == 0 and empty.corners.shape == (0, 2)
