from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels import compare_box
from napari_particle_sam.gui.panels.train_panel import EMPTY, NONE_DONE, TrainPanel
from napari_particle_sam.gui.panels.train_split import NO_VALIDATION
from napari_particle_sam.learning import cost, launch
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.job_spec import read_job
from napari_particle_sam.learning.warm_start import read_start
from napari_particle_sam.sam.adapter_info import read_info

from .conftest import JobsNow
from .written_runs import adapter, add_events, finish, metric, prepared, progress


class Machine:
    """Instead of a process that trains: estimates and starts that were asked for."""

    def __init__(self) -> None:
        self.estimates: list[tuple[Any, ...]] = []
        self.started: list[Path] = []
        self.locks: list[FileLock] = []

    def estimate(self, *question: Any) -> cost.Cost:
        # The last one is the number of threads, which hangs on the machine.
        self.estimates.append(question[:-1])
        return cost.Cost(question[0], 100, 1.5, 0.5, None)

    def start(self, run: Path) -> None:
        self.started.append(run)
        for name in ("cancel", "pause"):
            (run / name).unlink(missing_ok=True)
        self.locks.append(FileLock(str(run / "run.lock"), thread_local=False))
        self.locks[-1].acquire()

    def kill(self) -> None:
        for lock in self.locks:
            lock.release()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(cost, "estimate", made.estimate)
    monkeypatch.setattr(launch, "start_run", made.start)
    yield made
    made.kill()


def opened(qtbot: Any, workspace: Workspace, jobs: JobsNow) -> TrainPanel:
    made = TrainPanel(workspace, jobs, comparisons=jobs)
    qtbot.addWidget(made)
    made._states.wait()
    return made


@pytest.fixture
def panel(qtbot: Any, annotated: Workspace, jobs: JobsNow, machine: Machine) -> TrainPanel:
    made = opened(qtbot, annotated, jobs)
    yield made
    made.shutdown()


def test_the_panel_says_what_is_trained_on(panel: TrainPanel, annotated: Workspace) -> None:
    assert panel.images.text() == "1 done with 3 particles; one instance is a whole particle."
    assert NO_VALIDATION in panel.split_box.words.text() and panel.split_box.split().train == ("bild 1",)
    assert panel.start.isEnabled() and not panel.cost.isHidden()
    annotated.close()
    assert panel.images.text() == EMPTY and not panel.start.isEnabled()
    assert panel.split_box.isHidden() and panel.cost.isHidden()


def test_without_a_done_image_nothing_starts(
    qtbot: Any, workspace: Workspace, jobs: JobsNow, machine: Machine
) -> None:
    panel = opened(qtbot, workspace, jobs)
    assert panel.images.text() == NONE_DONE and not panel.start.isEnabled()


def test_start_states_the_cost_and_begins_a_run_that_is_complete(
    panel: TrainPanel, annotated: Workspace, machine: Machine
) -> None:
    panel.form.settings.update_value(learning_rate=1e-4)
    panel.start.click()
    config = make_config("standard", learning_rate=1e-4)
    assert machine.estimates == [(1, 0, config, "auto")] and "100 steps" in panel.cost.words.text()
    [run] = machine.started
    assert run.parent == annotated.project.root / "runs"
    spec = read_job(run)
    assert (spec.config, spec.train, spec.val) == (config, ("bild 1",), ())
    assert [path.name for path in (run / "pairs" / "masks").iterdir()] == ["bild 1.tif"]
    assert panel.start.isHidden() and not panel.run_box.cancel.isHidden() and panel.run_box.alive
    assert panel.form.isHidden() and panel.split_box.isHidden() and panel.cost.isHidden()


def test_another_split_or_setting_is_estimated_again(panel: TrainPanel, machine: Machine) -> None:
    panel.cost.estimate.click()
    assert panel.cost.current
    panel.form.settings.update_value(epochs=3)
    assert not panel.cost.current
    panel.split_box.set_side("bild 1", "test")
    panel.start.click()
    assert machine.started == [] and "No image is left" in panel.run_box.words.text()


