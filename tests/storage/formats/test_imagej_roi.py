from __future__ import annotations

import numpy as np
import pytest
import roifile
from hypothesis import HealthCheck, given, settings

from napari_particle_sam.storage.formats.dataset import AnnotatedImage
from napari_particle_sam.storage.formats.imagej_reader import read_rois
from napari_particle_sam.storage.formats.imagej_roi import roi_of, write_rois

from .builders import annotated_images, image_of

FREELY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPE = (30, 40)


def read_back(folder, roi, name="x.roi"):
    roi.tofile(str(folder / name))
    return read_rois(folder / name, "a.tif", SHAPE)


@FREELY
@given(annotated_images())
def test_out_and_in_is_identity(folder, image):
    path = folder / "RoiSet ä.zip"
    write_rois(path, image)
    imported = read_rois(path, image.file_name, image.shape)
    assert imported.remarks == ()
    assert imported.dataset.images[0].equals(image)


@FREELY
@given(annotated_images())
def test_roifile_opens_them(folder, image):
    write_rois(folder / "RoiSet.zip", image)
    rois = roifile.roiread(str(folder / "RoiSet.zip"))
    assert [roi.name for roi in rois] == [f"{i.id:05d}" for i in image.instances]
    for roi, instance in zip(rois, image.instances, strict=True):
        points = np.concatenate(roi.coordinates(multi=True))
        top, left, bottom, right = instance.mask.box
        assert (roi.top, roi.left, roi.bottom, roi.right) == (top, left, bottom, right)
        assert np.array_equal(points.min(0), (left, top)) and np.array_equal(points.max(0), (right, bottom))
        assert f"status: {instance.status}\n" in roi.props


def test_one_ring_is_traced_and_more_are_composite():
    ring = np.ones((5, 5), int)
    plain = roi_of(image_of(ring).instances[0])
    ring[2, 2] = 0
    holed = roi_of(image_of(ring).instances[0])
    assert plain.roitype == roifile.ROI_TYPE.TRACED and plain.integer_coordinates.tolist() == [
        [0, 0],
        [5, 0],
        [5, 5],
        [0, 5],
    ]
    assert holed.composite and len(holed.coordinates(multi=True)) == 2


@pytest.mark.parametrize("at", [5_000, 32_760, 40_000, 60_530, 64_000])
def test_large_coordinates(folder, at):
    labels = np.zeros((4, 65_000), int)
    labels[1:3, at : at + 20] = 1
    labels[3, at - 7 : at + 3] = 2
    labels[1, at + 5] = 0
    image = image_of(labels)
    write_rois(folder / "a.zip", image)
    assert read_rois(folder / "a.zip", "a.tif", image.shape).dataset.images[0].equals(image)


def test_images_of_more_rows_than_sixteen_bits_signed(folder):
    labels = np.zeros((65_000, 4), int)
    labels[61_000:61_010, 1:3] = 1
    image = image_of(labels)
    write_rois(folder / "a.zip", image)
    assert read_rois(folder / "a.zip", "a.tif", image.shape).dataset.images[0].equals(image)


def test_shapes_drawn_in_imagej(folder):
    box = {"top": 3, "left": 5, "bottom": 13, "right": 25}
    rectangle = read_back(folder, roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, **box))
    assert rectangle.dataset.images[0].instances[0].mask.box == (3, 5, 13, 25)
    assert rectangle.dataset.images[0].instances[0].mask.area == 200
    oval = read_back(folder, roifile.ImagejRoi(roitype=roifile.ROI_TYPE.OVAL, **box))
    rows, cols = np.mgrid[:30, :40] + 0.5
    inside = ((rows - 8) / 5) ** 2 + ((cols - 15) / 10) ** 2 < 1
    assert np.array_equal(oval.dataset.images[0].labels > 0, inside)
    drawn = roifile.ImagejRoi.frompoints(np.array([[2.4, 2.4], [8.6, 2.4], [8.6, 6.6], [2.4, 6.6]]))
    assert read_back(folder, drawn).dataset.images[0].instances[0].mask.box == (2, 2, 7, 9)
    assert read_back(folder, drawn).dataset.images[0].instances[0].kind == "particle"


def test_what_has_no_area_is_told(folder):
    line = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.LINE, x1=1, y1=1, x2=9, y2=9)
    points = roifile.ImagejRoi.frompoints([[1, 1], [2, 2]])
    points.roitype = roifile.ROI_TYPE.POINT
    curved = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, shape_roi_size=8, right=9, bottom=9)
    curved.multi_coordinates = np.array([0, 1, 1, 2, 3, 3, 9, 9], np.float32)
    for roi in (line, points, curved):
        imported = read_back(folder, roi)
        assert imported.dataset.images[0].instances == ()
        assert "left out" in imported.remarks[0]


def test_an_image_without_particles(folder):
    write_rois(folder / "a.zip", AnnotatedImage("a.tif", (3, 3)))
    assert read_rois(folder / "a.zip", "a.tif", (3, 3)).dataset.images[0].instances == ()
