from __future__ import annotations

import gc
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from qtpy.QtCore import QElapsedTimer, QTimer
from qtpy.QtWidgets import QPushButton

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.events import Event, Message, Metric, Progress
from napari_particle_sam.gui.jobs import JobRunner

Job = Generator[Event, None, Any]


class Heard:
    """What came of a job, and in which threads."""

    def __init__(self, jobs: JobRunner) -> None:
        self.jobs = jobs
        self.results: list[Any] = []
        self.failures: list[str] = []
        self.events: list[Event] = []
        self.signalled: list[Event] = []
        self.ends = 0
        self.threads: set[int] = set()
        jobs.event.connect(self.signalled.append)
        jobs.ended.connect(self._end)

    def _end(self) -> None:
        self.ends += 1

    def _note(self, kept: list[Any], value: Any) -> None:
        self.threads.add(threading.get_ident())
        kept.append(value)

    def start(self, job: Any, title: str = "Counting") -> bool:
        return self.jobs.start(
            title,
            job,
            lambda value: self._note(self.results, value),
            lambda event: self._note(self.events, event),
            lambda words: self._note(self.failures, words),
        )


@pytest.fixture
def heard(qtbot: Any) -> Iterator[Heard]:
    jobs = JobRunner()
    yield Heard(jobs)
    assert jobs.shutdown(5)


def until_idle(qtbot: Any, jobs: JobRunner) -> None:
    qtbot.waitUntil(lambda: not jobs.busy, timeout=10_000)


def counting(token: CancelToken) -> Job:
    for step in range(3):
        token.check()
        yield Message(str(step))
    return threading.get_ident()


def endless(cleaned: list[int]) -> Any:
    def job(token: CancelToken) -> Job:
        try:
            while True:
                token.check()
                yield Progress(0, 0)
                time.sleep(0.005)
        finally:
            cleaned.append(threading.get_ident())

    return job


