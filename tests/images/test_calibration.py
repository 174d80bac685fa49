from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from vendor_headers import FEI, FEI_TAG, HITACHI, JEOL, JEOL_NEW, TESCAN, TESCAN_TAG, ZEISS, ZEISS_TAG, tif

from napari_particle_sam.images.calibration import find_pixel_size
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.images.tiff_facts import TiffFacts
from napari_particle_sam.synthesis.databar import STYLES
from napari_particle_sam.synthesis.vendor_tags import vendor_tags


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "Maß Probe"
    made.mkdir()
    return made


def told(path) -> tuple[float | None, str, tuple[str, ...]]:
    micrograph = read_micrograph(path)
    size = micrograph.pixel_size
    for remark in micrograph.remarks:
        assert remark.endswith(".")
        assert "\n" not in remark
    return (None, "", micrograph.remarks) if size is None else (size.nm, size.source, micrograph.remarks)


TAGGED = {
    "Zeiss": ((768, 1024), ZEISS_TAG, ZEISS, 11.17, "Zeiss metadata ap_image_pixel_size"),
    "Zeiss pm": (
        (768, 1024),
        ZEISS_TAG,
        ZEISS.replace("11.17 nm", "558.2 pm"),
        0.5582,
        "ap_image_pixel_size",
    ),
    "Zeiss um": (
        (768, 1024),
        ZEISS_TAG,
        ZEISS.replace("11.17 nm", "1.117 \xb5m"),
        1117,
        "ap_image_pixel_size",
    ),
    "LEO": (
        (1536, 2048),
        ZEISS_TAG,
        ZEISS[: ZEISS.index("DP_IMAGE")],
        11.17,
        "Zeiss metadata, unnamed scale",
    ),
    "FEI": ((943, 1024), FEI_TAG, FEI, 2.0345, "FEI metadata Scan/PixelWidth"),
    "FEI SFEG": ((943, 1024), 34680, FEI, 2.0345, "FEI metadata Scan/PixelWidth"),
    "FEI EScan": ((884, 1024), FEI_TAG, FEI.replace("[Scan]", "[Old]"), 3.0, "FEI metadata EScan/PixelWidth"),
    "TESCAN": (
        (832, 768),
        TESCAN_TAG,
        b"\x00\x10\x00\x07" + TESCAN.encode(),
        41.0,
        "TESCAN metadata PixelSizeX",
    ),
}


@pytest.mark.parametrize("case", TAGGED)
def test_tags_of_the_vendors(folder, case):
    shape, code, text, nm, source = TAGGED[case]
    found, found_source, remarks = told(tif(folder / "a.tif", shape, code, text))
    assert found == pytest.approx(nm, rel=1e-9)
    assert source in found_source
    assert ("states no image size" in "".join(remarks)) == (case == "LEO")
    assert len(remarks) == (case == "LEO")


@pytest.mark.parametrize("nm", [0.137, 5.5, 1234.5])
@pytest.mark.parametrize("bar", [0, 60])
@pytest.mark.parametrize("style", STYLES)
def test_what_the_renderer_writes_is_read(folder, style, bar, nm):
    written = vendor_tags(style, nm, (240, 320))
    black = np.zeros((240 + bar, 320), np.uint8)
    tifffile.imwrite(folder / "a.tif", black, photometric="minisblack", extratags=written.extratags)
    if written.sidecar is not None:
        (folder / "a.txt").write_text(written.sidecar, encoding="ascii", newline="")
    found, source, _ = told(folder / "a.tif")
    assert found == pytest.approx(nm, rel=1e-3)  # JEOL's bar is whole pixels
    assert source.lower().startswith(style)


GARBAGE = [
    (ZEISS_TAG, ZEISS[:40]),  # cut after the unnamed scale
    (ZEISS_TAG, "\xff\0\1garbage"),
    (FEI_TAG, "garbage"),
    (FEI_TAG, "\xff\xfe\0[Scan]"),
    (TESCAN_TAG, "\1\2"),
]


