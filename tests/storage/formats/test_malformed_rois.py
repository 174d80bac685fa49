"""Regions of ImageJ that are damaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_particle_sam.storage.formats.imagej_reader import read_rois
from napari_particle_sam.storage.formats.imagej_roi import roi_of, write_rois

from .builders import image_of
from .refusals import FUZZ, IMAGE, SHAPE, refused, tolerated
from .zips import flagged, info, zipped

ROI = roi_of(IMAGE.instances[0]).tobytes()
REGIONS = {
    "empty": b"",
    "short": ROI[:40],
    "no region": b"Jout" + ROI[4:],
    "cut coordinates": ROI[:66],
    "too many coordinates": ROI[:16] + b"\xff\xff" + ROI[18:],
    "negative coordinates": ROI[:16] + b"\0\0\xff\xff\xff\xff" + ROI[22:],
    "endless path": ROI[:6] + b"\1" + ROI[7:36] + b"\x7f\xff\xff\xff" + ROI[40:],
}


@pytest.mark.parametrize("name", REGIONS)
def test_damaged_regions(folder, name):
    (folder / "a.roi").write_bytes(REGIONS[name])
    refused(read_rois, folder / "a.roi", "a.tif", SHAPE)
    zipped(folder / "a.zip", ("good.roi", ROI), ("x.roi", REGIONS[name]))
    refused(read_rois, folder / "a.zip", "a.tif", SHAPE)


SETS = {
    "other file": lambda p: zipped(p, ("a.txt", b"1")),
    "bomb": lambda p: zipped(p, ("a.roi", b"\0" * 10**6)),
    "encrypted": lambda p: flagged(zipped(p, ("a.roi", ROI)), 1),
    "no zip": lambda p: p.write_bytes(ROI),
    "link": lambda p: zipped(p, (info("a.roi", 0o120777), ROI)),
    "covers too often": lambda p: zipped(p, *((f"{n}.roi", whole_image()) for n in range(70))),
}


def whole_image():
    return roi_of(image_of(np.ones(SHAPE)).instances[0]).tobytes()


@pytest.mark.parametrize("name", SETS)
def test_damaged_sets_of_regions(folder, name):
    SETS[name](folder / "a.zip")
    refused(read_rois, folder / "a.zip", "a.tif", SHAPE)


@pytest.mark.parametrize("shape", [(0, 5), (-1, 5), (70_000, 5), (60_000, 60_000)])
def test_regions_of_no_image(folder, shape):
    write_rois(folder / "a.zip", IMAGE)
    refused(read_rois, folder / "a.zip", "a.tif", shape)


@FUZZ
@given(st.data())
def test_regions_with_wrong_bytes(folder, data):
    content = bytearray(ROI)
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "a.roi").write_bytes(bytes(content))
    tolerated(read_rois, folder / "a.roi", "a.tif", SHAPE)
