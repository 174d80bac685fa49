from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from napari_particle_sam.annotation.regions import IGNORE, RegionMap
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.storage.labels import write_labels
from napari_particle_sam.storage.pairs import list_pairs, load_pair, write_pair

RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 65536, (20, 30), np.uint16)
LABELS = np.arange(600).reshape(20, 30).astype(np.uint16) // 40


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "Paare für LoRA"


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "orig.PNG"
    Image.fromarray(PIXELS).save(path)
    return path


def test_a_pair_out_and_in_is_the_same(folder, original):
    pair = write_pair(folder, "Probe 1", original, LABELS)
    assert list_pairs(folder) == [pair]
    assert pair.image_path.read_bytes() == original.read_bytes()
    assert pair.image_path.name == "Probe 1.PNG"
    micrograph, labels, regions = load_pair(pair)
    assert pair.regions_path is None and regions.reviewed.all()
    assert micrograph.sha256 == read_micrograph(original).sha256
    assert (micrograph.pixels == PIXELS).all()
    assert labels.dtype == np.uint16
    assert (labels == LABELS).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_out_and_in_are_the_same(folder, dtype):
    pixels = (PIXELS % 256).astype(dtype)
    micrograph, labels, _ = load_pair(write_pair(folder, "a", pixels, LABELS))
    assert micrograph.pixels.dtype == dtype
    assert (micrograph.pixels == pixels).all()
    assert (labels == LABELS).all()


def test_writing_again_replaces_whatever_the_suffix(folder, original):
    write_pair(folder, "a", original, LABELS)
    write_labels(folder / "masks" / "a.tiff", LABELS)
    pair = write_pair(folder, "a", PIXELS, LABELS[::-1])
    assert [p.name for p in (folder / "images").iterdir()] == ["a.tif"]
    assert [p.name for p in (folder / "masks").iterdir()] == ["a.tif"]
    assert (load_pair(pair)[1] == LABELS[::-1]).all()
    again = write_pair(folder, "a", pair.image_path, LABELS)
    assert (load_pair(again)[0].pixels == PIXELS).all()


def test_an_image_without_particles_is_a_pair(folder):
    assert not load_pair(write_pair(folder, "a", PIXELS, LABELS * 0))[1].any()


def test_pairs_come_in_natural_order_and_other_files_do_no_harm(folder):
    for stem in ("b10", "b9", "a.1"):
        write_pair(folder, stem, PIXELS, LABELS)
    (folder / "images" / "Thumbs.db").write_bytes(b"x")
    (folder / "masks" / "._b9.tif").write_bytes(b"x")
    assert [pair.stem for pair in list_pairs(folder)] == ["a.1", "b9", "b10"]


def test_incomplete_folders_are_one_sentence(folder):
    with pytest.raises(BadFileError, match="images is missing"):
        list_pairs(folder)
    (folder / "images").mkdir(parents=True)
    with pytest.raises(BadFileError, match="masks is missing"):
        list_pairs(folder)
    (folder / "masks").mkdir()
    with pytest.raises(BadFileError, match="no pair"):
        list_pairs(folder)


@pytest.mark.parametrize(
    ("room", "words"),
    [("masks", "a without a mask of equal name"), ("images", "a without an image of equal name")],
)
def test_a_file_alone_is_one_sentence(folder, room, words):
    write_pair(folder, "a", PIXELS, LABELS)
    write_pair(folder, "b", PIXELS, LABELS)
    (folder / room / "a.tif").unlink()
    with pytest.raises(BadFileError, match=words):
        list_pairs(folder)


@pytest.mark.parametrize(("room", "name"), [("images", "a.png"), ("masks", "a.png"), ("images", "A.tif")])
def test_equal_stems_are_one_sentence(folder, room, name):
    write_pair(folder, "a", PIXELS, LABELS)
    (folder / room / name).write_bytes(b"x")
    if len(list((folder / room).iterdir())) == 1:
        pytest.skip("this file system does not tell A from a")
    with pytest.raises(BadFileError, match="same stem"):
        list_pairs(folder)


def test_labels_of_another_size_are_refused(folder, original):
    pair = write_pair(folder, "a", original, LABELS)
    for source in (original, PIXELS):
        with pytest.raises(BadFileError, match="its own"):
            write_pair(folder, "b", source, LABELS.T)
    write_labels(pair.mask_path, LABELS.T)
    with pytest.raises(BadFileError, match=r"a\.tif has 30 x 20 pixels but its image has 20 x 30"):
        load_pair(pair)


