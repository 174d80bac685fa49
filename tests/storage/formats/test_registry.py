from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.formats.dataset import AnnotatedImage, Dataset, image_path
from napari_particle_sam.storage.formats.registry import FORMATS, format_named

from .builders import annotated_images, image_of, new_place

FREELY = settings(max_examples=15, deadline=None)


@pytest.mark.parametrize("name", FORMATS)
@FREELY
@given(annotated_images("a/ß 1.tif"), annotated_images("b.tif"))
def test_every_format_brings_back_what_it_promises(name, first, second):
    dataset = Dataset((first, second, AnnotatedImage("leer.png", (3, 5))))
    shapes = {image.file_name: image.shape for image in dataset.images}
    chosen = format_named(name)
    with new_place() as place:
        remarks = chosen.write(place / "out", dataset)
        imported = chosen.read(place / "out", shapes)
    assert chosen.exact == (remarks == ()) and imported.remarks == ()
    if chosen.exact:
        assert imported.dataset.equals(dataset)
    for before, after in zip(dataset.images, imported.dataset.images, strict=True):
        numbers = np.unique(before.labels[before.labels > 0])
        ranked = before.labels if chosen.exact else np.searchsorted(numbers, before.labels) + 1
        assert np.array_equal(after.labels, np.where(before.labels > 0, ranked, 0))


@pytest.mark.parametrize("name", FORMATS)
def test_a_failed_export_leaves_nothing(folder, name):
    bad = Dataset((image_of([[1]], "a.tif"), image_of([[1]], "../b.tif")))
    with pytest.raises(BadFileError, match="plain relative path"):
        format_named(name).write(folder / "out", bad)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", ["imagej", "yolo", "labels"])
def test_images_without_a_file_are_told(folder, name):
    chosen = format_named(name)
    chosen.write(folder / "out", Dataset((image_of([[1]]),)))
    imported = chosen.read(folder / "out", {"a.tif": (1, 1), "b.tif": (1, 1)})
    assert [image.file_name for image in imported.dataset.images] == ["a.tif"]
    assert imported.remarks == ("1 image without a file left out.",)
    with pytest.raises(BadFileError, match="no file for any"):
        chosen.read(folder / "out", {"c.tif": (1, 1)})


def test_unknown_formats_and_foreign_sizes(folder):
    with pytest.raises(BadValueError, match="coco, labels, imagej, yolo"):
        format_named("voc")
    FORMATS["coco"].write(folder / "out", Dataset((image_of([[1]]),)))
    with pytest.raises(BadFileError, match="not the image's size"):
        FORMATS["coco"].read(folder / "out", {"a.tif": (2, 2)})


@pytest.mark.skipif(os.name == "nt", reason="needs the right to make links")
def test_names_from_files_never_leave_the_folder(folder):
    inside, outside = folder / "bilder", folder / "geheim"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside, target_is_directory=True)
    assert image_path(inside, image_of([[1]], "a/b.tif"), folder) == inside / "a/b.tif"
    for name in ("../geheim/a.tif", "/etc/passwd", "C:/a.tif", "a\\b.tif", "link/a.tif"):
        with pytest.raises(BadFileError):
            image_path(inside, image_of([[1]], name), folder)
