"""The plugin's sample data: rendered micrographs with their truth, as napari layer data."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.synthesis import render

#: ``(data, attributes, layer type)``, as napari's plugin engine takes it.
LayerData = tuple[Any, dict[str, Any], str]

SEED = 20


def cathode() -> list[LayerData]:
    """Render battery secondary particles."""
    return _layers("cathode")


def powder() -> list[LayerData]:
    """Render a faceted powder."""
    return _layers("powder")


def _layers(material: str) -> list[LayerData]:
    """Return the image and its truth, both at the true scale in micrometres."""
    drawn = render(material, SEED)
    um = drawn.pixel_size_nm / 1000
    placed = {"scale": (um, um), "units": ("um", "um")}
    return [
        (drawn.pixels, {"name": material, "colormap": "gray", **placed}, "image"),
        (drawn.labels, {"name": f"{material} truth", "opacity": 0.4, **placed}, "labels"),
    ]
