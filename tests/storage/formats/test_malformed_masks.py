"""Mask files that are wrong or could be two things."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from napari_particle_sam.storage.formats.label_import import import_labels

from .refusals import FUZZ, refused, tolerated


def tif(array, **more):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **more)
    return file.getvalue()


def png(array, mode=None):
    file = io.BytesIO()
    Image.fromarray(array, mode).save(file, "png")
    return file.getvalue()


DOTS = np.kron([[0, 1, 0, 1], [1, 0, 1, 0]], np.ones((4, 4))).astype(np.uint8)
DOTS[:, ::4] = 0
DOTS[::4] = 0
LABELLED = np.arange(64, dtype=np.uint8).reshape(8, 8)
BLEND = np.zeros((9, 9, 4), np.uint8)
BLEND[2:5, 2:5] = (200, 10, 10, 128)
MASKS = {
    "m.tif empty": b"",
    "m.tif text": b"hello",
    "m.tif cut": tif(np.zeros((50, 50), np.uint16))[:200],
    "m.tif no bits": tif(LABELLED).replace(b"\2\1\3\0\1\0\0\0\x08", b"\2\1\3\0\1\0\0\0\x2a"),
    "m.png cut": png(LABELLED)[:45],
    "m.jpg a jpeg": b"\xff\xd8\xff",
    "m.tif binary": tif(DOTS * 255),
    "m.png binary": png(DOTS),
    "m.tif two values": tif(DOTS + 1),
    "m.tif signed": tif(LABELLED.astype(np.int16) - 5),
    "m.tif fractions": tif(LABELLED.astype(np.float32) / 3),
    "m.tif probabilities": tif(LABELLED.astype(np.float32) / 63),
    "m.tif nan": tif(np.where(LABELLED, LABELLED.astype(np.float32), np.nan)),
    "m.tif infinite": tif(np.where(LABELLED, LABELLED.astype(np.float64), np.inf)),
    "m.tif negative floats": tif(-LABELLED.astype(np.float32)),
    "m.tif complex": tif(LABELLED.astype(np.complex64)),
    "m.tif two pages": tif(np.stack([LABELLED] * 2), photometric="minisblack"),
    "m.png half transparent": png(BLEND),
    "m.tif float colours": tif(
        np.dstack([LABELLED, LABELLED + 1, LABELLED]).astype(np.float32), photometric="rgb"
    ),
    "m.tif classes": tif(np.tile(np.pad(LABELLED[:1, 1:3], 1), (9, 9))),
    "m.tif another size": tif(np.pad(LABELLED, 1)),
    "m.tif too many labels": tif(np.arange(300 * 300, dtype=np.uint32).reshape(300, 300)),
    "m.tif five channels": tif(np.zeros((8, 8, 5), np.uint8), photometric="rgb"),
}


@pytest.mark.parametrize("name", MASKS)
def test_wrong_masks(folder, name):
    path = folder / name.split()[0]
    path.write_bytes(MASKS[name])
    refused(import_labels, path, (8, 8) if "another" in name else None)


@pytest.mark.parametrize("how", ["components", "watershed"])
@pytest.mark.parametrize("name", ["m.tif probabilities", "m.tif classes"])
def test_no_choice_helps_these(folder, name, how):
    (folder / "m.tif").write_bytes(MASKS[name])
    refused(import_labels, folder / "m.tif", None, how)


@FUZZ
@given(st.data(), st.sampled_from(["recognised", "components", "watershed"]))
def test_masks_with_wrong_bytes(folder, data, how):
    content = bytearray(data.draw(st.sampled_from([tif(LABELLED), png(LABELLED), tif(DOTS)])))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / "m.tif").write_bytes(bytes(content))
    tolerated(import_labels, folder / "m.tif", None, how)
