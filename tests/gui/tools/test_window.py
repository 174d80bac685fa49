"""Tools in a real window: Qt's own events on the canvas, napari's own keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QShortcut

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.tools.keymap import ENTRIES, WAITING, KeyTable
from napari_particle_sam.gui.tools.napari_keys import keys_of_napari
from tests.gui.driving import CTRL, SHIFT, Person

from .conftest import Bench, Board

KEY = Qt.Key
#: napari's own: the same thing as ours, for one layer only.
MEANT = {"Ctrl+Z", "Ctrl+Shift+Z"}
#: napari's own while a polygon is drawn or the image is held: ours only while a tool is active.
BORROWED = {"Enter", "Escape", "Space"}


@pytest.fixture
def window(
    make_napari_viewer_proxy: Any, workspace: Workspace, keys: KeyTable, qtbot: Any
) -> Callable[[], tuple[Bench, Person]]:
    """Show a window with a toolbox on it."""

    def show() -> tuple[Bench, Person]:
        assert workspace.opened is not None
        viewer = make_napari_viewer_proxy(show=True)
        raw = viewer.__wrapped__
        home = raw.window._qt_window
        bench = Bench(Board(viewer, workspace.opened.session.shape), workspace, keys, window=home)
        person = Person(raw)
        person.settle(0.3)
        return bench, person

    return show


def _keys_of_the_window(viewer: Any) -> dict[str, str]:
    """All that napari listens to beside our layer: keymaps, settings, menus, shortcuts of Qt."""
    from napari._app_model import get_app_model
    from napari.utils.action_manager import action_manager

    found = keys_of_napari(viewer, Board(viewer, (8, 8)).layer)
    for name, bound in default_shortcuts.items():
        provider = getattr(action_manager._actions.get(name), "keymapprovider", None)
        if provider in (None, ViewerModel, Labels):
            found |= {str(key): name for key in bound}
    found |= {str(rule.keybinding): rule.command_id for rule in get_app_model().keybindings}
    for shortcut in viewer.window._qt_window.findChildren(QShortcut):
        found[shortcut.key().toString().replace("Del", "Delete")] = "shortcut of Qt"
    return found


def test_only_undo_and_redo_clash_with_napari(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer()
    napari_keys = _keys_of_the_window(viewer)
    # The list must be the real one: a few of each kind that are known to be there.
    assert {"E", "P", "M", "Ctrl+Z", "V", "Shift+Up", "Ctrl+R", "Ctrl+O", "Ctrl+M", "Space"} <= set(
        napari_keys
    )
    ours = {entry.key for entry in ENTRIES if entry.group != WAITING}
    assert {key: napari_keys[key] for key in ours & set(napari_keys)}.keys() == MEANT
    waiting = {entry.key for entry in ENTRIES if entry.group == WAITING}
    assert waiting & set(napari_keys) == BORROWED


def test_mouse_and_keys_on_the_canvas(window: Any, disc: Callable[..., np.ndarray]) -> None:
    bench, person = window()
    left, right = bench.add(disc(20, 20, 8) | disc(20, 33, 8), disc(45, 60, 8))
    camera = list(bench.board.viewer.scene.camera.center)
    person.click(20, 20)
    assert bench.selected == (left,)
    person.click(45, 60, CTRL)
    assert bench.selected == (left, right)
    person.key(KEY.Key_S)
    person.drag([(5, 26.5), (36, 26.5)])
    assert len(bench.session.instances) == 3
    # The drag was the tool's; one without a tool moves the image.
    assert list(bench.board.viewer.scene.camera.center) == camera
    person.key(KEY.Key_Z, CTRL)
    assert len(bench.session.instances) == 2
    person.key(KEY.Key_Z, CTRL | SHIFT)
    assert len(bench.session.instances) == 3
    person.key(KEY.Key_Escape)
    person.key(KEY.Key_D)
    person.drag([(2, 2), (2, 45), (32, 45), (32, 2)])
    assert len(bench.selected) == 2
    person.key(KEY.Key_J)
    person.key(KEY.Key_Delete)
    assert list(bench.session.instances) == [right]
    person.drag([(50, 20), (50, 40)])
    assert list(bench.board.viewer.scene.camera.center) != camera
    person.key(KEY.Key_R)
    person.drag([(10, 10), (40, 50)], SHIFT)
    assert bench.workspace.region is not None
    person.key(KEY.Key_Return, CTRL)
    assert bench.workspace.region is None
    bench.toolbox.detach()


def test_signs_made_by_shift_reach_us_and_not_napari(window: Any, disc: Callable[..., np.ndarray]) -> None:
    bench, person = window()
    (label,) = bench.add(disc(20, 20, 8))
    project = bench.workspace.project
    assert project is not None
    first = project.content.classes[0]
    person.click(20, 20)
    home = bench.toolbox._window
    assert home is not None
    # Without a window manager no window is active, and Qt's shortcuts then sleep.
    QApplication.setActiveWindow(home)
    QTest.keyClick(person.native, KEY.Key_Exclam, SHIFT)
    QTest.keyClick(person.native, KEY.Key_1, SHIFT)
    person.settle()
    assert bench.board.layer.mode == "pan_zoom"
    assert bench.session.instances[label].kind == first
    # Where a keyboard makes "?" by Shift, Qt has used Shift up before it compares.
    QTest.keyClick(person.native, KEY.Key_Question)
    person.settle()
    dialog = bench.toolbox._keyboard._help
    assert dialog is not None
    assert dialog.isVisible()
    dialog.close()
    bench.toolbox.detach()


def test_the_bundled_model_draws_what_was_clicked(
    window: Any, disc: Callable[..., np.ndarray], workspace: Workspace
) -> None:
    opened = workspace.opened
    assert opened is not None
    grey = np.full(opened.session.shape, 40, np.uint8)
    grey[disc(30, 40, 12)] = 210
    workspace.opened = replace(opened, micrograph=replace(opened.micrograph, pixels=grey))
    bench, person = window()
    person.key(KEY.Key_A)
    person.click(30, 40)
    person.wait(lambda: bench.board.shown)
    person.key(KEY.Key_Return)
    (instance,) = bench.session.instances.values()
    assert instance.origin == "prompted"
    truth = disc(30, 40, 12)
    painted = bench.session.labels == instance.id
    assert (painted & truth).sum() / (painted | truth).sum() > 0.7
    person.key(KEY.Key_Escape)
    assert bench.toolbox.current == "select"
    bench.toolbox.detach()