@pytest.mark.parametrize(("code", "text"), GARBAGE)
def test_garbage_in_a_tag_leaves_a_remark(folder, code, text):
    found, _, remarks = told(tif(folder / "a.tif", (20, 30), code, text))
    assert found is None
    assert len(remarks) == 1


def test_one_unit_per_pixel_is_never_silent(folder):
    metadata = {"unit": "um"}
    tif(folder / "a.tif", (20, 30), imagej=True, resolution=(1, 1), metadata=metadata)
    found, _, remarks = told(folder / "a.tif")
    assert found == 1000
    assert "may stand for no calibration" in remarks[0]


BESIDE = {
    "JEOL": ("a.txt", JEOL, (1024, 1280), 6.25, "$$SM_MICRON_BAR"),
    "JEOL upper": ("a.TXT", JEOL, (960, 1280), 6.25, "JEOL a.TXT"),
    "JEOL nm": ("a.txt", JEOL.replace("1um", "500nm"), (960, 1280), 3.125, "JEOL"),
    "JEOL new": ("a.txt", JEOL_NEW, (960, 1280), 6.27, "$CM_PIXEL_SIZE"),
    "JEOL two": ("a.txt", JEOL_NEW.replace("6.27nm", "6.27nm 6.27nm"), (960, 1280), 6.27, "$CM_PIXEL_SIZE"),
    "JEOL unit unknown": ("a.txt", JEOL_NEW.replace("6.27nm", "6.27"), (960, 1280), 6.25, "$$SM_MICRON_BAR"),
    "Hitachi": ("a.txt", HITACHI, (960, 1280), 9.921875, "Hitachi a.txt PixelSize"),
    "Hitachi mixed": ("a.tif.Txt", HITACHI, (1024, 1280), 9.921875, "Hitachi a.tif.Txt"),
    "TESCAN": ("a-tif.hdr", TESCAN, (832, 768), 41.0, "TESCAN a-tif.hdr PixelSizeX"),
    "TESCAN stem": ("a.hdr", TESCAN, (832, 768), 41.0, "TESCAN a.hdr"),
    "TESCAN suffix": ("a.tif.HDR", TESCAN, (832, 768), 41.0, "TESCAN a.tif.HDR"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("case", BESIDE)
def test_text_files_beside_the_image(folder, case, encoding):
    name, text, shape, nm, source = BESIDE[case]
    (folder / name).write_bytes(text.encode(encoding))
    (folder / "b.txt").write_text(HITACHI.replace("9.92", "1.11"), encoding="utf-8")
    found, found_source, remarks = told(tif(folder / "a.tif", shape))
    assert found == pytest.approx(nm, rel=1e-9)
    assert source in found_source
    assert ("states no image size" in "".join(remarks)) == case.startswith("TESCAN")


def test_text_files_serve_png_and_jpeg_too(folder):
    Image.fromarray(np.zeros((960, 1280), np.uint8)).save(folder / "a.png")
    Image.fromarray(np.zeros((832, 768), np.uint8)).save(folder / "b.jpg")
    (folder / "a.txt").write_text(JEOL, encoding="utf-8")
    (folder / "b-jpg.hdr").write_text(TESCAN, encoding="utf-8")
    assert told(folder / "a.png")[0] == 6.25
    assert told(folder / "b.jpg")[0] == pytest.approx(41)


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        ("nm", 4),
        ("um", 4000),
        ("micron", 4000),
        ("\\u00B5m", 4000),
        ("mm", None),
        ("inch", None),
        ("pixel", None),
    ],
)
def test_imagej_needs_a_unit_of_length(folder, unit, nm):
    tif(folder / "a.tif", (20, 30), imagej=True, resolution=(0.25, 0.25), metadata={"unit": unit})
    found, source, remarks = told(folder / "a.tif")
    assert found == (None if nm is None else pytest.approx(nm))
    assert bool(remarks) == (unit == "mm")  # 4 mm are no pixel of a micrograph
    assert source == ("" if nm is None else "ImageJ resolution and unit")


