"""Which keys napari itself listens to while our layer is active."""

from __future__ import annotations

from typing import Any


def keys_of_napari(viewer: Any, layer: Any) -> dict[str, str]:
    """Return napari's keys on the viewer and on a layer, and what they do.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        napari fills the keymaps when its first window opens.
    layer : napari.layers.Layer
        Whose class has keys; those bound on the layer itself are ours and are left out.

    Returns
    -------
    dict of str to str
        Key, such as ``Ctrl+Shift+Z``, and the name of the function.
    """
    found: dict[str, str] = {}
    for owner in (viewer, layer):
        for kind in reversed(owner.__class__.__mro__):
            for key, function in getattr(kind, "class_keymap", {}).items():
                found[str(key)] = getattr(function, "__name__", "").replace("_", " ")
    for key, function in viewer.keymap.items():
        found[str(key)] = getattr(function, "__name__", "").replace("_", " ")
    return found
