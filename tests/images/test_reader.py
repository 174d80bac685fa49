from __future__ import annotations

import hashlib
import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_particle_sam.base.errors import BadFileError, BadValueError, ParticleSamError
from napari_particle_sam.images import raster
from napari_particle_sam.images.normalise import normalise
from napari_particle_sam.images.reader import read_micrograph

RNG = np.random.default_rng(0)
GREY8 = RNG.integers(0, 256, (20, 30), np.uint8)
GREY16 = RNG.integers(0, 65536, (20, 30), np.uint16)
COLOUR = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def tiff(array: np.ndarray, **more) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **{"photometric": "minisblack", **more})
    return buffer.getvalue()


def pillow(array: np.ndarray | Image.Image, kind: str, **more) -> bytes:
    buffer = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def palette_image(colours: np.ndarray) -> Image.Image:
    image = Image.fromarray(GREY8 % len(colours)).convert("P")
    image.putdata((GREY8 % len(colours)).ravel().tolist())
    image.putpalette(colours.astype(np.uint8).ravel().tolist())
    return image


def read(tmp_path, content: bytes, name: str = "Probe ü 1.tif", **more):
    path = tmp_path / name
    path.write_bytes(content)
    return read_micrograph(path, **more)


def grey_rgb(array: np.ndarray, channels: int = 3) -> np.ndarray:
    colour = np.repeat(array[..., None], channels, axis=-1)
    if channels == 4:
        colour[..., 3] = np.iinfo(array.dtype).max
    return colour


EXACT = {
    "tif 8": (tiff(GREY8), GREY8),
    "tif 16": (tiff(GREY16), GREY16),
    "tif big-endian": (tiff(GREY16, byteorder=">"), GREY16),
    "tif zlib": (tiff(GREY16, compression="zlib", predictor=False), GREY16),
    "tif LZW": (pillow(GREY8, "TIFF", compression="tiff_lzw"), GREY8),
    "tif LZW 16": (pillow(GREY16, "TIFF", compression="tiff_lzw"), GREY16),
    "tif RGB": (tiff(grey_rgb(GREY8), photometric="rgb"), GREY8),
    "tif RGB 16": (tiff(grey_rgb(GREY16), photometric="rgb"), GREY16),
    "tif RGBA": (tiff(grey_rgb(GREY8, 4), photometric="rgb", extrasamples=["unassalpha"]), GREY8),
    "tif planar": (tiff(np.stack([GREY8] * 3), photometric="rgb", planarconfig="separate"), GREY8),
    "tif planes": (
        tiff(np.stack([GREY8] * 3), imagej=True, metadata={"axes": "CYX", "mode": "composite"}),
        GREY8,
    ),
    "tif inverted": (tiff(255 - GREY8, photometric="miniswhite"), GREY8),
    "tif int32": (tiff(GREY16.astype(np.int32)), GREY16),
    "tif bool": (pillow(Image.fromarray(GREY8 > 99), "TIFF"), (GREY8 > 99) * np.uint8(255)),
    "png 8": (pillow(GREY8, "PNG"), GREY8),
    "png 16": (pillow(GREY16, "PNG"), GREY16),
    "png RGB": (pillow(grey_rgb(GREY8), "PNG"), GREY8),
    "png RGBA": (pillow(grey_rgb(GREY8, 4), "PNG"), GREY8),
    "png LA": (pillow(Image.fromarray(GREY8).convert("LA"), "PNG"), GREY8),
    "png palette": (pillow(palette_image(grey_rgb(np.arange(200, 0, -1))), "PNG"), 200 - GREY8 % 200),
    "bmp": (pillow(GREY8, "BMP"), GREY8),
}


@pytest.mark.parametrize("case", EXACT)
def test_grey_values_arrive_unchanged(tmp_path, case):
    content, expected = EXACT[case]
    micrograph = read(tmp_path, content)
    assert micrograph.pixels.dtype == expected.dtype
    assert (micrograph.pixels == expected).all()
    assert micrograph.shape == (20, 30)
    assert micrograph.remarks == ()
    assert micrograph.sha256 == hashlib.sha256(content).hexdigest()
    assert micrograph.pixel_size is None


def test_jpeg_is_read(tmp_path):
    smooth = np.tile(np.arange(64, dtype=np.uint8), (40, 1))
    micrograph = read(tmp_path, pillow(smooth, "JPEG", quality=95), "a.JPG")
    assert np.abs(micrograph.pixels.astype(int) - smooth).max() < 6


