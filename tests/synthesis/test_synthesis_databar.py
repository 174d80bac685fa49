from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.synthesis import render
from napari_particle_sam.synthesis.databar import HEIGHT_SHARE, STYLES, add_databar
from napari_particle_sam.synthesis.lettering import length_text, nice_length
from napari_particle_sam.synthesis.marks import add_marks, apply_marks, draw_marks
from napari_particle_sam.synthesis.vendor_tags import vendor_tags

FIELD = render("powder", 5, (400, 600)).pixels


def drawn(style: str, seed: int, pixels: np.ndarray = FIELD, pixel_size_nm: float | None = None):
    return add_databar(np.random.default_rng(seed), pixels, style, pixel_size_nm)


@pytest.mark.parametrize("style", STYLES)
def test_equal_seeds_give_equal_bytes_and_other_seeds_others(style):
    one, again, other = (drawn(style, seed)[0] for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("style", STYLES)
def test_a_bar_keeps_the_field_and_its_bounds(style, seed):
    pixels, rows, facts = drawn(style, seed)
    assert pixels.shape == FIELD.shape and pixels.dtype == FIELD.dtype
    assert HEIGHT_SHARE[0] * 400 - 1 <= rows <= HEIGHT_SHARE[1] * 400 + 1
    if facts.jpeg_quality is None:
        assert (pixels[:-rows] == FIELD[:-rows]).all()
    assert 0.03 < facts.scale_bar_px / 600 <= 0.2
    assert facts.scale_bar_px * facts.pixel_size_nm == pytest.approx(facts.scale_bar_nm)


@pytest.mark.parametrize("style", ["zeiss", "jeol"])
def test_the_scale_bar_has_the_length_that_the_facts_state(style):
    lengths = []
    for seed in range(20):
        pixels, rows, facts = drawn(style, seed)
        if facts.jpeg_quality is None:
            bar = pixels[-rows + 3 : -3, 4:-4] > 127
            # The logo of a Zeiss bar is a block; the scale bar is the longest run left of it.
            ink = (bar if facts.ground == "black" else ~bar)[:, : 600 * 7 // 8 if style == "zeiss" else 600]
            lengths.append((_longest_run(ink), facts.scale_bar_px))
    assert lengths
    for found, stated in lengths:
        assert abs(found - stated) <= 2


def _longest_run(ink: np.ndarray) -> int:
    longest = run = np.zeros(len(ink), int)
    for column in ink.T:
        run = np.where(column, run + 1, 0)
        longest = np.maximum(longest, run)
    return int(longest.max())


def test_all_grounds_are_drawn_and_8_bit_images_are_sometimes_compressed():
    facts = [drawn(style, seed)[2] for style in STYLES for seed in range(12)]
    assert {fact.ground for fact in facts} == {"black", "white", "grey", "translucent"}
    assert 0.15 < np.mean([fact.jpeg_quality is not None for fact in facts]) < 0.65


def test_a_bar_on_16_bits_uses_their_range_and_is_not_compressed():
    for seed in range(5):
        pixels, rows, facts = drawn("fei", seed, FIELD.astype(np.uint16) * 20)
        assert facts.jpeg_quality is None
        assert pixels.dtype == np.uint16 and pixels[-rows:].max() == 65535


@pytest.mark.parametrize(
    ("style", "pixels"),
    [
        ("philips", FIELD),
        ("zeiss", FIELD[:100]),
        ("zeiss", FIELD.astype(np.float32)),
        ("zeiss", np.stack([FIELD] * 3, axis=2)),
    ],
)
def test_what_cannot_be_drawn_is_refused(style, pixels):
    with pytest.raises(BadValueError):
        drawn(style, 1, pixels)


@pytest.mark.parametrize(("limit", "nice"), [(1, 1), (4.9, 2), (5, 5), (99, 50), (1000, 1000), (0.3, 0.2)])
def test_nice_lengths(limit, nice):
    assert nice_length(limit) == pytest.approx(nice)


def test_lengths_are_written_with_their_unit():
    assert [length_text(size) for size in (0.5, 500, 2000, 1e6)] == ["0.5 nm", "500 nm", "2 µm", "1 mm"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("seed", range(8))
def test_marks_change_only_what_the_mask_names(seed, dtype):
    pixels = FIELD.astype(dtype) * (1 if dtype == np.uint8 else 200)
    marked, mask = add_marks(np.random.default_rng(seed), pixels)
    assert marked.dtype == dtype and mask.dtype == bool and mask.any()
    assert (marked[~mask] == pixels[~mask]).all()
    assert (marked[mask] != pixels[mask]).mean() > 0.5


def test_marks_are_drawn_from_the_seed_alone():
    one, again = (add_marks(np.random.default_rng(4), FIELD) for _ in range(2))
    assert (one[0] == again[0]).all() and (one[1] == again[1]).all()


def test_all_kinds_of_marks_lie_in_the_image():
    kinds = set()
    for seed in range(20):
        marks = draw_marks(np.random.default_rng(seed), FIELD)
        for mark in marks:
            top, left, bottom, right = mark.box
            assert 0 <= top < bottom <= 400 and 0 <= left < right <= 600
            assert mark.ink.shape == (bottom - top, right - left)
            kinds.add((mark.kind, mark.boxed))
        assert apply_marks(FIELD, marks)[1].mean() < 0.2
    assert {kind for kind, _ in kinds} == {"letter", "scale bar", "arrow"}
    assert ("letter", True) in kinds and ("arrow", True) not in kinds


def test_marks_need_room():
    with pytest.raises(BadValueError):
        add_marks(np.random.default_rng(0), FIELD[:100])


def _stored(folder, style: str, pixel_nm: float):
    tags = vendor_tags(style, pixel_nm, FIELD.shape)
    path = folder / "Maß Probe.tif"
    tifffile.imwrite(path, FIELD, extratags=tags.extratags)
    assert (np.asarray(Image.open(path)) == FIELD).all()
    return path, tags


@pytest.mark.parametrize("pixel_nm", [0.25, 12.34, 2345.0])
def test_tifffile_reads_the_zeiss_and_fei_sizes(tmp_path, pixel_nm):
    path, _ = _stored(tmp_path, "zeiss", pixel_nm)
    with tifffile.TiffFile(path) as tif:
        _, value, unit = tif.sem_metadata["ap_image_pixel_size"]
    assert value * {"nm": 1, "µm": 1e3}[unit] == pytest.approx(pixel_nm, rel=1e-5)
    path, _ = _stored(tmp_path, "fei", pixel_nm)
    with tifffile.TiffFile(path) as tif:
        assert tif.fei_metadata["Scan"]["PixelWidth"] == pytest.approx(pixel_nm * 1e-9)
        assert tif.fei_metadata["EScan"]["PixelWidth"] == pytest.approx(pixel_nm * 1e-9)


def test_the_tescan_tag_is_an_ini_text(tmp_path):
    path, _ = _stored(tmp_path, "tescan", 41.0)
    with tifffile.TiffFile(path) as tif:
        text = tif.pages[0].tags[50431].value.decode("ascii")
    assert text.startswith("[MAIN]") and "PixelSizeX=4.1e-08" in text


@pytest.mark.parametrize("pixel_nm", [0.25, 12.34, 2345.0])
def test_the_jeol_and_hitachi_sidecars_state_the_size(pixel_nm):
    jeol = vendor_tags("jeol", pixel_nm, FIELD.shape)
    lines = dict(line.split(" ", 1) for line in jeol.sidecar.splitlines())
    marker = lines["$$SM_MICRON_MARKER"]
    nanometres = float(marker[:-2]) * {"nm": 1, "um": 1e3}[marker[-2:]]
    assert nanometres / int(lines["$$SM_MICRON_BAR"]) == pytest.approx(pixel_nm, rel=1.1e-3)
    assert lines["$CM_FULL_SIZE"] == "600 400" and jeol.extratags == ()
    hitachi = vendor_tags("hitachi", pixel_nm, FIELD.shape).sidecar
    entries = dict(line.split("=") for line in hitachi.splitlines()[1:])
    assert float(entries["PixelSize"]) == pytest.approx(pixel_nm) and entries["DataSize"] == "600x400"


@pytest.mark.parametrize(("style", "size"), [("philips", 1.0), ("zeiss", 0.0), ("fei", float("nan"))])
def test_unknown_vendors_and_impossible_sizes_are_refused(style, size):
    with pytest.raises(BadValueError):
        vendor_tags(style, size, (10, 10))
