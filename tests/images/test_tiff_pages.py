from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.images.region import read_region

RNG = np.random.default_rng(2)
PAGES = RNG.integers(0, 256, (4, 20, 30), np.uint8)
LAYOUTS = {
    "pages": {},
    "imagej": {"imagej": True},
    "planes": {"planarconfig": "separate"},
    "zlib": {"compression": "zlib"},
}


def pages_tiff(path, layout):
    tifffile.imwrite(path, PAGES, photometric="minisblack", **layout)
    return path


@pytest.mark.parametrize("page", [1, 2, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_page_is_counted_from_one(tmp_path, layout, page):
    micrograph = read_micrograph(pages_tiff(tmp_path / "Maß Probe.tif", LAYOUTS[layout]), page=page)
    assert (micrograph.pixels == PAGES[page - 1]).all()
    assert micrograph.remarks == ()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_page_is_taken_with_a_remark(tmp_path, layout):
    micrograph = read_micrograph(pages_tiff(tmp_path / "a.tif", LAYOUTS[layout]))
    assert (micrograph.pixels == PAGES[0]).all()
    assert micrograph.remarks == ("The first of 4 pages is used.",)


def test_pages_of_a_compression_that_pillow_decodes(tmp_path):
    images = [Image.fromarray(page) for page in PAGES]
    images[0].save(tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=images[1:])
    assert (read_micrograph(tmp_path / "a.tif", page=3).pixels == PAGES[2]).all()
    assert read_micrograph(tmp_path / "a.tif").remarks == ("The first of 4 pages is used.",)


def test_previews_do_not_count(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(PAGES[0], photometric="minisblack")
        writer.write(PAGES[0][::2, ::2], photometric="minisblack", subfiletype=1)
        writer.write(PAGES[1], photometric="minisblack")
    assert (read_micrograph(tmp_path / "a.tif", page=2).pixels == PAGES[1]).all()
    with pytest.raises(BadValueError, match="1 to 2"):
        read_micrograph(tmp_path / "a.tif", page=3)


@pytest.mark.parametrize("page", [0, -1, 5, 2**40])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_page_that_is_not_there_is_one_sentence(tmp_path, layout, page):
    with pytest.raises(BadValueError, match=r"a\.tif has no page .*; give a page from 1 to 4\.$"):
        read_micrograph(pages_tiff(tmp_path / "a.tif", LAYOUTS[layout]), page=page)


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp"])
def test_files_of_one_image_have_one_page(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    Image.fromarray(PAGES[0]).save(path)
    assert (read_micrograph(path, page=1).pixels == read_micrograph(path).pixels).all()
    with pytest.raises(BadValueError, match="1 to 1"):
        read_micrograph(path, page=2)


@pytest.mark.parametrize("largest", [4095, 65535])
def test_16_bit_ranges_arrive_as_they_are(tmp_path, largest):
    values = np.linspace(0, largest, 600).astype(np.uint16).reshape(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    micrograph = read_micrograph(tmp_path / "a.tif")
    assert micrograph.pixels.dtype == np.uint16
    assert (micrograph.pixels == values).all()
    assert (micrograph.picture.min(), micrograph.picture.max()) == (0, 255)
    assert len(np.unique(micrograph.picture)) > 200


def packed_12_bit_tiff(values: np.ndarray) -> bytes:
    """Two values in three bytes, which tifffile does not write."""
    first, second = values.ravel()[::2].astype(int), values.ravel()[1::2].astype(int)
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=1)
    data = packed.astype(np.uint8).tobytes()
    rows, cols = values.shape
    tags = [
        (256, cols),
        (257, rows),
        (258, 12),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, rows),
        (279, len(data)),
    ]
    directory = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags)
    header = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return header + data + struct.pack("<H", len(tags)) + directory + bytes(4)


def test_packed_12_bit_values_are_read(tmp_path):
    values = RNG.integers(0, 4096, (20, 30), np.uint16)
    (tmp_path / "a.tif").write_bytes(packed_12_bit_tiff(values))
    assert (read_micrograph(tmp_path / "a.tif").pixels == values).all()
    assert (read_region(tmp_path / "a.tif", slice(2, 9), slice(3, 30)) == values[2:9, 3:30]).all()
