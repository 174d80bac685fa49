from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.regions import IGNORE, REVIEWED
from napari_particle_sam.learning.augmentation import Augmentation, random_crop
from napari_particle_sam.learning.crops import cut_crop

RNG = np.random.default_rng(5)
PICTURE = RNG.integers(0, 256, (90, 120)).astype(np.uint8)
LABELS = np.kron(RNG.integers(0, 9, (9, 12)), np.ones((10, 10), int)).astype(np.int32)
#: Grey says which label it is, so that both can be compared after any move.
TWIN = (LABELS * 25).astype(np.uint8)


def test_a_crop_at_scale_one_is_the_picture_itself():
    crop = cut_crop(PICTURE, LABELS, (40, 60), 1.0, 64)
    np.testing.assert_array_equal(crop.grey, PICTURE[8:72, 28:92])
    np.testing.assert_array_equal(crop.labels, LABELS[8:72, 28:92])
    assert crop.inside.all()
    assert (crop.grey.dtype, crop.labels.dtype, crop.inside.dtype) == (np.float32, np.int32, bool)


def test_beyond_the_picture_there_is_nothing():
    crop = cut_crop(PICTURE, LABELS, (0, 0), 1.0, 64)
    assert crop.inside[32:, 32:].all() and not crop.inside[:32].any() and not crop.inside[:, :32].any()
    assert not crop.labels[~crop.inside].any()
    np.testing.assert_array_equal(crop.grey[32:, 32:], PICTURE[:32, :32])
    assert not cut_crop(PICTURE, LABELS, (1000, 1000), 1.0, 64).inside.any()


@pytest.mark.parametrize("scale", [0.3, 0.77, 1.0, 1.9, 4.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, -2.2, np.pi / 2])
def test_labels_stay_on_their_particles(scale, angle):
    crop = cut_crop(TWIN, LABELS, (45, 60), scale, 64, angle)
    assert crop.grey.shape == crop.labels.shape == crop.inside.shape == (64, 64)
    calm = np.ones(crop.labels.shape, bool)
    reach = 3
    for row in range(-reach, reach + 1):
        for col in range(-reach, reach + 1):
            moved = np.roll(crop.labels, (row, col), (0, 1)), np.roll(crop.inside, (row, col), (0, 1))
            calm &= (moved[0] == crop.labels) & moved[1]
    calm[:reach], calm[-reach:], calm[:, :reach], calm[:, -reach:] = False, False, False, False
    if scale >= 1:
        assert calm.sum() > 20
    np.testing.assert_allclose(crop.grey[calm], crop.labels[calm] * 25, atol=1.5)


def test_a_quarter_turn_is_a_quarter_turn():
    plain = cut_crop(TWIN, LABELS, (45, 60), 1.0, 40)
    turned = cut_crop(TWIN, LABELS, (45, 60), 1.0, 40, np.pi / 2)
    same = [np.mean(np.rot90(plain.labels, k) == turned.labels) for k in range(4)]
    assert max(same[1], same[3]) > 0.95


def test_particles_have_the_size_that_the_scale_says():
    labels = np.zeros((200, 200), np.int32)
    labels[80:120, 80:120] = 1
    for scale in (0.25, 0.5, 1.5, 2.0):
        crop = cut_crop(labels.astype(np.uint8), labels, (100, 100), scale, 96)
        assert crop.labels.sum() == pytest.approx((40 * scale) ** 2, rel=0.12)


@pytest.mark.parametrize("seed", range(6))
def test_random_crops_keep_grey_and_labels_together(seed):
    settings = Augmentation(size=64, scale=(0.8, 2.0), invert=0.0, intensity=0.0, rotate=0.5)
    crop = random_crop(np.random.default_rng(seed), TWIN, LABELS, 1.0, settings)
    close = np.abs(crop.grey - crop.labels * 25) < 1.5
    assert close[crop.inside].mean() > 0.4
    for label in np.unique(crop.labels[crop.inside]):
        mine = crop.inside & (crop.labels == label)
        if mine.sum() > 60:
            assert np.median(crop.grey[mine]) == pytest.approx(label * 25, abs=1.5)


def test_random_crops_repeat_with_their_seed_and_stay_in_range():
    settings = Augmentation(size=64)
    first, again = (random_crop(np.random.default_rng(4), PICTURE, LABELS, 1.0, settings) for _ in range(2))
    np.testing.assert_array_equal(first.grey, again.grey)
    np.testing.assert_array_equal(first.labels, again.labels)
    other = random_crop(np.random.default_rng(5), PICTURE, LABELS, 1.0, settings)
    assert not np.array_equal(first.grey, other.grey)
    assert first.grey.min() >= 0 and first.grey.max() <= 255


def test_pictures_without_particles_and_tiny_pictures_give_crops():
    settings = Augmentation(size=64, scale=(0.5, 2))
    for shape in ((5, 300), (40, 40)):
        crop = random_crop(
            np.random.default_rng(0), np.zeros(shape, np.uint8), np.zeros(shape, np.int32), 1.0, settings
        )
        assert crop.grey.shape == (64, 64) and crop.inside.any() and not crop.labels.any()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.2, 4),
    angle=st.one_of(st.just(0.0), st.floats(-np.pi, np.pi)),
    centre=st.tuples(st.floats(-40, 130), st.floats(-40, 160)),
)
def test_regions_go_wherever_labels_go(seed, scale, angle, centre):
    regions = (LABELS * 7 % 3).astype(np.uint8)
    crop = cut_crop(PICTURE, LABELS, centre, scale, 48, angle, regions)
    np.testing.assert_array_equal(crop.regions[crop.inside], (crop.labels * 7 % 3)[crop.inside])
    assert crop.regions.dtype == np.uint8 and (crop.regions[~crop.inside] == IGNORE).all()
    asked = Augmentation(size=48, scale=(scale, scale * 1.1))
    crop = random_crop(np.random.default_rng(seed), PICTURE, LABELS, 1.0, asked, regions)
    np.testing.assert_array_equal(crop.regions[crop.inside], (crop.labels * 7 % 3)[crop.inside])
    assert (crop.regions[~crop.inside] == IGNORE).all()


def test_without_a_region_map_all_of_the_picture_is_reviewed():
    crop = cut_crop(PICTURE, LABELS, (10, 10), 1.0, 64, 0.3)
    np.testing.assert_array_equal(crop.regions, np.where(crop.inside, REVIEWED, IGNORE))


def test_crops_look_where_something_is_reviewed():
    labels, regions = np.zeros((400, 400), np.int32), np.zeros((400, 400), np.uint8)
    regions[180:220, 180:220], regions[300:] = REVIEWED, IGNORE
    labels[350:380, 350:380] = 3
    asked = Augmentation(size=64, scale=(1, 1.0001))
    for seed in range(12):
        crop = random_crop(np.random.default_rng(seed), labels.astype(np.uint8), labels, 1.0, asked, regions)
        assert (crop.regions == REVIEWED).any()
    unknown = np.zeros_like(regions)
    random_crop(np.random.default_rng(0), labels.astype(np.uint8), labels, 1.0, asked, unknown)


def test_a_map_that_is_all_reviewed_changes_no_draw():
    asked = Augmentation(size=64)
    all_of_it = np.full(LABELS.shape, REVIEWED, np.uint8)
    for seed in range(6):
        first, again = (
            random_crop(np.random.default_rng(seed), PICTURE, LABELS, 1.0, asked, r)
            for r in (None, all_of_it)
        )
        np.testing.assert_array_equal(first.grey, again.grey)
