from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.annotation.actions import AddMasks, MarkRegion
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import REVIEWED
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.export_panel import EMPTY, ExportPanel
from napari_particle_sam.gui.panels.measure_box import size_ticks
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.workflow.reviewing.export_chosen import format_titles
from napari_particle_sam.workflow.reviewing.measure_chosen import size_histogram

from ..conftest import SHAPE
from .conftest import JobsNow


@pytest.fixture
def panel(qtbot: Any, annotated: Workspace, jobs: JobsNow) -> ExportPanel:
    made = ExportPanel(annotated, jobs)
    qtbot.addWidget(made)
    return made


def choose(panel: ExportPanel, which: str, name: str = "pairs") -> None:
    panel.which.setCurrentIndex(panel.which.findData(which))
    panel.format.setCurrentIndex(panel.format.findData(name))


def test_what_is_done_becomes_pairs(panel: ExportPanel, annotated: Workspace) -> None:
    folder = Path(panel.folder.text())
    assert folder.is_relative_to(annotated.project.root) and not folder.exists()
    panel.run.click()
    assert panel.report.text() == f"Exported 1 image to {folder}. 2 images not done left out."
    assert [path.name for path in (folder / "images").iterdir()] == ["bild 1.tif"]
    labels = read_labels(folder / "masks" / "bild 1.tif", SHAPE)
    assert (labels == annotated.project.sessions.view("bild 1").session.labels).all()
    assert np.unique(labels).tolist() == [0, 1, 2, 3]
    assert Path(panel.folder.text()) != folder


@pytest.mark.parametrize("name", ["coco", "labels", "imagej", "yolo"])
def test_the_opened_image_in_every_format(panel: ExportPanel, name: str) -> None:
    choose(panel, "opened", name)
    folder = Path(panel.folder.text())
    panel.run.click()
    assert panel.report.text().startswith(f"Exported 1 image to {folder}.")
    written = [path.name for path in folder.rglob("*") if path.is_file()]
    assert written and not any("bild 1." in each or "bild 10" in each for each in written)


def test_all_that_was_begun(panel: ExportPanel) -> None:
    choose(panel, "begun")
    folder = Path(panel.folder.text())
    panel.run.click()
    assert "Exported 2 images" in panel.report.text()
    assert sorted(path.stem for path in (folder / "masks").iterdir()) == ["bild 1", "bild 2"]


def test_a_folder_that_holds_something_is_left_alone(panel: ExportPanel, images: Path) -> None:
    before = sorted(path.name for path in images.iterdir())
    panel.folder.setText(str(images))
    panel.run.click()
    assert "holds something already" in panel.report.text()
    assert sorted(path.name for path in images.iterdir()) == before


def test_nothing_to_export_says_what_to_do(qtbot: Any, workspace: Workspace, jobs: JobsNow) -> None:
    panel = ExportPanel(workspace, jobs)
    qtbot.addWidget(panel)
    panel.run.click()
    assert "declare an image done" in panel.report.text()
    panel.measure.run.click()
    assert "declare an image done" in panel.measure.headline.text()
    workspace.close()
    assert panel.report.text() == EMPTY and not panel.run.isEnabled()


def test_a_busy_window_exports_nothing(panel: ExportPanel, jobs: JobsNow) -> None:
    jobs.busy, jobs.title = True, "Proposing"
    panel.run.click()
    assert "'Proposing' is not finished" in panel.report.text()


def test_measuring_counts_what_was_reviewed(panel: ExportPanel, annotated: Workspace, tmp_path: Path) -> None:
    annotated.set_facts(pixel_size_nm=100)
    choose(panel, "opened")
    box = panel.measure
    box.run.click()
    area = int(annotated.opened.session.instances[1].mask.area)
    ecd = math.sqrt(4 * area / math.pi) * 0.1
    assert box.headline.text().startswith(f"N = 1 of 1 particles\ndn50 = {ecd:.3g} µm")
    assert f"dv50 = {ecd:.3g} µm" in box.headline.text()
    assert "pixel size 100 nm (typed)" in box.sentence.toPlainText()
    assert "bild 2: no region was declared done" in box.sentence.toPlainText()
    target = tmp_path / "Größe" / "a.csv"
    assert box.write(target)
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["image"], row["area_px"], row["counted"]) for row in rows] == [("bild 2", str(area), "True")]
    assert float(rows[0]["ecd_um"]) == pytest.approx(ecd, abs=1e-4)


def test_a_reviewed_region_alone_counts(panel: ExportPanel, annotated: Workspace, disc: Any) -> None:
    session = annotated.opened.session
    session.apply(AddMasks((Mask.from_array(disc(48, 70, 7)),), "painted"))
    session.apply(MarkRegion(Mask(10, 10, np.ones((40, 40), bool)), REVIEWED))
    choose(panel, "opened")
    panel.measure.run.click()
    assert panel.measure.headline.text().startswith("N = 1 of 2 particles")
    assert "no region was declared" not in panel.measure.sentence.toPlainText()


def test_particles_cut_by_the_frame_may_count(panel: ExportPanel) -> None:
    choose(panel, "begun")
    panel.measure.run.click()
    assert panel.measure.headline.text().startswith("N = 3 of 4 particles")
    panel.measure.whole_only.setChecked(False)
    panel.measure.run.click()
    assert panel.measure.headline.text().startswith("N = 4 of 4 particles")
    panel.measure.weight.setCurrentIndex(1)
    assert "by volume" in panel.measure.plot.getAxis("left").labelText
    panel.measure.min_area.setValue(10_000)
    panel.measure.run.click()
    assert panel.measure.headline.text().startswith("N = 0 of 4 particles")


def test_a_data_bar_ends_the_field(panel: ExportPanel, annotated: Workspace) -> None:
    # The disc around row 30 with radius 9 reaches row 39, where the field now ends.
    annotated.set_facts(databar_rows=SHAPE[0] - 40)
    choose(panel, "opened")
    panel.measure.run.click()
    assert panel.measure.headline.text().startswith("N = 0 of 1 particles")


def test_some_pixel_sizes_are_not_enough(panel: ExportPanel, annotated: Workspace) -> None:
    annotated.set_facts(pixel_size_nm=100)
    choose(panel, "begun")
    panel.measure.run.click()
    assert panel.measure.headline.text().startswith("bild 1 has no pixel size")
    assert panel.measure.result is None


def test_every_format_of_the_workflow_is_offered() -> None:
    from napari_particle_sam.storage.formats.registry import FORMATS

    assert list(format_titles()) == ["pairs", *FORMATS]


@given(st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=300))
def test_a_histogram_holds_every_particle(sizes: list[float]) -> None:
    diameters = np.array(sizes)
    edges, shares = size_histogram(diameters, np.ones(len(sizes)))
    assert (np.diff(edges) > 0).all() and len(edges) == len(shares) + 1
    assert shares.sum() == pytest.approx(100)
    assert edges[0] <= diameters.min() and edges[-1] >= diameters.max()
    ticks = size_ticks(float(edges[0]), float(edges[-1]))
    assert 1 <= len(ticks) <= 12
    assert all(math.log10(edges[0]) - 1e-9 <= place <= math.log10(edges[-1]) + 1e-9 for place, _ in ticks)
