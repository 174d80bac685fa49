from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images import raster
from napari_particle_sam.images.raster import read_raster
from napari_particle_sam.images.region import read_region

RNG = np.random.default_rng(1)
GREY8 = RNG.integers(0, 256, (75, 110), np.uint8)
GREY16 = RNG.integers(0, 65536, (75, 110), np.uint16)
COLOUR = RNG.integers(0, 256, (75, 110, 3), np.uint8)
PLANES = np.moveaxis(COLOUR, -1, 0)


def tiff(array: np.ndarray, **more) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **{"photometric": "minisblack", **more})
    return buffer.getvalue()


def pillow(array: np.ndarray, kind: str, **more) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **more)
    return buffer.getvalue()


FILES = {
    "one strip": tiff(GREY16),
    "big-endian": tiff(GREY16, byteorder=">"),
    "bigtiff": tiff(GREY16, bigtiff=True),
    "strips": tiff(GREY8, rowsperstrip=7),
    "zlib strips": tiff(GREY16, rowsperstrip=7, compression="zlib", predictor=False),
    "tiles": tiff(GREY8, tile=(32, 48)),
    "tiles 16 big-endian": tiff(GREY16, tile=(16, 32), byteorder=">"),
    "zlib tiles": tiff(GREY16, tile=(32, 16), compression="zlib", predictor=False),
    "float tiles": tiff(GREY16.astype(np.float32), tile=(32, 16), compression="zlib", predictor=False),
    "RGB": tiff(COLOUR, photometric="rgb"),
    "RGB tiles": tiff(COLOUR, photometric="rgb", tile=(32, 32)),
    "planar": tiff(PLANES, photometric="rgb", planarconfig="separate"),
    "planar tiles": tiff(PLANES, photometric="rgb", planarconfig="separate", tile=(32, 32)),
    "planar zlib": tiff(
        PLANES, photometric="rgb", planarconfig="separate", compression="zlib", rowsperstrip=9
    ),
    "composite": tiff(PLANES, imagej=True, metadata={"axes": "CYX", "mode": "composite"}),
    "pages": tiff(np.stack([GREY8, GREY8[::-1]]), tile=(32, 32)),
    "planes": tiff(np.stack([GREY8, GREY8[::-1]]), planarconfig="separate", tile=(32, 32)),
    "bits": pillow(GREY8 > 99, "TIFF"),
    "packbits": pillow(GREY8, "TIFF", compression="packbits"),
    "JPEG": pillow(GREY8, "TIFF", compression="jpeg"),
    "LZW": pillow(GREY8, "TIFF", compression="tiff_lzw"),
    "png": pillow(GREY8, "PNG"),
    "png RGB": pillow(COLOUR, "PNG"),
}
BOXES = [
    (slice(0, 75), slice(0, 110)),
    (slice(10, 11), slice(109, 110)),
    (slice(31, 66), slice(15, 97)),
    (slice(-5, None), slice(None, -100)),
    (slice(70, 500), slice(100, 500)),
]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("case", FILES)
def test_a_region_equals_the_slice_of_the_whole(tmp_path, case, box):
    path = tmp_path / "Maß Probe.tif"
    path.write_bytes(FILES[case])
    whole = read_raster(path).array[box]
    region = read_region(path, *box)
    assert region.dtype == whole.dtype
    assert region.shape == whole.shape
    assert (region == whole).all()
    assert region.base is None or region.base.nbytes == region.nbytes


@pytest.mark.parametrize("case", ["pages", "planes"])
def test_a_region_of_another_page(tmp_path, case):
    path = tmp_path / "a.tif"
    path.write_bytes(FILES[case])
    assert (read_region(path, slice(3, 40), slice(30, 80), page=2) == GREY8[::-1][3:40, 30:80]).all()
    with pytest.raises(BadValueError, match="1 to 2"):
        read_region(path, slice(3, 40), slice(30, 80), page=3)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["tiles", "strips", "zlib strips", "RGB tiles", "one strip"]))
def test_any_region(tmp_path_factory, data, case):
    path = tmp_path_factory.getbasetemp() / f"{case}.tif"
    if not path.exists():
        path.write_bytes(FILES[case])
    top, left = data.draw(st.integers(0, 74)), data.draw(st.integers(0, 109))
    box = slice(top, data.draw(st.integers(top + 1, 75))), slice(left, data.draw(st.integers(left + 1, 110)))
    assert np.array_equal(read_region(path, *box), read_raster(path).array[box])


@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 0), slice(0, 5)),
        (slice(75, 80), slice(0, 5)),
        (slice(0, 5), slice(5, 2)),
        (slice(0, 9, 2), slice(0, 5)),
        (slice(9, 0, -1), slice(0, 5)),
    ],
)
@pytest.mark.parametrize("case", ["tiles", "png"])
def test_an_empty_region_is_refused(tmp_path, case, box):
    (tmp_path / "a.tif").write_bytes(FILES[case])
    with pytest.raises(BadValueError, match="75 x 110"):
        read_region(tmp_path / "a.tif", *box)


@pytest.mark.parametrize("case", ["tiles", "zlib tiles", "strips", "one strip", "zlib strips"])
def test_a_cut_file_is_one_sentence_or_right(tmp_path, case):
    path = tmp_path / "a.tif"
    content = FILES[case]
    path.write_bytes(content)
    box = slice(60, 75), slice(90, 110)
    whole = read_raster(path).array[box]
    for length in range(0, len(content), max(1, len(content) // 23)):
        path.write_bytes(content[:length])
        try:
            assert (read_region(path, *box) == whole).all()
        except BadFileError as error:
            assert str(error).endswith(".")


def test_missing_files_are_one_sentence(tmp_path):
    with pytest.raises(BadFileError, match="does not exist"):
        read_region(tmp_path / "no.tif", slice(0, 1), slice(0, 1))
    with pytest.raises(BadFileError, match="is a folder"):
        read_region(tmp_path, slice(0, 1), slice(0, 1))


def test_the_limit_is_on_the_region_and_not_on_the_file(tmp_path, monkeypatch):
    (tmp_path / "a.tif").write_bytes(FILES["tiles"])
    monkeypatch.setattr(raster, "PIXEL_LIMIT", 999)
    assert read_region(tmp_path / "a.tif", slice(0, 30), slice(0, 30)).shape == (30, 30)
    with pytest.raises(BadFileError, match="75 x 110"):
        read_region(tmp_path / "a.tif", slice(None), slice(None))


@pytest.mark.parametrize(
    "layout",
    [
        {"tile": (256, 256)},
        {"tile": (256, 256), "compression": "zlib", "compressionargs": {"level": 1}},
        {},
        {"rowsperstrip": 16, "compression": "zlib", "compressionargs": {"level": 1}},
    ],
)
def test_memory_is_that_of_the_region(tmp_path, layout):
    path = tmp_path / "large.tif"
    ramp = np.arange(8192, dtype=np.uint8)
    tifffile.imwrite(path, ramp[:, None] ^ ramp[None, :], photometric="minisblack", **layout)
    rows, cols = slice(4000, 4512), slice(7000, 7512)
    tracemalloc.start()
    region = read_region(path, rows, cols)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (region == ramp[rows, None] ^ ramp[None, cols]).all()
    assert peak < 4 * 2**20  # the whole is 64 MiB
