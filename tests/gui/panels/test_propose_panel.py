"""Proposing with the model of the package, as a person would in the second step."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tifffile

from napari_particle_sam.annotation.actions import Accept
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui import missed_finder
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.propose_panel import BLIND, EMPTY, ProposePanel
from napari_particle_sam.synthesis import render
from napari_particle_sam.workflow.reviewing import job
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf

SIDE = 160


@pytest.fixture(scope="module")
def shelf() -> ModelShelf:
    return ModelShelf()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs of other tests are kept."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two micrographs of spheres, in place of the noise."""
    folder = tmp_path / "Maß Probe"
    folder.mkdir()
    for number in (1, 2):
        tifffile.imwrite(folder / f"bild {number}.tif", render("spheres", 2 + number, (SIDE, SIDE)).pixels)
    return folder


@pytest.fixture
def jobs(qtbot: Any) -> Iterator[JobRunner]:
    made = JobRunner()
    yield made
    assert made.shutdown(30)


@pytest.fixture
def panel(
    qtbot: Any, workspace: Workspace, jobs: JobRunner, shelf: ModelShelf, cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ProposePanel:  # fmt: skip
    monkeypatch.setenv("PARTICLE_SAM_CACHE", str(cache))
    monkeypatch.setattr(missed_finder, "QUIET", 20)
    # Every batch is told.
    monkeypatch.setattr(job, "FOUND_EVERY", 0.0)
    made = ProposePanel(workspace, Commands(workspace), jobs, shelf)
    made.form.update_value(points_per_side=8)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def no_runs(cache: Path) -> None:
    """No run was kept."""
    shutil.rmtree(cache, ignore_errors=True)


@pytest.fixture
def shown(panel: ProposePanel, no_runs: None) -> list[tuple[Mask, ...]]:
    """What the canvas would show, one after the other."""
    seen: list[tuple[Mask, ...]] = []
    panel.found.connect(seen.append)
    return seen


def finish(qtbot: Any, panel: ProposePanel, jobs: JobRunner) -> None:
    qtbot.waitUntil(lambda: not jobs.busy, timeout=60_000)
    qtbot.waitUntil(lambda: not panel.refilter.busy, timeout=10_000)


def run(qtbot: Any, panel: ProposePanel, jobs: JobRunner) -> None:
    assert panel.run()
    finish(qtbot, panel, jobs)


def test_masks_appear_as_they_are_found_and_become_proposals(
    qtbot: Any, panel: ProposePanel, workspace: Workspace, jobs: JobRunner, shown: list[Any]
) -> None:
    assert panel.words.text().startswith("Press Run") and not panel.thresholds_box.isEnabled()
    panel.run_button.click()
    assert jobs.busy and not panel.run_button.isEnabled()
    finish(qtbot, panel, jobs)
    session = workspace.opened.session
    assert any(shown) and shown[-1] == (), "the masks on the way are taken away in the end"
    assert len(session.instances) > 3
    assert panel.words.text() == f"{len(session.instances)} proposals; 0 particles of yours stay as they are."
    assert panel.run_button.isEnabled() and panel.thresholds_box.isEnabled()
    assert workspace.opened.stored.provenance.beginning.model == "particle-tiny"
    qtbot.waitUntil(lambda: not panel.missed.busy, timeout=10_000)
    assert not any(session.labels[mask.window][mask.crop].any() for mask in workspace.missed)


def test_sliders_filter_again_and_what_is_accepted_stays(
    qtbot: Any, panel: ProposePanel, workspace: Workspace, jobs: JobRunner
) -> None:
    run(qtbot, panel, jobs)
    session = workspace.opened.session
    count, label = len(session.instances), min(session.instances)
    session.apply(Accept((label,)))
    kept = session.instances[label].mask
    panel.thresholds_box.rows["pred_iou"].slider.setValue(1000)
    qtbot.waitUntil(lambda: not panel.refilter.busy)
    assert set(session.instances) == {label} and session.instances[label].mask.equals(kept)
    assert panel.words.text() == "0 proposals; 1 particle of yours stays as it is."
    qtbot.waitUntil(lambda: bool(workspace.missed), timeout=10_000)
    session.undo()
    assert len(session.instances) == count
    run(qtbot, panel, jobs)
    assert session.instances[label].mask.equals(kept)


def test_a_part_is_looked_at_alone(
    qtbot: Any, panel: ProposePanel, workspace: Workspace, jobs: JobRunner, no_runs: None
) -> None:
    session = workspace.opened.session
    with qtbot.waitSignal(panel.region_wanted):
        panel.part_button.click()
    assert panel.run_on((0, 0, SIDE, SIDE // 2))
    finish(qtbot, panel, jobs)
    assert session.instances and not workspace.candidates.everywhere
    middles = [(i.mask.box[1] + i.mask.box[3]) / 2 for i in session.instances.values()]
    assert max(middles) < SIDE / 2 + 20
    first = {label: instance.mask for label, instance in session.instances.items()}
    assert panel.run_on((0, SIDE // 2, SIDE, SIDE))
    finish(qtbot, panel, jobs)
    assert len(session.instances) > len(first)
    # Those at the border may be seen anew; the others are as they were.
    far = [label for label, mask in first.items() if mask.box[3] < SIDE // 2 - 10]
    assert far and all(session.instances[label].mask.equals(first[label]) for label in far)


def test_too_small_a_part_is_a_sentence(
    qtbot: Any, panel: ProposePanel, jobs: JobRunner, heard: list[str]
) -> None:
    assert panel.run_on((0, 0, 3, 3))
    finish(qtbot, panel, jobs)
    assert len(heard) == 1 and "draw a larger one" in heard[0]


def test_a_cancelled_run_leaves_nothing(
    qtbot: Any, panel: ProposePanel, workspace: Workspace, jobs: JobRunner, shown: list[Any],
    heard: list[str],
) -> None:  # fmt: skip
    assert panel.run()
    qtbot.waitUntil(lambda: any(shown), timeout=60_000)
    jobs.cancel()
    finish(qtbot, panel, jobs)
    assert shown[-1] == () and heard == ["Looking for particles: cancelled."]
    assert workspace.candidates is None and not workspace.opened.session.instances
    assert panel.run_button.isEnabled()


def test_another_image_drops_the_result(
    qtbot: Any, panel: ProposePanel, workspace: Workspace, jobs: JobRunner, shown: list[Any]
) -> None:
    first = workspace.opened.key
    assert panel.run()
    qtbot.waitUntil(lambda: any(shown), timeout=60_000)
    workspace.step(1)
    shown.clear()
    finish(qtbot, panel, jobs)
    assert not any(shown) and workspace.candidates is None and not workspace.opened.session.instances
    workspace.step(-1)
    assert workspace.opened.key == first and not workspace.opened.session.instances


def test_in_blind_mode_nothing_is_proposed(
    qtbot: Any, panel: ProposePanel, workspace: Workspace, jobs: JobRunner, heard: list[str]
) -> None:
    assert panel.run()
    workspace.blind = True
    finish(qtbot, panel, jobs)
    assert workspace.candidates is None and not workspace.opened.session.instances
    assert panel.words.text() == BLIND and not panel.run_button.isEnabled()
    assert not panel.part_button.isEnabled()
    assert not panel.run() and not panel.run_on((0, 0, 50, 50)) and heard == [BLIND, BLIND]
    with qtbot.assertNotEmitted(panel.region_wanted):
        panel._want_part()
    workspace.close()
    workspace.blind = False
    assert panel.words.text() == EMPTY and not panel.run() and heard[-1] == EMPTY


def test_a_model_that_is_missing_or_unknown_is_one_sentence(
    qtbot: Any, panel: ProposePanel, jobs: JobRunner, heard: list[str], tmp_path: Path
) -> None:
    panel.form.update_value(model=str(tmp_path / "fehlt ü.safetensors"))
    heard.clear()
    assert not panel.run() and len(heard) == 1 and "fehlt ü.safetensors" in heard[0]
    (tmp_path / "fremd ü.pth").write_bytes(b"no model")
    panel.form.update_value(model=str(tmp_path / "fremd ü.pth"))
    heard.clear()
    assert panel.run()
    finish(qtbot, panel, jobs)
    assert len(heard) == 1 and "fremd ü.pth" in heard[0]
    panel.form.update_value(model="particle-tiny")
    run(qtbot, panel, jobs)
    assert len(heard) == 1


def test_the_model_of_the_form_is_told(qtbot: Any, panel: ProposePanel, tmp_path: Path) -> None:
    assert panel.choice() == ModelChoice(device="auto")
    with qtbot.waitSignal(panel.choice_changed) as told:
        panel.form.update_value(device="cpu", adapter=tmp_path)
    assert told.args == [ModelChoice(adapter=tmp_path, device="cpu")] and panel.choice() == told.args[0]


def test_drop_down_lists_show_the_beginning_of_what_is_chosen(panel: ProposePanel) -> None:
    box = panel.form.editor("model")
    assert box.lineEdit().cursorPosition() == 0
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert box.currentText().startswith("SAM ViT-L") and box.lineEdit().cursorPosition() == 0
    assert panel.choice().name == "vit_l"
