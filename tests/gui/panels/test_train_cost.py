from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError, CancelledError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.gui.jobs import JobRunner
from napari_particle_sam.gui.panels.train_cost import ASK, CostBox, Question, estimating
from napari_particle_sam.learning import cost
from napari_particle_sam.learning.config import make_config

from .conftest import JobsNow


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is asked of `learning.cost.estimate`, which answers with a hundred steps of half a second."""
    found: list[tuple[Any, ...]] = []

    def estimate(*question: Any) -> cost.Cost:
        # The last one is the number of threads, which hangs on the machine.
        found.append(question[:-1])
        return cost.Cost(question[0], 100, 1.5, 0.5, 2048.0)

    monkeypatch.setattr(cost, "estimate", estimate)
    return found


class Form:
    def __init__(self) -> None:
        self.question = Question(3, 1, make_config("quick"))

    def __call__(self) -> Question:
        if not self.question.images:
            raise BadValueError("There is no image.")
        return self.question


def made(qtbot: Any, jobs: Any, form: Form) -> CostBox:
    box = CostBox(jobs, form)
    qtbot.addWidget(box)
    return box


def test_the_cost_is_stated_until_the_form_changes(qtbot: Any, jobs: JobsNow, asked: list[Any]) -> None:
    form, done = Form(), []
    box = made(qtbot, jobs, form)
    assert box.words.text() == ASK and not box.current
    assert box.run(then=lambda: done.append(1))
    assert asked == [(3, 1, make_config("quick"), "auto")] and done == [1] and box.current
    assert box.words.text().startswith("3 images, 100 steps of 0.5 s") and "2.0 GB" in box.words.text()
    form.question = form.question._replace(images=4)
    assert not box.current
    box.refresh()
    assert box.words.text() == ASK


def test_what_cannot_be_estimated_is_one_sentence_and_not_asked_again(
    qtbot: Any, jobs: JobsNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def estimate(*_: Any) -> cost.Cost:
        raise BadValueError("vit_h does not fit into memory; choose a smaller one.")

    monkeypatch.setattr(cost, "estimate", estimate)
    box, done = made(qtbot, jobs, Form()), []
    box.run(then=lambda: done.append(1))
    assert box.words.text().startswith("vit_h does not fit") and done == [] and box.current


def test_nothing_is_timed_where_there_is_nothing_to_train_on(
    qtbot: Any, jobs: JobsNow, asked: list[Any]
) -> None:
    form = Form()
    form.question = form.question._replace(images=0)
    box = made(qtbot, jobs, form)
    assert not box.run() and box.words.text() == "There is no image." and asked == []
    jobs.busy, jobs.title, form.question = True, "Exporting", Question(1, 0, make_config("quick"))
    assert not box.run() and "'Exporting' is not finished" in box.words.text()


def test_who_does_not_want_to_wait_goes_on_without(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release, done = threading.Event(), []
    monkeypatch.setattr(cost, "estimate", lambda *_: release.wait(30))
    jobs = JobRunner()
    box = made(qtbot, jobs, Form())
    box.skip()
    assert box.run(then=lambda: done.append(jobs.busy)) and box.timing
    box.skip()
    qtbot.waitUntil(lambda: bool(done), timeout=5000)
    release.set()
    assert done == [False] and not box.timing and box.words.text() == ASK


def test_who_cancels_does_not_wait_for_the_timing(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(cost, "estimate", lambda *_: release.wait(30))
    jobs = JobRunner()
    box, done = made(qtbot, jobs, Form()), []
    assert box.run(then=lambda: done.append(1))
    assert box.words.text().startswith("Timing")
    qtbot.wait(50)
    begun = time.monotonic()
    assert jobs.shutdown(5) and time.monotonic() - begun < 2
    release.set()
    assert box.words.text() == ASK and done == []
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        monkeypatch.setattr(cost, "estimate", lambda *_: time.sleep(0.2))
        run_job(estimating(Form()(), token))
