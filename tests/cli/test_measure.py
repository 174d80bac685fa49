"""`particle-sam measure` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.cli.conftest import Ran, discs

Run = Callable[..., Ran]


@pytest.fixture
def labels(folder: Path) -> Path:
    pixels, drawn = discs((160, 200))
    tifffile.imwrite(folder / "a.labels.tif", drawn)
    (folder / "images").mkdir()
    tifffile.imwrite(folder / "images" / "a.tif", pixels)
    return folder / "a.labels.tif"


def test_it_writes_what_it_says(run_cli: Run, labels: Path) -> None:
    out = labels.parent / "out"
    ran = run_cli(
        "measure", labels, "--pixel-size", "7.344nm", "--images", labels.parent / "images", "--out", out,
        "--min-area", 20, "--resamples", 50, "--json", "-",
    )  # fmt: skip
    assert ran.code == 0, ran
    names = {"particles.csv", "summary.json", "report.html", "labels.png"}
    assert {p.name for p in out.iterdir()} == names | {f"distribution_{w}.png" for w in ("number", "volume")}
    told = json.loads(ran.out)
    assert told == json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert told["settings"]["min_area"] == 20 and told["unit"] == "um"
    # A disc of radius 12 holds 441 pixels.
    expected = np.sqrt(4 * 441 / np.pi) * 7.344e-3
    assert told["distributions"]["number"]["dn50"]["value"] == pytest.approx(expected, rel=1e-6)
    assert "report.html" in ran.last


def test_keep_cut_and_no_pixel_size(run_cli: Run, labels: Path) -> None:
    out = labels.parent / "out"
    ran = run_cli("measure", labels, "--out", out, "--keep-cut", "--databar", 20, "--resamples", 0)
    assert ran.code == 0 and "in pixels" in ran.err
    told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert told["settings"]["exclude_cut"] is False and told["images"][0]["frame_px"] == [140, 200]


def test_part_of_a_batch_failed(run_cli: Run, labels: Path) -> None:
    (labels.parent / "b.labels.tif").write_bytes(b"no tif")
    ran = run_cli("measure", labels.parent, "--out", labels.parent / "out", "--resamples", 0)
    assert ran.code == 1 and "b.labels.tif" in ran.err and "1 failed" in ran.last


def refused(ran: Ran, *names: str) -> None:
    assert ran.code == 2, ran
    assert "Traceback" not in ran.err + ran.out
    assert all(name in ran.err for name in names), ran.err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--pixel-size", "7"), ("--databar", "auto!"), ("--databar", "500"), ("--min-area", "-1"),
     ("--largest-weight", "0.5"), ("--largest-weight", "nan"),
     ("--images", "nowhere"), ("--regions", "nowhere")],
)  # fmt: skip
def test_bad_options(run_cli: Run, labels: Path, option: str, value: str) -> None:
    out = labels.parent / "out"
    named = option if option in ("--min-area", "--largest-weight") else value
    refused(run_cli("measure", labels, "--out", out, option, value), named)
    assert not out.exists()


def test_bad_inputs(run_cli: Run, labels: Path) -> None:
    root = labels.parent
    refused(run_cli("measure", root / "none.tif", "--out", root / "out"), "none.tif")
    refused(run_cli("measure", root / "no*.tif", "--out", root / "out"), "No label map")
    (root / "text.tif").write_text("labels")
    refused(run_cli("measure", root / "text.tif", "--out", root / "out"), "text.tif")
    tifffile.imwrite(root / "images" / "a.tif", np.zeros((9, 9), np.uint8))
    refused(run_cli("measure", labels, "--images", root / "images", "--out", root / "out"), "a.labels.tif")
    refused(run_cli("measure", labels, labels.parent / "images", "--out", root / "out"), "one stem")
    assert not (root / "out").exists()


def test_region_maps_that_do_not_fit(run_cli: Run, labels: Path) -> None:
    root = labels.parent
    (root / "maps").mkdir()
    Image.fromarray(np.full((160, 200), 3, np.uint8)).save(root / "maps" / "a.png")
    refused(run_cli("measure", labels, "--regions", root / "maps", "--out", root / "out"), "a.png")
    Image.fromarray(np.ones((9, 9), np.uint8)).save(root / "maps" / "a.png")
    refused(run_cli("measure", labels, "--regions", root / "maps", "--out", root / "out"), "a.png")
    assert not (root / "out").exists()
