"""Tuning the thresholds on what was corrected."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_particle_sam.annotation.actions import Accept, MarkRegion
from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.label_map import propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import REVIEWED
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels import tune_box
from napari_particle_sam.gui.panels.kept_thresholds import KeptThresholds
from napari_particle_sam.gui.panels.propose_panel import ProposePanel
from napari_particle_sam.gui.panels.threshold_box import ThresholdBox
from napari_particle_sam.gui.panels.tune_box import ENOUGH, TuneBox
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf, default_thresholds
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates, proposal_action

from ..conftest import SHAPE, open_now

START = Thresholds(pred_iou=0.7, stability=0.4, min_area=20)
#: Particles score from 0.5 on, the dirt among them lower.
SCORES = (0.9, 0.8, 0.75, 0.6, 0.55, 0.5, 0.3, 0.3)


def review(run: str = "run", choice: ModelChoice | None = None) -> ReviewCandidates:
    """Discs in a grid."""
    rows, cols = np.indices(SHAPE)
    places = [(row, col) for row in (15, 42) for col in (12, 31, 50, 69)]
    logits = tuple((7 - np.hypot(rows - r, cols - c)).astype(np.float32) for r, c in places)
    frame = Frame(0, 0, *SHAPE, *SHAPE, max(SHAPE), max(SHAPE))
    found = Candidates(
        SHAPE, (frame,), np.zeros(8, np.intp), np.array(places, np.float32), np.array(SCORES, np.float32),
        logits, np.zeros((8, 2), np.intp), floor_iou=0.2, floor_logit=-2.0,
    )  # fmt: skip
    return ReviewCandidates(found, run, choice or ModelChoice(), START, "0" * 64)


def correct(workspace: Workspace, source: ReviewCandidates, lowest: float = 0.5) -> None:
    """Accept all particles that score as much, and finish the image."""
    session = workspace.opened.session
    session.apply(proposal_action(source, START.model_copy(update={"pred_iou": lowest})))
    session.apply(Accept(tuple(session.instances)))
    session.apply(MarkRegion(Mask(0, 0, np.ones(SHAPE, bool)), REVIEWED))


@pytest.fixture
def jobs(qtbot: Any) -> Iterator[JobRunner]:
    made = JobRunner()
    yield made
    assert made.shutdown()


@pytest.fixture
def box(qtbot: Any, workspace: Workspace, jobs: JobRunner) -> TuneBox:
    made = TuneBox(workspace, jobs, lambda: START)
    qtbot.addWidget(made)
    return made


def test_it_says_what_is_missing_until_enough_is_accepted(
    qtbot: Any, box: TuneBox, workspace: Workspace, heard: list[str]
) -> None:
    assert not box.run_button.isEnabled() and "Look for particles" in box.run_button.toolTip()
    workspace.candidates = review()
    session = workspace.opened.session
    session.apply(proposal_action(workspace.candidates, START.model_copy(update={"pred_iou": 0.5})))
    ids = tuple(session.instances)
    assert len(ids) > ENOUGH
    session.apply(Accept(ids[: ENOUGH - 1]))
    box.refresh()
    assert not box.run_button.isEnabled() and f"{ENOUGH - 1} are accepted" in box.run_button.toolTip()
    assert not box.run() and heard == [box.run_button.toolTip()]
    session.apply(Accept(ids[:ENOUGH]))
    qtbot.waitUntil(box.run_button.isEnabled, timeout=2000)
    workspace.blind = True
    assert not box.run_button.isEnabled() and "Blind" in box.run_button.toolTip()


def test_better_thresholds_are_told_and_offered(
    qtbot: Any, box: TuneBox, workspace: Workspace, jobs: JobRunner
) -> None:
    workspace.candidates = source = review()
    correct(workspace, source)
    box.refresh()
    assert box.here.isHidden() and box.rest.isHidden()
    box.run_button.click()
    assert jobs.busy and not box.run_button.isEnabled()
    qtbot.waitUntil(lambda: not jobs.busy, timeout=20_000)
    assert box.words.text() == "Agreement (F1) with 6 reviewed particles rises from 0.67 to 1.00."
    assert not box.here.isHidden() and not box.rest.isHidden() and box.run_button.isEnabled()
    with qtbot.waitSignal(box.use_here) as here:
        box.here.click()
    [tuned] = here.args
    assert {p.candidate for p in propose(source.candidates, tuned)} == set(range(6))
    with qtbot.waitSignal(box.use_for_rest) as rest:
        box.rest.click()
    assert rest.args == [source, tuned]


def test_where_nothing_is_gained_it_says_so(qtbot: Any, box: TuneBox, workspace: Workspace) -> None:
    workspace.candidates = review()
    correct(workspace, workspace.candidates)
    box._thresholds = lambda: START.model_copy(update={"pred_iou": 0.45})
    assert box.run()
    qtbot.waitUntil(lambda: bool(box.words.text()), timeout=20_000)
    assert box.words.text().startswith("Nothing is gained: no other thresholds agree better")
    assert box.here.isHidden()


def test_without_a_reviewed_region_one_sentence_says_so(
    qtbot: Any, box: TuneBox, workspace: Workspace, heard: list[str]
) -> None:
    workspace.candidates = review()
    session = workspace.opened.session
    session.apply(proposal_action(workspace.candidates, START.model_copy(update={"pred_iou": 0.5})))
    session.apply(Accept(tuple(session.instances)))
    assert box.run()
    qtbot.waitUntil(lambda: bool(heard), timeout=20_000)
    assert heard == ["No accepted particle lies in a reviewed region; accept some and finish a region first."]


def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Hold tuning after its first step."""
    free, tune = threading.Event(), tune_box.tune_thresholds

    def held(review: Any, session: Any, start: Any, token: Any) -> Any:
        job = tune(review, session, start, token)
        yield next(job)
        while not (free.is_set() or token.cancelled):
            time.sleep(0.002)
        return (yield from job)

    monkeypatch.setattr(tune_box, "tune_thresholds", held)
    return free


