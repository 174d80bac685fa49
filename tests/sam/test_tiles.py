from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.sam.passes import off_seams, only_large
from napari_particle_sam.sam.scale import (
    LARGEST_SCALE,
    PACKED,
    SMALL,
    SMALL_PACKED,
    WANTED,
    WANTED_PACKED,
    choose_scale,
    whole_image_scale,
)
from napari_particle_sam.sam.tiles import plan_tiles

sizes = st.integers(1, 3000)


@given(shape=st.tuples(sizes, sizes), side=st.integers(64, 900), share=st.floats(0, 0.99))
def test_tiles_cover_every_pixel_and_share_what_was_asked(shape, side, share):
    overlap = int(share * side)
    assume(max(shape) < 60 * (side - overlap))
    tiles = plan_tiles(shape, side, overlap)
    assert len(set(tiles)) == len(tiles)
    for axis in (0, 1):
        spans = sorted({(t[axis], t[axis] + t[axis + 2]) for t in tiles})
        assert spans[0][0] == 0 and spans[-1][1] == shape[axis]
        assert all(stop - start == min(side, shape[axis]) for start, stop in spans)
        for (_, stop), (start, _) in zip(spans, spans[1:], strict=False):
            assert stop - start >= math.floor(overlap)
    assert len(tiles) == len({t[0] for t in tiles}) * len({t[1] for t in tiles})


@given(shape=st.tuples(sizes, sizes), diameters=st.tuples(st.floats(0.5, 500), st.floats(0.5, 500)))
def test_smaller_particles_never_get_a_smaller_scale_by_much(shape, diameters):
    small, large = sorted(diameters)
    whole = whole_image_scale(shape, 512)
    scales = choose_scale(shape, 512, small), choose_scale(shape, 512, large)
    assert scales[0] >= scales[1]
    assert all(whole <= s <= max(whole, LARGEST_SCALE) for s in scales)


def test_the_scale_without_particles_is_the_whole_image():
    for unknown in (None, 0.0, -1.0):
        assert choose_scale((1000, 2000), 512, unknown) == pytest.approx(0.256)
    assert choose_scale((1000, 2000), 512, SMALL / 0.256) == pytest.approx(0.256)
    assert choose_scale((1000, 2000), 512, 0.99 * SMALL / 0.256) == pytest.approx(
        0.256 / 0.99 * WANTED / SMALL
    )
    assert choose_scale((1000, 2000), 512, 4) == LARGEST_SCALE


def test_particles_that_touch_are_looked_at_more_closely():
    whole, diameter = 0.256, 0.99 * SMALL_PACKED / 0.256
    assert choose_scale((1000, 2000), 512, diameter, 0.9 * PACKED) == pytest.approx(whole)
    assert choose_scale((1000, 2000), 512, diameter, PACKED) == pytest.approx(WANTED_PACKED / diameter)
    assert choose_scale((1000, 2000), 512, SMALL_PACKED / 0.256, 1.0) == pytest.approx(whole)
    assert choose_scale((1000, 2000), 512, 4, 1.0) == LARGEST_SCALE
    assert choose_scale((1000, 2000), 512, None, 1.0) == pytest.approx(whole)


def in_frame(frame, boxes, shape):
    """Candidates whose logits are 3 in the given ``(top, left, bottom, right)`` of cells."""
    return Candidates(
        shape,
        (frame,),
        np.zeros(len(boxes), np.intp),
        np.zeros((len(boxes), 2), np.float32),
        np.ones(len(boxes), np.float32),
        tuple(
            np.pad(np.full((b[2] - b[0], b[3] - b[1]), 3.0, np.float32), 1, constant_values=-1) for b in boxes
        ),
        np.array([(b[0] - 1, b[1] - 1) for b in boxes], np.intp).reshape(-1, 2),
    )


BOXES = [(0, 40, 10, 50), (40, 0, 50, 10), (118, 40, 128, 50), (40, 118, 50, 128), (40, 40, 50, 50)]


@pytest.mark.parametrize(
    ("corner", "left"),
    [((0, 0), {0, 1, 4}), ((0, 100), {0, 3, 4}), ((50, 50), {4}), ((100, 100), {2, 3, 4})],
)
def test_masks_at_seams_go_and_masks_at_the_image_edge_stay(corner, left):
    frame = Frame(*corner, 100, 100, 256, 256, 256, 128)
    found = off_seams(in_frame(frame, BOXES, (200, 200)), (200, 200))
    kept = {
        i
        for i, box in enumerate(BOXES)
        if (box[0] - 1, box[1] - 1) in {tuple(c) for c in found.corners.tolist()}
    }
    assert kept == left


def test_seams_of_an_unpadded_edge_count_too():
    frame = Frame(0, 0, 50, 99, 129, 256, 256, 128)
    box = (50, 40, 65, 50)
    assert len(off_seams(in_frame(frame, [box], (80, 99)), (80, 99))) == 0
    assert len(off_seams(in_frame(frame, [box], (50, 99)), (50, 99))) == 1


def test_the_whole_image_keeps_what_tiles_cannot_show():
    frame = Frame(0, 0, 256, 256, 128, 128, 128, 64)
    boxes = [(10, 10, 15, 15), (10, 10, 12, 30), (10, 10, 40, 40)]
    found = only_large(in_frame(frame, boxes, (256, 256)), 80)
    assert [c.shape for c in found.logits] == [(4, 22), (32, 32)]


def test_a_large_image_is_looked_at_again_until_sizes_are_legible(monkeypatch):
    """Clumps in the small view, grains in the closer one."""
    from types import SimpleNamespace

    from napari_particle_sam.sam import passes

    model = SimpleNamespace(img_size=512)
    looked = []

    def view(window):
        looked.append(window)
        # in input pixels nothing is ever seen smaller than 16
        scale = 512 / max(window[2:])
        frame = SimpleNamespace(rows=window[2], input_rows=window[2] * scale)
        return SimpleNamespace(locator=max(16.0, 40.0 * scale), frame=frame)

    monkeypatch.setattr(passes, "pixels_per_cell", lambda model: 1.0)
    monkeypatch.setattr(passes, "typical_diameter", lambda maps, pixel: maps)
    monkeypatch.setattr(passes, "seen_area_fraction", lambda maps, pixel: 0.1)
    shape = (8192, 8192)
    plan = passes.plan_passes(model, view((0, 0, *shape)), shape, view)
    side = plan.windows[0][2]
    assert 0.8 * 36 <= 40 * 512 / side <= 1.2 * 36
    assert 2 < len(looked) <= 1 + passes.MOST_LOOKS * passes.LOOKS
    looked.clear()
    small = (700, 1000)
    passes.plan_passes(model, view((0, 0, *small)), small, view)
    assert len(looked) == 1