def test_a_run_is_watched_to_its_comparison(
    qtbot: Any, panel: TrainPanel, annotated: Workspace, heard: list[str], machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    compared: list[Path] = []
    monkeypatch.setattr(compare_box, "comparing", lambda run, token: iter(compared.append(run) or ()))
    monkeypatch.setattr(panel.compare, "_compared", lambda *_: None)
    panel.start.click()
    [run] = machine.started
    add_events(run, metric(4, loss=0.5), progress(4, 8, 60.0))
    qtbot.waitUntil(lambda: panel.run_box.bar.value() == 4, timeout=5000)
    assert panel.run_box.bar.maximum() == 8 and "step 4 of 8" in panel.run_box.words.text()
    finish(run, reason="Better by far.")
    with qtbot.waitSignal(panel.run_box.ended, timeout=5000):
        machine.kill()
    assert panel.run_box.words.text() == "Better by far." and heard[-1] == "Training: Better by far."
    assert compared == [run] and not panel.compare.isHidden() and not panel.start.isHidden()
    [closed] = annotated.project.content.rounds
    assert (closed.adapter, closed.images) == (run.name, ("bild 1",))
    assert (closed.metrics["before f1@0.5"], closed.metrics["after f1@0.5"]) == (0.5, 0.8)
    assert [lineage.folder for lineage in panel.adapters.found] == [run / "adapter"]
    for use in (panel.compare.use, None):
        with qtbot.waitSignal(panel.adapter_chosen) as chosen:
            (use or panel.adapters.base).click()
        assert chosen.args == [run / "adapter" if use else None]


def test_pause_resume_and_cancel(qtbot: Any, panel: TrainPanel, machine: Machine) -> None:
    panel.start.click()
    [run] = machine.started
    panel.run_box.pause.click()
    assert (run / "pause").exists() and not panel.run_box.pause.isEnabled()
    with qtbot.waitSignal(panel.run_box.ended, timeout=5000):
        machine.kill()
    assert panel.run_box.words.text().startswith("Paused") and not panel.run_box.resume.isHidden()
    panel.run_box.resume.click()
    assert machine.started == [run, run] and panel.run_box.alive and panel.run_box.resume.isHidden()
    panel.run_box.cancel.click()
    assert (run / "cancel").exists()
    with qtbot.waitSignal(panel.run_box.ended, timeout=5000):
        machine.kill()
    assert panel.run_box.words.text().startswith("Cancelled") and not panel.start.isHidden()


def test_what_stands_in_the_way_is_said(
    panel: TrainPanel, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run: Path) -> None:
        raise BadFileError("python cannot be started; use `particle-sam train`.")

    monkeypatch.setattr(launch, "start_run", refuse)
    panel.start.click()
    assert panel.run_box.words.text() == "python cannot be started; use `particle-sam train`."
    assert not panel.start.isHidden() and panel.start.isEnabled()


def test_the_window_may_go_and_come_back_while_it_trains(
    qtbot: Any, panel: TrainPanel, annotated: Workspace, jobs: JobsNow, machine: Machine
) -> None:
    panel.start.click()
    [run] = machine.started
    add_events(run, metric(4, loss=0.5), progress(4, 8))
    panel.shutdown()
    assert not (run / "cancel").exists() and machine.locks[-1].is_locked
    again = opened(qtbot, annotated, jobs)
    assert again.run_box.follower.run == run and again.run_box.alive and again.start.isHidden()
    assert "step 4 of 8" in again.run_box.words.text()
    assert not again.run_box.curves.isHidden()
    again.shutdown()


def test_a_run_that_ended_unseen_is_shown_and_not_compared_by_itself(
    qtbot: Any, annotated: Workspace, jobs: JobsNow, machine: Machine, heard: list[str]
) -> None:
    finish(annotated.project.root / "runs" / "run 1", reason="Better by far.")
    panel = opened(qtbot, annotated, jobs)
    assert panel.run_box.words.text() == "Better by far." and heard == []
    assert [entry.adapter for entry in annotated.project.content.rounds] == ["run 1"]
    opened(qtbot, annotated, jobs)
    assert len(annotated.project.content.rounds) == 1
    assert "Not compared" in panel.compare.verdict.text() and not panel.start.isHidden()


def test_a_run_that_was_killed_is_offered_for_resuming(
    qtbot: Any, annotated: Workspace, jobs: JobsNow, machine: Machine
) -> None:
    run = prepared(annotated.project.root / "runs" / "run 1")
    add_events(run, metric(4, loss=0.5), progress(4, 8))
    panel = opened(qtbot, annotated, jobs)
    assert "interrupted (step 4 of 8)" in panel.run_box.words.text()
    panel.run_box.resume.click()
    assert machine.started == [run] and panel.run_box.alive
    panel.shutdown()


def test_a_training_can_go_on_from_an_adapter_of_the_project(
    qtbot: Any, annotated: Workspace, jobs: JobsNow, machine: Machine
) -> None:
    runs = annotated.project.root / "runs"
    first = adapter(runs / "run 1", rank=16, alpha=16.0, locator=True, images=["bild 1"])
    adapter(runs / "run 2", rank=4, alpha=4.0, locator=True)
    panel = opened(qtbot, annotated, jobs)
    assert not panel.beginning.isHidden() and panel.beginning.start is None
    choice = panel.beginning.choice
    choice.setCurrentIndex(choice.findData(str(first)))
    assert panel.beginning.learned == ["bild 1"] and panel.split_box.split().train == ("bild 1",)
    panel.start.click()
    [run] = machine.started
    assert read_start(run).name == read_info(first).name
    assert panel.beginning.isHidden()
    panel.shutdown()


def test_an_adapter_of_other_settings_is_refused_in_a_sentence(
    qtbot: Any, annotated: Workspace, jobs: JobsNow, machine: Machine
) -> None:
    folder = adapter(annotated.project.root / "runs" / "run 2", rank=4, alpha=4.0, locator=True)
    panel = opened(qtbot, annotated, jobs)
    panel.beginning.choice.setCurrentIndex(panel.beginning.choice.findData(str(folder)))
    panel.start.click()
    assert machine.started == [] and "rank 4, not 16" in panel.run_box.words.text()
    panel.shutdown()
