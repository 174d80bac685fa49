"""Mouse events of a layer as clicks and drags in pixels of the image."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.gui.tools.tool import Desk, Tool

#: A drag shorter than this is a click, and points of a path are as far apart; in pixels of the screen.
STEP = 3.0


class Mouse:
    """Tells the active tool what the mouse does on a layer.

    Parameters
    ----------
    desk : Desk
        Whose `pixel` is kept up to date.
    tool : callable
        Returns the active tool, None while the mouse is napari's.
    """

    def __init__(self, desk: Desk, tool: Callable[[], Tool | None]) -> None:
        self._desk, self._tool = desk, tool
        self._rested = 0.0

    def attach(self, layer: Any) -> None:
        """Begin to listen."""
        layer.mouse_drag_callbacks.append(self.pressed)
        layer.mouse_move_callbacks.append(self.moved)
        layer.mouse_double_click_callbacks.append(self.double_clicked)

    def detach(self, layer: Any) -> None:
        """Listen no more."""
        for callbacks, ours in (
            (layer.mouse_drag_callbacks, self.pressed),
            (layer.mouse_move_callbacks, self.moved),
            (layer.mouse_double_click_callbacks, self.double_clicked),
        ):
            if ours in callbacks:
                callbacks.remove(ours)

    def pressed(self, layer: Any, event: Any) -> Generator[None, None, None]:
        """Follow the mouse from press to release."""
        tool = self._tool()
        if tool is None or not _ours(event):
            return
        self._look(layer, event)
        modifiers = _modifiers(event)
        path, last = [_place(layer, event)], np.asarray(event.pos, float)
        yield
        while event.type == "mouse_move":
            now = np.asarray(event.pos, float)
            if np.hypot(*(now - last)) >= STEP:
                path.append(_place(layer, event))
                last = now
                if tool.draws and tool is self._tool():
                    self._show(tool, path, modifiers)
            yield
        if tool is self._tool():
            self._released(tool, path, _place(layer, event), modifiers)

    def moved(self, layer: Any, event: Any) -> None:
        """Tell the tool where the pointer is."""
        tool = self._tool()
        if tool is not None and not getattr(event, "is_dragging", False):
            tool.hover(_at(_place(layer, event)))

    def double_clicked(self, layer: Any, event: Any) -> None:
        """Hear the second of two quick clicks, which napari does not report as a click."""
        tool = self._tool()
        if tool is not None and tool.draws and _ours(event):
            self._look(layer, event)
            tool.click(_at(_place(layer, event)), _modifiers(event))

    def _show(self, tool: Tool, path: list[NDArray[np.float64]], modifiers: frozenset[str]) -> None:
        """Let a tool show a drag, at most half of the time, so that the hand is never ahead of the line."""
        begun = time.monotonic()
        if begun >= self._rested:
            tool.drawing(np.array(path), modifiers)
            now = time.monotonic()
            self._rested = now + (now - begun)

    def _released(
        self, tool: Tool, path: list[NDArray[np.float64]], end: NDArray[np.float64], modifiers: frozenset[str]
    ) -> None:
        if len(path) < 2:
            tool.click(_at(path[0]), modifiers)
        elif tool.draws:
            if not np.array_equal(path[-1], end):
                path.append(end)
            tool.drawn(np.array(path), modifiers)

    def _look(self, layer: Any, event: Any) -> None:
        zoom = float(getattr(event, "camera_zoom", 1.0)) * float(np.mean(layer.scale[-2:]))
        self._desk.pixel = 1.0 / zoom if zoom > 0 else 1.0


def _ours(event: Any) -> bool:
    # Alt and a drag is napari's box to zoom into.
    return event.button in (None, 1) and "Alt" not in _modifiers(event)


def _modifiers(event: Any) -> frozenset[str]:
    return frozenset(getattr(key, "name", key) for key in event.modifiers)


def _place(layer: Any, event: Any) -> NDArray[np.float64]:
    return np.asarray(layer.world_to_data(event.position), float)[-2:]


def _at(place: NDArray[np.float64]) -> tuple[float, float]:
    return float(place[0]), float(place[1])
