from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_particle_sam.annotation.actions import Accept
from napari_particle_sam.annotation.masks import Mask

from .conftest import Easel


def test_the_layer_follows_edits_undo_and_redo(easel: Easel, discs: tuple[int, ...]) -> None:
    assert easel.layer.data.dtype == np.uint16
    raster = easel.layer.data
    easel.workspace.selection.set(discs[:2])
    for step in ("merge", "delete", "undo", "undo", "redo"):
        assert getattr(easel.commands, step)() is not None
        assert easel.follows(), step
    assert easel.layer.data is raster, "the layer's array must never be replaced"


def test_a_change_without_pixels_redraws_nothing(easel: Easel, discs: tuple[int, ...]) -> None:
    heard: list[object] = []
    easel.layer.events.labels_update.connect(heard.append)
    easel.session.apply(Accept(discs))
    assert not heard


def test_a_stroke_is_one_step_and_selected(easel: Easel, discs: tuple[int, ...], qtbot: Any) -> None:
    with easel.layer.block_history():
        for col in range(60, 70):
            easel.layer.paint((45, col), easel.layer.selected_label)
    qtbot.waitUntil(lambda: len(easel.session.instances) == 4, timeout=2000)
    (new,) = set(easel.session.instances) - set(discs)
    assert easel.session.instances[new].origin == "painted"
    assert easel.workspace.selection.ids == (new,)
    assert easel.layer.selected_label == new
    assert easel.follows()
    easel.commands.undo()
    assert len(easel.session.instances) == 3
    assert easel.follows()
    assert not easel.layer.data[45, 60:70].any()


def test_painting_goes_on_with_the_selected_particle(
    easel: Easel, discs: tuple[int, ...], qtbot: Any
) -> None:
    easel.workspace.selection.set(discs[1:2])
    before = easel.session.instances[discs[1]].mask.area
    easel.layer.brush_size = 5
    easel.layer.paint((30, 50), easel.layer.selected_label)
    qtbot.waitUntil(lambda: easel.session.instances[discs[1]].mask.area > before, timeout=2000)
    assert easel.follows()
    assert set(easel.session.instances) == set(discs)


def test_fill_erase_and_polygon(easel: Easel, discs: tuple[int, ...]) -> None:
    layer = easel.layer
    layer.preserve_labels = False
    layer.fill((20, 20), 0)
    easel.canvas.take_in()
    assert discs[0] not in easel.session.instances
    layer.paint_polygon([(50, 60), (50, 75), (58, 75), (58, 60)], 77)
    change = easel.canvas._stack.binding.take_in()  # type: ignore[union-attr]
    assert change is not None
    (new,) = change.added
    assert easel.session.instances[new].mask.area > 90
    layer.brush_size = 60
    layer.paint((20, 50), 0)
    easel.canvas.take_in()
    assert discs[1] not in easel.session.instances
    assert easel.follows()


def test_what_is_refused_is_taken_back(easel: Easel, discs: tuple[int, ...], monkeypatch: Any) -> None:
    monkeypatch.setattr(easel.commands, "apply", lambda action: None)
    easel.layer.paint((45, 60), 9)
    assert not easel.follows()
    easel.canvas.take_in()
    assert easel.follows()


def test_a_stroke_outlives_a_change_of_the_session_meanwhile(
    easel: Easel, discs: tuple[int, ...], disc: Callable[..., np.ndarray]
) -> None:
    layer = easel.layer
    layer.brush_size = 3
    layer.paint((45, 60), 9)
    easel.workspace.selection.set(discs[:1])
    easel.commands.delete()
    easel.add(disc(45, 55, 12))
    assert layer.data[45, 60] == 9, "the stroke is still on the screen"
    assert layer.data[45, 45] not in (0, 9), "what was added is there, too"
    assert not layer.data[20, 20]
    easel.canvas.take_in()
    assert easel.follows()
    assert len(easel.session.instances) == 4


def test_undo_on_the_layer_is_the_sessions(easel: Easel, discs: tuple[int, ...]) -> None:
    calls = {str(key): call for key, call in easel.layer.keymap.items()}
    easel.workspace.selection.set(discs[:1])
    easel.commands.delete()
    calls["Ctrl+Z"](easel.layer)
    assert set(easel.session.instances) == set(discs)
    calls["Ctrl+Shift+Z"](easel.layer)
    assert set(easel.session.instances) == set(discs[1:])
    assert easel.follows()


def test_another_array_is_taken_in(easel: Easel, discs: tuple[int, ...], qtbot: Any) -> None:
    other = easel.session.labels.astype(np.int32)
    other[50:55, 60:70] = 40
    old = easel.layer
    old.data = other
    assert len(easel.session.instances) == 4
    qtbot.waitUntil(lambda: easel.layer is not old, timeout=2000)
    assert easel.layer.data.dtype == np.uint16
    assert easel.follows()
    wrong = easel.layer
    wrong.data = np.zeros((5, 5), np.uint8)
    qtbot.waitUntil(lambda: easel.layer is not wrong, timeout=2000)
    assert easel.follows()
    assert len(easel.session.instances) == 4


def test_the_eraser_takes_everything_where_nothing_is_selected(easel: Easel, discs: tuple[int, ...]) -> None:
    assert easel.layer.preserve_labels
    easel.layer.mode = "erase"
    assert not easel.layer.preserve_labels
    easel.workspace.selection.set(discs[:1])
    assert easel.layer.preserve_labels
    easel.workspace.selection.clear()
    easel.layer.mode = "paint"
    assert easel.layer.preserve_labels


def test_the_brush_never_hits_an_id_that_was_taken_meanwhile(
    easel: Easel, disc: Callable[..., np.ndarray]
) -> None:
    assert easel.layer.selected_label == 1
    (new,) = easel.add(disc(20, 20, 8))
    assert easel.layer.selected_label != new


def test_tooltips_know_their_instance(easel: Easel, discs: tuple[int, ...]) -> None:
    easel.canvas._stack.tooltips.fill()  # type: ignore[union-attr]
    features = easel.layer.features
    row = features[features["index"] == discs[1]].iloc[0]
    assert row["area"] == f"{easel.session.instances[discs[1]].mask.area} px"
    status = easel.layer.get_status((20, 50))
    assert "painted" in status["value"]
    assert "ropert" not in easel.layer.get_status((1, 1))["value"], "nothing to say of the background"


def test_outlines_change_the_picture_not_the_labels(easel: Easel, discs: tuple[int, ...]) -> None:
    easel.canvas.toggle_outlines()
    assert easel.layer.contour > 0
    easel.workspace.selection.set(discs[:1])
    easel.commands.delete()
    assert easel.follows()
    easel.commands.undo()
    assert easel.follows()
    easel.canvas.toggle_outlines()
    assert easel.layer.contour == 0


def test_masks_of_a_stroke_hold_the_painted_pixels(easel: Easel) -> None:
    easel.layer.brush_size = 9
    easel.layer.paint((30, 30), 5)
    painted = np.asarray(easel.layer.data) > 0
    easel.canvas.take_in()
    (only,) = easel.session.instances.values()
    assert only.mask.equals(Mask.from_array(painted))
