"""The whole dock in a real window, driven as a person would."""

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt

from .driving import CTRL, SHIFT, Person

pytest.importorskip("napari", reason="napari comes with the extras pyqt5 and pyqt6")


def test_add_delete_undo_by_keys_and_next_image(make_napari_viewer, images):
    from napari_particle_sam.annotation.masks import Mask
    from napari_particle_sam.gui.dock import ParticleDock

    viewer = make_napari_viewer(show=True)
    dock = ParticleDock(viewer)
    viewer.window.add_dock_widget(dock, name="Particle SAM")
    person = Person(viewer)
    dock.open_folder(images)
    person.wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
    session = dock.commands.session
    for row in (10, 40):
        dock.commands.add_mask(Mask(row, 20, np.ones((12, 12), bool)))
    dock.workspace.selection.clear()
    person.settle(0.3)
    person.click(16, 26)
    assert dock.workspace.selection.ids == (1,)
    person.click(46, 26, CTRL)
    assert dock.workspace.selection.ids == (1, 2)
    person.key(Qt.Key.Key_J)
    assert len(session.instances) == 1
    person.key(Qt.Key.Key_Delete)
    assert not session.instances
    person.key(Qt.Key.Key_Z, CTRL)
    person.key(Qt.Key.Key_Z, CTRL)
    assert len(session.instances) == 2
    person.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert len(session.instances) == 1
    assert np.array_equal(dock.canvas.layer.data, session.labels)
    person.key(Qt.Key.Key_PageDown)
    assert dock.workspace.opened.key == "bild 2"
    assert dock.shut()


def test_proposals_come_and_edits_survive_a_slider(make_napari_viewer, tmp_path):
    from napari_particle_sam.gui.dock import ParticleDock
    from napari_particle_sam.synthesis import render

    tifffile.imwrite(tmp_path / "pulver ü.tif", render("spheres", 3, (192, 256)).pixels)
    dock = ParticleDock(make_napari_viewer(show=True))
    person = Person(dock.viewer)
    dock.open_folder(tmp_path)
    person.wait(lambda: dock.workspace.opened is not None and not dock.jobs.busy)
    session = dock.commands.session
    assert dock.propose.run()
    person.wait(lambda: not dock.jobs.busy and session.instances, 240)
    assert len(session.instances) > 3
    assert dock.workspace.opened.stored.provenance.beginning.kind == "model"
    first = min(session.instances)
    dock.workspace.selection.set((first,))
    dock.commands.accept()
    kept = session.instances[first].mask
    dock.propose.set_thresholds(dock.propose.thresholds().model_copy(update={"pred_iou": 0.99}))
    person.wait(lambda: len(session.instances) == 1)
    assert session.instances[first].mask.equals(kept)
    assert np.array_equal(dock.canvas.layer.data, session.labels)
    dock.commands.undo()
    assert len(session.instances) > 3
    dock.commands.region_done()
    assert all(i.status in ("accepted", "bulk") for i in session.instances.values())
    assert dock.shut()
