"""A napari window with the dock in it, for the command line."""

from __future__ import annotations

from pathlib import Path

import napari

from napari_particle_sam.gui.menu import show_dock


def run_window(paths: list[Path], blind: bool = False) -> None:
    """Show napari with the dock and what is named; return when the window is closed.

    Parameters
    ----------
    paths : list of Path
        One folder, or image files; empty for an empty dock.
    blind : bool
        Hide names and refuse proposals.
    """
    viewer = napari.Viewer(title="Particle SAM")
    dock = show_dock(viewer)
    dock.workspace.blind = blind
    if len(paths) == 1 and paths[0].is_dir():
        dock.open_folder(paths[0])
    elif paths:
        dock.open_files(paths)
    napari.run()
