"""Ablations, on drawn discs and the bundled model."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.learning.config import make_config
from napari_particle_sam.sam.adapter_info import read_info
from napari_particle_sam.storage.pairs import list_pairs, write_pair
from napari_particle_sam.workflow.ablate import ablate
from napari_particle_sam.workflow.ablating.grid import AblationSettings, variants
from napari_particle_sam.workflow.ablating.results import summarise

SHAPE = (96, 128)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("Übung mit Paaren"), np.random.default_rng(0)
    rows, cols = np.indices(SHAPE)
    for stem in ("a", "b"):
        labels = np.where(np.hypot(rows - 48, cols - 60) < 24, 1, 0).astype(np.uint16)
        pixels = np.clip(rng.normal(60, 10, SHAPE) + 90 * labels, 0, 255).astype(np.uint8)
        write_pair(folder, stem, pixels, labels)
    return folder


def settings(**changes):
    config = make_config("quick", crop=64, batch_size=1, instances=2)
    asked = {"config": config, "ranks": (2, 3), "seeds": (0,), "steps": 1, "held_out": ("b",)}
    return AblationSettings(**(asked | changes))


def ran(pairs, out, asked):
    return run_job(ablate(pairs, out, asked, CancelToken(), "cpu"))


@pytest.fixture(scope="module")
def whole(pairs, tmp_path_factory):
    out = tmp_path_factory.mktemp("ablation")
    return out, ran(pairs, out, settings())


def test_every_variant_is_trained_as_it_says_and_scored(whole):
    out, found = whole
    assert [row["variant"] for row in found.rows] == ["base", "rank 16", "rank 2", "rank 3"]
    assert [read_info(out / "runs" / f"rank-{n}_seed-0" / "adapter").rank for n in (16, 2, 3)] == [16, 2, 3]
    assert all(0 <= row["f1@0.5"] <= 1 for row in found.rows)
    with (out / "ablation.csv").open(encoding="utf-8") as file:
        assert [row["variant"] for row in csv.DictReader(file)] == [row["variant"] for row in found.rows]
    assert "| rank 3 | 1 |" in (out / "ablation.md").read_text(encoding="utf-8")
    assert (out / "ablation.png").read_bytes().startswith(b"\x89PNG")


def test_held_out_images_are_not_learned_from(whole):
    for run in (whole[0] / "runs").glob("*/pairs"):
        assert [pair.stem for pair in list_pairs(run)] == ["a"]


def test_what_was_done_is_not_done_again(whole, pairs):
    out, found = whole
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/result.json")}
    assert ran(pairs, out, settings()).rows == found.rows
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with pytest.raises(BadValueError, match="other settings"):
        ran(pairs, out, settings(steps=2))


def test_a_model_without_weights_is_skipped_with_a_reason(pairs, tmp_path, monkeypatch):
    monkeypatch.setenv("PARTICLE_SAM_MODELS", str(tmp_path / "none"))
    config = make_config("paper", model=str(tmp_path / "no_such_vit_b.pth"))
    found = ran(pairs, tmp_path / "out", settings(config=config, ranks=(128, 256)))
    assert all("skipped" in row["note"] for row in found.rows)
    assert "skipped" in (tmp_path / "out" / "ablation.md").read_text(encoding="utf-8")


def test_one_setting_at_a_time_or_all_combinations():
    asked = settings(ranks=(4, 16), learning_rates=(1e-3, 1e-4), iou_head=(False, True))
    names = [variant.name for variant in variants(asked)]
    assert len(names) == len(set(names)) == 5
    assert names[:2] == ["rank 16, train iou head no", "rank 4, train iou head no"]
    assert "rank 16, learning rate 0.001, train iou head no" in names
    assert len(variants(asked.model_copy(update={"whole_grid": True}))) == 8


def test_a_rate_that_is_asked_for_stands_in_the_name_of_every_variant():
    config = make_config("quick", learning_rate=1e-3)
    asked = settings(config=config, ranks=(4, 16), learning_rates=(1e-3, 1e-4))
    assert [variant.name for variant in variants(asked)] == [
        "rank 16, learning rate 0.001", "rank 4, learning rate 0.001", "rank 16, learning rate 0.0001"
    ]  # fmt: skip


def test_rates_alone_are_what_is_tried():
    asked = settings(ranks=(), learning_rates=(1e-3, 1e-4))
    assert [variant.name for variant in variants(asked)] == ["learning rate 0.001", "learning rate 0.0001"]


def test_spread_is_over_seeds():
    rows = [{"variant": "x", "seed": s, "f1@0.5": v, "f1@0.75": 0, "map": 0, "dice_foreground": 0}
            for s, v in ((0, 0.5), (1, 0.7))]  # fmt: skip
    (row,) = summarise(rows)
    assert row["f1@0.5"]["mean"] == pytest.approx(0.6) and row["f1@0.5"]["high"] == 0.7
    assert row["f1@0.5"]["deviation"] == pytest.approx(0.1414, abs=1e-3)


@pytest.mark.parametrize("changes", [{"held_out": ("z",)}, {"held_out": ("a", "b")}])
def test_pairs_that_do_not_suffice_are_one_sentence(pairs, tmp_path, changes):
    with pytest.raises(BadValueError):
        ran(pairs, tmp_path, settings(**changes))
