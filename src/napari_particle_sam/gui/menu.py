"""What the plugin's menu entries do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari

    from napari_particle_sam.gui.dock import ParticleDock

PLUGIN, WIDGET = "napari-particle-sam", "Particle SAM"


def show_dock(napari_viewer: napari.viewer.Viewer) -> ParticleDock:
    """Show the dock in a viewer, where it is not shown already, and return it."""
    frame, dock = napari_viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    frame.show()
    frame.raise_()
    return dock
