from __future__ import annotations

import time

import numpy as np
import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.gui.tools.keymap import ENTRIES, WAITING, seen_by_qt_only
from napari_particle_sam.gui.tools.sketch import NAME

from .conftest import Bench, Hand

ALWAYS = {entry.key for entry in ENTRIES if entry.group != WAITING and not seen_by_qt_only(entry.key)}
WHILE_ACTIVE = {entry.key for entry in ENTRIES if entry.group == WAITING}


def test_napari_s_keys_are_taken_only_while_a_tool_is_active(bench: Bench) -> None:
    assert bench.hand.bound() == ALWAYS
    for name in ("lasso", "split", "region", "ignore", "box", "scale_bar"):
        bench.toolbox.activate(name)
        assert bench.hand.bound() == ALWAYS | WHILE_ACTIVE
        bench.hand.key("Escape")
        assert bench.hand.bound() == ALWAYS
        assert bench.toolbox.current == "select"


def test_one_tool_at_a_time_and_listeners_hear_of_it(bench: Bench) -> None:
    heard: list[str] = []
    bench.toolbox.active.connect(heard.append)
    bench.hand.key("D")
    bench.hand.key("R")
    bench.hand.key("Escape")
    assert heard == ["lasso", "region", "select"]
    assert bench.hints[-1] == ""


def test_every_command_of_the_table_can_be_run(bench: Bench) -> None:
    for entry in ENTRIES:
        if entry.id not in ("help", "pan"):
            assert entry.id in bench.toolbox._calls
    bench.toolbox.run("outlines")
    bench.hand.key("T")
    assert bench.board.toggled == ["outlines", "numbers"]


def test_keys_do_what_they_say(bench: Bench, discs: tuple[int, ...]) -> None:
    bench.hand.click(20, 20)
    bench.hand.key("Q")
    assert bench.session.instances[discs[0]].status == "accepted"
    bench.hand.key("U")
    assert bench.session.instances[discs[0]].completeness == "unclear"
    bench.hand.click(20, 50)
    bench.hand.click(20, 67, "Control")
    bench.hand.key("J")
    assert len(bench.session.instances) == 2
    bench.hand.key("Delete")
    assert len(bench.session.instances) == 1
    bench.hand.key("Ctrl+Z")
    bench.hand.key("Ctrl+Z")
    bench.hand.key("Ctrl+Shift+Z")
    assert len(bench.session.instances) == 2
    bench.hand.key("PageDown")
    assert bench.workspace.opened is not None
    assert bench.workspace.opened.key != bench.workspace.keys()[0]


def test_space_lets_drags_move_the_image(bench: Bench) -> None:
    bench.hand.key("R")
    layer = bench.board.layer
    found = {str(key): call for key, call in layer.keymap.items()}
    held = found["Space"](layer)
    next(held)
    assert layer.mouse_pan
    bench.hand.drag([(10, 10), (40, 40)], "Shift")
    assert bench.workspace.region is None
    with pytest.raises(StopIteration):
        next(held)
    assert not layer.mouse_pan
    bench.hand.drag([(10, 10), (40, 40)], "Shift")
    assert bench.workspace.region is not None


def test_napari_s_paint_tool_ends_ours(bench: Bench) -> None:
    bench.hand.key("S")
    bench.board.layer.mode = "paint"
    assert bench.toolbox.current == "select"
    assert bench.board.layer.mode == "paint"
    assert bench.hand.bound() == ALWAYS
    bench.hand.key("S")
    assert bench.board.layer.mode == "pan_zoom"


def test_a_tool_begun_by_a_button_makes_its_layer_active(bench: Bench) -> None:
    viewer = bench.board.viewer
    viewer.layers.selection.active = viewer.add_image(np.zeros((60, 80)))
    bench.toolbox.activate("lasso")
    assert viewer.layers.selection.active is bench.board.layer


def test_the_drawing_does_not_take_the_keys_and_goes(bench: Bench) -> None:
    viewer = bench.board.viewer
    bench.hand.key("D")
    bench.hand.press((10, 10))
    bench.hand.move((10, 30))
    # Lines are not drawn all of the time.
    time.sleep(2)
    bench.hand.move((30, 30))
    drawing = viewer.layers[NAME]
    assert np.allclose(drawing.data[0], [(10, 10), (10, 30), (30, 30)])
    assert viewer.layers.selection.active is bench.board.layer
    viewer.layers.remove(drawing)
    bench.hand.move((30, 10))
    bench.hand.release((30, 10))
    bench.hand.key("D")
    bench.hand.press((10, 10))
    bench.hand.move((10, 30))
    time.sleep(2)
    bench.hand.move((30, 30))
    assert len(viewer.layers[NAME].data) == 1
    bench.hand.release((30, 10))
    assert len(viewer.layers[NAME].data) == 0
    bench.toolbox.detach()
    assert NAME not in viewer.layers


def test_another_layer_gets_keys_and_mouse_the_old_one_loses_them(
    bench: Bench, discs: tuple[int, ...]
) -> None:
    old = bench.board.layer
    callbacks = [len(old.mouse_drag_callbacks), len(old.mouse_move_callbacks)]
    new = bench.board.viewer.add_labels(np.zeros((60, 80), np.uint16))
    bench.hand.key("D")
    bench.toolbox.attach(new)
    assert not old.keymap
    assert [len(old.mouse_drag_callbacks), len(old.mouse_move_callbacks)] == [c - 1 for c in callbacks]
    assert Hand(new).bound() == ALWAYS
    bench.toolbox.detach()
    assert not new.keymap


def test_a_new_key_holds_at_once_and_later(bench: Bench) -> None:
    changed: list[bool] = []
    bench.toolbox.keys_changed.connect(lambda: changed.append(True))
    bench.toolbox.remap("region", "K")
    assert "K" in bench.hand.bound()
    assert "R" not in bench.hand.bound()
    bench.hand.key("K")
    assert bench.toolbox.current == "region"
    assert changed == [True]
    assert bench.keys.path.is_file()
    with pytest.raises(BadValueError):
        bench.toolbox.remap("region", "Ctrl+Z")


def test_an_unknown_tool_and_a_window_without_image_are_said(bench: Bench, heard: list[str]) -> None:
    with pytest.raises(BadValueError, match="no tool 'saw'"):
        bench.toolbox.activate("saw")
    bench.toolbox.detach()
    bench.toolbox.press("split")
    assert "No image is open" in heard[-1]
    assert bench.toolbox.current == "select"
