from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

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
    micrograph, labels = load_pair(pair)
    assert micrograph.sha256 == read_micrograph(original).sha256
    assert (micrograph.pixels == PIXELS).all()
    assert labels.dtype == np.uint16
    assert (labels == LABELS).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_out_and_in_are_the_same(folder, dtype):
    pixels = (PIXELS % 256).astype(dtype)
    micrograph, labels = load_pair(write_pair(folder, "a", pixels, LABELS))
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
