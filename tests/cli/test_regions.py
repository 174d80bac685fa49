"""`--regions` and `--databar` on the command line."""

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
def scored(folder: Path) -> Path:
    """Truth with six discs and a prediction of those of the left half, plus a map of that half."""
    _, labels = discs()
    half = np.where(np.arange(labels.shape[1]) < 64, labels, 0).astype(np.uint16)
    for name, array in (("truth", labels), ("pred", half)):
        (folder / name).mkdir()
        tifffile.imwrite(folder / name / "a.tif", array)
    (folder / "Karten").mkdir()
    regions = np.zeros(labels.shape, np.uint8)
    regions[:, :64] = 1
    Image.fromarray(regions).save(folder / "Karten" / "a.png")
    return folder


def test_evaluate_counts_in_reviewed_regions(run_cli: Run, scored: Path) -> None:
    asked = ("evaluate", "--pred", scored / "pred", "--truth", scored / "truth", "--json", "-")
    plain = json.loads(run_cli(*asked).out)["prediction"]
    judged = json.loads(run_cli(*asked, "--regions", scored / "Karten").out)["prediction"]
    assert judged["f1@0.5"] == 1 and 0 < judged["true"] < plain["true"] and plain["f1@0.5"] < 1


@pytest.mark.parametrize("value", [3, 255])
def test_a_bad_region_map_is_named(run_cli: Run, scored: Path, value: int) -> None:
    Image.fromarray(np.full((96, 128), value, np.uint8)).save(scored / "Karten" / "a.png")
    ran = run_cli(
        "evaluate", "--pred", scored / "pred", "--truth", scored / "truth", "--regions", scored / "Karten"
    )
    assert ran.code == 2 and f"holds the value {value}" in ran.last and "Traceback" not in ran.err


def test_folders_without_maps_are_named(run_cli: Run, scored: Path) -> None:
    tifffile.imwrite(scored / "b.tif", discs()[0])
    for room in ("nowhere", "pred"):
        ran = run_cli("segment", scored / "b.tif", "--out", scored / "out", "--regions", scored / room)
        assert ran.code == 2 and "--regions" in ran.err and not (scored / "out").exists()


@pytest.mark.parametrize("text", ["-3", "ten", "³", ""])
def test_a_databar_is_auto_none_or_rows(run_cli: Run, scored: Path, text: str) -> None:
    ran = run_cli("segment", scored / "truth", "--out", scored / "out", "--databar", text)
    assert ran.code == 2 and "--databar" in ran.err and not (scored / "out").exists()
