from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.formats.dataset import Dataset
from napari_particle_sam.storage.formats.yolo import read_classes, read_yolo, write_yolo

from .builders import annotated_images, dataset_of, image_of, new_place

FREELY = settings(max_examples=60, deadline=None)


@FREELY
@given(annotated_images("Probe ä/bild 1.tif"))
def test_pixels_and_classes_come_back(image):
    dataset = Dataset((image,), ("particle",))
    with new_place() as place:
        remarks = write_yolo(place / "out", dataset)
        classes = read_classes(place / "out")
        path = place / "out/labels/Probe ä/bild 1.txt"
        imported = read_yolo(path, image.file_name, image.shape, classes)
    again = imported.dataset.images[0].instances
    assert len(again) == len(image.instances)
    for back, instance in zip(again, image.instances, strict=True):
        assert back.mask.equals(instance.mask) and back.kind == instance.kind
    assert imported.remarks == () and "not in it" in remarks[0]


def test_coordinates_are_x_and_y_as_shares(folder):
    labels = np.zeros((10, 20), int)
    labels[2:4, 5:10] = 1
    write_yolo(folder / "out", dataset_of(image_of(labels)))
    number, *values = (folder / "out/labels/a.txt").read_text(encoding="utf-8").split()
    points = {(float(x), float(y)) for x, y in zip(values[::2], values[1::2], strict=True)}
    assert number == "0" and points == {(0.25, 0.2), (0.5, 0.2), (0.5, 0.4), (0.25, 0.4)}
    assert '0: "particle"' in (folder / "out/data.yaml").read_text(encoding="utf-8")


def test_holes_are_told(folder):
    ring = np.ones((5, 5), int)
    ring[2, 2] = 0
    remarks = write_yolo(folder / "out", dataset_of(image_of(ring)))
    assert "1 particle with holes" in remarks[1]


def test_a_large_image_is_exact(folder):
    labels = np.zeros((3, 65_535), int)
    labels[1, 65_533] = 1
    labels[1:, 40_001:40_004] = 2
    image = image_of(labels)
    write_yolo(folder / "out", dataset_of(image))
    imported = read_yolo(folder / "out/labels/a.txt", "a.tif", image.shape, ("particle",))
    assert np.array_equal(imported.dataset.images[0].labels, labels)


def test_classes_without_names_are_numbered(folder):
    path = folder / "a.txt"
    path.write_text("3 0 0 0.5 0 0.5 0.5 0 0.5\n\n", encoding="utf-8")
    (instance,) = read_yolo(path, "a.tif", (4, 4)).dataset.images[0].instances
    assert (instance.kind, instance.mask.area) == ("class 3", 4)


def test_classes_that_a_line_cannot_tell_apart_are_refused(folder):
    with pytest.raises(BadValueError, match="blanks"):
        write_yolo(folder / "out", Dataset((), ("a b", "a  b")))


def test_a_folder_with_something_in_it_is_left_alone(folder):
    (folder / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(BadFileError, match="empty folder"):
        write_yolo(folder, dataset_of(image_of([[1]])))
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
