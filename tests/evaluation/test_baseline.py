from __future__ import annotations

import numpy as np
import pytest

from napari_particle_sam.evaluation.baseline import segment_classical
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image


def discs(*circles: tuple[int, int, int]) -> np.ndarray:
    labels = np.zeros((160, 200), np.uint16)
    rows, cols = np.indices(labels.shape)
    for label, (row, col, radius) in enumerate(circles, start=1):
        labels[((rows - row) ** 2 + (cols - col) ** 2 <= radius**2) & (labels == 0)] = label
    return labels


TRUTH = discs((40, 40, 20), (40, 76, 18), (110, 60, 25), (110, 140, 16), (40, 150, 12))


@pytest.mark.parametrize("sign", [1, -1])
def test_finds_drawn_discs_bright_or_dark(sign):
    noise = np.random.default_rng(0).normal(0, 10, TRUTH.shape)
    picture = np.clip(128 + sign * np.where(TRUTH > 0, 70, -30) + noise, 0, 255).astype(np.uint8)
    values = pool([score_image(segment_classical(picture), TRUTH)])
    assert values["f1@0.5"] == 1
    assert values["ecd_error"] < 0.05


def test_divides_touching_discs():
    assert segment_classical((TRUTH > 0) * 200.0).max() == 5


def test_small_specks_and_the_data_bar_are_left_out():
    picture = (discs((40, 40, 20), (90, 90, 2)) > 0) * np.uint8(200)
    picture[140:] = 255
    labels = segment_classical(picture, field_rows=140)
    assert labels.dtype == np.uint16
    assert labels.max() == 1
    assert not labels[140:].any()


def test_a_constant_picture_has_no_particles():
    assert not segment_classical(np.full((20, 30), 7, np.uint8)).any()
