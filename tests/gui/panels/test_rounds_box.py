from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels import rounds_box
from napari_particle_sam.gui.panels.rounds_box import BLIND, EMPTY, NO_PROJECT, NONE_LEFT, RoundsBox, curve
from napari_particle_sam.storage.project.rounds import before_and_after, close_round
from napari_particle_sam.workflow.rounds import RoundRow


@pytest.fixture
def runner(qtbot: Any) -> Iterator[JobRunner]:
    made = JobRunner()
    yield made
    assert made.shutdown()


def shown(qtbot: Any, workspace: Workspace, jobs: Any) -> RoundsBox:
    made = RoundsBox(workspace, jobs)
    qtbot.addWidget(made)
    made.show()
    assert made.wait()
    return made


def test_without_a_project_it_says_what_to_do(qtbot: Any, jobs: Any) -> None:
    box = shown(qtbot, Workspace("Änne"), jobs)
    assert box.lines.text() == NO_PROJECT
    assert not box.ask.isVisible()
    assert not box.plot.isVisible()


def test_without_a_round_it_says_what_to_do(qtbot: Any, workspace: Workspace, jobs: Any) -> None:
    box = shown(qtbot, workspace, jobs)
    assert box.lines.text() == EMPTY
    assert box.ask.isVisible()
    assert not (box.open.isVisible() or box.next.isVisible() or box.plot.isVisible())


def test_the_plot_comes_first_and_then_a_line_per_round(qtbot: Any, annotated: Workspace, jobs: Any) -> None:
    close_round(annotated.project, "run 1", before_and_after({"f1@0.5": 0.7}, {"f1@0.5": 0.8}))
    annotated.set_done(True)
    box = shown(qtbot, annotated, jobs)
    assert box.layout().itemAt(0).widget() is box.plot
    assert box.plot.isVisible()
    first, second = box.lines.text().splitlines()
    assert first.startswith("Round 1: 1 image, 3 particles, ")
    assert first.endswith("f1@0.5 0.70 → 0.80, run 1")
    assert second.startswith("Round 2 (open): 1 image, 1 particle, ")
    numbers, values = box._curve.getData()
    assert list(numbers) == [1, 2]
    assert list(values) == pytest.approx([1 / 3, 1.0])


def test_it_follows_the_project(qtbot: Any, annotated: Workspace, jobs: Any) -> None:
    box = shown(qtbot, annotated, jobs)
    assert len(box.lines.text().splitlines()) == 1
    close_round(annotated.project, "run 1")
    annotated.project_changed.emit()
    assert box.wait()
    assert "run 1" in box.lines.text()


def test_the_suggested_image_is_named_and_opened(qtbot: Any, annotated: Workspace, runner: JobRunner) -> None:
    box = shown(qtbot, annotated, runner)
    box.ask.click()
    qtbot.waitUntil(lambda: box.suggestion is not None, timeout=10_000)
    assert box.suggestion.key == "bild 10"
    assert box.next.text() == f"Next image: bild 10, because {box.suggestion.reason}."
    assert box.open.text() == "Open bild 10"
    box.open.click()
    assert annotated.opened.key == "bild 10"
    assert box.suggestion is None
    assert not box.open.isVisible()


def test_where_no_image_is_left_it_says_so(qtbot: Any, annotated: Workspace, jobs: Any) -> None:
    annotated.set_done(True)
    annotated.step(1)
    annotated.set_done(True)
    box = shown(qtbot, annotated, jobs)
    box.ask.click()
    assert box.next.text() == NONE_LEFT
    assert not box.open.isVisible()


def test_in_blind_mode_nothing_is_suggested(qtbot: Any, annotated: Workspace, jobs: Any) -> None:
    box = shown(qtbot, annotated, jobs)
    box.ask.click()
    assert box.suggestion is not None
    annotated.blind = True
    assert box.suggestion is None
    assert box.next.text() == BLIND
    assert not (box.ask.isVisible() or box.open.isVisible())
    box.suggest()
    assert box.suggestion is None


def test_a_busy_window_says_so(qtbot: Any, annotated: Workspace, jobs: Any) -> None:
    box = shown(qtbot, annotated, jobs)
    jobs.busy, jobs.title = True, "Measuring"
    box.ask.click()
    assert box.next.text().startswith("'Measuring' is not finished")


def test_a_suggestion_for_another_project_is_dropped(
    qtbot: Any, annotated: Workspace, runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    real = rounds_box.suggesting

    def slow(project: Any, token: CancelToken, *more: Any) -> Generator[Any, None, Any]:
        go_on.wait(10)
        return (yield from real(project, token, *more))

    monkeypatch.setattr(rounds_box, "suggesting", slow)
    box = shown(qtbot, annotated, runner)
    box.ask.click()
    assert annotated.close()
    go_on.set()
    qtbot.waitUntil(lambda: not runner.busy, timeout=10_000)
    assert box.suggestion is None
    assert box.lines.text() == NO_PROJECT


def test_rounds_without_particles_are_no_points() -> None:
    rows = [
        RoundRow(1, ("a",), 4, {"added": 2}, 0.5, 1.0, {}, "r1"),
        RoundRow(2, (), 0, {}, None, 0.0, {}, "r2"),
        RoundRow(3, ("b",), 8, {"added": 2}, 0.25, 1.0, {}, None, open=True),
    ]
    assert curve(rows) == ([1, 3], [0.5, 0.25])