def test_dots_per_inch_are_no_calibration(folder):
    tif(folder / "inch.tif", (20, 30), resolution=(300, 300), resolutionunit="INCH")
    tif(folder / "cm.tif", (20, 30), resolution=(1e6, 1e6), resolutionunit="CENTIMETER")
    tif(folder / "none.tif", (20, 30), resolution=(50, 50), resolutionunit="NONE")
    black = Image.fromarray(np.zeros((20, 30), np.uint8))
    black.save(folder / "a.png", dpi=(300, 300))
    black.save(folder / "a.jpg", dpi=(300, 300))
    for path in sorted(folder.iterdir()):
        assert told(path) == (None, "", ())


RESIZED = [
    (ZEISS_TAG, ZEISS, (384, 512)),
    (ZEISS_TAG, ZEISS, (1536, 2048)),
    (FEI_TAG, FEI, (472, 512)),  # with its bar
    (FEI_TAG, FEI, (442, 512)),  # without
    (FEI_TAG, FEI, (943, 1025)),
]


@pytest.mark.parametrize(("code", "text", "shape"), RESIZED)
def test_a_resized_export_has_no_pixel_size_and_says_why(folder, code, text, shape):
    found, _, remarks = told(tif(folder / "a.tif", shape, code, text))
    assert found is None
    assert len(remarks) == 1
    assert "was resized from" in remarks[0]
    assert f"{shape[0]} x {shape[1]}" in remarks[0]
    assert "--pixel-size" in remarks[0]


@pytest.mark.parametrize("text", [JEOL, HITACHI])
def test_a_resized_export_is_told_by_the_text_file_too(folder, text):
    (folder / "a.txt").write_text(text, encoding="utf-8")
    found, _, remarks = told(tif(folder / "a.tif", (480, 640)))
    assert found is None
    assert "was resized from 960 x 1280 to 480 x 640" in remarks[0]


def test_a_part_of_other_proportions_has_no_pixel_size_either(folder):
    found, _, remarks = told(tif(folder / "a.tif", (300, 900), FEI_TAG, FEI))
    assert found is None
    assert "may not hold" in remarks[0]


@pytest.mark.parametrize("rows", [884, 943, 1024, 600])
def test_rows_may_differ_by_the_bar_or_a_cut(folder, rows):
    assert told(tif(folder / "a.tif", (rows, 1024), FEI_TAG, FEI))[0] == pytest.approx(2.0345)