@pytest.mark.parametrize("content", [tiff(COLOUR, photometric="rgb"), pillow(COLOUR, "PNG")])
def test_true_colour_becomes_luminance_and_says_so(tmp_path, content):
    micrograph = read(tmp_path, content)
    luminance = np.array(Image.fromarray(COLOUR).convert("L")).astype(int)
    assert np.abs(micrograph.pixels - luminance).max() <= 1
    assert "luminance" in micrograph.remarks[0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_stretched(tmp_path, dtype):
    values = np.linspace(-2, 2, 600).reshape(20, 30).astype(dtype)
    micrograph = read(tmp_path, tiff(values))
    assert micrograph.pixels.dtype == np.uint16
    assert (micrograph.pixels.min(), micrograph.pixels.max()) == (0, 65535)
    assert np.abs(micrograph.pixels / 65535 * 4 - 2 - values).max() < 1e-4
    assert "stretched" in micrograph.remarks[0]


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_a_constant_image_is_black(tmp_path, value):
    assert not read(tmp_path, tiff(np.full((4, 5), value))).pixels.any()
    assert not read(tmp_path, tiff(np.full((4, 5), value))).picture.any()


def test_the_widest_floats_do_not_overflow(tmp_path):
    big = np.finfo(np.float64).max
    assert read(tmp_path, tiff(np.array([[-big, 0, big]]))).pixels.tolist() == [[0, 32768, 65535]]


@pytest.mark.parametrize("more", [{}, {"imagej": True}])
def test_the_first_of_several_pages_is_taken_and_said(tmp_path, more):
    micrograph = read(tmp_path, tiff(np.stack([GREY8, GREY8 // 2, GREY8 // 3, GREY8 // 4]), **more))
    assert (micrograph.pixels == GREY8).all()
    assert micrograph.remarks == ("The first of 4 pages is used.",)


def test_the_data_bar_stays_in_the_pixels_and_out_of_the_percentiles(tmp_path):
    pixels = GREY16 // 64
    pixels[-5:] = 65535
    micrograph = read(tmp_path, tiff(pixels), databar=5)
    assert micrograph.field_rows == 15
    assert micrograph.shape == (20, 30)
    assert (micrograph.picture == normalise(pixels, 15)).all()
    assert micrograph.picture.dtype == np.uint8


def test_pixels_are_read_only(tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        read(tmp_path, tiff(GREY8)).pixels[0, 0] = 1


def refused(call) -> str:
    with pytest.raises(ParticleSamError) as caught:
        call()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence
    return sentence


def broken_png(cols: int, rows: int) -> bytes:
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def zero_rows_tiff() -> bytes:
    with pytest.warns(UserWarning, match="zero-size"):
        return tiff(np.zeros((0, 8), np.uint8))


BAD = {
    "empty": lambda: b"",
    "text": lambda: b"not an image at all, just text",
    "tif header only": lambda: b"II*\0\x08\0\0\0",
    "tif without tags": lambda: b"II*\0\x08\0\0\0\0\0\0\0\0\0",
    "tif loop": lambda: b"II*\0\x04\0\0\0",
    "tif cut": lambda: tiff(GREY8)[:-100],
    "tif cut in strips": lambda: tiff(GREY8, rowsperstrip=2, compression="zlib")[:-100],
    "tif cut in tiles": lambda: tiff(np.tile(GREY8, (5, 5)), tile=(64, 64))[:-5000],
    "tif LZW cut": lambda: pillow(GREY8, "TIFF", compression="tiff_lzw")[:300],
    "tif without rows": zero_rows_tiff,
    "tif NaN": lambda: tiff(np.array([[0.0, np.nan]])),
    "tif infinite": lambda: tiff(np.array([[0.0, np.inf]])),
    "tif infinite RGB": lambda: tiff(np.full((3, 4, 3), np.inf, np.float32), photometric="rgb"),
    "tif complex": lambda: tiff(np.zeros((3, 4), np.complex64)),
    "tif negative": lambda: tiff(np.full((3, 4), -1, np.int16)),
    "tif too high": lambda: tiff(np.full((3, 4), 70000, np.uint32)),
    "tif five channels": lambda: tiff(np.zeros((9, 8, 5), np.uint8), planarconfig="contig"),
    "tif volume": lambda: tiff(np.zeros((16, 16, 16), np.uint8), volumetric=True),
    "png cut": lambda: pillow(GREY8, "PNG")[:200],
    "png header": lambda: broken_png(8, 8),
    "png no cols": lambda: broken_png(0, 8),
    "png bomb": lambda: broken_png(60000, 60000),
    "jpg cut": lambda: pillow(GREY8, "JPEG")[:400],
    "gif": lambda: pillow(GREY8, "GIF"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_sentence(tmp_path, case):
    content = BAD[case]()
    assert "Probe ü 1.tif" in refused(lambda: read(tmp_path, content))


def test_missing_files_and_folders_are_one_sentence(tmp_path):
    assert "does not exist" in refused(lambda: read_micrograph(tmp_path / "no.tif"))
    assert "is a folder" in refused(lambda: read_micrograph(tmp_path))


@pytest.mark.parametrize("content", [tiff(GREY8), pillow(GREY8, "PNG")])
def test_too_many_pixels_are_refused_by_the_header(tmp_path, monkeypatch, content):
    monkeypatch.setattr(raster, "PIXEL_LIMIT", 599)
    assert "20 x 30" in refused(lambda: read(tmp_path, content))


@pytest.mark.parametrize("rows", [-1, 20, 500])
def test_a_data_bar_that_does_not_fit_is_refused(tmp_path, rows):
    with pytest.raises(BadValueError):
        read(tmp_path, tiff(GREY8), databar=rows)
    assert "Probe" in refused(lambda: read(tmp_path, tiff(GREY8), databar=rows))


def test_every_cut_of_a_tif_is_refused_or_whole(tmp_path):
    content = tiff(GREY8, compression="zlib", rowsperstrip=5)
    for length in range(1, len(content), 7):
        try:
            assert (read(tmp_path, content[:length]).pixels == GREY8).all()
        except BadFileError:
            continue
