"""Packed logits against the plain way: upsample, cut, count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_particle_sam.annotation import full_resolution
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.full_resolution import FullLogits
from napari_particle_sam.annotation.masks import Mask

ROWS, COLS, LOW = 61, 43, 24
FLOOR = -2.0


def random_candidates(seed, count, field_rows=None):
    """Candidates of one frame in the middle of a micrograph; their logits reach far above and below."""
    rng = np.random.default_rng(seed)
    logits, corners = [], []
    for _ in range(count):
        rows, cols = rng.integers(1, LOW + 1, 2)
        noise = ndimage.gaussian_filter(rng.normal(size=(rows, cols)), rng.uniform(0, 2))
        spread = rng.choice([1, 4, 20]) / max(float(noise.std()), 1e-3)
        logits.append((noise * spread + rng.uniform(-4, 4)).astype(np.float32))
        corners.append((rng.integers(0, LOW + 1 - rows), rng.integers(0, LOW + 1 - cols)))
    return Candidates(
        (100, 90), (Frame(20, 30, ROWS, COLS, 48, 34, 48, LOW),), np.zeros(count, np.intp),
        np.zeros((count, 2), np.float32), np.ones(count, np.float32), tuple(logits),
        np.array(corners, np.intp).reshape(-1, 2), floor_logit=FLOOR, field_rows=field_rows,
    )  # fmt: skip


def plainly(candidates, index, cut, offset):
    full, top, left = candidates.full_logits(index)
    field = candidates.field_rows or candidates.shape[0]
    mask = Mask.from_array(full[: max(0, field - top)] > np.float32(cut), top, left)
    return mask, *(np.count_nonzero(full > np.float32(cut + s * offset)) for s in (-1, 1))


def a_logit_of(candidates):
    """A threshold that equals a logit exactly, where one is high enough."""
    full = np.concatenate([candidates.full_logits(i)[0].ravel() for i in range(len(candidates))])
    high = full[(full > FLOOR) & (full < 5)]
    return float(high[len(high) // 2]) if len(high) else 0.0


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 6),
    field_rows=st.sampled_from([None, 15, 20, 45, 81]),
    cuts=st.lists(st.floats(FLOOR, 10), min_size=1, max_size=4),
    share=st.floats(0, 1),
    budget=st.sampled_from([0, 4000, 10**9]),
)
def test_masks_and_counts_are_those_of_the_plain_way(seed, count, field_rows, cuts, share, budget):
    candidates = random_candidates(seed, count, field_rows)
    packed = FullLogits(candidates, budget)
    for cut in [*cuts, FLOOR, full_resolution.HIGHEST, a_logit_of(candidates)]:
        offset = share * (cut - FLOOR)
        found = packed.counts(np.arange(count)[::-1], cut, offset)
        for place, index in enumerate(range(count - 1, -1, -1)):
            mask, loose, tight = plainly(candidates, index, cut, offset)
            numbers = (found.area[place], found.loose[place], found.tight[place])
            assert numbers == (mask.area, loose, tight)
            got = packed.mask(index, cut)
            assert (got.area == 0 and mask.area == 0) or got.equals(mask)
            top, left, bottom, right = found.boxes[place]
            if mask.area:
                assert top <= mask.box[0] and left <= mask.box[1]
                assert bottom >= mask.box[2] and right >= mask.box[3]


def test_no_more_bytes_are_kept_than_told():
    candidates = random_candidates(3, 20)
    index = np.arange(20)
    everything = FullLogits(candidates)
    everything.counts(index, 0.0, 1.0)
    assert everything.held_bytes > 8000
    some = FullLogits(candidates, 8000)
    some.counts(index, 0.0, 1.0)
    assert 0 < some.held_bytes <= 8000
    none = FullLogits(candidates, 0)
    none.counts(index, 0.0, 1.0)
    assert none.held_bytes == 0


def test_a_support_without_pixels_counts_nothing():
    empty = replace(random_candidates(0, 1), logits=(np.zeros((0, 0), np.float32),))
    found = FullLogits(empty).counts(np.array([0]), 0.0, 1.0)
    assert (found.area[0], found.loose[0], found.tight[0]) == (0, 0, 0)
    assert FullLogits(empty).mask(0, 0.0).area == 0
