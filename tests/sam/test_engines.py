"""The engines against SAM's own generator, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.annotation.evaluation_cache import evaluate
from napari_particle_sam.annotation.sam_filter import near_crop_edge, sam_survivors
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.base.stages import StageTimes
from napari_particle_sam.sam.engines.coverage import Coverage
from napari_particle_sam.sam.engines.grid import grid_points
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model


@pytest.fixture(scope="module")
def bundled():
    torch.set_num_threads(1)
    return load_model("particle-tiny")


@pytest.fixture(scope="module")
def grains():
    """Bright discs of 9 to 15 px radius on a dark, noisy ground, 150 x 203."""
    rng = np.random.default_rng(5)
    rows, cols = np.indices((150, 203))
    grey = rng.normal(60, 8, (150, 203))
    for row in range(20, 150, 36):
        for col in range(18, 203, 40):
            grey[np.hypot(rows - row, cols - col) < rng.uniform(9, 15)] += 110
    return np.clip(grey, 0, 255).astype(np.uint8)


def found_by(model, picture, engine, thresholds, times=None, field_rows=None, **changes):
    floors = Floors(thresholds.pred_iou, thresholds.mask_threshold - thresholds.stability_offset)
    settings = GenerateSettings(engine, floors, thresholds=thresholds, **changes)
    return run_job(generate(model, picture, settings, CancelToken(), field_rows, times))


def masks_of(candidates, thresholds):
    evaluated = evaluate(candidates, thresholds)
    kept = sam_survivors(candidates, thresholds, evaluated)
    return {
        (m.box, m.crop.tobytes()): float(p)
        for m, p in zip((evaluated.masks[i] for i in kept), candidates.predicted_iou[kept], strict=True)
    }


@pytest.mark.parametrize(
    "crops", [{}, {"crop_layers": 1, "crop_downscale": 2}, {"field_rows": 101}], ids=["", "crops", "data bar"]
)
def test_exact_gives_the_masks_of_the_reference(bundled, grains, crops):
    thresholds = bundled.thresholds
    times = StageTimes()
    wanted = found_by(bundled, grains, "reference", thresholds, points_per_side=6, **crops)
    found = found_by(bundled, grains, "exact", thresholds, times, points_per_side=6, **crops)
    wanted, found = masks_of(wanted, thresholds), masks_of(found, thresholds)
    assert len(wanted) >= 6 and found.keys() == wanted.keys()
    assert all(abs(found[k] - wanted[k]) < 1e-4 for k in wanted)
    assert {"encode", "decode"} <= times.seconds.keys()


def test_exact_keeps_the_order_of_the_grid(bundled, grains):
    found = found_by(bundled, grains, "exact", Thresholds(pred_iou=0.3), points_per_side=4)
    steps = found.points / (np.array(grains.shape) / 4) - 0.5
    rank = np.rint(steps[:, 0]) * 4 + np.rint(steps[:, 1])
    assert len(found) > 4 and (np.diff(rank) >= 0).all()


def test_adaptive_asks_less_and_finds_what_exact_finds(bundled, grains):
    counts = {}
    for engine in ("exact", "adaptive"):
        found = found_by(bundled, grains, engine, bundled.thresholds, points_per_side=12, tiles=False)
        counts[engine] = len(masks_of(found, bundled.thresholds)), len(found)
    assert counts["adaptive"][1] < counts["exact"][1]
    assert counts["adaptive"][0] >= 0.8 * counts["exact"][0] > 10


def test_guided_looks_on_the_grid_where_foreground_has_no_centre(bundled, grains, monkeypatch):
    from napari_particle_sam.sam.engines import guided

    every = found_by(bundled, grains, "guided", bundled.thresholds, tiles=False)
    find = guided.find_centres
    monkeypatch.setattr(guided, "find_centres", lambda *a, **k: find(*a, **k)[::2])
    half = found_by(bundled, grains, "guided", bundled.thresholds, tiles=False, points_per_side=24)
    monkeypatch.setattr(guided, "_without_centre", lambda foreground, *a: np.zeros_like(foreground))
    blind = found_by(bundled, grains, "guided", bundled.thresholds, tiles=False)
    of = {n: len(masks_of(c, bundled.thresholds)) for n, c in (("e", every), ("h", half), ("b", blind))}
    assert of["b"] <= 0.7 * of["e"] and of["h"] >= 0.9 * of["e"]


def test_grid_points_are_those_of_sam():
    from segment_anything.utils.amg import build_point_grid

    frame = Frame(0, 0, 301, 455, 677, 1024, 1024, 256)
    mine = grid_points(frame, 5)
    scale = np.array([1024 / 455, 677 / 301])
    np.testing.assert_array_equal(mine[:, ::-1], build_point_grid(5) * np.array([455, 301]) * scale)


def test_boxes_at_a_crops_edge_inside_the_image_are_cut():
    frame = Frame(100, 0, 200, 300, 200, 300, 512, 256)
    boxes = np.array([[50, 119, 90, 150], [50, 121, 90, 150], [0, 150, 40, 170], [250, 150, 280, 170]], float)
    assert near_crop_edge(boxes, frame, (400, 600)).tolist() == [True, False, False, True]
    assert not near_crop_edge(boxes, Frame(0, 0, 400, 600, 400, 600, 512, 256), (400, 600)).any()


def test_only_confident_masks_cover():
    frame = Frame(0, 0, 512, 512, 512, 512, 512, 256)
    sure, unsure = np.full((10, 10), 5.0, np.float32), np.full((10, 10), 0.5, np.float32)
    several = Candidates(
        (512, 512), (frame,), np.zeros(3, np.intp), np.zeros((3, 2), np.float32),
        np.array([0.9, 0.9, 0.2], np.float32), (sure, unsure, sure), np.array([[0, 0], [50, 50], [90, 90]]),
    )  # fmt: skip
    coverage = Coverage(frame, Thresholds(pred_iou=0.6, stability=0.8))
    coverage.add(several)
    points = np.array([[10.0, 10.0], [110.0, 110.0], [190.0, 190.0], [511.9, 600.0]])
    assert coverage.of(points).tolist() == [True, False, False, False]