IMPOSSIBLE = {
    "not square": (FEI.replace("PixelHeight=2.0345e-009", "PixelHeight=2.9e-009"), "not square"),
    "zero": (FEI.replace("PixelWidth=2.0345e-009", "PixelWidth=0"), "impossible"),
    "negative": (FEI.replace("PixelWidth=2.0345e-009", "PixelWidth=-1e-9"), "impossible"),
    "too small": (FEI.replace("2.0345e-009", "9e-13"), "impossible"),
    "too large": (FEI.replace("2.0345e-009", "1.1e-3"), "impossible"),
    "overflow": (FEI.replace("2.0345e-009", "1e308"), "impossible"),
    "nan": (FEI.replace("=2.0345e-009", "=nan").replace("[EScan]", "[Old]"), "no readable"),
    "words": (FEI.replace("=2.0345e-009", "=two").replace("[EScan]", "[Old]"), "no readable"),
    "digits": (FEI.replace("=2.0345e-009", "=" + "9" * 5000).replace("[EScan]", "[Old]"), "FEI metadata"),
    "cut": (FEI[:30], "no readable"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_impossible_statements_are_refused_with_a_remark(folder, case):
    text, expected = IMPOSSIBLE[case]
    found, _, remarks = told(tif(folder / "a.tif", (943, 1024), FEI_TAG, text))
    assert found is None
    assert any(expected in remark for remark in remarks)


def test_two_statements_of_one_file_must_agree(folder):
    (folder / "a.txt").write_text(JEOL_NEW.replace("6.27nm", "12.5nm"), encoding="utf-8")
    found, _, remarks = told(tif(folder / "a.tif", (960, 1280)))
    assert found is None
    assert "differ" in remarks[0]


def test_a_tag_without_a_pixel_size_leaves_the_text_file_to_decide(folder):
    (folder / "a.txt").write_text(JEOL, encoding="utf-8")
    found, source, remarks = told(tif(folder / "a.tif", (960, 1280), FEI_TAG, "[User]\r\nDate=1\r\n"))
    assert (found, "JEOL" in source) == (6.25, True)
    assert "FEI metadata holds no readable pixel size." in remarks


def test_a_refused_tag_is_not_replaced_by_a_text_file(folder):
    (folder / "a.txt").write_text(HITACHI, encoding="utf-8")
    assert told(tif(folder / "a.tif", (480, 1280), FEI_TAG, FEI))[0] is None


def test_other_text_files_are_no_statement(folder):
    (folder / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")  # YOLO labels
    (folder / "a.hdr").write_text("ENVI\nsamples = 30\n", encoding="utf-8")
    assert told(tif(folder / "a.tif", (20, 30))) == (None, "", ())


def test_the_tags_of_the_chosen_page_count(folder):
    path = folder / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for nm in ("11.17", "22.34"):
            text = ZEISS.replace("11.17 nm", f"{nm} nm").encode()
            tags = [(ZEISS_TAG, 1, len(text), text, True)]
            writer.write(np.zeros((768, 1024), np.uint8), photometric="minisblack", extratags=tags)
    assert read_micrograph(path, page=2).pixel_size.nm == pytest.approx(22.34)
    tif(folder / "s.tif", (3, 20, 30), imagej=True, resolution=(0.5, 0.5), metadata={"unit": "nm"})
    assert read_micrograph(folder / "s.tif", page=3).pixel_size.nm == pytest.approx(2)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([34118, 34680, 34682, 50431]), st.binary(min_size=1, max_size=300), st.data())
def test_damaged_tags_never_raise(tmp_path_factory, code, noise, data):
    header = {34118: ZEISS, 34680: FEI, 34682: FEI, 50431: TESCAN}[code].encode()
    cut = data.draw(st.integers(0, len(header)))
    path = tif(tmp_path_factory.getbasetemp() / "fuzz.tif", (8, 9), code, header[:cut] + noise + header[cut:])
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size is None or 1e-3 <= micrograph.pixel_size.nm <= 1e6


def test_a_tag_beyond_the_end_of_the_file_never_raises(folder):
    content = bytearray(tif(folder / "a.tif", (20, 30), ZEISS_TAG, ZEISS).read_bytes())
    place = content.index(struct.pack("<HHI", ZEISS_TAG, 1, len(ZEISS)))
    content[place + 4 : place + 8] = struct.pack("<I", 2**31)
    (folder / "a.tif").write_bytes(content)
    assert told(folder / "a.tif")[0] is None


FACTS = st.dictionaries(
    st.sampled_from(["", "ap_image_pixel_size", "dp_image_store", "Scan", "Image", "EScan"]),
    st.one_of(
        st.text(),
        st.none(),
        st.lists(st.one_of(st.floats(), st.integers(), st.text(), st.booleans()), max_size=6).map(tuple),
        st.dictionaries(
            st.sampled_from(["PixelWidth", "PixelHeight", "ResolutionX", "ResolutionY"]),
            st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none()),
        ),
    ),
)


@settings(max_examples=100, deadline=None)
@given(FACTS, FACTS, st.text(), st.text(), st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_any_facts_give_a_sane_answer(tmp_path_factory, zeiss, fei, tescan, description, shape):
    path = tmp_path_factory.getbasetemp() / "none" / "x.tif"
    facts = TiffFacts(zeiss, fei, tescan, "ImageJ=1\nunit=nm\n" + description, (1.0, 1e-9))
    size, remarks = find_pixel_size(path, facts, shape)
    assert size is None or 1e-3 <= size.nm <= 1e6
    assert size is not None or remarks
