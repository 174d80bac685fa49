"""The real process: started, followed, paused, killed, resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.learning import launch
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.learning.launch import (
    RunRequest,
    prepare_run,
    request_cancel,
    request_pause,
    start_run,
)
from napari_particle_sam.learning.run_lock import hold_run
from napari_particle_sam.learning.run_status import EventReader, list_runs, read_status
from napari_particle_sam.storage.pairs import write_pair
from napari_particle_sam.storage.splits import Split

SMALL = {
    "minutes": None, "steps_per_epoch": 3, "epochs": 3, "crop": 64, "batch_size": 2, "rank": 2,
    "instances": 2, "corrections": 0.5, "img_size": None,
}  # fmt: skip
LIMIT = 240.0


@pytest.fixture
def request_of(tmp_path, images):
    """Return what to train: two pairs in a folder with spaces and umlauts, the second validates."""
    folder = tmp_path / "Maß Probe"
    for image in images:
        write_pair(folder, image.stem, image.picture, image.labels.astype(np.uint16))

    def make(val=("image1",), **changes):
        config = make_config("quick", **{k: v for k, v in (SMALL | changes).items() if v is not None})
        config = config.model_copy(update={"minutes": changes.get("minutes")})
        return RunRequest(folder, config, Split(("image0",), val, (), ""), "cpu", threads=1)

    return make


@pytest.fixture(autouse=True)
def quiet_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def wait_for(run, condition, limit=LIMIT):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        status = read_status(run)
        if condition(status):
            return status
        assert status.state not in ("failed", "stopped"), status.sentence
        time.sleep(0.02)
    raise AssertionError(f"nothing happened: {read_status(run)}")


def over(status):
    return status.state in ("finished", "paused", "cancelled")


def kill(run):
    child = launch._children[-1]
    child.kill()
    child.wait()


def adapter_bytes(run):
    return [(run / "adapter" / name).read_bytes() for name in ("adapter.safetensors", "adapter.json")]


@pytest.mark.timeout(900)
def test_killed_three_times_and_resumed_it_learns_the_same_bytes(request_of, tmp_path):
    whole, broken = tmp_path / "a" / "run", tmp_path / "b" / "run"
    for run in (whole, broken):
        prepare_run(run, request_of(val=()))
    start_run(whole)
    wait_for(whole, over)
    moments = np.random.default_rng(int.from_bytes(os.urandom(4), "big")).choice(
        np.arange(1, 9), 3, replace=False
    )
    for step in sorted(int(m) for m in moments):
        start_run(broken)
        wait_for(broken, lambda status, step=step: status.step >= step or over(status))
        kill(broken)
        assert read_status(broken).state == "stopped", moments
    start_run(broken)
    ended = wait_for(broken, over)
    assert ended.state == "finished" and ended.steps == 9 and ended.gained
    assert adapter_bytes(whole) == adapter_bytes(broken), f"killed at {moments}"
    curves = [(run / "curves.csv").read_text() for run in (whole, broken)]
    assert curves[0] == curves[1], f"killed at {moments}"


@pytest.mark.timeout(600)
def test_a_run_is_paused_resumed_cancelled_and_resumed(request_of, tmp_path):
    run = tmp_path / "Läufe" / "runs" / "run 1"
    prepare_run(run, request_of())
    assert read_status(run).state == "prepared" and list_runs(tmp_path / "Läufe") == [run]
    reader = EventReader(run)
    start_run(run)
    assert read_status(run).alive
    wait_for(run, lambda s: s.step >= 1)
    with pytest.raises(BadFileError):
        start_run(run)
    request_pause(run, True)
    paused = wait_for(run, over)
    assert paused.state == "paused" and paused.can_resume and paused.steps == 9
    start_run(run)
    wait_for(run, lambda s: s.step > paused.step)
    request_cancel(run)
    cancelled = wait_for(run, over)
    assert cancelled.state == "cancelled" and cancelled.step > paused.step
    start_run(run)
    ended = wait_for(run, over)
    assert ended.state == "finished" and (ended.adapter is not None) == ended.gained
    with pytest.raises(BadFileError):
        start_run(run)
    events = reader.new()
    assert [e["seq"] for e in events] == list(range(len(events)))
    steps = [e["step"] for e in events if e["event"] == "Metric" and e["stage"] == "train"]
    assert sorted(set(steps)) == list(range(1, 10)) and steps == sorted(steps)
    assert {"loss", "dice", "miou"} <= {k for e in events if e["event"] == "Metric" for k in e["values"]}
    assert (run / "predictions" / "epoch_000.png").is_file()
    assert (run / "predictions" / "epoch_003.png").is_file()


def test_later_edits_do_not_reach_a_run(request_of, tmp_path):
    request, run = request_of(), tmp_path / "run"
    prepare_run(run, request)
    before = (run / "pairs" / "masks" / "image0.tif").read_bytes()
    write_pair(request.pairs, "image0", np.zeros((96, 128), np.uint8), np.zeros((96, 128), np.uint16))
    assert (run / "pairs" / "masks" / "image0.tif").read_bytes() == before
    with pytest.raises(BadValueError):
        prepare_run(run, request)


def test_what_fails_is_said_in_its_words(request_of, tmp_path):
    run = tmp_path / "run"
    prepare_run(run, request_of(model="vit_nothing"))
    start_run(run)
    end = time.monotonic() + LIMIT
    while read_status(run).alive and time.monotonic() < end:
        time.sleep(0.05)
    status = read_status(run)
    assert status.state == "failed" and "vit_nothing" in status.sentence and status.can_resume


def test_a_living_run_is_known_by_its_lock(request_of, tmp_path):
    run = tmp_path / "run"
    prepare_run(run, request_of())
    with hold_run(run):
        assert read_status(run).state == "running"
        request_pause(run, True)
        assert read_status(run).state == "pausing"
        request_pause(run, False)
        code = "import sys; from pathlib import Path; from napari_particle_sam.learning import run_lock;"
        code += "run_lock.PATIENCE = 0.1\nwith run_lock.hold_run(Path(sys.argv[1])): pass"
        other = subprocess.run([sys.executable, "-c", code, str(run)], capture_output=True, text=True)
        assert other.returncode != 0 and "is being trained in" in other.stderr
    assert read_status(run).state == "prepared"


def test_a_run_that_comes_up_is_not_taken_for_one_that_was_cancelled(request_of, tmp_path):
    run = tmp_path / "run"
    prepare_run(run, request_of())
    (run / "starting.json").write_text("{}")
    request_cancel(run)
    assert read_status(run).state == "running"
    (run / "starting.json").unlink()
    assert read_status(run).state == "cancelled"


def test_nothing_heavy_is_loaded_to_start_and_follow():
    code = (
        "import sys, napari_particle_sam.learning.launch, napari_particle_sam.learning.run_status;"
        "sys.exit(int('torch' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_events_of_a_torn_or_unknown_line_are_skipped(tmp_path):
    good = {"schema_version": 1, "seq": 0, "time": 1.0, "event": "Message", "text": "a"}
    lines = [json.dumps(good), json.dumps(good | {"schema_version": 9}), "{torn", "[1]", "null"]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n" + json.dumps(good)[:-5])
    reader = EventReader(tmp_path)
    assert [e["text"] for e in reader.new()] == ["a"] and reader.new() == []
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(json.dumps(good)[-5:] + "\n")
    assert [e["text"] for e in reader.new()] == ["a"]
