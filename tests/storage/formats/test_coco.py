from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.storage.formats.coco import write_coco
from napari_particle_sam.storage.formats.coco_reader import read_coco
from napari_particle_sam.storage.formats.dataset import AnnotatedImage, Dataset

from .builders import annotated_images, dataset_of, image_of

FREELY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SQUARE = [1, 1, 4, 1, 4, 4, 1, 4]


def opened_by_pycocotools(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def written(folder, annotations, shape=(10, 12), **more):
    path = folder / "fremd.json"
    image = {"id": 7, "file_name": "b/a.png", "height": shape[0], "width": shape[1]}
    defaults = {"image_id": 7, "category_id": 3}
    content = {
        "images": [image],
        "categories": [{"id": 3, "name": "grain"}],
        "annotations": [{"id": number, **defaults, **entry} for number, entry in enumerate(annotations)],
    }
    path.write_text(json.dumps(content | more), encoding="utf-8")
    return path


@FREELY
@given(annotated_images(), st.booleans())
def test_out_and_in_is_identity(folder, image, compressed):
    empty = AnnotatedImage("leer.png", (3, 4))
    dataset = Dataset((image, empty), ("particle", "unused"))
    path = folder / "größe 1.json"
    assert write_coco(path, dataset, compressed) == ()
    again = read_coco(path)
    assert again.remarks == ()
    assert again.dataset.equals(dataset)
    assert np.array_equal(again.dataset.images[0].labels, image.labels)
    assert [p.name for p in folder.iterdir()] == [path.name]


@FREELY
@given(annotated_images())
def test_pycocotools_sees_the_same_masks(folder, image):
    write_coco(folder / "a.json", dataset_of(image))
    coco = opened_by_pycocotools(folder / "a.json")
    assert len(coco.anns) == len(image.instances)
    for annotation in coco.loadAnns(coco.getAnnIds()):
        label = annotation["attributes"]["label"]
        mask = image.labels == label
        assert np.array_equal(coco.annToMask(annotation).astype(bool), mask)
        assert annotation["area"] == mask.sum() and annotation["iscrowd"] == 0
        x, y, width, height = annotation["bbox"]
        assert mask[y : y + height, x : x + width].sum() == mask.sum()
        assert mask[y].any() and mask[:, x].any() and mask[:, x + width - 1].any()


def test_annotation_ids_are_unique_over_images(folder):
    images = [image_of([[1, 2]], f"{name}.tif") for name in "abc"]
    write_coco(folder / "a.json", dataset_of(*images))
    coco = opened_by_pycocotools(folder / "a.json")
    assert sorted(coco.anns) == [1, 2, 3, 4, 5, 6]
    assert [len(coco.getAnnIds(imgIds=[number])) for number in (1, 2, 3)] == [2, 2, 2]


def test_polygons_are_united_and_unlabelled_ones_numbered(folder):
    path = written(folder, [{"segmentation": [SQUARE, [3, 3, 6, 3, 6, 5, 3, 5]]}, {"segmentation": [SQUARE]}])
    imported = read_coco(path)
    (image,) = imported.dataset.images
    assert [(i.id, i.origin, i.kind, i.mask.area) for i in image.instances] == [(1, "imported", "grain", 14)]
    assert any("overlaps" in remark for remark in imported.remarks)
    assert any("1 particle without a free pixel" in remark for remark in imported.remarks)


def test_the_first_keeps_overlapping_pixels(folder):
    later = [2, 2, 8, 2, 8, 5, 2, 5]
    imported = read_coco(written(folder, [{"segmentation": [SQUARE]}, {"segmentation": [later]}]))
    assert [i.mask.area for i in imported.dataset.images[0].instances] == [9, 18 - 4]
    assert imported.remarks == ("b/a.png: 4 pixels of overlaps went to the particle that came first.",)


def test_crowds_are_left_out(folder):
    crowd = {"size": [10, 12], "counts": [0, 120]}
    imported = read_coco(written(folder, [{"segmentation": crowd, "iscrowd": 1}, {"segmentation": [SQUARE]}]))
    assert len(imported.dataset.images[0].instances) == 1
    assert "crowd" in imported.remarks[0]


def test_attributes_of_other_tools_do_no_harm(folder):
    strange = {"occluded": False, "status": "done", "label": 9, "note": 3}
    taken = {"label": 9}
    imported = read_coco(
        written(
            folder,
            [
                {"segmentation": [SQUARE], "attributes": strange},
                {"segmentation": [[6, 6, 9, 6, 9, 9]], "attributes": taken},
            ],
        )
    )
    first, second = imported.dataset.images[0].instances
    assert (first.id, second.id, second.status, second.note) == (1, 9, "unreviewed", "")
    assert "2 attributes" in "".join(imported.remarks) and "renumbered" in "".join(imported.remarks)


@pytest.mark.parametrize("ids", [(2, 1), (1, 1), (0,), (65536,)])
def test_instances_without_proper_ids_are_not_written(folder, ids):
    mask = image_of([[1]]).instances[0].mask
    image = AnnotatedImage("a.tif", (1, 1), tuple(Instance(id_, mask, "painted") for id_ in ids))
    with pytest.raises(BadValueError, match="ascending ids"):
        write_coco(folder / "a.json", dataset_of(image))
    assert not list(folder.iterdir())


def test_images_of_one_stem_are_not_written(folder):
    with pytest.raises(BadValueError, match="twice"):
        write_coco(folder / "a.json", dataset_of(image_of([[1]], "A.tif"), image_of([[1]], "a.png")))
