"""The layers of one opened image."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_particle_sam.gui.canvas.brush import Brush
from napari_particle_sam.gui.canvas.label_binding import LabelBinding
from napari_particle_sam.gui.canvas.marks import Marks
from napari_particle_sam.gui.canvas.number_layer import NumberLayer
from napari_particle_sam.gui.canvas.place import place_of
from napari_particle_sam.gui.canvas.region_layer import RegionLayer
from napari_particle_sam.gui.canvas.shown_selection import ShownSelection
from napari_particle_sam.gui.canvas.tooltips import Tooltips
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.open_image import OpenImage
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.images.micrograph import Micrograph


class Stack:
    """Makes the layers, keeps them in step with session and workspace, and takes them away.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where they are added.
    workspace : Workspace
        For names, selection and region.
    commands : Commands
        For what is painted.
    opened : OpenImage
        What is shown.
    marks : Marks
        Fitted to it.
    """

    def __init__(
        self, viewer: Any, workspace: Workspace, commands: Commands, opened: OpenImage, marks: Marks
    ) -> None:
        self._viewer, self._workspace = viewer, workspace
        self.session, self._micrograph = opened.session, opened.micrograph
        self.key = opened.key
        self._place = place = place_of(opened.micrograph)
        self.image = self._add_image()
        self.binding = LabelBinding(viewer, self.session, commands, **place)
        self.labels = self.binding.layer
        self.brush = Brush(self.labels, self.session, workspace.selection)
        self.binding.painted.connect(self.brush.painted)
        self.tooltips = Tooltips(self.labels, self.session)
        self.regions = RegionLayer(viewer, self.session, workspace, self.labels, **place)
        marks.fit(self.session.shape, **place)
        self.selection = ShownSelection(marks.selection, self.session, workspace.selection)
        self.numbers = NumberLayer(viewer, self.session, self.labels, **place)
        viewer.layers.selection.active = self.labels

    @property
    def whole(self) -> bool:
        """Whether image and particles are still there."""
        return self.image in self._viewer.layers and self.labels in self._viewer.layers

    @property
    def place(self) -> dict[str, Any]:
        """Scale and units of the layers."""
        return self._place

    def rename(self) -> None:
        """Call the image by its name, or by its number in blind mode."""
        self.image.name = self._workspace.shown_name(self.key)

    def release(self) -> None:
        """Take in what was painted last, and take all layers away."""
        for part in (self.binding, self.brush, self.tooltips, self.numbers, self.selection, self.regions):
            part.release()
        for layer in (self.labels, self.image):
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def _add_image(self) -> Any:
        return self._viewer.add_image(
            self._micrograph.pixels, name=self._workspace.shown_name(self.key), colormap="gray",
            contrast_limits=grey_range(self._micrograph), **self._place,
        )  # fmt: skip


def grey_range(micrograph: Micrograph) -> tuple[float, float]:
    """Return the grey values shown as black and white, percentiles 0.1 and 99.9 of the field of view."""
    rows = micrograph.pixels[: micrograph.field_rows]
    step = max(1, int(np.sqrt(rows.size / 1_000_000)))
    low, high = np.percentile(rows[::step, ::step], (0.1, 99.9))
    return float(low), float(max(high, low + 1))
