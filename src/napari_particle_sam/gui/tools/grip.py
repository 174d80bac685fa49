"""Taking left drags and double clicks from napari while a tool draws, and giving them back."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

PAN_ZOOM = "pan_zoom"
_ZOOMER = "double_click_to_zoom"


class Grip:
    """Who hears left drags: napari, which moves the image, or a tool.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Whose zoom by double click is suspended while a tool draws.

    Attributes
    ----------
    paused : bool
        Whether a tool has let go for a moment.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._zoomers: list[Any] = []
        self._draws = False
        self.paused = False

    def take(self, layer: Any, draws: bool) -> None:
        """Let a tool hear drags, or napari where it does not draw."""
        self._draws, self.paused = draws, False
        self._viewer.mouse_double_click_callbacks.extend(self._zoomers)
        self._zoomers = []
        if layer.mode == PAN_ZOOM:
            layer.mouse_pan = not draws
        if draws:
            self._take_zoom()

    def pan(self, layer: Any) -> Generator[None, None, None]:
        """Let drags move the image while a key is held down."""
        self.paused, layer.mouse_pan = True, True
        yield
        self.paused = False
        if layer.mode == PAN_ZOOM:
            layer.mouse_pan = not self._draws

    def _take_zoom(self) -> None:
        # Two quick clicks of a tool are two clicks.
        callbacks = self._viewer.mouse_double_click_callbacks
        self._zoomers = [found for found in callbacks if getattr(found, "__name__", "") == _ZOOMER]
        for callback in self._zoomers:
            callbacks.remove(callback)
