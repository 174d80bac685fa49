from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import AddMasks, MarkRegion
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import IGNORE, REVIEWED, UNKNOWN
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.canvas.mask_layer import rim
from napari_particle_sam.gui.canvas.number_layer import anchor, largest_in
from napari_particle_sam.gui.canvas.region_layer import DIM, LINE, TINT, hatching

from .conftest import Easel


def _raster(easel: Easel, name: str) -> np.ndarray:
    found = [np.asarray(layer.data) for layer in easel.viewer.layers if layer.name == name]
    return found[0] if found else np.zeros(easel.session.shape, np.uint8)


def test_what_is_selected_is_outlined(easel: Easel, discs: tuple[int, ...]) -> None:
    easel.workspace.selection.set(discs[:2])
    both = (easel.session.labels == discs[0]) | (easel.session.labels == discs[1])
    assert np.array_equal(_raster(easel, "Selection") > 0, both)
    assert _raster(easel, "Selection")[20, 20] != _raster(easel, "Selection")[20, 12]
    easel.workspace.selection.set(discs[2:])
    assert np.array_equal(_raster(easel, "Selection") > 0, easel.session.labels == discs[2])
    easel.commands.delete()
    assert not _raster(easel, "Selection").any()
    assert easel.viewer.layers.selection.active is easel.layer


def test_the_outline_follows_the_shape(easel: Easel, discs: tuple[int, ...]) -> None:
    easel.workspace.selection.set(discs[:2])
    easel.commands.merge()
    assert np.array_equal(_raster(easel, "Selection") > 0, easel.session.labels == discs[0])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100_000))
def test_the_rim_of_a_mask(seed: int) -> None:
    crop = np.random.default_rng(seed).random((9, 11)) < 0.8
    found = rim(crop, 1)
    for row, col in np.argwhere(crop):
        around = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
        inner = all(0 <= r < 9 and 0 <= c < 11 and crop[r, c] for r, c in around)
        assert found[row, col] != inner
    assert not (found & ~crop).any()


def test_regions_dim_and_hatch(easel: Easel) -> None:
    rows, cols = easel.session.shape
    easel.session.apply(MarkRegion(Mask(0, 0, np.ones((rows, cols), bool)), UNKNOWN))
    easel.add(np.eye(*easel.session.shape, dtype=bool))
    easel.workspace.selection.set(easel.session.instances)
    assert not _raster(easel, "Regions").any(), "an image that nobody has begun is not dimmed"
    easel.workspace.set_region(Mask(10, 20, np.ones((20, 30), bool)))
    names = [layer.name for layer in easel.viewer.layers]
    assert names.index("Regions") == names.index("Particles") + 1, "what is selected is not dimmed"
    shades = _raster(easel, "Regions")
    assert (shades == DIM).sum() == rows * cols - 600
    assert not shades[10:30, 20:50].any()
    easel.commands.mark_region(Mask(0, 0, np.ones((5, cols), bool)), IGNORE)
    assert set(np.unique(_raster(easel, "Regions")[:5])) == {TINT, LINE}
    easel.commands.region_done()
    shades = _raster(easel, "Regions")
    assert easel.session.regions.values[20, 30] == REVIEWED
    assert not shades[10:30, 20:50].any()
    assert shades[40, 5] == DIM
    easel.commands.undo()
    assert not _raster(easel, "Regions")[5:].any(), "nothing is done any more"
    assert _raster(easel, "Regions")[:5].all()


def test_hatching_fits_at_seams() -> None:
    whole = hatching((0, 0, 70, 90))
    assert np.array_equal(hatching((13, 31, 50, 80)), whole[13:50, 31:80])


