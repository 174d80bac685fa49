"""Measuring label maps: what is written, which pixel size counts, what is left out."""

from __future__ import annotations

import base64
import csv
import json
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, BadValueError, CancelledError
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.base.files import write_csv, write_json
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.measurement.columns import COLUMNS
from napari_particle_sam.measurement.correction import Counting
from napari_particle_sam.measurement.particles import particle_rows
from napari_particle_sam.storage.labels import write_labels
from napari_particle_sam.workflow.measure import MeasureReport, MeasureSettings, measure_batch
from napari_particle_sam.workflow.measuring.inputs import collect_inputs

SAMPLES = Path(__file__).parents[2] / "sample_data"
NM = PixelSize(20.0, "typed")


def discs(seed: int, count: int = 24) -> np.ndarray:
    """Separate discs of known diameters in rows, the last ones cut by the right edge."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((240, 250), np.uint16)
    rows, cols = np.indices(labels.shape)
    for i in range(count):
        r, c = 22 + 40 * (i // 6), 24 + 45 * (i % 6)
        labels[(rows - r) ** 2 + (cols - c) ** 2 <= rng.uniform(6, 19) ** 2] = i + 1
    return labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "Maß Probe"
    for seed in range(3):
        write_labels(root / f"a{seed}.labels.tif", discs(seed))
    return root


def measured(
    folder: Path, settings: MeasureSettings | None = None, events: list[Event] | None = None, **more: Path
) -> MeasureReport:
    inputs = collect_inputs([folder], **more)
    job = measure_batch(inputs, folder / "out", settings or MeasureSettings(NM, resamples=50), CancelToken())
    return run_job(job, None if events is None else events.append)


def test_the_table_holds_every_particle_and_the_summary_counts_them(folder: Path) -> None:
    summary = measured(folder).summary
    rows = list(csv.DictReader((folder / "out" / "particles.csv").open(encoding="utf-8")))
    assert len(rows) == summary["counts"]["particles"] == 72
    assert next(iter(rows[0])) == "image" and {row["image"] for row in rows} == {"a0", "a1", "a2"}
    cut = [row for row in rows if row["touches_frame"] == "True"]
    assert summary["counts"]["left_out"]["cut"] == len(cut) > 0
    assert all(row["left_out"] == "cut" and row["weight"] == "" for row in cut)
    counted = [row for row in rows if row["counted"] == "True"]
    assert len(counted) == summary["counts"]["counted"]
    for row in counted:
        chance = (1 - int(row["height_px"]) / 240) * (1 - int(row["width_px"]) / 250)
        assert float(row["weight"]) == pytest.approx(1 / chance, abs=1e-4)
    assert summary == json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


def test_percentiles_are_those_of_the_table(folder: Path) -> None:
    summary = measured(folder).summary
    rows = csv.DictReader((folder / "out" / "particles.csv").open(encoding="utf-8"))
    pairs = sorted((float(r["ecd_um"]), float(r["weight"])) for r in rows if r["counted"] == "True")
    sizes, weights = np.array(pairs).T
    for letter, word, power in (("n", "number", 0), ("v", "volume", 3)):
        below = np.cumsum(weights * sizes**power)
        found = summary["distributions"][word][f"d{letter}50"]
        median = sizes[np.searchsorted(below, below[-1] / 2)]
        assert found["value"] == pytest.approx(median, rel=1e-5)
        assert found["low"] <= found["value"] <= found["high"]
        assert (found["n"], found["weight"], found["unit"]) == (len(pairs), word, "um")
    assert summary["interval"]["by"] == "image"


def test_each_number_says_what_it_is(folder: Path) -> None:
    summary = measured(folder).summary
    for word, letter in (("number", "n"), ("area", "a"), ("volume", "v")):
        assert {f"d{letter}{p}" for p in (10, 50, 90)} <= set(summary["distributions"][word])
    fits = {(f["model"], f["weight"]): f for f in summary["fits"]}
    assert set(fits[("Rosin-Rammler", "volume")]["parameters"]) == {"d63", "n"}
    assert fits[("log-normal", "number")]["parameters"]["geometric_mean"]["unit"] == "um"
    assert fits[("log-normal", "number")]["parameters"]["gsd"]["unit"] == ""
    assert 0 < fits[("log-normal", "number")]["ks_distance"] < 1


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_report_stands_alone_and_holds_the_methods_sentence(folder: Path) -> None:
    summary = measured(folder).summary
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    parsed = _Page()
    parsed.feed(page)
    assert len(parsed.sources) == 3 and all(s.startswith("data:image/png;base64,") for s in parsed.sources)
    embedded = [base64.b64decode(s.split(",", 1)[1]) for s in parsed.sources]
    names = ("distribution_number.png", "distribution_volume.png", "labels.png")
    assert embedded == [(folder / "out" / name).read_bytes() for name in names]
    for word in ("3 micrographs", "20 nm (typed)", "72 particles", "N = ", "1/P", "dn50", "dv50", "Crofton"):
        assert word in summary["methods"], word
    assert escape(summary["methods"]) in page


def test_text_of_users_is_escaped(folder: Path) -> None:
    name = "<b>&bold"
    try:
        write_labels(folder / f"{name}.labels.tif", discs(5))
    except BadFileError:
        pytest.skip("this file system has no such names")
    measured(folder)
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;bold" in page and "<b>" not in page


def test_without_pixel_size_all_is_in_pixels_and_that_is_said(folder: Path) -> None:
    summary = measured(folder, MeasureSettings(resamples=20)).summary
    assert summary["unit"] == "px" and any("pixels" in remark for remark in summary["remarks"])
    assert summary["distributions"]["number"]["dn50"]["value"] > 10
    assert "pixel size unknown" in summary["methods"] and " µm" not in summary["methods"]


def test_keep_cut_counts_all_as_seen(folder: Path) -> None:
    kept = MeasureSettings(NM, counting=Counting(exclude_cut=False), resamples=20)
    summary = measured(folder, kept).summary
    assert summary["counts"]["counted"] == 72 and "without border correction" in summary["methods"]
    dn50 = summary["distributions"]["number"]["dn50"]["value"]
    assert dn50 == pytest.approx(summary["uncorrected"]["dn50"])


def test_regions_and_data_bar_end_the_field(folder: Path) -> None:
    values = np.ones((240, 250), np.uint8)
    values[:, 125:] = 0
    (folder / "maps").mkdir()
    Image.fromarray(values).save(folder / "maps" / "a1.png")
    settings = MeasureSettings(NM, databar=80, resamples=20)
    summary = measured(folder, settings, regions=folder / "maps").summary
    frames = {image["image"]: image["frame_px"] for image in summary["images"]}
    assert frames == {"a0": [160, 250], "a1": [160, 125], "a2": [160, 250]}
    rows = list(csv.DictReader((folder / "out" / "particles.csv").open(encoding="utf-8")))
    outside = [r for r in rows if r["left_out"] == "outside"]
    assert outside and {r["image"] for r in outside} == {"a1"}
    assert all(float(r["centroid_col"]) > 120 or float(r["centroid_row"]) > 155 for r in outside)
    assert "edge of the reviewed region" in summary["methods"]


def test_pixel_size_and_scores_of_the_run_that_drew_the_labels(folder: Path) -> None:
    entry = {"image": "x/a0.tif", "pixel_size": {"nm": 10.0, "source": "typed"}}
    images = [entry | {"image": f"x/a{i}.tif"} for i in range(3)]
    model = {"name": "particle-tiny", "fingerprint": "0123456789abcdef", "adapter": "mine"}
    write_json(folder / "run.json", {"model": model, "images": images})
    rows = particle_rows(discs(0), 10.0, {1: (0.5, 0.25)})
    rows[1]["area_px"] += 1  # of labels that were edited since
    rows[1]["predicted_iou"] = 0.75
    write_csv(folder / "a0.particles.csv", rows, COLUMNS)
    summary = measured(folder, MeasureSettings(resamples=20)).summary
    assert summary["images"][0]["pixel_size"] == {"nm": 10.0, "source": "run.json: typed"}
    assert "outlines proposed by particle-tiny with adapter mine" in summary["methods"]
    table = list(csv.DictReader((folder / "out" / "particles.csv").open(encoding="utf-8")))
    assert [table[0]["predicted_iou"], table[1]["predicted_iou"]] == ["0.5", ""]
    events: list[Event] = []
    measured(folder, MeasureSettings(NM, resamples=20), events)
    said = [e.text for e in events if isinstance(e, Message)]
    assert any("20 nm per pixel was typed, 10 nm is known" in text for text in said)


@pytest.mark.parametrize("text", ["{", "[]", '{"model": {}}', '{"model": {"name": "a"}, "images": [7]}'])
def test_a_damaged_run_costs_a_remark_only(folder: Path, text: str) -> None:
    (folder / "run.json").write_text(text, encoding="utf-8")
    (folder / "a0.particles.csv").write_bytes(b"label,area_px\nx\xff,3\n")
    events: list[Event] = []
    assert measured(folder, events=events).summary["counts"]["images"] == 3
    said = [e.text for e in events if isinstance(e, Message)]
    assert any("run.json" in text for text in said)


def test_a_bad_image_is_told_and_the_rest_measured(folder: Path) -> None:
    (folder / "a1.labels.tif").write_bytes(b"no tif")
    report = measured(folder)
    assert [f["image"] for f in report.failures] == ["a1"]
    assert report.summary["counts"]["images"] == 2
    assert "Not measured: a1" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_nothing_is_written_where_nothing_can_be_measured(folder: Path) -> None:
    for path in folder.glob("*.tif"):
        path.write_bytes(b"no tif")
    with pytest.raises(BadFileError, match=r"a2\.labels\.tif"):
        measured(folder)
    assert not (folder / "out").exists()


def test_some_images_without_pixel_size_are_refused(folder: Path) -> None:
    images = [{"image": "a0.tif", "pixel_size": {"nm": 10.0, "source": "typed"}}]
    write_json(folder / "run.json", {"model": {"name": "m"}, "images": images})
    with pytest.raises(BadValueError, match=r"a1\.labels\.tif has no pixel size"):
        measured(folder, MeasureSettings(resamples=20))


def test_a_cancelled_job_leaves_nothing(folder: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        run_job(measure_batch(collect_inputs([folder]), folder / "out", MeasureSettings(), token))
    assert not (folder / "out").exists()


@pytest.mark.parametrize("count", [0, 1])
def test_next_to_no_particles(tmp_path: Path, count: int) -> None:
    write_labels(tmp_path / "one.labels.tif", discs(1, count))
    summary = measured(tmp_path).summary
    assert summary["counts"]["counted"] == count and summary["remarks"]
    assert all("refused" in fit for fit in summary["fits"])
    assert (tmp_path / "out" / "report.html").is_file()


def test_sample_data_with_grey_values(tmp_path: Path) -> None:
    inputs = collect_inputs([SAMPLES / "powder"], SAMPLES / "powder" / "images")[:1]
    report = run_job(measure_batch(inputs, tmp_path, MeasureSettings(NM, resamples=50), CancelToken()))
    rows = list(csv.DictReader((tmp_path / "particles.csv").open(encoding="utf-8")))
    assert len(rows) == 236 and all(0 < float(row["mean_grey"]) < 255 for row in rows)
    assert report.summary["interval"]["by"] == "particle"
    assert any("by particle" in remark for remark in report.summary["remarks"])


def test_same_seed_same_files(folder: Path) -> None:
    for path in (folder / "a1.labels.tif", folder / "a2.labels.tif"):
        path.unlink()
    measured(folder)
    first = {p.name: p.read_bytes() for p in (folder / "out").iterdir()}
    measured(folder)
    assert {p.name: p.read_bytes() for p in (folder / "out").iterdir()} == first
