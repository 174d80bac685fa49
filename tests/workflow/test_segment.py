"""Segmenting with the bundled model: files, quality, repeatability."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.evaluation.baseline import segment_classical
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.labels import read_labels
from napari_particle_sam.storage.regions import write_regions
from napari_particle_sam.workflow.segment import SegmentSettings, segment_batch, split_settings

SAMPLES = Path(__file__).parents[2] / "sample_data"
EMPS = Path(__file__).parents[3] / "shared" / "data" / "emps"


@pytest.fixture(scope="module")
def model() -> SamModel:
    return load_model("particle-tiny", device="cpu")


def settings(model: SamModel, **changes: object) -> SegmentSettings:
    generate, thresholds = split_settings(model, "auto", {})
    return SegmentSettings(generate, thresholds, **changes)


def test_files_of_a_batch(model: SamModel, tmp_path: Path) -> None:
    image = SAMPLES / "cathode" / "images" / "cathode_000.tif"
    chosen = settings(model, databar=40, pixel_size=PixelSize.parse("20nm"))
    report = run_job(segment_batch(model, [image], tmp_path, chosen, CancelToken()))
    labels = read_labels(tmp_path / "cathode_000.labels.tif")
    assert labels.dtype == np.uint16 and labels.shape == read_micrograph(image).shape
    assert not labels[-40:].any()
    rows = list(csv.DictReader((tmp_path / "cathode_000.particles.csv").open()))
    assert len(rows) == labels.max() == report.images[0]["particles"]
    for row in rows:
        assert int(row["area_px"]) == np.count_nonzero(labels == int(row["label"])) >= 50
        assert float(row["ecd_um"]) == pytest.approx(float(row["ecd_px"]) * 0.02, rel=1e-3)
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert told["model"]["fingerprint"] == model.fingerprint
    assert told["images"][0]["field_rows"] == labels.shape[0] - 40
    assert told["images"][0]["databar"] == {"rows": 40, "source": "given"}


def test_a_region_map_keeps_proposals_away(model: SamModel, tmp_path: Path) -> None:
    image = SAMPLES / "cathode" / "images" / "cathode_000.tif"
    values = np.ones(read_micrograph(image).shape, np.uint8)
    values[-40:], values[:, : values.shape[1] // 2] = 2, 2
    write_regions(tmp_path / "Karten" / "cathode_000.png", RegionMap.from_array(values))
    chosen = settings(model, regions=tmp_path / "Karten")
    report = run_job(segment_batch(model, [image], tmp_path / "out", chosen, CancelToken()))
    labels = read_labels(tmp_path / "out" / "cathode_000.labels.tif")
    assert labels.any() and not labels[values == 2].any()
    told = report.images[0]
    assert told["databar"] == {"rows": 40, "source": "regions"}
    assert told["regions"].endswith("Karten/cathode_000.png") and told["particles"] == labels.max()
    chosen = settings(model, regions=tmp_path / "out")
    with pytest.raises(BadFileError, match=r"no region map cathode_000\.png .*--regions"):
        run_job(segment_batch(model, [image], tmp_path / "new", chosen, CancelToken()))
    assert not (tmp_path / "new").exists()


def test_skip_existing_leaves_labels_alone(model: SamModel, tmp_path: Path) -> None:
    image = SAMPLES / "cathode" / "images" / "cathode_000.tif"
    (tmp_path / "cathode_000.labels.tif").write_bytes(b"mine")
    report = run_job(
        segment_batch(model, [image], tmp_path, settings(model, skip_existing=True), CancelToken())
    )
    assert report.skipped and (tmp_path / "cathode_000.labels.tif").read_bytes() == b"mine"


@pytest.mark.skipif(not EMPS.is_dir(), reason="the EMPS images are not beside the project")
def test_proposals_on_real_micrographs_beat_the_baseline(model: SamModel, tmp_path: Path) -> None:
    rows = [r["id"] for r in csv.DictReader((EMPS / "index.csv").open()) if r["split"] == "val"][1::24]
    inputs = [EMPS / "images" / f"{stem}.png" for stem in rows]
    run_job(segment_batch(model, inputs, tmp_path, settings(model), CancelToken()))
    ours, classical = [], []
    for path in inputs:
        truth = read_labels(EMPS / "masks" / path.name)
        ours.append(score_image(read_labels(tmp_path / f"{path.stem}.labels.tif"), truth))
        classical.append(score_image(segment_classical(read_micrograph(path).picture), truth))
    assert pool(ours)["f1@0.5"] > max(0.8, pool(classical)["f1@0.5"])
