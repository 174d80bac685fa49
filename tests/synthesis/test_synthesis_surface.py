import numpy as np
import pytest

from napari_particle_sam.synthesis.fields import fractal_noise, ring_noise, smooth_noise
from napari_particle_sam.synthesis.surface import Body, Heap, Visible, labels_from_owner


def box(reach: int, height: float) -> Body:
    inside = np.ones((2 * reach + 1, 2 * reach + 1), bool)
    top = np.full(inside.shape, height / 2, np.float32)
    return Body(inside, top, -top)


def test_a_body_rests_on_what_lies_below_and_hides_it():
    heap = Heap((40, 40), 8)
    heap.drop(box(6, 4), np.array([[20, 20]]))
    heap.drop(box(3, 2), np.array([[20, 24]]))
    assert heap.height[20, 16] == 4
    assert heap.height[20, 24] == 6
    assert (heap.owner[20, 16], heap.owner[20, 24]) == (1, 2)
    assert (heap.owner == 2).sum() == 49


def test_a_body_falls_to_its_lowest_place():
    heap = Heap((40, 40), 8)
    heap.drop(box(4, 4), np.array([[10, 10]]))
    heap.drop(box(4, 4), np.array([[10, 12], [30, 30]]))
    assert heap.owner[30, 30] == 2
    assert heap.height.max() == 4


def test_patch_places_belong_to_picture_places():
    heap = Heap((40, 40), 8)
    heap.drop(box(4, 4), np.array([[-2, 20]]))
    seen: list[Visible] = []
    heap.visible(seen.append)
    assert np.array_equal(seen[0].patch_rows, seen[0].rows + 2 + 4)
    assert np.array_equal(seen[0].patch_cols, seen[0].cols - 20 + 4)


def test_slivers_go_and_divided_particles_keep_one_number():
    owner = np.zeros((30, 60), np.int32)
    owner[5:25, 5:15] = 7
    owner[5:25, 20:30] = 7
    owner[2, 40:50] = 9
    owner[10:20, 45:55] = 12
    labels = labels_from_owner(owner)
    assert np.array_equal(np.unique(labels), [0, 1, 2])
    assert labels[10, 10] == labels[10, 25] == 1
    assert not labels[2].any()
    assert labels[15, 50] == 2


def test_a_full_frame_has_no_background_label():
    owner = np.repeat(np.array([[3, 8]], np.int32), 10, axis=1).repeat(10, axis=0)
    assert np.array_equal(np.unique(labels_from_owner(owner)), [1, 2])


@pytest.mark.parametrize("sigma", [0.7, 2.0, 9.0, 40.0])
def test_noise_has_unit_strength_and_the_asked_shape(sigma):
    field = smooth_noise(np.random.default_rng(0), (90, 130), sigma)
    assert (field.shape, field.dtype) == ((90, 130), np.float32)
    assert field.std() == pytest.approx(1, abs=1e-3)


def test_longer_noise_is_smoother():
    short, long = (fractal_noise(np.random.default_rng(0), (128, 128), s, 1) for s in (2, 16))
    assert np.abs(np.diff(long)).mean() < 0.4 * np.abs(np.diff(short)).mean()


def test_ring_noise_closes():
    ring = ring_noise(np.random.default_rng(0), 360, 6)
    assert abs(ring[0] - ring[-1]) < 4 * np.abs(np.diff(ring)).max()