def test_a_job_runs_beside_the_window_and_is_heard_in_its_thread(qtbot: Any, heard: Heard) -> None:
    assert heard.start(counting)
    assert heard.jobs.busy and heard.jobs.title == "Counting"
    until_idle(qtbot, heard.jobs)
    assert [event.text for event in heard.events] == ["0", "1", "2"] and heard.signalled == heard.events
    assert heard.threads == {threading.get_ident()} != set(heard.results)
    assert (heard.failures, heard.ends, heard.jobs.title) == ([], 1, "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            RuntimeError("CUDA out of memory\nTried to allocate"),
            "failed (CUDA out of memory); try again",
        ),
        (BadFileError("a.tif is damaged; restore it."), "a.tif is damaged; restore it."),
        (MemoryError(), "'Counting' needs more memory than is free (MemoryError); close"),
        (FileNotFoundError(2, "No such file", "b.tif"), "could not use b.tif (No such file); check"),
        (StopIteration(), "'Counting' failed (generator raised StopIteration); try again"),
        (SystemExit("bye"), "'Counting' failed (bye); try again"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_error_is_one_sentence_and_the_window_goes_on(
    qtbot: Any, heard: Heard, error: BaseException, words: str
) -> None:
    def job(token: CancelToken) -> Job:
        yield Message("a")
        raise error

    pressed: list[bool] = []
    button = QPushButton()
    qtbot.addWidget(button)
    button.clicked.connect(pressed.append)
    heard.start(job)
    until_idle(qtbot, heard.jobs)
    assert words in heard.failures[0] and len(heard.failures) == 1 and "\n" not in heard.failures[0]
    button.click()
    assert pressed and heard.start(counting), "the window is usable and the next job begins"
    until_idle(qtbot, heard.jobs)
    assert heard.results and heard.ends == 2


def test_a_failure_before_the_first_event_is_a_sentence_too(qtbot: Any, heard: Heard) -> None:
    def make(token: CancelToken) -> Job:
        raise RuntimeError("no such device")

    heard.start(make)
    until_idle(qtbot, heard.jobs)
    assert "no such device" in heard.failures[0]


def test_a_failure_that_nobody_asked_for_is_said(qtbot: Any, heard: Heard) -> None:
    def job(token: CancelToken) -> Job:
        raise BadFileError("a.tif is damaged; restore it.")
        yield

    heard.jobs.start("Reading", job)
    until_idle(qtbot, heard.jobs)
    heard.jobs.start("Reading", endless([]))
    heard.jobs.cancel()
    until_idle(qtbot, heard.jobs)
    texts = [event.text for event in heard.signalled if isinstance(event, Message)]
    assert texts == ["a.tif is damaged; restore it.", "'Reading' was cancelled."]


def test_cancelling_runs_the_finally_in_the_jobs_thread(qtbot: Any, heard: Heard) -> None:
    cleaned: list[int] = []
    heard.start(endless(cleaned))
    qtbot.waitUntil(lambda: bool(heard.events))
    heard.jobs.cancel()
    count = len(heard.events)
    until_idle(qtbot, heard.jobs)
    assert len(cleaned) == 1 and cleaned[0] != threading.get_ident()
    assert (heard.results, heard.failures, heard.ends) == ([], ["cancelled"], 1)
    assert len(heard.events) == count, "late events are dropped"


def test_a_job_that_does_not_look_at_the_token_is_stopped_at_its_next_event(qtbot: Any, heard: Heard) -> None:
    told: list[str] = []

    def deaf(token: CancelToken) -> Job:
        try:
            while True:
                yield Message("still here")
                time.sleep(0.002)
        except BaseException as error:
            told.append(type(error).__name__)
            raise
        finally:
            told.append("finally")

    heard.start(deaf)
    qtbot.waitUntil(lambda: bool(heard.events))
    heard.jobs.cancel()
    until_idle(qtbot, heard.jobs)
    assert told == ["CancelledError", "finally"] and heard.failures == ["cancelled"]


def test_the_result_of_a_cancelled_job_is_dropped(qtbot: Any, heard: Heard) -> None:
    def job(token: CancelToken) -> Job:
        yield Progress(0, 1)
        while not token.cancelled:
            time.sleep(0.002)
        return "late"

    heard.start(job)
    qtbot.waitUntil(lambda: bool(heard.events))
    heard.jobs.cancel()
    until_idle(qtbot, heard.jobs)
    assert heard.results == [] and heard.failures == ["cancelled"]


def test_one_job_at_a_time(qtbot: Any, heard: Heard) -> None:
    cleaned: list[int] = []
    assert heard.start(endless(cleaned), "First")
    assert not heard.start(counting, "Second") and heard.jobs.title == "First"
    heard.jobs.cancel()
    until_idle(qtbot, heard.jobs)
    assert heard.results == []


def test_a_result_may_begin_the_next_job(qtbot: Any, heard: Heard) -> None:
    heard.jobs.start("First", counting, on_result=lambda _: heard.start(counting, "Second"))
    qtbot.waitUntil(lambda: bool(heard.results))
    assert heard.ends == 2 and not heard.jobs.busy


def flood(kind: str, count: int) -> Any:
    def job(token: CancelToken) -> Job:
        for step in range(count):
            yield Progress(step + 1, count) if kind == "progress" else Metric(step, "train", {"loss": 1.0})
        return count

    return job


@pytest.mark.parametrize("kind", ["progress", "metric"])
def test_a_flood_of_events_does_not_stall_the_window(qtbot: Any, heard: Heard, kind: str) -> None:
    clock, gaps = QElapsedTimer(), []
    beat = QTimer()
    beat.setInterval(0)
    beat.timeout.connect(lambda: gaps.append(clock.restart()))
    # Each event costs the window something, as drawing a number does.
    heard.jobs.event.connect(lambda _: time.sleep(2e-5))
    clock.start()
    beat.start()
    heard.start(flood(kind, 10_000))
    until_idle(qtbot, heard.jobs)
    beat.stop()
    print(f"{kind}: longest gap {max(gaps)} ms in {sum(gaps)} ms, {len(heard.events)} events handed over")
    assert heard.results == [10_000] and max(gaps) < 100
    if kind == "metric":
        assert [event.step for event in heard.events] == list(range(10_000)), "numbers are all kept"
    else:
        assert heard.events[-1] == Progress(10_000, 10_000), "of progress the latest"


def test_closing_stops_a_job_that_waits_for_the_window(qtbot: Any, heard: Heard) -> None:
    heard.start(flood("metric", 10**9))
    time.sleep(0.1)
    begun = time.monotonic()
    assert heard.jobs.shutdown(5) and time.monotonic() - begun < 1
    assert not heard.jobs.busy and heard.ends == 1 and heard.jobs.shutdown()


def test_closing_does_not_wait_for_ever(qtbot: Any, heard: Heard) -> None:
    release = threading.Event()

    def stuck(token: CancelToken) -> Job:
        release.wait(10)
        yield Progress(0, 0)

    heard.start(stuck)
    assert not heard.jobs.shutdown(0.05) and heard.jobs.busy
    release.set()
    until_idle(qtbot, heard.jobs)


def test_a_runner_that_is_thrown_away_stops_its_job(qtbot: Any) -> None:
    cleaned: list[int] = []
    jobs = JobRunner()
    jobs.start("Endless", endless(cleaned))
    del jobs
    gc.collect()
    qtbot.waitUntil(lambda: bool(cleaned), timeout=5000)
