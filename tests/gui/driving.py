"""A person at the window: clicks, drags and keys on the canvas, in the image's own coordinates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


class Person:
    """Drives a shown viewer by Qt's own events.

    Parameters
    ----------
    viewer : napari.Viewer
        Of `make_napari_viewer(show=True)`.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.native = viewer.window._qt_viewer.canvas.native

    def settle(self, seconds: float = 0.05) -> None:
        """Let the window work for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.002)

    def wait(self, until: Callable[[], Any], seconds: float = 60.0) -> None:
        """Let the window work until something is so."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "waited in vain"
            QApplication.processEvents()
            time.sleep(0.005)
        self.settle()

    def place(self, row: float, col: float) -> QPointF:
        """Return where a pixel of the active layer is on the canvas."""
        layer = self.viewer.layers.selection.active
        world = layer.data_to_world((row, col))
        camera = self.viewer.scene.camera if hasattr(self.viewer, "scene") else self.viewer.camera
        size = self.native.width(), self.native.height()
        x = (world[-1] - camera.center[-1]) * camera.zoom + size[0] / 2
        y = (world[-2] - camera.center[-2]) * camera.zoom + size[1] / 2
        return QPointF(x, y)

    def click(self, row: float, col: float, modifier: Any = NONE) -> None:
        """Click a pixel."""
        self._mouse(QEvent.Type.MouseMove, self.place(row, col), NO_BUTTON, NO_BUTTON, modifier)
        self._mouse(QEvent.Type.MouseButtonPress, self.place(row, col), LEFT, LEFT, modifier)
        self._mouse(QEvent.Type.MouseButtonRelease, self.place(row, col), LEFT, NO_BUTTON, modifier)
        self.settle()

    def drag(self, path: Iterable[tuple[float, float]], modifier: Any = NONE) -> None:
        """Drag along pixels."""
        points = [self.place(*at) for at in path]
        self._mouse(QEvent.Type.MouseMove, points[0], NO_BUTTON, NO_BUTTON, modifier)
        self._mouse(QEvent.Type.MouseButtonPress, points[0], LEFT, LEFT, modifier)
        for start, end in zip(points, points[1:], strict=False):
            for step in range(1, 9):
                between = start + (end - start) * (step / 8)
                self._mouse(QEvent.Type.MouseMove, between, NO_BUTTON, LEFT, modifier)
        self._mouse(QEvent.Type.MouseButtonRelease, points[-1], LEFT, NO_BUTTON, modifier)
        self.settle()

    def key(self, key: Any, modifier: Any = NONE) -> None:
        """Press a key on the canvas."""
        QTest.keyClick(self.native, key, modifier)
        self.settle()

    def _mouse(self, kind: Any, at: QPointF, button: Any, buttons: Any, modifier: Any) -> None:
        spot = QPointF(self.native.mapToGlobal(at.toPoint()))
        QApplication.sendEvent(self.native, QMouseEvent(kind, at, spot, button, buttons, modifier))
        QApplication.processEvents()
