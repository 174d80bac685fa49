from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_particle_sam.gui.canvas.canvas import Canvas
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace

from .conftest import Easel

OURS = ["bild 1", "Particles"]


def _names(easel: Easel) -> list[str]:
    return [layer.name for layer in easel.viewer.layers]


def _image(easel: Easel) -> Any:
    return easel.viewer.layers[0]


def test_another_image_brings_other_layers(easel: Easel, discs: tuple[int, ...]) -> None:
    heard: list[Any] = []
    easel.canvas.layer_changed.connect(heard.append)
    easel.canvas.toggle_numbers()
    easel.canvas.toggle_outlines()
    easel.workspace.selection.set(discs)
    old = easel.layer
    easel.viewer.add_points(np.zeros((3, 2)), name="of the user")
    assert easel.workspace.step(1)
    assert heard == [easel.layer]
    assert easel.layer is not old
    assert not easel.layer.data.any()
    assert easel.layer.contour, "outlines stay outlines"
    assert "Numbers" in _names(easel)
    assert "of the user" in _names(easel)
    assert "bild 1" not in _names(easel)
    assert "bild 2" in _names(easel)
    easel.workspace.step(-1)
    assert easel.follows()
    assert easel.layer.data.any()
    easel.workspace.close_image()
    assert easel.canvas.layer is None
    assert heard[-1] is None
    assert _names(easel) == ["of the user"]


def test_a_stroke_does_not_reach_the_next_image(easel: Easel) -> None:
    easel.layer.paint((20, 20), 5)
    easel.workspace.step(1)
    assert not easel.session.instances
    assert not easel.layer.data.any()


def test_deleted_layers_come_back(easel: Easel, discs: tuple[int, ...], qtbot: Any) -> None:
    easel.workspace.selection.set(discs[:1])
    easel.layer.brush_size = 3
    easel.layer.paint((45, 60), 9)
    for chosen in (slice(1, 2), slice(0, 1), slice(None)):
        for layer in list(easel.viewer.layers)[chosen]:
            easel.viewer.layers.remove(layer)
        qtbot.waitUntil(lambda: {*OURS, "Selection"} <= set(_names(easel)), timeout=2000)
        assert easel.follows()
        assert easel.viewer.layers.selection.active is easel.layer
    assert len(easel.session.instances) == 4, "the last stroke was not lost"
    easel.commands.undo()
    assert easel.follows()


def test_an_overlay_that_was_deleted_comes_back_when_it_is_needed(
    easel: Easel, discs: tuple[int, ...]
) -> None:
    easel.workspace.selection.set(discs[:1])
    easel.viewer.layers.remove("Selection")
    easel.workspace.selection.set(discs[1:])
    raster = np.asarray(easel.viewer.layers["Selection"].data)
    assert np.array_equal(raster > 0, np.isin(easel.session.labels, discs[1:]))


def test_pixel_size_and_blind_mode(easel: Easel, discs: tuple[int, ...]) -> None:
    assert _image(easel).name == "bild 1"
    easel.workspace.blind = True
    assert _image(easel).name == "Image 1"
    easel.workspace.blind = False
    easel.canvas.show_preview([easel.session.instances[discs[0]].mask])
    easel.workspace.set_pixel_size(2.5)
    assert {tuple(layer.scale) for layer in easel.viewer.layers} == {(2.5, 2.5)}
    assert {str(unit) for unit in easel.layer.units} == {"nanometer"}
    assert easel.viewer.canvas.overlays.scale_bar.visible
    assert easel.follows()
    easel.workspace.set_pixel_size(None)
    assert not easel.viewer.canvas.overlays.scale_bar.visible
    assert tuple(easel.layer.scale) == (1, 1)


@dataclass(frozen=True)
class _Place:
    box: tuple[int, int, int, int]


def test_the_camera_goes_where_it_is_sent(easel: Easel) -> None:
    easel.workspace.set_pixel_size(2.0)
    camera = easel.viewer.scene.camera
    camera.zoom = 1.0
    easel.canvas.centre_on(_Place((10, 20, 41, 51)))
    assert camera.center[-2:] == pytest.approx((50, 70))
    assert camera.zoom == 1.0, "62 pixels of the screen are neither too small nor too large"
    easel.canvas.centre_on((10, 20, 12, 22))
    assert camera.zoom > 10
    before = camera.center
    easel.canvas.centre_on(None)
    assert camera.center == before


def test_without_an_image_nothing_happens(qtbot: Any) -> None:
    workspace = Workspace("Änne")
    canvas = Canvas(ViewerModel(), workspace, Commands(workspace))
    assert canvas.layer is None
    canvas.toggle_numbers()
    canvas.toggle_outlines()
    canvas.show_preview(())
    canvas.clear_preview()
    canvas.show_found(())
    canvas.take_in()
    canvas.centre_on((0, 0, 3, 3))
    canvas.close()


def test_a_real_viewer_shows_every_edit(
    make_napari_viewer_proxy: Any, workspace: Workspace, disc: Callable[..., np.ndarray], qtbot: Any
) -> None:
    viewer = make_napari_viewer_proxy(show=True)
    easel = Easel(viewer, workspace)
    labels = easel.add(disc(20, 20, 8), disc(20, 50, 8), disc(45, 30, 7))

    def picture() -> np.ndarray:
        qtbot.wait(30)
        return np.asarray(viewer.screenshot(canvas_only=True, flash=False))

    seen = [picture()]
    for outlines in (False, True):
        if outlines:
            easel.canvas.toggle_outlines()
        start = picture()
        easel.workspace.selection.set(labels[1:])
        seen.append(picture())
        easel.commands.delete()
        deleted = picture()
        easel.layer.refresh()
        assert np.array_equal(picture(), deleted), "a full redraw shows the same"
        easel.commands.undo()
        assert np.array_equal(picture(), start), "undone, it looks as before"
        assert not np.array_equal(start, deleted)
    easel.canvas.close()
    assert not len(viewer.layers)
