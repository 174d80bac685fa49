from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_particle_sam.learning.targets import dense_targets
from napari_particle_sam.sam.locator import find_centres, seen_area_fraction, typical_diameter
from napari_particle_sam.sam.locator_head import BOUNDARY, FOREGROUND

PIXEL = 2
SIDE = 200


def ideal(labels):
    """The head's output where it is always right."""
    maps = dense_targets(labels, PIXEL)
    for logit in (FOREGROUND, BOUNDARY):
        maps[logit] = np.where(maps[logit] > 0, 6.0, -6.0)
    return maps


def discs(rng, radii):
    labels = np.zeros((SIDE, SIDE), np.int32)
    rows, cols = np.indices(labels.shape)
    for label, radius in enumerate(radii, start=1):
        for _ in range(200):
            row, col = rng.uniform(radius, SIDE - radius, 2)
            disc = np.hypot(rows - row, cols - col) < radius
            if not labels[ndimage.binary_dilation(disc, iterations=2)].any():
                labels[disc] = label
                break
    return labels


def rods(rng):
    labels = np.zeros((SIDE, SIDE), np.int32)
    rows, cols = np.indices(labels.shape)
    for label, (row, col) in enumerate(((40, 50), (40, 150), (110, 100), (160, 50), (160, 150)), start=1):
        angle, length = rng.uniform(0, np.pi), rng.uniform(15, 32)
        along = (rows - row) * np.sin(angle) + (cols - col) * np.cos(angle)
        across = (rows - row) * np.cos(angle) - (cols - col) * np.sin(angle)
        labels[(abs(along) < length) & (abs(across) < 5)] = label
    return labels


def touching(rng):
    labels = np.zeros((SIDE, SIDE), np.int32)
    rows, cols = np.indices(labels.shape)
    seeds = [(r, c) for r in range(20, SIDE, 34) for c in range(20, SIDE, 34)]
    nearest = np.argmin([np.hypot(rows - r, cols - c) for r, c in seeds], 0)
    for label, (row, col) in enumerate(seeds, start=1):
        disc = np.hypot(rows - row, cols - col) < 19 + rng.uniform(0, 4)
        labels[disc & (nearest == label - 1)] = label
    return labels


SCENES = {
    "large discs": lambda rng: discs(rng, [22, 20, 18, 15, 12]),
    "small discs": lambda rng: discs(rng, [4] * 40),
    "mixed discs": lambda rng: discs(rng, [30, 20, 10, 6, 6, 5, 5, 4, 4, 3, 3]),
    "rods": rods,
    "touching": touching,
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scene", SCENES)
def test_every_particle_gets_a_prompt_and_few_get_many(scene, seed):
    labels = SCENES[scene](np.random.default_rng(seed))
    points = find_centres(ideal(labels), PIXEL)
    at = np.floor(points / PIXEL).astype(int)
    hit = labels[at[:, 0], at[:, 1]]
    missed = set(np.unique(labels)) - {0} - set(hit.tolist())
    assert not missed
    assert (hit > 0).all()
    assert len(points) <= 2.5 * labels.max()
    assert len(points) <= 1.5 * labels.max() or scene == "rods"


def test_the_typical_diameter_is_that_of_equal_discs():
    labels = discs(np.random.default_rng(0), [12] * 10)
    assert typical_diameter(ideal(labels), PIXEL) == pytest.approx(48, rel=0.15)


def test_nothing_is_found_on_background():
    maps = ideal(np.zeros((64, 64), np.int32))
    assert find_centres(maps, PIXEL).shape == (0, 2)
    assert typical_diameter(maps, PIXEL) is None


def test_maps_of_nonsense_do_not_fail():
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 40), (64, 48)):
        maps = rng.normal(0, 20, (5, *shape)).astype(np.float32)
        points = find_centres(maps, PIXEL)
        assert (points >= 0).all() and (points < np.array(shape) * PIXEL).all()


def test_the_area_fraction_around_what_is_seen():
    labels = np.zeros((256, 256), np.int32)
    labels[100:120, 100:120] = 1
    alone = seen_area_fraction(ideal(labels), PIXEL)
    labels[100:120, 121:141], labels[121:141, 100:120] = 2, 3
    labels[121:141, 121:141] = 4
    assert 0 < alone < 0.2 < seen_area_fraction(ideal(labels), PIXEL)
    assert seen_area_fraction(ideal(labels * 0), PIXEL) == 0
