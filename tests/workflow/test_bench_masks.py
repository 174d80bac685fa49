"""Engines compared on the same images."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from tests.cli.conftest import discs

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, BadValueError, CancelledError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.agreement import Agreement, Unmatched, agree
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.workflow.bench_masks import BenchReport, BenchSettings, bench_masks, plan_engines
from napari_particle_sam.workflow.benchmarking.fields import find_truths, parse_size, read_bench_field
from napari_particle_sam.workflow.benchmarking.figure import save_ratio_figure
from napari_particle_sam.workflow.benchmarking.rows import COLUMNS, totals
from napari_particle_sam.workflow.benchmarking.runs import STAGES, FinalMasks
from napari_particle_sam.workflow.benchmarking.table import bench_table
from napari_particle_sam.workflow.benchmarking.unmatched import box_iou, explain

ENGINES = ("guided", "exact", "reference")


@pytest.fixture(scope="module")
def model() -> SamModel:
    return load_model("particle-tiny", device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of six discs, the second darker, with truth."""
    root = tmp_path_factory.mktemp("Maß Probe")
    pixels, labels = discs()
    for sub, a, b in (("images", pixels, pixels // 2 + 9), ("masks", labels, labels)):
        (root / sub).mkdir()
        tifffile.imwrite(root / sub / "eins.tif", a)
        tifffile.imwrite(root / sub / "zwei.tif", b)
    return root


@pytest.fixture(scope="module")
def ran(model: SamModel, folder: Path) -> tuple[BenchReport, Path]:
    values = {"points_per_side": 2, "pred_iou": 0.3, "stability": 0.5}
    settings = BenchSettings(ENGINES, values, truth=folder, size=(120, 160), threads=1)
    out = folder / "out"
    image = folder / "images" / "eins.tif"
    return run_job(bench_masks(model, [image], settings, CancelToken(), out)), out


def test_every_engine_gives_one_row_of_one_picture(ran: tuple[BenchReport, Path]) -> None:
    report, _ = ran
    assert [row["engine"] for row in report.images] == list(ENGINES) == list(report.engines)
    for row in report.images:
        assert (row["image"], row["rows"], row["cols"], row["true"]) == ("eins", 120, 160, 6)
        stages = [row[f"{stage}_s"] for stage in STAGES]
        assert min(stages) > 0 and sum(stages) <= row["total_s"] * 1.01 and row["labels_s"] <= row["post_s"]
        assert row["ratio"] == pytest.approx(report.images[-1]["total_s"] / row["total_s"])
        assert row["peak_mib"] is None or row["peak_mib"] > 5
    assert report.images[0]["f1@0.5"] == 1


def test_exact_agrees_with_the_reference_both_ways(ran: tuple[BenchReport, Path]) -> None:
    report, _ = ran
    exact, reference = report.engines["exact"], report.engines["reference"]
    assert exact["found_in_reference"] == exact["reference_found"] == 1 and not report.unmatched
    assert exact["masks"] == reference["masks"] >= 3 and exact["particles"] == reference["particles"]
    assert "reference_found" not in reference and report.images[-1]["reference_found"] is None
    assert report.settings["floors"] == {"pred_iou": 0.3, "logit": -1.0}


def test_files_say_what_the_report_says(ran: tuple[BenchReport, Path]) -> None:
    report, out = ran
    told = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    assert told["engines"].keys() == report.engines.keys() and told["settings"]["threads"] == 1
    assert told["settings"]["resized_to"] == [120, 160] and told["model"]["name"] == "particle-tiny"
    with (out / "bench.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and [row["engine"] for row in rows] == list(ENGINES)
    assert float(rows[1]["total_s"]) == told["images"][1]["total_s"] and rows[2]["reference_found"] == ""
    assert min(Image.open(out / "bench.png").size) > 300


def test_a_cancelled_job_keeps_what_is_finished(model: SamModel, folder: Path, tmp_path: Path) -> None:
    token = CancelToken()
    settings = BenchSettings(("guided",), threads=1)
    job = bench_masks(model, sorted((folder / "images").iterdir()), settings, token, tmp_path)
    threads = torch.get_num_threads()
    with pytest.raises(CancelledError):
        run_job(job, lambda event: token.cancel() if "eins: guided " in getattr(event, "text", "") else None)
    told = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert [row["image"] for row in told["images"]] == ["eins"] and torch.get_num_threads() == threads
    assert told["engines"]["guided"]["images"] == 1 and "f1@0.5" not in told["engines"]["guided"]


def test_engines_fit_the_model(model: SamModel) -> None:
    blind = replace(model, sam=torch.nn.Module())
    assert list(plan_engines(blind, BenchSettings())) == ["adaptive", "exact", "reference"]
    plans = plan_engines(model, BenchSettings(("exact",), {"pred_iou": 0.9, "crop_layers": 1}))
    assert plans["exact"].floors.pred_iou == plans["exact"].thresholds.pred_iou == 0.9
    assert plans["exact"].crop_layers == 1
    for engines, words in ((("exact", "exact"), "twice"), (("quick",), "unknown")):
        with pytest.raises(BadValueError, match=words):
            plan_engines(model, BenchSettings(engines))
    with pytest.raises(BadValueError, match="locator"):
        plan_engines(blind, BenchSettings(("guided",)))
    for iou in (0.0, 1.1, float("nan")):
        with pytest.raises(BadValueError, match="agreement-iou"):
            plan_engines(model, BenchSettings(agreement_iou=iou))


def test_pictures_are_resized_with_their_truth(folder: Path) -> None:
    image, truth = folder / "images" / "eins.tif", folder / "masks" / "eins.tif"
    plain = read_bench_field(image, truth, (96, 128))
    double = read_bench_field(image, truth, (192, 256))
    assert plain.picture.shape == (96, 128) and double.picture.shape == (192, 256)
    assert double.field_rows == 2 * plain.field_rows and plain.truth is not None
    assert np.array_equal(double.truth, np.kron(plain.truth, np.ones((2, 2), np.uint16)))
    small = read_bench_field(image, truth, (48, 64))
    inside = small.truth > 0
    assert small.picture[inside].mean() > 2 * small.picture[~inside].mean()


@pytest.mark.parametrize("text", ["", "768", "768x", "0x5", "-3x4", "7e2x8", "99999x5", "５x５", "3x4x5"])
def test_a_bad_size_is_named(text: str) -> None:
    with pytest.raises(BadValueError, match="--resize .* ROWSxCOLS"):
        parse_size(text)
    assert parse_size("768x1024") == parse_size(" 768X1024") == (768, 1024)


def test_truth_is_found_by_stem(folder: Path, tmp_path: Path) -> None:
    image = folder / "images" / "eins.tif"
    assert find_truths(folder, [image]) == find_truths(folder / "masks", [image])
    (tmp_path / "eins.labels.tif").write_bytes(b"")
    assert find_truths(tmp_path, [image])[image].name == "eins.labels.tif"
    with pytest.raises(BadFileError, match=r"has no labels for zwei\.tif"):
        find_truths(tmp_path, [image, folder / "images" / "zwei.tif"])
    with pytest.raises(BadFileError, match="--truth"):
        find_truths(tmp_path / "fehlt", [image])


def row(image: str, engine: str, total: float, encode: float = 0.5, **changes: Any) -> dict[str, Any]:
    same = {"image": image, "engine": engine, "masks": 2, "particles": 2, "labels_s": 0.1, "true": None}
    seconds = {"encode_s": encode, "decode_s": total - encode - 0.1, "post_s": 0.1, "total_s": total}
    return same | seconds | {"peak_mib": 10.0, "ratio": 1.0} | changes


def test_totals_are_pooled_over_images() -> None:
    rows = [
        row("a", "guided", 1.0, peak_mib=40.0), row("a", "exact", 2.0), row("a", "reference", 10.5),
        row("b", "guided", 3.0), row("b", "exact", 2.0), row("b", "reference", 10.5),
    ]  # fmt: skip
    one = Agreement(0.99, 4, 2, (Unmatched(0, 0.5, 1),), ())
    found = totals(rows, {"exact": [one, Agreement(0.99, 0, 2, (), (Unmatched(1, 0.0, None),))]}, {})
    guided, exact = found["guided"], found["exact"]
    assert guided["ratio"] == 21 / 4 and guided["ratio_without_encode"] == 20 / 3
    assert guided["slower_than_exact"] == 1 and guided["peak_mib"] == 40 and guided["images"] == 2
    assert (exact["found_in_reference"], exact["reference_found"]) == (0.75, 0.75)
    assert "found_in_reference" not in guided and "f1@0.5" not in exact
    assert "ratio" not in totals(rows[:2], {}, {})["guided"]
    table = bench_table(found).splitlines()
    assert table[0].split() == ["guided", "exact", "reference"]
    assert [line.split()[-3:] for line in table if line.startswith("times")] == [["5.25", "5.25", "1.00"]]
    assert [line.split()[-3:] for line in table if line.startswith("its masks")] == [["-", "75.00%", "-"]]


def square(top: int, left: int, side: int) -> Mask:
    return Mask(top, left, np.ones((side, side), bool))


def finals(*masks: tuple[Mask, float, float]) -> FinalMasks:
    return FinalMasks([m[0] for m in masks], np.array([m[1] for m in masks]), np.array([m[2] for m in masks]))


def test_every_lonely_mask_gets_a_line_with_its_reason() -> None:
    thresholds = Thresholds(pred_iou=0.88, stability=0.95)
    mine = finals(
        (square(0, 0, 20), 0.9, 0.97),
        (square(50, 0, 20), 0.8805, 0.97),
        (square(50, 50, 20), 0.9, 0.9503),
        (square(50, 100, 20), 0.9, 0.99),
    )
    theirs = finals((square(0, 0, 20), 0.9, 0.97), (square(90, 0, 40), 0.91, 0.97))
    shifted = finals((square(0, 0, 20), 0.9, 0.97), (square(91, 0, 40), 0.912, 0.97))
    lines = explain("bild", "exact", agree(mine.masks, theirs.masks), mine, theirs, thresholds)
    assert [(x.side, x.reason.split()[0]) for x in lines] == [
        ("exact", "predicted"), ("exact", "stability"), ("exact", "unexplained"),
        ("reference", "unexplained"),
    ]  # fmt: skip
    both = explain("bild", "exact", agree(shifted.masks, theirs.masks), shifted, theirs, thresholds)
    assert [x.side for x in both] == ["exact", "reference"] and both[0].best_iou == pytest.approx(39 / 41)
    assert "NMS rival" in both[0].line() and "predicted IoU -0.0020" in both[0].line()
    assert both[1].line().startswith("bild: only reference has a mask of predicted IoU 0.9100")


def test_boxes_are_compared_as_sam_does() -> None:
    from torchvision.ops import box_iou as yardstick

    rng = np.random.default_rng(2)
    corners = rng.integers(0, 50, (40, 2))
    boxes = np.hstack([corners, corners + rng.integers(1, 40, (40, 2))]).astype(np.float32)
    wanted = yardstick(torch.from_numpy(boxes[:1]), torch.from_numpy(boxes))[0].numpy()
    np.testing.assert_allclose(box_iou(boxes[0], boxes), wanted, rtol=1e-6)
    assert box_iou(boxes[0], boxes[:0]).shape == (0,)


def test_the_figure_needs_a_reference_and_bears_empty_images(tmp_path: Path) -> None:
    rows = [row("a", "guided", 1.0, ratio=9.0), row("b", "guided", 1.0, ratio=7.0)]
    assert not save_ratio_figure(tmp_path / "bench.png", rows) and not list(tmp_path.iterdir())
    rows += [row("a", "reference", 9.0, particles=0), row("b", "reference", 7.0)]
    assert save_ratio_figure(tmp_path / "bench.png", rows)
    assert Image.open(tmp_path / "bench.png").format == "PNG"