def half(rows=20):
    values = np.zeros((20, 30), np.uint8)
    values[:, :15] = 1
    values[rows:] = IGNORE
    return RegionMap.from_array(values)


def test_region_maps_go_with_their_pair(folder, original):
    pair = write_pair(folder, "Maß", original, LABELS, half(16))
    assert list_pairs(folder) == [pair] and pair.regions_path == folder / "regions" / "Maß.png"
    loaded = load_pair(pair)
    np.testing.assert_array_equal(loaded.regions.values, half(16).values)
    assert loaded.micrograph.field_rows == 16 and loaded.micrograph.shape == (20, 30)
    np.testing.assert_array_equal(loaded.micrograph.picture, read_micrograph(original, databar=4).picture)


def test_maps_that_say_no_more_than_the_default_are_not_written(folder, original):
    assert write_pair(folder, "a", original, LABELS, RegionMap.default((20, 30))).regions_path is None
    assert not (folder / "regions").exists()
    write_pair(folder, "a", PIXELS, LABELS, half())
    (folder / "regions" / "a.tif").write_bytes(b"an old one")
    pair = write_pair(folder, "a", PIXELS, LABELS)
    assert list_pairs(folder) == [pair] and pair.regions_path is None
    assert not list((folder / "regions").iterdir())


def with_bar(rows, bar):
    """Draw noise above a black bar with white letters."""
    noise = np.random.default_rng(0).normal(128, 30, (rows + bar, 320)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(noise)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, rows, 319, rows + bar - 1), fill=0)
    draw.text((8, rows + 8), "10.0 kV   WD 8.1 mm   MAG 5000 x   2 um", fill=255)
    return np.array(image)


def test_the_data_bar_of_a_pair_is_to_be_ignored(folder):
    pixels = with_bar(200, 32)
    labels = np.zeros(pixels.shape, np.uint16)
    labels[10:40, 10:40] = 1
    loaded = load_pair(write_pair(folder, "a", pixels, labels))
    np.testing.assert_array_equal(loaded.regions.values, RegionMap.default(labels.shape, 200).values)
    assert loaded.micrograph.field_rows == 200
    assert write_pair(folder, "a", pixels, labels, loaded.regions).regions_path is None
    # Whoever says that it is reviewed is believed, and so are labels that lie there.
    pair = write_pair(folder, "a", pixels, labels, RegionMap.default(labels.shape))
    assert pair.regions_path is not None and load_pair(pair).regions.reviewed.all()
    labels[-10:, 10:40] = 2
    assert load_pair(write_pair(folder, "a", pixels, labels)).regions.reviewed.all()


def test_bad_region_maps_of_pairs_are_one_sentence(folder):
    with pytest.raises(BadFileError, match="regions of a are .* use its own"):
        write_pair(folder, "a", PIXELS, LABELS, RegionMap.default((30, 20), 4))
    assert not folder.exists()
    pair = write_pair(folder, "a", PIXELS, LABELS, half())
    Image.fromarray(half().values.T.copy()).save(pair.regions_path)
    with pytest.raises(BadFileError, match=r"a\.png has 30 x 20 pixels but its image has 20 x 30"):
        load_pair(pair)
    pair.regions_path.rename(folder / "regions" / "b.png")
    with pytest.raises(BadFileError, match="holds b without an image of equal name"):
        list_pairs(folder)
    (folder / "regions" / "b.png").rename(folder / "regions" / "a.tif")
    with pytest.raises(BadFileError, match="no png"):
        load_pair(list_pairs(folder)[0])


@pytest.mark.parametrize("stem", ["", ".", "..", ".a", "a/b", "a\\b", "C:a", "a ", "a.", "a\n", "a*"])
def test_stems_that_are_no_file_names_are_refused(folder, stem):
    with pytest.raises(BadValueError, match="file name"):
        write_pair(folder, stem, PIXELS, LABELS)
    assert not folder.exists()


def test_sources_that_are_no_images_are_refused(folder, tmp_path, original):
    with pytest.raises(BadFileError, match="does not exist"):
        write_pair(folder, "a", tmp_path / "no.tif", LABELS)
    with pytest.raises(BadValueError, match="uint8 or uint16"):
        write_pair(folder, "a", PIXELS.astype(float), LABELS)
    with pytest.raises(BadFileError, match="endings"):
        write_pair(folder, "a", original.rename(tmp_path / "orig.dat"), LABELS)
    with pytest.raises(BadValueError, match="whole numbers"):
        write_pair(folder, "a", PIXELS, LABELS.astype(float))
    assert not folder.exists()
