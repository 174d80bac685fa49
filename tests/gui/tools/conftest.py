from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from qtpy.QtCore import QObject

from napari_particle_sam.annotation.actions import AddMasks
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.tools.keymap import KeyTable
from napari_particle_sam.gui.tools.toolbox import Toolbox
from napari_particle_sam.workflow.reviewing.models import ModelShelf

SCALE = 2.5


class Board:
    """The part of the canvas that tools use: a labels layer and remembered previews."""

    def __init__(self, viewer: Any, shape: tuple[int, int]) -> None:
        self.viewer = viewer
        self.shown: list[Mask] = []
        self.toggled: list[str] = []
        self.layer = viewer.add_labels(np.zeros(shape, np.uint16), scale=(SCALE, SCALE), name="particles")

    def show_preview(self, masks: Iterable[Mask]) -> None:
        self.shown = list(masks)

    def clear_preview(self) -> None:
        self.shown = []

    def toggle_outlines(self) -> None:
        self.toggled.append("outlines")

    def toggle_numbers(self) -> None:
        self.toggled.append("numbers")


class Event:
    """A mouse event as napari hands it to callbacks; places are pixels of the image."""

    def __init__(self, kind: str, at: tuple[float, float], modifiers: Iterable[str], button: int = 1) -> None:
        self.type, self.button, self.modifiers = kind, button, list(modifiers)
        self.position = (at[0] * SCALE, at[1] * SCALE)
        self.pos = np.array([at[1] * 4.0, at[0] * 4.0])
        self.camera_zoom = 4.0 / SCALE
        self.view_direction, self.dims_displayed = None, [0, 1]
        self.is_dragging = kind == "mouse_move"
        self.handled = False


class Hand:
    """Moves the mouse over a layer without a window, and presses keys bound on it."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def click(self, row: float, col: float, *modifiers: str, button: int = 1) -> None:
        self.press((row, col), modifiers, button)
        self.release((row, col), modifiers, button)

    def drag(self, path: Iterable[tuple[float, float]], *modifiers: str) -> None:
        points = list(path)
        self.press(points[0], modifiers)
        for start, end in zip(points, points[1:], strict=False):
            for step in np.linspace(0, 1, 9)[1:]:
                between = np.array(start) + step * (np.array(end) - start)
                self.move((float(between[0]), float(between[1])), modifiers)
        self.release(points[-1], modifiers)

    def press(self, at: tuple[float, float], modifiers: Iterable[str] = (), button: int = 1) -> None:
        mouse_press_callbacks(self.layer, _wrapped("mouse_press", at, modifiers, button))

    def move(self, at: tuple[float, float], modifiers: Iterable[str] = ()) -> None:
        mouse_move_callbacks(self.layer, _wrapped("mouse_move", at, modifiers))

    def release(self, at: tuple[float, float], modifiers: Iterable[str] = (), button: int = 1) -> None:
        mouse_release_callbacks(self.layer, _wrapped("mouse_release", at, modifiers, button))

    def double_click(self, row: float, col: float, *modifiers: str) -> None:
        mouse_double_click_callbacks(self.layer, _wrapped("mouse_double_click", (row, col), modifiers))

    def key(self, name: str) -> None:
        found = {str(key): call for key, call in self.layer.keymap.items()}
        assert name in found, f"{name} is not bound"
        found[name](self.layer)

    def bound(self) -> set[str]:
        return {str(key) for key in self.layer.keymap}


class Bench:
    """A toolbox on a layer, and what it can reach."""

    def __init__(self, board: Board, workspace: Workspace, keys: KeyTable, window: Any = None) -> None:
        self.board, self.workspace, self.keys = board, workspace, keys
        self.commands = Commands(workspace)
        self.toolbox = Toolbox(
            board, workspace, self.commands, QObject(), ModelShelf(), window=window, keys=keys
        )
        self.hints: list[str] = []
        self.toolbox.hint.connect(self.hints.append)
        self.toolbox.attach(board.layer)
        self.hand = Hand(board.layer)

    @property
    def session(self) -> AnnotationSession:
        assert self.commands.session is not None
        return self.commands.session

    @property
    def selected(self) -> tuple[int, ...]:
        return self.workspace.selection.ids

    def add(self, *arrays: np.ndarray) -> tuple[int, ...]:
        masks = tuple(Mask.from_array(array) for array in arrays)
        return self.session.apply(AddMasks(masks, "painted")).added


def _wrapped(kind: str, at: tuple[float, float], modifiers: Iterable[str], button: int = 1) -> Any:
    return ReadOnlyWrapper(Event(kind, at, modifiers, button), exceptions=("handled",))


@pytest.fixture
def keys(tmp_path: Path) -> KeyTable:
    return KeyTable(tmp_path / "Einstellungen für Änne" / "keys.json")


@pytest.fixture
def bench(qtbot: Any, workspace: Workspace, keys: KeyTable) -> Iterator[Bench]:
    """A toolbox on a ViewerModel; no instances yet."""
    assert workspace.opened is not None
    made = Bench(Board(ViewerModel(), workspace.opened.session.shape), workspace, keys)
    yield made
    made.toolbox.detach()


@pytest.fixture
def discs(bench: Bench, disc: Callable[..., np.ndarray]) -> tuple[int, ...]:
    """Three particles: left, right, and one that touches the right one."""
    return bench.add(disc(20, 20, 8), disc(20, 50, 8), disc(20, 67, 8))
