from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from vendor_headers import HITACHI, JEOL, JEOL_NEW, TESCAN

from napari_particle_sam.images.calibration import find_pixel_size
from napari_particle_sam.images.sidecars import SIDECAR_LIMIT, decode_text, sidecar_texts


def test_names_beside_an_image(tmp_path):
    folder = tmp_path / "Maß Probe"
    folder.mkdir()
    for name in ("a b.hdr", "a b.tif.HDR", "a b-tif.Hdr", "a.hdr", "a b.txt", "other.hdr"):
        (folder / name).write_text(name, encoding="utf-8")
    found = dict(sidecar_texts(folder / "a b.tif", "hdr"))
    assert set(found) == {"a b.hdr", "a b.tif.HDR", "a b-tif.Hdr"}
    assert all(name == text for name, text in found.items())


def test_folders_and_large_files_are_left_out(tmp_path):
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "a.tif.txt").write_bytes(b"[SemImageFile]\n" + b" " * SIDECAR_LIMIT)
    assert list(sidecar_texts(tmp_path / "a.tif", "txt")) == []


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_every_encoding_of_ascii_is_read(text):
    for encoding in ("utf-8", "latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        assert decode_text(text.encode(encoding)) == text


@given(st.binary(max_size=400))
def test_no_bytes_raise(content):
    assert isinstance(decode_text(content), str)


HEADERS = [HITACHI, JEOL, JEOL_NEW, TESCAN]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(HEADERS), st.binary(max_size=40), st.data())
def test_damaged_text_files_never_raise(tmp_path_factory, header, noise, data):
    path = tmp_path_factory.getbasetemp() / "fuzzed.tif"
    content = header.encode(data.draw(st.sampled_from(["utf-8", "utf-16"])))
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    for suffix in ("txt", "hdr"):
        path.with_suffix(f".{suffix}").write_bytes(content[:start] + noise + content[stop:])
    size, remarks = find_pixel_size(path, None, (960, 1280))
    assert size is None or 1e-3 <= size.nm <= 1e6
    assert all(isinstance(remark, str) and remark.endswith(".") for remark in remarks)


@pytest.mark.parametrize("filler", [" ", "\n", "1", "$", "=", "\t", "$CM_PIXEL_SIZE ", "1.", "PixelSizeX="])
def test_a_large_text_of_anything_is_read_at_once(tmp_path, filler):
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
    lines = ("[SemImageFile]\nPixelSize=", "$$SM_MICRON_BAR 9\n$$SM_MICRON_MARKER 1")
    for beginning in lines:
        text = beginning + filler * (2**19 // len(filler)) + "x"
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        (tmp_path / "a.hdr").write_text(text, encoding="utf-8")
        start = time.process_time()
        assert find_pixel_size(path, None, (4, 4))[0] is None
        assert time.process_time() - start < 5