def test_numbers_lie_on_their_particles(easel: Easel, discs: tuple[int, ...], qtbot: Any) -> None:
    easel.canvas.toggle_numbers()

    def numbers() -> dict[int, tuple[float, float]]:
        layer = easel.viewer.layers["Numbers"]
        return dict(zip(layer.features["id"], map(tuple, layer.data), strict=True))

    assert set(numbers()) == set(discs)
    for label, (row, col) in numbers().items():
        assert easel.session.labels[int(row), int(col)] == label
    assert [str(word) for word in easel.viewer.layers["Numbers"].text.values] == [str(i) for i in numbers()]
    easel.workspace.selection.set(discs[:2])
    easel.commands.delete()
    qtbot.waitUntil(lambda: set(numbers()) == set(discs[2:]), timeout=2000)
    easel.commands.undo()
    qtbot.waitUntil(lambda: set(numbers()) == set(discs), timeout=2000)
    easel.canvas.toggle_numbers()
    assert "Numbers" not in easel.viewer.layers
    assert easel.viewer.layers.selection.active is easel.layer


def test_too_many_numbers_are_those_of_the_largest() -> None:
    session = AnnotationSession((60, 60))
    masks = [Mask(r, c, np.ones((1 + c % 3, 2), bool)) for r in range(0, 60, 5) for c in range(0, 60, 4)]
    session.apply(AddMasks(tuple(masks), "painted"))
    chosen = largest_in(session, (0, 0, 30, 60), most=20)
    assert len(chosen) == 20
    assert {instance.mask.area for instance in chosen} == {6}
    assert all(instance.mask.top < 30 for instance in chosen)


def test_the_anchor_of_a_ring_lies_on_it(disc: Callable[..., np.ndarray]) -> None:
    ring = Mask.from_array(disc(30, 40, 20) & ~disc(30, 40, 15))
    row, col = anchor(ring)
    assert ring.crop[int(row) - ring.top, int(col) - ring.left]


def test_previews_come_and_go(easel: Easel, disc: Callable[..., np.ndarray]) -> None:
    one, other = Mask.from_array(disc(20, 20, 8)), Mask.from_array(disc(40, 60, 9))
    easel.canvas.show_preview([one, other])
    assert (_raster(easel, "Preview") > 0).sum() == one.area + other.area
    easel.canvas.show_preview([other])
    assert (_raster(easel, "Preview") > 0).sum() == other.area
    easel.canvas.show_found([one])
    easel.canvas.show_found([one, Mask(-3, 70, np.ones((9, 30), bool))])
    assert (_raster(easel, "Found so far") > 0).sum() == one.area + 6 * 10
    easel.canvas.clear_preview()
    easel.canvas.show_found(())
    assert not _raster(easel, "Preview").any()
    assert not _raster(easel, "Found so far").any()
    assert easel.viewer.layers.selection.active is easel.layer
    assert not easel.session.instances


def test_marks_are_made_once_and_wait_hidden(
    easel: Easel, disc: Callable[..., np.ndarray], qtbot: Any
) -> None:
    names = ["Selection", "Found so far", "Preview"]
    made = [easel.viewer.layers[name] for name in names]
    qtbot.waitUntil(lambda: not any(layer.visible for layer in made), timeout=3000)
    easel.canvas.show_found([Mask.from_array(disc(20, 20, 8))])
    assert [layer.visible for layer in made] == [False, True, False]
    easel.workspace.selection.set(easel.add(disc(40, 60, 9)))
    easel.workspace.step(1)
    now = [easel.viewer.layers[name] for name in names]
    assert all(one is other for one, other in zip(now, made, strict=True)), "another image cost new layers"
    assert [layer.name for layer in easel.viewer.layers][-3:] == names
    assert not any(layer.visible or layer.data.any() for layer in made)
    easel.canvas.show_found([Mask.from_array(disc(20, 20, 8))])
    easel.canvas.show_found(())
    assert not any(layer.visible for layer in made)
    assert easel.workspace.close_image()
    assert not len(easel.viewer.layers)


def test_marks_fit_an_image_of_another_shape(easel: Easel) -> None:
    marks = easel.canvas._marks
    marks.fit((31, 47), scale=(2.0, 2.0), units=("nm", "nm"))
    marks.preview.show([Mask(28, 40, np.ones((9, 9), bool))])
    layer = easel.viewer.layers["Preview"]
    assert layer.data.shape == (31, 47)
    assert layer.visible
    assert tuple(layer.scale) == (2.0, 2.0)
    assert (layer.data > 0).sum() == 3 * 7
