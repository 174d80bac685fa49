"""`particle-sam ablate`: a table of variants, runs that fail, options that are refused."""

from __future__ import annotations

import json

import pytest

from napari_particle_sam.base.errors import JobError
from napari_particle_sam.learning.training_step import TrainingStep

TINY = ("--held-out", "a2", "--seeds", "0", "--steps", "1", "--preset", "quick", "--device", "cpu")


def test_a_variant_that_fails_is_a_row_and_the_others_are_tried(run_cli, pairs, tmp_path, monkeypatch):
    take = TrainingStep.take

    def breaks(self, epoch, step, rate):
        if self.config.rank == 2:
            raise JobError("the loss is no longer finite; use a lower --learning-rate.")
        return take(self, epoch, step, rate)

    monkeypatch.setattr(TrainingStep, "take", breaks)
    out = tmp_path / "out"
    done = run_cli("ablate", "--pairs", pairs, "--out", out, *TINY, "--ranks", "2,3", "--grid", "--json", "-")
    assert done.code == 0, done.err
    rows = {row["variant"]: row for row in json.loads(done.out)["rows"]}
    assert list(rows) == ["base", "rank 2", "rank 3"]
    assert "no longer finite" in rows["rank 2"]["note"] and "f1@0.5" not in rows["rank 2"]
    assert 0 <= rows["rank 3"]["f1@0.5, default thresholds"] <= 1
    assert "no longer finite" in (out / "ablation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "more",
    [("--ranks", "0"), ("--ranks", "4,x"), ("--learning-rates", "7"), ("--iou-head", "perhaps")],
)
def test_a_value_that_cannot_be_used_is_one_sentence_at_once(run_cli, pairs, tmp_path, more):
    done = run_cli("ablate", "--pairs", pairs, "--out", tmp_path / "out", *TINY, *more)
    assert done.code == 2 and done.err.count("\n") == 1, done.err
    assert not (tmp_path / "out").exists()
