from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from napari_particle_sam.gui.panels.train_follow import RunFollower
from napari_particle_sam.learning import launch
from napari_particle_sam.learning.run_status import RunStatus

from .written_runs import add_events, finish, metric, prediction, prepared, progress


class Heard:
    """What a follower emits, in order."""

    def __init__(self, follower: RunFollower) -> None:
        self.order: list[tuple[str, Any]] = []
        for name in ("progressed", "events", "pictured", "ended"):
            getattr(follower, name).connect(lambda value, name=name: self.order.append((name, value)))

    def of(self, name: str) -> list[Any]:
        return [value for found, value in self.order if found == name]


@pytest.fixture
def follower(qtbot: Any) -> RunFollower:
    made = RunFollower()
    yield made
    made.stop()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return prepared(tmp_path / "Maß Probe" / "runs" / "run 1")


def test_a_living_run_is_followed_to_its_end(qtbot: Any, follower: RunFollower, run: Path) -> None:
    heard = Heard(follower)
    with FileLock(str(run / "run.lock"), thread_local=False):
        add_events(run, metric(1, loss=2.0), progress(1, 9, 40.0))
        follower.follow(run)
        assert follower.alive and follower.witnessed and not heard.of("ended")
        [status] = heard.of("progressed")
        assert (status.state, status.step, status.steps) == ("running", 1, 9) and "left" in status.sentence
        assert [event["event"] for event in heard.of("events")[0]] == ["Metric", "Progress"]
        add_events(run, metric(2, loss=1.0), progress(2, 9, 30.0))
        (run / "events.jsonl").open("ab").write(b'{"schema_version": 1, "event": "Met')
        shown = prediction(run, 1)
        qtbot.waitUntil(lambda: len(heard.of("progressed")) == 2, timeout=5000)
        assert len(heard.of("events")[1]) == 2 and heard.of("pictured") == [shown]
        finish(run)
    with qtbot.waitSignal(follower.ended, timeout=5000):
        pass
    [ended] = heard.of("ended")
    assert ended.state == "finished" and ended.adapter == run / "adapter" and not follower.alive
    assert heard.order[-1][0] == "ended"
    count = len(heard.order)
    qtbot.wait(900)
    assert len(heard.order) == count


def test_the_last_events_come_before_the_end(follower: RunFollower, run: Path) -> None:
    heard = Heard(follower)
    add_events(run, metric(1, loss=2.0))
    finish(run, gained=False, reason="No gain.")
    follower.follow(run)
    assert [name for name, _ in heard.order] == ["events", "progressed", "ended"]
    assert not follower.witnessed and heard.of("ended")[0].sentence == "No gain."


def test_requests_are_files_of_the_run(follower: RunFollower, run: Path) -> None:
    with FileLock(str(run / "run.lock"), thread_local=False):
        follower.follow(run)
        follower.pause(True)
        assert (run / "pause").exists() and follower.status.state == "pausing"
        follower.pause(False)
        assert not (run / "pause").exists() and follower.status.state == "running"
        follower.cancel()
        assert (run / "cancel").exists()
    follower.look()
    assert follower.status.state == "cancelled" and not follower.alive


def test_resume_starts_the_process_and_follows_on(
    qtbot: Any, follower: RunFollower, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run / "pause").touch()
    add_events(run, progress(3, 9))
    follower.follow(run)
    assert follower.status.state == "paused"
    lock = FileLock(str(run / "run.lock"), thread_local=False)

    def start(which: Path) -> None:
        assert which == run
        (run / "pause").unlink()
        lock.acquire()

    monkeypatch.setattr(launch, "start_run", start)
    follower.resume()
    assert follower.alive
    heard = Heard(follower)
    lock.release()
    qtbot.waitUntil(lambda: bool(heard.of("ended")), timeout=5000)
    assert heard.of("ended")[0].state == "stopped"


def test_stopping_to_follow_does_not_touch_the_run(qtbot: Any, follower: RunFollower, run: Path) -> None:
    with FileLock(str(run / "run.lock"), thread_local=False):
        follower.follow(run)
        before = sorted(path.name for path in run.iterdir())
        follower.stop()
        follower.look()
        assert sorted(path.name for path in run.iterdir()) == before and follower.run is None


def test_an_open_project_finds_its_run_again(follower: RunFollower, tmp_path: Path) -> None:
    root = tmp_path / "Maß Probe"
    assert not follower.attach(root)
    old, middle, new = (prepared(root / "runs" / name) for name in ("b", "a", "c"))
    for number, path in enumerate((old, middle, new)):
        os.utime(path / "job.json", (1000 + number, 1000 + number))
    add_events(new, progress(2, 9))
    statuses: list[RunStatus] = []
    follower.ended.connect(statuses.append)
    assert follower.attach(root) and follower.run == new and statuses[-1].state == "stopped"
    with FileLock(str(old / "run.lock"), thread_local=False):
        assert follower.attach(root) and follower.run == old and follower.alive
