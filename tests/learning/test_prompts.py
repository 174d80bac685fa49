from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED, UNKNOWN
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.prompts import MIN_VISIBLE, draw_prompts
from napari_particle_sam.learning.samples import Place, draw_batch, place_for


def labels():
    out = np.zeros((64, 64), np.int32)
    out[4:20, 4:30] = 3
    out[4:20, 30:60] = 7
    out[30:60, 10] = 8
    out[40, 40:44] = 9
    return out


@pytest.mark.parametrize("seed", range(10))
def test_points_lie_in_their_particles(seed):
    prompts = draw_prompts(np.random.default_rng(seed), labels(), 6, box_share=0.0, background=2)
    assert prompts.boxes is None and prompts.points.dtype == np.float32
    cols, rows = np.floor(prompts.points).astype(int).T
    np.testing.assert_array_equal(labels()[rows, cols], prompts.ids)
    assert sorted(prompts.ids) == [0, 0, 3, 7, 8]
    assert np.count_nonzero(labels() == 9) < MIN_VISIBLE


@pytest.mark.parametrize("seed", range(20))
def test_boxes_lie_about_their_particles_and_are_upright(seed):
    prompts = draw_prompts(np.random.default_rng(seed), labels(), 6, box_share=1.0)
    assert prompts.points is None and list(prompts.ids) == [3, 7, 8]
    left, top, right, bottom = prompts.boxes.T
    assert (left <= right).all() and (top <= bottom).all()
    np.testing.assert_allclose(prompts.boxes[0], [4, 4, 30, 20], atol=9)


def test_never_more_particles_than_asked_for():
    prompts = draw_prompts(np.random.default_rng(0), labels(), 2, box_share=0.0)
    assert len(prompts.ids) == 3 and (prompts.ids > 0).sum() == 2


def test_pictures_of_one_kind_only():
    background = draw_prompts(np.random.default_rng(0), np.zeros((9, 9), np.int32), 4)
    assert list(background.ids) == [0] and background.points.shape == (1, 2)
    full = draw_prompts(np.random.default_rng(0), np.ones((9, 9), np.int32), 4, box_share=0)
    assert list(full.ids) == [1]
    speck = np.ones((3, 3), np.int32)
    assert draw_prompts(np.random.default_rng(0), speck, 4) is None


def test_batches_are_a_function_of_seed_epoch_and_step(images, base):
    config = make_config("quick", batch_size=2, crop=128, seed=3)
    place = place_for(base, config.crop)
    first, again = (draw_batch(images, config, place, 1, 4) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert a.place == b.place
        np.testing.assert_array_equal(a.crop.grey, b.crop.grey)
        np.testing.assert_array_equal(a.prompts.ids, b.prompts.ids)
    for other in (
        draw_batch(images, config, place, 2, 4),
        draw_batch(images, config, place, 1, 5),
        draw_batch(images, make_config("quick", batch_size=2, crop=128, seed=4), place, 1, 4),
    ):
        assert not np.array_equal(other[0].crop.grey, first[0].crop.grey)


def test_an_epoch_sees_every_image_equally_often(images, base, monkeypatch):
    from napari_particle_sam.learning import samples

    seen = []
    draw = samples.random_crop
    monkeypatch.setattr(
        samples, "random_crop", lambda rng, picture, *a: seen.append(id(picture)) or draw(rng, picture, *a)
    )
    config = make_config("quick", batch_size=1, crop=128)
    for step in range(6):
        draw_batch(images, config, place_for(base, 128), 0, step)
    assert sorted(seen.count(id(i.picture)) for i in images) == [3, 3]


def test_crops_stand_inside_the_square_on_the_grid(base):
    place = place_for(base, 128)
    assert place == Place(128, 8, 512)
    rng = np.random.default_rng(0)
    corners = np.array([place.draw(rng) for _ in range(300)])
    assert corners.min() == 0 and corners.max() == 384 and not (corners % 8).any()
    assert Place(512, 8, 512).draw(rng) == (0, 0)
    assert place_for(base, 1024).crop == 512


def test_diameters_and_scale_come_from_the_labels(images):
    assert images[0].diameters() == pytest.approx([28, 40, 24], abs=1)
    assert images[0].scale(512) == pytest.approx(4)


@settings(max_examples=80, deadline=None)
@given(
    tiles=arrays(np.int32, (6, 6), elements=st.integers(0, 4)),
    kinds=arrays(np.uint8, (6, 6), elements=st.integers(0, 2)),
    seed=st.integers(0, 99),
)
def test_background_points_lie_in_reviewed_background(tiles, kinds, seed):
    drawn, regions = (np.kron(x, np.ones((4, 4), x.dtype)) for x in (tiles, kinds))
    prompts = draw_prompts(np.random.default_rng(seed), drawn, 3, 0.0, background=2, regions=regions)
    beside = (drawn == 0) & (regions == REVIEWED)
    asked = np.bincount(drawn[regions != IGNORE], minlength=5)[1:] >= MIN_VISIBLE
    if prompts is None:
        assert not beside.any() and not asked.any()
        return
    cols, rows = np.floor(prompts.points).astype(int).T
    assert beside[rows, cols][prompts.ids == 0].all()
    assert (prompts.ids == 0).sum() == min(2, beside.sum())
    particles = prompts.ids > 0
    assert (drawn[rows, cols] == prompts.ids)[particles].all()
    assert (regions[rows, cols] != IGNORE)[particles].all()


def test_accepted_particles_outside_are_asked_for_and_ignored_ones_are_not():
    regions = np.full((64, 64), UNKNOWN, np.uint8)
    regions[:, 30:] = IGNORE
    for share in (0.0, 1.0):
        prompts = draw_prompts(np.random.default_rng(1), labels(), 6, share, regions=regions)
        assert list(prompts.ids) == [3, 8]


def test_sizes_leave_ignored_particles_out(images):
    from dataclasses import replace

    regions = np.full(images[0].labels.shape, UNKNOWN, np.uint8)
    assert not replace(images[0], regions=regions).judges and images[0].judges
    regions[:, :60] = IGNORE
    assert replace(images[0], regions=regions).diameters() == pytest.approx([40], abs=1)
