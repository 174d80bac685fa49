from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.labels import read_labels, write_labels

LABELS = np.zeros((20, 30), np.uint16)
LABELS[2:6, 3:9] = 1
LABELS[6:9, 3:9] = 2
LABELS[12:18, 20:28] = 300

TWO_PIECES = np.zeros((20, 30), np.uint8)
TWO_PIECES[2:5, 2:5] = 1
TWO_PIECES[9:12, 2:5] = 1


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Meine Übung 1"
    place.mkdir()
    return place


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays(
        st.sampled_from([np.uint8, np.uint16, np.int64]),
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.integers(0, 120),
    )
)
def test_labels_come_back(folder, labels):
    path = folder / "größe 1.labels.tif"
    write_labels(path, labels)
    again = read_labels(path, labels.shape)
    assert again.dtype == np.uint16
    assert (again == labels).all()
    assert [p.name for p in folder.iterdir()] == [path.name]


def test_the_file_is_plain_compressed_uint16(folder):
    write_labels(folder / "a.tif", np.tile(LABELS, (20, 20)))
    with tifffile.TiffFile(folder / "a.tif") as tiff:
        assert (tiff.pages[0].dtype, tiff.pages[0].compression.name) == (np.uint16, "ADOBE_DEFLATE")
    assert (folder / "a.tif").stat().st_size < LABELS.size * 400 / 20


def test_one_particle_in_two_pieces_survives_our_own_files(folder):
    write_labels(folder / "a.tif", TWO_PIECES)
    assert (read_labels(folder / "a.tif") == TWO_PIECES).all()


def save(path, array, **more):
    if path.suffix == ".png":
        Image.fromarray(array).save(path)
    else:
        tifffile.imwrite(path, array, **{"photometric": "minisblack", **more})
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize(
    "labels", [LABELS, LABELS * 0, (LABELS == 1) * np.uint8(255), LABELS.astype(np.int32)]
)
def test_labels_of_others_are_read(folder, suffix, labels):
    if suffix == ".png" and labels.dtype == np.int32:
        labels = labels.astype(np.uint16)
    assert (read_labels(save(folder / f"a{suffix}", labels)) == labels).all()


def test_a_palette_image_gives_its_indices(folder):
    image = Image.fromarray((LABELS % 256).astype(np.uint8)).convert("P")
    image.putdata((LABELS % 256).ravel().tolist())
    image.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0] + [7] * 200)
    image.save(folder / "a.png")
    assert (read_labels(folder / "a.png") == LABELS % 256).all()


@pytest.mark.parametrize("value", [1, 7, 255])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_binary_masks_are_refused(folder, value, suffix):
    path = save(folder / f"a{suffix}", TWO_PIECES * np.uint8(value))
    with pytest.raises(BadFileError, match="2 pieces.*touching particles would become one.*export"):
        read_labels(path)


def test_a_bilevel_image_is_a_binary_mask(folder):
    Image.fromarray(TWO_PIECES > 0).save(folder / "a.png")
    with pytest.raises(BadFileError, match="binary"):
        read_labels(folder / "a.png")


BAD = {
    "float": (LABELS.astype(np.float32), {}, "float32"),
    "colour": (np.zeros((20, 30, 3), np.uint8), {"photometric": "rgb"}, "colour"),
    "too high": (LABELS.astype(np.uint32) * 300, {}, "above 65535"),
    "negative": (LABELS.astype(np.int16) - 1, {}, "below 0"),
    "pages": (np.stack([LABELS] * 4), {}, "4 pages"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_label_map_is_refused(folder, case):
    array, more, words = BAD[case]
    path = save(folder / "a.tif", array, **more)
    with pytest.raises(BadFileError, match=words) as caught:
        read_labels(path)
    assert "a.tif" in str(caught.value)


def test_other_files_are_refused(folder):
    (folder / "text.tif").write_text("no image")
    (folder / "empty.tif").write_bytes(b"")
    Image.fromarray(LABELS.astype(np.uint8)).save(folder / "a.jpg")
    write_labels(folder / "cut.tif", LABELS)
    (folder / "cut.tif").write_bytes((folder / "cut.tif").read_bytes()[:-60])
    for name in ("text.tif", "empty.tif", "a.jpg", "cut.tif", "missing.tif"):
        with pytest.raises(BadFileError, match=name):
            read_labels(folder / name)
    with pytest.raises(BadFileError, match="folder"):
        read_labels(folder)


def test_another_size_than_the_image_is_refused(folder):
    write_labels(folder / "a.tif", LABELS)
    with pytest.raises(BadFileError, match="20 x 30 pixels but its image has 30 x 20"):
        read_labels(folder / "a.tif", (30, 20))


@pytest.mark.parametrize(
    "labels",
    [np.zeros((2, 2)), np.zeros((2, 2), bool), np.zeros((2, 2, 2), int), np.zeros((0, 2), int)]
    + [np.full((2, 2), -1), np.full((2, 2), 65536)],
)
def test_unfit_arrays_are_not_written(folder, labels):
    with pytest.raises(BadValueError, match=r"a\.tif"):
        write_labels(folder / "a.tif", labels)
    assert not list(folder.iterdir())
