from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from napari_particle_sam.annotation.regions import IGNORE, RegionMap
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.regions import field_rows, list_regions, read_regions, write_regions

VALUES = np.arange(600).reshape(20, 30) % 3


@pytest.fixture
def one_sentence():
    def check(caught, *names):
        text = str(caught.value)
        assert text.endswith(".") and "\n" not in text and ". " not in text, text
        assert all(str(name) in text for name in names)

    return check


@pytest.fixture
def path(tmp_path):
    return tmp_path / "Maß Probe" / "a.png"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)))
def test_maps_out_and_in_are_the_same(path, values):
    write_regions(path, RegionMap.from_array(values))
    with Image.open(path) as image:
        assert image.format == "PNG" and image.mode == "L"
    np.testing.assert_array_equal(read_regions(path, values.shape).values, values)
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]


def test_values_count_and_not_the_colours_that_show_them(path):
    path.parent.mkdir()
    image = Image.fromarray(VALUES.astype(np.uint8), mode="P")
    image.putpalette([0, 0, 0, 0, 255, 0, 255, 0, 0])
    image.save(path)
    np.testing.assert_array_equal(read_regions(path).values, VALUES)
    Image.fromarray(VALUES == 1).save(path)
    np.testing.assert_array_equal(read_regions(path).values, VALUES == 1)
    Image.fromarray(VALUES.astype(np.uint16)).save(path)
    assert read_regions(path).values.dtype == np.uint8


BAD = {
    "value": (VALUES.astype(np.uint8) * 127, "holds the value 254"),
    "wide value": (VALUES.astype(np.uint16) * 30000, "holds the value 60000"),
    "colour": (np.repeat(VALUES[..., None], 3, 2).astype(np.uint8), "one page"),
    "alpha": (np.repeat(VALUES[..., None], 2, 2).astype(np.uint8), "one page"),
    "size": (VALUES.T.astype(np.uint8), r"30 x 20 pixels but its image has 20 x 30"),
}


@pytest.mark.parametrize("kind", BAD)
def test_maps_that_say_nothing_are_one_sentence(path, kind, one_sentence):
    array, words = BAD[kind]
    path.parent.mkdir()
    Image.fromarray(array).save(path)
    with pytest.raises(BadFileError, match=words) as caught:
        read_regions(path, VALUES.shape)
    one_sentence(caught, path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 40],
    ids=["empty", "text", "damaged"],
)
def test_files_that_are_no_images_are_one_sentence(path, content, one_sentence):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BadFileError) as caught:
        read_regions(path, VALUES.shape)
    one_sentence(caught, path)


def test_other_formats_and_floats_are_refused(path, one_sentence):
    path.parent.mkdir()
    tifffile.imwrite(path.with_suffix(".tif"), VALUES.astype(np.uint8))
    with pytest.raises(BadFileError, match="no png"):
        read_regions(path.with_suffix(".tif"))
    tifffile.imwrite(path, VALUES.astype(np.float32))
    with pytest.raises(BadFileError, match="one page") as caught:
        read_regions(path)
    one_sentence(caught, path)
    with pytest.raises(BadFileError, match="does not exist"):
        read_regions(path.with_name("b.png"))


def test_folders_are_listed_by_stem(path, one_sentence):
    with pytest.raises(BadFileError, match="no folder"):
        list_regions(path.parent)
    path.parent.mkdir()
    (path.parent / "._a.png").write_bytes(b"x")
    (path.parent / "a.tif").write_bytes(b"x")
    with pytest.raises(BadFileError, match="no region map") as caught:
        list_regions(path.parent)
    one_sentence(caught, path.parent)
    write_regions(path, RegionMap.default((4, 4)))
    assert list_regions(path.parent) == {"a": path}


def test_the_field_ends_above_the_rows_that_are_ignored_as_a_whole():
    assert field_rows(RegionMap.default((20, 30))) == 20
    assert field_rows(RegionMap.default((20, 30), 14)) == 14
    values = RegionMap.default((20, 30), 14).values.copy()
    values[3], values[17, 2] = IGNORE, 0
    assert field_rows(RegionMap.from_array(values)) == 18
    assert field_rows(RegionMap.from_array(np.full((20, 30), IGNORE))) == 20