@pytest.mark.parametrize("change", ["image", "candidates"])
def test_what_was_tuned_on_something_else_is_dropped(
    qtbot: Any, box: TuneBox, workspace: Workspace, jobs: JobRunner, change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    free = slow(monkeypatch)
    workspace.candidates = review()
    correct(workspace, workspace.candidates)
    assert box.run()
    if change == "image":
        workspace.step(1)
    else:
        workspace.candidates = review("later")
        box.candidates_changed()
    free.set()
    qtbot.waitUntil(lambda: not jobs.busy, timeout=20_000)
    assert box.words.text() == "" and box.rest.isHidden()


def test_it_can_be_cancelled_and_does_not_see_later_edits(
    qtbot: Any, box: TuneBox, workspace: Workspace, jobs: JobRunner, heard: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    slow(monkeypatch)
    workspace.candidates = review()
    correct(workspace, workspace.candidates)
    assert box.run()
    workspace.opened.session.undo()
    jobs.cancel()
    qtbot.waitUntil(lambda: not jobs.busy, timeout=5000)
    assert heard == ["Tuning the thresholds: cancelled."] and box.words.text() == ""


@pytest.fixture
def panel(qtbot: Any, workspace: Workspace, jobs: JobRunner) -> ProposePanel:
    made = ProposePanel(workspace, Commands(workspace), jobs, ModelShelf())
    qtbot.addWidget(made)
    return made


def show(panel: ProposePanel, workspace: Workspace, source: ReviewCandidates) -> None:
    """Give a panel what a run would have found."""
    workspace.candidates = source
    panel._collected(source, START)
    panel.refilter.wait()


def test_use_here_filters_again_as_one_step(panel: ProposePanel, workspace: Workspace) -> None:
    show(panel, workspace, review())
    session = workspace.opened.session
    assert len(session.instances) == 3
    panel.tune.use_here.emit(START.model_copy(update={"pred_iou": 0.45, "nms": 0.5}))
    panel.refilter.wait()
    assert len(session.instances) == 6 and panel.thresholds().pred_iou == 0.45
    session.undo()
    assert len(session.instances) == 3


def test_the_rest_begins_with_what_was_kept(
    panel: ProposePanel, workspace: Workspace, images: Path, tmp_path: Path
) -> None:
    own = panel.thresholds()
    assert own == default_thresholds(ModelChoice())
    source, wanted = review(), START.model_copy(update={"pred_iou": 0.4321})
    show(panel, workspace, source)
    panel.tune.use_for_rest.emit(source, wanted)
    assert panel.thresholds() == START, "the opened image stays as it is"
    workspace.step(1)
    assert panel.thresholds() == wanted
    panel.form.update_value(model=str(tmp_path / "other.pth"))
    assert panel.thresholds() not in (own, wanted)
    panel.form.update_value(model="particle-tiny")
    assert panel.thresholds() == wanted
    workspace.close()
    assert panel.thresholds() == own
    again = Workspace("Änne")
    open_now(again, images)
    sliders = ThresholdBox()
    KeptThresholds(again, sliders).begin(ModelChoice())
    assert sliders.value() == wanted, "also after the window was closed"
    assert again.close()


def test_another_model_begins_with_its_own(workspace: Workspace, qtbot: Any) -> None:
    sliders = ThresholdBox()
    qtbot.addWidget(sliders)
    kept, tiny, other = KeptThresholds(workspace, sliders), ModelChoice(), ModelChoice("sam.pth")
    kept.keep(tiny, START)
    assert kept.of_other_model(tiny) is None
    workspace.candidates = review()
    assert kept.of_other_model(ModelChoice(device="cpu")) is None
    assert kept.of_other_model(other) == default_thresholds(other)
    workspace.candidates = review(choice=other)
    assert kept.of_other_model(tiny) == START


def test_adapters_of_the_project_may_move_with_it(workspace: Workspace, qtbot: Any, tmp_path: Path) -> None:
    sliders = ThresholdBox()
    qtbot.addWidget(sliders)
    kept, root = KeptThresholds(workspace, sliders), workspace.project.root
    kept.keep(ModelChoice(adapter=root / "runs" / "r1" / "adapter"), START)
    kept.keep(ModelChoice(adapter=tmp_path / "elsewhere"), START)
    kept.keep(ModelChoice(adapter=root / "runs" / "r1" / "adapter"), START)
    inside, outside = sorted(entry.adapter for entry in workspace.project.content.starts)[::-1]
    assert inside == "runs/r1/adapter" and outside == (tmp_path / "elsewhere").resolve().as_posix()
