"""Open a folder in a real window and add particles without end; a test kills this process.

    python scripted_window.py FOLDER

Prints "edit N" once the window has taken it in.
"""

from __future__ import annotations

import sys
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QTimer

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.dock import ParticleDock
from napari_particle_sam.gui.menu import show_dock

SIDE, STEP = 3, 5


def edit(dock: ParticleDock) -> None:
    """Add one more particle, as a click and Enter would."""
    opened = dock.workspace.opened
    if opened is None:
        return
    done, across = len(opened.session.instances), opened.session.shape[1] // STEP
    row, col = divmod(done, across)
    mask = Mask(row * STEP, col * STEP, np.ones((SIDE, SIDE), bool))
    if row * STEP + SIDE < opened.session.shape[0] and dock.commands.add_mask(mask) is not None:
        print("edit", done + 1, flush=True)


def main() -> None:
    """Edit until killed."""
    viewer = napari.Viewer()
    dock = show_dock(viewer)
    dock.open_folder(Path(sys.argv[1]))
    timer = QTimer()
    timer.timeout.connect(lambda: edit(dock))
    timer.start(5)
    napari.run(force=True)


if __name__ == "__main__":
    main()
