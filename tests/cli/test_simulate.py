"""`particle-sam simulate`: what it writes, what it says, what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_particle_sam.cli.app import app
from napari_particle_sam.storage.pairs import write_pair

SHORT = ["--rounds", "1", "--per-round", "1", "--orders", "1", "--device", "cpu", "--held-out", "a"]


@pytest.fixture
def pairs(tmp_path):
    rng = np.random.default_rng(0)
    for stem in ("a", "b"):
        labels = np.zeros((96, 128), np.uint16)
        labels[20:60, 30:70] = 1
        pixels = np.clip(rng.normal(60, 10, labels.shape) + 100 * (labels > 0), 0, 255).astype(np.uint8)
        write_pair(tmp_path / "Übung 1", stem, pixels, labels)
    return tmp_path / "Übung 1"


def called(pairs, out, *options):
    return CliRunner().invoke(app, ["simulate", "--pairs", str(pairs), "--out", str(out), *SHORT, *options])


def test_it_writes_table_figure_and_verdict_and_control_does_not_train(pairs, tmp_path):
    out = tmp_path / "Maß Probe"
    found = called(pairs, out, "--arms", "none")
    assert found.exit_code == 0, found.output
    summary = json.loads((out / "simulate.json").read_text(encoding="utf-8"))
    assert "after round 1" in summary["verdict"] and len(summary["rows"]) == 2
    assert summary["rows"][1]["images"] == "b" and (out / "simulate.png").stat().st_size > 0
    assert not (out / "runs").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--arms", "magic"], "magic"), (["--arms", ","], "no arm"), (["--held-out", "z"], "'z'")],
)
def test_mistakes_are_one_sentence(pairs, tmp_path, options, words):
    found = called(pairs, tmp_path / "out", *options)
    assert found.exit_code != 0 and words in str(found.exception)
