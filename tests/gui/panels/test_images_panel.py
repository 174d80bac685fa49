from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt

from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.image_states import ImageStates, read_state
from napari_particle_sam.gui.panels.images_panel import EMPTY, ImagesPanel
from napari_particle_sam.gui.panels.thumbnails import make_thumbnail, shrink
from napari_particle_sam.storage.project.images import with_facts
from napari_particle_sam.storage.project.project import Project

from ...storage.project.test_facts import ENTRY
from .conftest import JobsNow


@pytest.fixture
def panel(qtbot: Any, workspace: Workspace, jobs: JobsNow) -> ImagesPanel:
    made = ImagesPanel(workspace, jobs)
    qtbot.addWidget(made)
    settle(qtbot, made)
    return made


def settle(qtbot: Any, panel: ImagesPanel) -> None:
    """Wait until all states are read and have arrived."""
    panel.states.wait()
    qtbot.waitUntil(lambda: panel.states.complete)


def texts(panel: ImagesPanel) -> list[str]:
    model = panel.model
    return [model.data(model.index(row)) for row in range(model.rowCount())]


def test_the_list_says_how_far_every_image_is(qtbot: Any, panel: ImagesPanel, workspace: Workspace) -> None:
    assert texts(panel) == ["bild 1\nbegun", "bild 2\nnot begun", "bild 10\nnot begun"]
    assert "0 of 3 images done, 1 begun." in panel.words.text()
    panel.done.click()
    assert workspace.opened.stored.done and panel.done.isChecked()
    panel.next.click()
    settle(qtbot, panel)
    qtbot.waitUntil(lambda: texts(panel) == ["bild 1\ndone", "bild 2\nbegun", "bild 10\nnot begun"])
    assert not panel.done.isChecked()
    assert "1 of 3 images done, 1 begun." in panel.words.text()
    assert panel.list.currentIndex().row() == 1
    panel.previous.click()
    assert workspace.opened.key == "bild 1" and panel.done.isChecked()
    panel.done.click()
    assert not workspace.opened.stored.done


