"""`particle-sam train`: resumed, refused, sent to the background."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from napari_particle_sam.learning.run_status import read_status
from napari_particle_sam.sam.adapter_info import read_info
from napari_particle_sam.storage.pairs import write_pair

TINY = [
    "--preset",
    "quick",
    "--rank",
    "2",
    "--batch-size",
    "1",
    "--epochs",
    "1",
    "--minutes",
    "0.01",
    "--device",
    "cpu",
]


@pytest.fixture
def pairs(tmp_path):
    rng = np.random.default_rng(0)
    for stem in ("a", "b"):
        labels = np.zeros((96, 128), np.uint16)
        labels[20:60, 30:70] = 1
        pixels = np.clip(rng.normal(60, 10, labels.shape) + 100 * (labels > 0), 0, 255).astype(np.uint8)
        write_pair(tmp_path / "Übung 1", stem, pixels, labels)
    return tmp_path / "Übung 1"


def test_a_run_ends_and_is_not_begun_twice(run_cli, pairs, tmp_path):
    out = tmp_path / "run"
    done = run_cli("train", "--pairs", pairs, "--out", out, *TINY, "--json", "-")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert result["gained"] and result["steps"] >= 1
    assert read_status(out).adapter == out / "adapter"
    for more in ((), ("--resume",)):
        again = run_cli("train", "--pairs", pairs, "--out", out, *TINY, *more)
        assert again.code == 2 and "finished run" in again.err and again.err.count("\n") == 1


def test_resume_goes_on_with_what_is_there_and_needs_no_pairs(run_cli, pairs, tmp_path):
    from napari_particle_sam.learning.config import make_config
    from napari_particle_sam.workflow.finetune import prepare

    out = tmp_path / "run"
    assert run_cli("train", "--out", out, "--resume").code == 2
    config = make_config("quick", rank=2, batch_size=1, epochs=1, minutes=0.01, crop=64)
    prepare(pairs, out, config, device="cpu")
    refused = run_cli("train", "--pairs", pairs, "--out", out, *TINY)
    assert refused.code == 2 and "resume" in refused.err
    assert run_cli("train", "--out", out, "--resume").code == 0
    assert read_status(out).state == "finished"


def test_pairs_or_resume_must_be_said(run_cli, tmp_path):
    done = run_cli("train", "--out", tmp_path / "run")
    assert done.code == 2 and "--pairs" in done.err


def test_in_the_background_it_outlives_the_command(run_cli, pairs, tmp_path):
    out = tmp_path / "run"
    done = run_cli("train", "--pairs", pairs, "--out", out, *TINY, "--background")
    assert done.code == 0 and "background" in done.out
    assert read_status(out).alive
    end = time.monotonic() + 120
    while read_status(out).alive and time.monotonic() < end:
        time.sleep(0.1)
    assert read_status(out).state == "finished", read_status(out).sentence


def test_a_run_goes_on_from_another_and_refuses_what_is_no_adapter(run_cli, pairs, tmp_path):
    first, second = tmp_path / "erste Runde", tmp_path / "zweite Runde"
    assert run_cli("train", "--pairs", pairs, "--out", first, *TINY).code == 0
    done = run_cli("train", "--pairs", pairs, "--out", second, *TINY, "--start-from", first)
    assert done.code == 0 and f"Going on from {first.name}." in done.err + done.out
    assert read_info(second / "adapter").started_from == first.name
    refused = run_cli("train", "--pairs", pairs, "--out", tmp_path / "c", *TINY, "--start-from", pairs)
    assert refused.code == 2 and "holds no adapter" in refused.err and refused.err.count("\n") == 1
    assert not (tmp_path / "c").exists()
