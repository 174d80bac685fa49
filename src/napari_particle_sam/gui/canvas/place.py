"""Where the layers of an image lie in napari's world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_particle_sam.images.micrograph import Micrograph


def place_of(micrograph: Micrograph) -> dict[str, Any]:
    """Return scale and units of every layer of an image: nanometres, or pixels where they are not known."""
    size = micrograph.pixel_size
    if size is None:
        return {"scale": (1.0, 1.0), "units": ("pixel", "pixel")}
    return {"scale": (size.nm, size.nm), "units": ("nm", "nm")}


def add_beside(viewer: Any, add: Callable[[], Any]) -> Any:
    """Add a layer and leave the one active that was: keys and mouse belong to it."""
    active = viewer.layers.selection.active
    layer = add()
    if active is not None:
        viewer.layers.selection.active = active
    return layer


def is_shown(viewer: Any, layer: Any) -> bool:
    """Return whether a layer was made and nobody has deleted it."""
    return layer is not None and layer in viewer.layers


def look_at(viewer: Any, layer: Any, box: tuple[float, float, float, float]) -> None:
    """Move the camera to a box of pixels; zoom only where it would be lost or not fit.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Whose camera.
    layer : napari.layers.Layer
        Whose pixels are meant.
    box : tuple of float
        ``(top, left, bottom, right)``, the last two exclusive.
    """
    top, left, bottom, right = box
    centre = layer.data_to_world(((top + bottom - 1) / 2, (left + right - 1) / 2))
    camera = viewer.scene.camera
    camera.center = (0.0, float(centre[-2]), float(centre[-1]))
    side = max(bottom - top, right - left, 1) * float(layer.scale[-1])
    if not SMALLEST <= side * camera.zoom <= LARGEST:
        camera.zoom = COMFORTABLE / side


#: Sides of a box, in pixels of the screen, that need no other zoom, and the one that is chosen else.
SMALLEST, LARGEST, COMFORTABLE = 40.0, 450.0, 160.0
