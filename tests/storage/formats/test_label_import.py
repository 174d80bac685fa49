from __future__ import annotations

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from skimage.draw import disk

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.formats.label_import import import_labels, recognise_labels
from napari_particle_sam.storage.labels import write_labels

from .builders import check_sentence, label_maps

LABELS = np.zeros((40, 50), np.uint16)
for number, centre in enumerate([(8, 8), (8, 30), (25, 12), (28, 36)], start=1):
    LABELS[disk(centre, 5)] = number
BINARY = np.where(LABELS > 0, 255, 0).astype(np.uint8)
TOUCHING = np.zeros((60, 60), np.uint8)
TOUCHING[disk((30, 20), 11)] = TOUCHING[disk((30, 39), 11)] = 1
TOUCHING[disk((8, 50), 6)] = 1


def save(path, array, **more):
    if path.suffix == ".png":
        Image.fromarray(array).save(path)
    else:
        tifffile.imwrite(path, array, **more)
    return path


def same_partition(one, other):
    pairs = set(zip(one.ravel().tolist(), other.ravel().tolist(), strict=True))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) and (0, 0) in pairs


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32, np.int64])
def test_instance_labels_of_any_width(folder, dtype):
    path = save(folder / "m.tif", LABELS.astype(dtype))
    assert recognise_labels(path) == "labels"
    imported = import_labels(path, LABELS.shape)
    assert imported.labels.dtype == np.uint16 and np.array_equal(imported.labels, LABELS)
    assert imported.remarks == ()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_whole_floats_are_labels(folder, dtype):
    imported = import_labels(save(folder / "m.tif", LABELS.astype(dtype)))
    assert imported.kind == "float labels" and np.array_equal(imported.labels, LABELS)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label_maps())
def test_our_own_files_are_labels_whatever_is_in_them(folder, labels):
    write_labels(folder / "m.tif", labels)
    assert np.array_equal(import_labels(folder / "m.tif").labels, labels)


@pytest.mark.parametrize("name", ["m.png", "m.tif"])
@pytest.mark.parametrize("value", [1, 255])
def test_binary_masks_need_a_choice(folder, name, value):
    path = save(folder / name, (BINARY > 0).astype(np.uint8) * value)
    assert recognise_labels(path) == "binary"
    with pytest.raises(BadFileError, match="'components' or 'watershed'") as caught:
        import_labels(path)
    check_sentence(caught.value, path)
    imported = import_labels(path, how="components")
    assert imported.kind == "binary" and same_partition(imported.labels, LABELS)


def test_one_bit_and_float_and_colour_files_are_binary_too(folder):
    Image.fromarray(BINARY > 0).save(folder / "bit.png")
    save(folder / "f.tif", (BINARY > 0).astype(np.float32))
    save(folder / "rgb.png", np.dstack([BINARY] * 3))
    ilastik = save(folder / "i.png", np.where(LABELS > 0, 2, 1).astype(np.uint8))
    for path in (folder / "bit.png", folder / "f.tif", folder / "rgb.png", ilastik):
        assert recognise_labels(path) == "binary"
        assert same_partition(import_labels(path, how="components").labels, LABELS)


def test_the_watershed_divides_what_touches(folder):
    path = save(folder / "m.png", TOUCHING)
    assert import_labels(path, how="components").labels.max() == 2
    divided = import_labels(path, how="watershed")
    assert divided.labels.max() == 3 and "2 connected pieces divided into 3" in divided.remarks[0]
    assert np.array_equal(divided.labels > 0, TOUCHING > 0)
    assert divided.labels[30, 15] != divided.labels[30, 45]


def test_labels_are_not_taken_apart_again(folder):
    with pytest.raises(BadFileError, match="already"):
        import_labels(save(folder / "m.tif", LABELS), how="components")
    with pytest.raises(BadValueError, match="no way"):
        import_labels(folder / "m.tif", how="guess")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 255), st.integers(0, 255), st.integers(0, 200)),
        min_size=4,
        max_size=4,
        unique=True,
    ),
    st.booleans(),
    st.sampled_from([".png", ".tif"]),
)
def test_each_colour_is_one_particle(folder, colours, black, suffix):
    background = (0, 0, 0) if black else (250, 240, 255)
    if all(r == g == b for r, g, b in colours):
        colours[0] = (200, 100, 50)
    palette = np.array([background, *colours], np.uint8)
    path = save(folder / f"m{suffix}", palette[LABELS])
    imported = import_labels(path)
    assert imported.kind == "colours" and same_partition(imported.labels, LABELS)
    assert str(background) in imported.remarks[0]


def test_small_particles_that_touch_are_not_taken_for_smoothed_edges(folder):
    rng = np.random.default_rng(1)
    labels = np.kron(rng.permutation(np.arange(64)).reshape(8, 8), np.ones((4, 4), int))
    labels[3::8] = 0
    palette = rng.integers(1, 256, (64, 3)).astype(np.uint8)
    palette[0] = 0
    assert import_labels(save(folder / "m.png", palette[labels])).kind == "colours"


def test_smoothed_and_compressed_colours_are_refused(folder):
    large = Image.new("RGB", (400, 400))
    draw = ImageDraw.Draw(large)
    for box, colour in (
        ((20, 20, 150, 160), "red"),
        ((200, 30, 370, 190), "#20c040"),
        ((90, 220, 300, 380), "blue"),
    ):
        draw.ellipse(box, colour)
    large.resize((100, 100), Image.Resampling.LANCZOS).save(folder / "smooth.png")
    large.save(folder / "x.jpg", quality=90)
    Image.open(folder / "x.jpg").save(folder / "jpeg.png")
    for name in ("smooth.png", "jpeg.png"):
        with pytest.raises(BadFileError, match="smoothed or compressed") as caught:
            recognise_labels(folder / name)
        check_sentence(caught.value, folder / name)
    large.save(folder / "hard.png")
    assert import_labels(folder / "hard.png").labels.max() == 3


def test_the_values_of_a_palette_image_are_its_labels(folder):
    image = Image.fromarray(LABELS.astype(np.uint8), "P")
    image.putpalette([5, 5, 5, 200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 9, 9])
    image.save(folder / "m.png")
    assert recognise_labels(folder / "m.png") == "labels"
    assert np.array_equal(import_labels(folder / "m.png").labels, LABELS)


def test_numbers_above_sixteen_bits_are_renumbered(folder):
    wide = LABELS.astype(np.uint32) * 1_000_000
    imported = import_labels(save(folder / "m.tif", wide))
    assert np.array_equal(imported.labels, LABELS) and "renumbered" in imported.remarks[0]


def test_more_particles_than_labels_are_refused(folder):
    many = np.arange(300 * 300, dtype=np.uint32).reshape(300, 300)
    with pytest.raises(BadFileError, match="65535"):
        import_labels(save(folder / "m.tif", many))


def test_the_largest_number_of_labels(folder):
    labels = np.arange(65_536, dtype=np.uint32).reshape(256, 256)
    assert import_labels(save(folder / "m.tif", labels)).labels.max() == 65_535


def test_a_micrograph_is_no_mask(folder):
    noise = np.random.default_rng(0).integers(0, 255, (80, 80)).astype(np.uint8)
    path = save(folder / "m.png", noise)
    assert recognise_labels(path) == "classes"
    with pytest.raises(BadFileError, match="grey picture"):
        import_labels(path, how="components")