def test_a_click_opens_an_image(qtbot: Any, panel: ImagesPanel, workspace: Workspace) -> None:
    panel.resize(380, 700)
    panel.show()
    place = panel.list.visualRect(panel.model.index(2)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert workspace.opened.key == "bild 10"


def test_an_image_that_is_gone_is_said_and_the_other_stays(
    qtbot: Any, panel: ImagesPanel, workspace: Workspace, images: Path, heard: list[str]
) -> None:
    (images / "bild 2.tif").unlink()
    panel.list.wanted.emit("bild 2")
    assert workspace.opened.key == "bild 1" and "not there any more" in heard[-1]
    assert panel.list.currentIndex().row() == 0
    assert read_state(workspace.project, "bild 2", "Änne").state == "lost"


def test_blind_hides_names_everywhere(panel: ImagesPanel, workspace: Workspace) -> None:
    panel.blind.setChecked(True)
    assert workspace.blind
    shown = texts(panel) + [panel.words.text()]
    shown += [panel.model.data(panel.model.index(r), Qt.ItemDataRole.ToolTipRole) for r in range(3)]
    assert shown[0] == "Image 1\nbegun"
    assert not any("bild" in text or "Maß" in text for text in shown)
    panel.blind.setChecked(False)
    assert texts(panel)[0].startswith("bild 1")


def test_another_annotator_gets_a_session_of_her_own(
    qtbot: Any, panel: ImagesPanel, workspace: Workspace
) -> None:
    panel.annotator.setText("Bo")
    panel.annotator.editingFinished.emit()
    assert workspace.opened.stored.provenance.annotator == "Bo"
    assert set(workspace.project.sessions.annotators("bild 1")) == {"Bo", "Änne"}
    panel.annotator.setText("  ")
    panel.annotator.editingFinished.emit()
    assert (workspace.annotator, panel.annotator.text()) == ("Bo", "Bo")


def test_an_empty_panel_says_what_to_do_and_opens_a_folder(
    qtbot: Any, jobs: JobsNow, images: Path, tmp_path: Path
) -> None:
    workspace = Workspace("Änne")
    panel = ImagesPanel(workspace, jobs)
    qtbot.addWidget(panel)
    assert panel.words.text() == EMPTY
    assert not panel.next.isEnabled() and panel.list.isHidden() and panel.facts.isHidden()
    said: list[str] = []
    workspace.said.connect(said.append)
    assert not panel.open_path(tmp_path / "nowhere")
    assert len(said) == 1
    (images / "broken.tif").write_bytes(b"no image")
    assert panel.open_path(images)
    assert workspace.keys() == ["bild 1", "bild 2", "bild 10"]
    assert any("broken.tif" in str(sentence) for sentence in said)
    assert not panel.list.isHidden() and panel.next.isEnabled()
    assert workspace.close()
    assert panel.words.text() == EMPTY


def test_a_busy_window_opens_nothing(
    panel: ImagesPanel, jobs: JobsNow, images: Path, heard: list[str]
) -> None:
    jobs.busy, jobs.title = True, "Proposing"
    assert not panel.open_path(images)
    assert "'Proposing' is not finished" in heard[-1]


def test_pictures_are_made_when_they_are_looked_at(qtbot: Any, panel: ImagesPanel) -> None:
    role, index = Qt.ItemDataRole.DecorationRole, panel.model.index(1)
    first = panel.model.data(index, role).toImage()
    assert first.pixelColor(20, 20).alpha() == 0
    with qtbot.waitSignal(panel.model.dataChanged):
        pass
    made = panel.model.data(index, role)
    assert (made.height(), made.width()) == (30, 40)
    greys = {made.toImage().pixelColor(col, 9).value() for col in range(40)}
    assert len(greys) > 10


@pytest.mark.parametrize("shape", [(60, 80), (3, 500), (57, 1), (1, 1), (1000, 30)])
def test_a_thumbnail_has_the_right_size_and_order(shape: tuple[int, int]) -> None:
    picture = shrink(np.random.default_rng(0).integers(0, 4000, shape, np.uint16))
    assert picture.dtype == np.uint8 and max(picture.shape) <= 56
    assert picture.shape[0] >= 1 and picture.shape[1] >= 1


def test_a_thumbnail_shows_what_is_where(tmp_path: Path) -> None:
    pixels = np.zeros((300, 400), np.uint16)
    pixels[200:, 300:] = 60_000
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    picture = make_thumbnail(tmp_path / "a.tif")
    rows, cols = picture.shape
    assert picture[-1, -1] == 255 and picture[0, 0] == picture[-1, 0] == picture[0, -1] == 0
    assert abs(rows / cols - 0.75) < 0.05


def test_two_thousand_images_stay_quick(
    qtbot: Any, workspace: Workspace, jobs: JobsNow, tmp_path: Path
) -> None:
    entries = tuple(
        ENTRY.model_copy(update={"key": f"k{n}", "path": f"images/k{n}.tif"}) for n in range(2000)
    )
    with Project.create(tmp_path / "groß") as project:
        project.update(images=(with_facts(entries[0], group="x"), *entries[1:]))
    workspace.close()
    workspace.project = Project.open(tmp_path / "groß")
    panel = ImagesPanel(workspace, jobs)
    qtbot.addWidget(panel)
    panel.resize(380, 700)
    panel.show()
    began = time.perf_counter()
    workspace.project_changed.emit()
    panel.list.scrollToBottom()
    panel.grab()
    assert time.perf_counter() - began < 1.0
    assert len(panel.model._pictures) < 100
    panel.states._reader.clear()


def test_states_of_another_project_do_not_arrive_late(qtbot: Any, workspace: Workspace) -> None:
    states = ImageStates(workspace)
    states.wait()
    workspace.close()
    qtbot.wait(30)
    assert states.keys("new", "started", "done") == [] and states.complete
